/** Puts batches of entries into the table. Repeating a batch, or parts of it, changes nothing. */
import type { StatementSync } from 'node:sqlite'
import type { Database, DatabaseKind } from '../sql/database.ts'
import { type Steps, statement } from '../sql/steps.ts'
import { isLate, takeBack } from './days.ts'
import { columns, type Known, type RowKind, rowKindOf, rowOf, upsertOf } from './rows.ts'

/** Entries in one transaction: a millisecond or two in SQLite, which is on this thread; as long in PostgreSQL, where the way there counts. */
export const batchOf = (kind: DatabaseKind): number => (kind === 'sqlite' ? 100 : 300)

export interface LedgerWriter {
  /** At most one of an id in a batch. */
  write(batch: readonly Known[], instance: string): Promise<void>
}

export function createLedgerWriter(database: Database, now: () => number = Date.now): LedgerWriter {
  const quick = database.sqlite ? sqliteWriter(database) : postgresWriter(database)
  return {
    async write(batch, instance) {
      const time = now()
      const late = batch.filter(({ opening, settlement }) => isLate(opening?.at ?? settlement!.endedAt - settlement!.totalMs, time))
      if (late.length === 0) return quick.write(batch, instance)
      await database.transaction(() => lateUpserts(database.kind, batch, instance, late))
    },
  }
}

function* lateUpserts(kind: DatabaseKind, batch: readonly Known[], instance: string, late: readonly Known[]): Steps<void> {
  yield* upserts(kind, batch, instance)
  yield* takeBack(
    kind,
    late.map(({ id }) => id),
  )
}

/** Compiled statements, one transaction at one go: the whole batch costs what a few queries through the query builder do. */
function sqliteWriter(database: Database): LedgerWriter {
  const sqlite = database.sqlite!
  const prepared: Partial<Record<RowKind, StatementSync>> = {}
  return {
    async write(batch, instance) {
      sqlite.exec('begin immediate')
      try {
        for (const known of batch) {
          const kind = rowKindOf(known)
          prepared[kind] ??= sqlite.prepare(upsertOf(kind, 'sqlite'))
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
      await database.transaction(() => upserts('postgres', batch, instance))
    },
  }
}

/** Steps of a transaction. In the order of ids, so that two who write the same wait for each other only one way. */
export function* upserts(kind: DatabaseKind, batch: readonly Known[], instance: string): Steps<void> {
  if (kind === 'sqlite') {
    for (const known of batch) yield* statement(upsertOf(rowKindOf(known), kind), rowOf(known, instance))
    return
  }
  const sorted = batch.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  for (const form of ['whole', 'opened', 'settled'] as const) {
    const rows = sorted.filter((known) => rowKindOf(known) === form).map((known) => objectOf(rowOf(known, instance)))
    if (rows.length > 0) yield* statement(upsertOf(form, kind), [JSON.stringify(rows)])
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
