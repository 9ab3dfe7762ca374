/** The ledger of a process or thread with a database: a journal in front, tables behind, a shipper between them. */
import type { Ledger, LedgerEntry } from '../../core/ledger.ts'
import type { Turn } from '../../core/turn.ts'
import type { Database } from '../sql/database.ts'
import { sql } from '../sql/sql.ts'
import { type LedgerRecord, openingRecord, settlementRecord } from './codec.ts'
import { sumDays } from './days.ts'
import { type Instance, openDataDirectory } from './instance.ts'
import { type JournalOptions, openJournal } from './journal.ts'
import type { StoreLedger } from './ledger.ts'
import { entriesFrom, findIn, spentFrom, usageFrom } from './queries.ts'
import { recentFrom } from './recent.ts'
import { recover } from './recover.ts'
import { createShipper, type ShipperOptions } from './ship.ts'
import { batchOf, createLedgerWriter, type LedgerWriter } from './writer.ts'

export interface SqlLedgerOptions {
  readonly database: Database
  /** Where journals are kept, of this and of other processes and threads. */
  readonly directory: string
  /** `strict`: `settled` waits for the disk. Default `process`: what was told survives the process, not a power cut. */
  readonly durability?: 'process' | 'strict'
  /**
   * When an opening is written to the journal. `at-once` (default): before `open` returns. `at-commit`: with the next `commit`,
   * which whoever sends calls upstream must then call before it does; many openings are one write so.
   */
  readonly openings?: 'at-once' | 'at-commit'
  /** Calls whose process died before they ended, as soon as that is known. Each once, but for a kill in the middle of telling. */
  readonly onLost?: (entries: readonly LedgerEntry[]) => void
  /** Told once when trouble begins. Default: standard error. */
  readonly warn?: (message: string) => void
  /** How often to look for dead neighbours. Default 20 s. */
  readonly recoverEveryMs?: number
  readonly shipping?: Pick<ShipperOptions, 'everyMs' | 'patienceMs' | 'batch' | 'memory'>
  readonly journal?: Pick<JournalOptions, 'segmentBytes' | 'write'>
  readonly turn?: Turn
  readonly now?: () => number
}

/** What a query waits for entries that are still on their way. */
const QUERY_WAIT_MS = 1_000
const FLUSH_MS = 5_000
const CLOSE_MS = 2_000
const RETRY_MS = 500
/** A predecessor may still be dying when its successor starts. */
const FIRST_LOOKS_MS = [300, 1_000, 2_000]
/** An instance says that it lives; `SILENCE_MS` of `recover.ts` is many times that. */
const HEARTBEAT_MS = 30_000

export function createSqlLedger(options: SqlLedgerOptions): StoreLedger {
  const { database, durability = 'process', openings = 'at-once', onLost, now = Date.now, recoverEveryMs = 20_000 } = options
  const warn = options.warn ?? ((message: string) => void process.stderr.write(`${message}\n`))
  const data = openDataDirectory(options.directory)
  const instance = data.claim()
  const journal = openJournal({
    directory: instance.folder,
    warn,
    strict: durability === 'strict',
    ...options.journal,
    ...(options.turn && { turn: options.turn }),
  })
  const plainWriter = createLedgerWriter(database, now)
  const shipper = createShipper({
    ...{ journal, writer: announced(plainWriter), instance: instance.id, warn, batch: batchOf(database.kind) },
    ...options.shipping,
  })
  const first = Promise.withResolvers<readonly LedgerEntry[]>()
  let closed = false
  let recovering: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  const pauses = [...FIRST_LOOKS_MS]
  look(0)

  /** The instance is known before the first of its entries is, so that somebody can tell when it is dead. */
  function announced(writer: LedgerWriter): LedgerWriter {
    let due = 0
    return {
      async write(batch, id) {
        if (performance.now() >= due) {
          await beat(database, instance, data.id, now())
          due = performance.now() + HEARTBEAT_MS
        }
        await writer.write(batch, id)
      },
    }
  }

  function look(afterMs: number): void {
    timer = setTimeout(() => {
      recovering = lookNow().then((found) => {
        recovering = undefined
        if (!closed) look(found === 'done' ? (pauses.shift() ?? recoverEveryMs) : RETRY_MS)
      })
    }, afterMs)
    timer.unref()
  }

  async function lookNow(): Promise<'done' | 'more' | 'failed'> {
    try {
      await database.ready
      await beat(database, instance, data.id, now())
      const lost = await recover({ database, writer: plainWriter, data, instance: instance.id, warn, now })
      if (lost.length > 0) onLost?.(lost)
      first.resolve(lost)
      return (await sumDays(database, now())) ? 'more' : 'done'
    } catch {
      // The database is away: again, soon.
      return 'failed'
    }
  }

  function tell(record: LedgerRecord): void {
    try {
      shipper.take(record)
    } catch (error) {
      warn(`The ledger could not take an entry: ${(error as Error).message}`)
    }
  }

  /** Queries see what this process was told. Where that cannot be had in time they see the rest. */
  const upToDate = (): Promise<void> => shipper.flush(QUERY_WAIT_MS).catch(() => {})

  const ledger: StoreLedger = {
    open(entry) {
      tell(openingRecord(entry))
      if (openings === 'at-once') journal.commit()
    },
    settle: (settlement) => tell(settledRecord(settlement, warn)),
    commit: () => void journal.commit(),
    settled: () => journal.durable(),
    flush: () => shipper.flush(FLUSH_MS),
    async usage(query) {
      await upToDate()
      return usageFrom(database, query)
    },
    async find(id) {
      const { opening, settlement } = shipper.waiting(id) ?? {}
      if (opening && settlement) return { ...opening, settlement }
      await upToDate()
      return findIn(database, id)
    },
    async *entries(query) {
      await upToDate()
      yield* entriesFrom(database, query)
    },
    async recent(query) {
      await upToDate()
      return recentFrom(database, query)
    },
    async spent(selector, from, to) {
      await upToDate()
      return spentFrom(database, selector, from, to)
    },
    recovered: first.promise,
    get state() {
      const { waiting, behind, refused, dropped } = shipper.state
      return { waiting, behind, refused, dropped, unwritten: journal.unwritten }
    },
    async close() {
      if (closed) return
      closed = true
      clearTimeout(timer)
      await recovering
      journal.commit()
      const complete = await shipper.flush(CLOSE_MS).then(
        () => shipper.state.refused === 0,
        () => false,
      )
      await shipper.stop()
      journal.close()
      // What is left is for the successor. What still runs is lost by then, and it says so.
      if (complete) instance.remove()
      else instance.release()
      first.resolve([])
    },
  }
  return ledger satisfies Ledger
}

/** A decision record that is no JSON must not cost the settlement. */
function settledRecord(settlement: Parameters<Ledger['settle']>[0], warn: (message: string) => void): LedgerRecord {
  try {
    return settlementRecord(settlement)
  } catch (error) {
    warn(`A decision record could not be kept: ${(error as Error).message}`)
    const { record: _, ...rest } = settlement
    return settlementRecord(rest)
  }
}

async function beat(database: Database, { id }: Instance, directory: string, at: number): Promise<void> {
  await database.query(
    sql`insert into ledger_instances (id, directory, seen_at) values (${id}, ${directory}, ${at})
      on conflict (id) do update set seen_at = excluded.seen_at`,
  )
}
