/**
 * What one transaction does, as a generator that yields queries and is handed their results. SQLite runs it at one go, so
 * that no transaction is ever open while somebody else's code runs on the same connection; PostgreSQL awaits between steps.
 */
import { type Compilable, CompiledQuery, type QueryResult } from 'kysely'

export type Steps<T> = Generator<CompiledQuery, T, QueryResult<unknown>>

export interface TransactionOptions {
  /** For the whole of it. Default 2 000. */
  readonly timeoutMs?: number
}

export type Transact = <T>(steps: () => Steps<T>, options?: TransactionOptions) => Promise<T>

/** The rows of a query: `const [row] = yield* rowsOf(kysely.selectFrom('records')…)`. */
export function* rowsOf<Row>(query: Compilable<Row>): Steps<readonly Row[]> {
  const result = yield query.compile()
  return result.rows as Row[]
}

/** How many rows an insert, update or delete without `returning` touched. */
export function* countOf(query: Compilable): Steps<number> {
  const result = yield query.compile()
  return Number(result.numAffectedRows ?? 0n)
}

/** A statement in the database's own words. Parameters are `?` in SQLite, `$1` in PostgreSQL. */
export function* statement<Row = unknown>(text: string, parameters: readonly unknown[] = []): Steps<readonly Row[]> {
  const result = yield CompiledQuery.raw(text, [...parameters])
  return result.rows as Row[]
}
