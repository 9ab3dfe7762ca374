/**
 * Tells of changes by all processes. Own ones are told at once; others' are read from the table `changes`, at every
 * notification of PostgreSQL and at short intervals, so that a connection that went deaf costs time but no change.
 */
import type { RecordChange, RecordKind } from '../../core/records.ts'
import { type ChangeListener, createListeners } from '../changes.ts'
import type { Database } from './database.ts'
import { sql } from './sql.ts'
import { rowsOf, type Steps, statement } from './steps.ts'

export interface ChangeFeed {
  watch(listener: ChangeListener): () => void
  /** Part of the transaction that changes the record: its last step, since it makes other writers wait. */
  note(kind: RecordKind, id: string, at: number): Steps<RecordChange>
  /** After the transaction. */
  tell(change: RecordChange): void
  close(): void
}

const CHANNEL = 'signalbox_changes'
const LOCK = 7_303_014_002
const POLL_MS = { sqlite: 200, postgres: 500 } as const
/** Changes read at a time. */
const BATCH = 5_000

/** Changes from now on; where the database is out of reach, from the beginning: nothing could be read yet. */
export async function openChangeFeed(database: Database): Promise<ChangeFeed> {
  const { kind } = database
  const listeners = createListeners()
  /** Told already, by us, but not read yet. */
  const own = new Set<number>()
  let cursor = await newest().catch(() => 0)
  let reading: Promise<void> | undefined
  let again = false
  let stop: (() => void) | undefined

  async function newest(): Promise<number> {
    const [row] = await database.lookup(() => database.query(sql<{ seq: number | null }>`select max(seq) as seq from changes`))
    return row?.seq ?? 0
  }

  async function read(): Promise<void> {
    const last = await newest()
    // Somebody put back an older database: what has changed by that, nobody knows.
    if (last < cursor) cursor = 0
    while (cursor < last && stop) {
      const rows = await database.query(
        sql<RecordChange>`select seq, kind, id from changes where seq > ${cursor} order by seq limit ${BATCH}`,
      )
      cursor = rows.at(-1)?.seq ?? last
      listeners.tell(rows.filter(({ seq }) => !own.has(seq)))
    }
    for (const seq of own) if (seq <= cursor) own.delete(seq)
  }

  /** One reader at a time. A wish to read during a reading is one more reading. */
  function wake(): void {
    if (reading) {
      again = true
      return
    }
    reading = read()
      // The next interval tries again.
      .catch(() => {})
      .finally(() => {
        reading = undefined
        if (!again || !stop) return
        again = false
        wake()
      })
  }

  function start(): () => void {
    const timer = setInterval(wake, POLL_MS[kind])
    timer.unref()
    const deafen = database.listen?.(CHANNEL, wake)
    return () => {
      clearInterval(timer)
      deafen?.()
    }
  }

  return {
    watch(listener) {
      const remove = listeners.add(listener)
      stop ??= start()
      return () => {
        remove()
        if (listeners.size > 0) return
        stop?.()
        stop = undefined
      }
    },
    *note(record, id, at) {
      const values = sql`insert into changes (kind, id, at) values (${record}, ${id}, ${at})`
      // Numbers must become visible in their order, or a reader would pass over one that commits late.
      if (kind === 'postgres') yield* statement('select pg_advisory_xact_lock($1)', [LOCK])
      else yield sql`delete from changes where kind = ${record} and id = ${id}`
      const rows = yield* rowsOf(
        kind === 'postgres'
          ? sql<{ seq: number }>`${values} on conflict (kind, id) do update set seq = excluded.seq, at = excluded.at
              returning seq, pg_notify(${CHANNEL}, '')`
          : sql<{ seq: number }>`${values} returning seq`,
      )
      return { seq: rows[0]?.seq ?? 0, kind: record, id }
    },
    tell(change) {
      // A notification may be quicker than the answer to our commit.
      if (!stop || change.seq <= cursor) return
      own.add(change.seq)
      listeners.tell([change])
    },
    close() {
      listeners.clear()
      stop?.()
      stop = undefined
    },
  }
}
