/** Puts batches of entries into the table. Repeating a batch, or parts of it, changes nothing. */
import type { Database } from '../sql/database.ts'
import { type Steps, statement } from '../sql/steps.ts'
import { columns, type Known, type RowKind, rowKindOf, rowOf, upsertOf } from './rows.ts'

export interface LedgerWriter {
  /** At most one of an id in a batch. */
  write(batch: readonly Known[], instance: string): Promise<void>
}

export function createLedgerWriter(database: Database): LedgerWriter {
  return database.sqlite ? sqliteWriter(database) : postgresWriter(database)
}

/** Compiled statements, one transaction at one go: the whole batch costs what a few queries through the query builder do. */
function sqliteWriter(database: Database): LedgerWriter {
  const sqlite = database.sqlite!
  const statements = { opened: '', settled: '', whole: '' } as Record<RowKind, string>
  for (const kind of ['opened', 'settled', 'whole'] as const) statements[kind] = upsertOf(kind, 'sqlite')
  const prepared: Partial<Record<RowKind, ReturnType<typeof sqlite.prepare>>> = {}
  return {
    async write(batch, instance) {
      sqlite.exec('begin immediate')
      try {
        for (const known of batch) {
          const kind = rowKindOf(known)
          prepared[kind] ??= sqlite.prepare(statements[kind])
          prepared[kind].run(...rowOf(known, instance))
        }
        sqlite.exec('commit')
      } catch (error) {
        if (sqlite.isTransaction) sqlite.exec('rollback')
        throw error
      }
    },
  }
}

function postgresWriter(database: Database): LedgerWriter {
  return {
    async write(batch, instance) {
      await database.transaction(() => upserts(batch, instance))
    },
  }
}

/** Steps of a transaction on PostgreSQL. In the order of ids, so that two who write the same wait for each other only one way. */
export function* upserts(batch: readonly Known[], instance: string): Steps<void> {
  const sorted = batch.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  for (const kind of ['whole', 'opened', 'settled'] as const) {
    const rows = sorted.filter((known) => rowKindOf(known) === kind).map((known) => objectOf(rowOf(known, instance)))
    if (rows.length > 0) yield* statement(upsertOf(kind, 'postgres'), [JSON.stringify(rows)])
  }
}

function objectOf(row: ReturnType<typeof rowOf>): Record<string, string | number | null> {
  const object: Record<string, string | number | null> = {}
  for (const [index, name] of columns.entries()) {
    const value = row[index] ?? null
    object[name] = typeof value === 'bigint' ? value.toString() : value
  }
  return object
}
