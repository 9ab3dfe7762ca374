/**
 * What one transaction does, as a generator that yields statements and is handed their results. SQLite runs it at one go, so
 * that no transaction is ever open while somebody else's code runs on the same connection; PostgreSQL awaits between steps.
 */
import type { Sql, Statement } from './sql.ts'

export type { Statement }

export interface Result {
  readonly rows: readonly unknown[]
  /** Rows that an insert, update or delete touched. */
  readonly count: number
}

export type Steps<T> = Generator<Sql | Statement, T, Result>

export interface TransactionOptions {
  /** For the whole of it. Default 2 000. */
  readonly timeoutMs?: number
}

export type Transact = <T>(steps: () => Steps<T>, options?: TransactionOptions) => Promise<T>

/** The rows of a statement: `const [row] = yield* rowsOf(sql<Row>`select …`)`. */
export function* rowsOf<Row>(query: Sql<Row>): Steps<readonly Row[]> {
  const { rows } = yield query
  return rows as readonly Row[]
}

/** How many rows an insert, update or delete without `returning` touched. */
export function* countOf(query: Sql): Steps<number> {
  const { count } = yield query
  return count
}

/** A statement in the database's own words. Parameters are `?` in SQLite, `$1` in PostgreSQL. */
export function* statement<Row = unknown>(text: string, parameters: readonly unknown[] = []): Steps<readonly Row[]> {
  const { rows } = yield { sql: text, parameters }
  return rows as readonly Row[]
}
