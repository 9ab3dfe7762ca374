/**
 * What dead predecessors left: their journals go to the database, and what they opened and never settled is lost, at its estimate.
 * Runs at the start while calls are served, and from time to time after it: other threads and replicas die too.
 */
import type { LedgerEntry } from '../../core/ledger.ts'
import type { Database } from '../sql/database.ts'
import { sql } from '../sql/sql.ts'
import { rowsOf, type Steps } from '../sql/steps.ts'
import { lostSettlement, openingOf, settlementRecord } from './codec.ts'
import { takeBack } from './days.ts'
import type { DataDirectory, Instance } from './instance.ts'
import { readJournal } from './journal-lines.ts'
import type { Known } from './rows.ts'
import { batchOf, type LedgerWriter, upserts } from './writer.ts'

export interface RecoverOptions {
  readonly database: Database
  readonly writer: LedgerWriter
  readonly data: DataDirectory
  /** The caller's own. */
  readonly instance: string
  readonly warn: (message: string) => void
  readonly now?: () => number
}

/** Lost entries of one transaction. */
const BATCH = 100
/** An instance without a journal that has not been heard of for so long is dead. Instances report far more often. */
export const SILENCE_MS = 5 * 60_000

/** Entries that became lost by this. Repeating it, at the same time too, does no harm. Rejects when the database is away. */
export async function recover(options: RecoverOptions): Promise<readonly LedgerEntry[]> {
  const { data, instance: own } = options
  const lost: LedgerEntry[] = []
  for (const id of data.instances()) {
    if (id === own) continue
    const dead = data.takeOver(id)
    if (!dead) continue
    try {
      await shipAll(dead, options)
      lost.push(...(await loseAll(id, options)))
      dead.remove()
    } finally {
      dead.release()
    }
  }
  for (const id of await vanished(options)) lost.push(...(await loseAll(id, options)))
  return lost
}

async function shipAll(dead: Instance, { database, writer, warn }: RecoverOptions): Promise<void> {
  for (const path of dead.segments()) {
    let damaged = 0
    for await (const batch of readJournal(path)) {
      damaged += batch.damaged
      const known = new Map<string, { -readonly [Name in keyof Known]: Known[Name] }>()
      for (const record of batch.records) {
        const { id } = record.value
        let one = known.get(id)
        if (!one) {
          one = { id }
          known.set(id, one)
        }
        if (record.kind === 'opening') Object.assign(one, { opening: record.value, openingText: record.text })
        else Object.assign(one, { settlement: record.value, settlementText: record.text })
      }
      const all = [...known.values()]
      const size = batchOf(database.kind)
      for (let start = 0; start < all.length; start += size) {
        await writer.write(all.slice(start, start + size), dead.id)
        await new Promise(setImmediate)
      }
    }
    // The last line of a process that was killed in the middle of a write is not among them: it has no end.
    if (damaged > 0) warn(`The ledger journal ${path} had ${damaged} damaged lines.`)
  }
}

async function loseAll(instance: string, options: RecoverOptions): Promise<readonly LedgerEntry[]> {
  const all: LedgerEntry[] = []
  for (;;) {
    const lost = await options.database.transaction(() => loseSome(instance, options))
    all.push(...lost)
    if (lost.length < BATCH) return all
    await new Promise(setImmediate)
  }
}

function* loseSome(instance: string, { database, now = Date.now }: RecoverOptions): Steps<readonly LedgerEntry[]> {
  // The state is in the text: the partial index is used only where the database sees the value.
  const running = sql<{ opening: string }>`select opening from ledger_entries
    where instance = ${instance} and state = 0 and opening is not null order by id limit ${BATCH}
    ${database.kind === 'postgres' ? sql`for update skip locked` : sql``}`
  const known: Known[] = []
  const lost: LedgerEntry[] = []
  for (const { opening: text } of yield* rowsOf(running)) {
    const opening = openingOf(text)
    const settlement = lostSettlement(opening, now())
    // Only the settlement is told: whatever else is known of it stays.
    known.push({ id: opening.id, settlement, settlementText: settlementRecord(settlement).text })
    lost.push({ ...opening, settlement })
  }
  yield* upserts(database.kind, known, instance)
  yield* takeBack(
    database.kind,
    known.map(({ id }) => id),
  )
  return lost
}

/** Instances with entries that still run and no journal: those of this data directory whose folder is gone, and those long silent anywhere. */
async function vanished({ database, data, instance, now = Date.now }: RecoverOptions): Promise<readonly string[]> {
  const rows = await database.query(
    sql<{ instance: string; seen_at: number | null }>`select distinct entry.instance, seen.seen_at from ledger_entries as entry
      left join ledger_instances as seen on seen.id = entry.instance
      where entry.state = 0 and entry.instance <> ${instance}`,
  )
  const standing = new Set(data.instances())
  const silent = now() - SILENCE_MS
  return rows
    .filter(({ instance: id, seen_at: at }) => (id.startsWith(`${data.id}.`) ? !standing.has(id) : at !== null && at < silent))
    .map(({ instance: id }) => id)
}
