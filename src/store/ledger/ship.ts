/**
 * Brings what the journal has to the database, in the background. What waits is kept in memory up to a bound, beyond it (the database
 * is down) in the journal alone, and read back from there. An opening waits a moment for its settlement, so that most calls are one row once.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { LedgerEntry } from '../../core/ledger.ts'
import type { LedgerRecord } from './codec.ts'
import type { Journal, Place } from './journal.ts'
import { readJournal } from './journal-lines.ts'
import type { Known } from './rows.ts'
import type { LedgerWriter } from './writer.ts'

export interface ShipperOptions {
  readonly journal: Journal
  readonly writer: LedgerWriter
  readonly instance: string
  readonly warn: (message: string) => void
  /** How often. Default 100. */
  readonly everyMs?: number
  /** How long an opening waits for its settlement. Default 400. */
  readonly patienceMs?: number
  /** Entries in one transaction. Default 100. */
  readonly batch?: number
  /** Entries kept in memory. Default 5,000. */
  readonly memory?: number
}

export interface Shipper {
  /** Appends it to the journal and brings it to the database when its time has come. */
  take(record: LedgerRecord): void
  /** What has not been shipped yet of an entry, if it is in memory. */
  waiting(id: string): Known | undefined
  /** Ships all that was taken so far; rejects with the database's error when that does not succeed in time. */
  flush(limitMs: number): Promise<void>
  readonly state: ShipperState
  stop(): Promise<void>
}

export interface ShipperState {
  readonly waiting: number
  /** Some are in the journal only. */
  readonly behind: boolean
  readonly shipped: number
  /** Entries that the database refuses. */
  readonly refused: number
  /** Records that found room neither in the journal nor in memory. */
  readonly dropped: number
}

interface Waiting {
  readonly id: string
  opening: LedgerEntry | undefined
  openingText: string | undefined
  openingSegment: number | undefined
  settlement: LedgerEntry['settlement']
  settlementText: string | undefined
  settlementSegment: number | undefined
  since: number
}

/** With all its members, so that all have one shape. */
const emptyOf = (id: string, since: number): Waiting => ({
  ...{ id, opening: undefined, openingText: undefined, openingSegment: undefined },
  ...{ settlement: undefined, settlementText: undefined, settlementSegment: undefined, since },
})

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 2_000
const POLL_MS = 50

export function createShipper(options: ShipperOptions): Shipper {
  const { journal, writer, instance, warn, everyMs = 100, patienceMs = 400, batch = 100, memory = 5_000 } = options
  const waiting = new Map<string, Waiting>()
  /** From here on records are in the journal only. */
  let behind: Place | undefined
  let forced = 0
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let failures = 0
  let lastError: unknown
  let shipped = 0
  let refused = 0
  let dropped = 0
  let stopped = false
  let inFlight: readonly Waiting[] = []
  let round = Promise.withResolvers<void>()
  const stopping = new AbortController()

  function schedule(): void {
    if (timer || running || stopped) return
    timer = setTimeout(() => {
      timer = undefined
      void run()
    }, everyMs)
    timer.unref()
  }

  /** One at a time; whoever asks meanwhile gets the one that is on. */
  function run(): Promise<void> {
    running ??= ship().then(rested, (error: unknown) => {
      // The journal could not be read: again, soon.
      lastError = error
      rested()
    })
    return running

    function rested(): void {
      running = undefined
      if (waiting.size > 0 || behind) schedule()
    }
  }

  async function ship(): Promise<void> {
    for (;;) {
      if (behind && waiting.size < memory / 2) await catchUp()
      const due = dueNow()
      if (due.length === 0) return
      inFlight = due
      try {
        await deliver(due)
        failures = 0
      } catch (error) {
        lastError = error
        failures++
        for (const one of due) putBack(one)
        await sleep(pauseAfter(failures), undefined, { ref: false, signal: stopping.signal }).catch(() => {})
      }
      inFlight = []
      round.resolve()
      round = Promise.withResolvers()
      if (stopped) return
      // Between two transactions the loop serves calls.
      await new Promise(setImmediate)
    }
  }

  function dueNow(): Waiting[] {
    const due: Waiting[] = []
    const late = Math.max(forced, performance.now() - patienceMs)
    for (const one of waiting.values()) {
      if (!one.settlement && one.since > late) continue
      due.push(one)
      if (due.length === batch) break
    }
    for (const { id } of due) waiting.delete(id)
    return due
  }

  async function deliver(due: readonly Waiting[]): Promise<void> {
    try {
      await writer.write(due, instance)
    } catch (error) {
      if (!isRefusal(error)) throw error
      if (due.length > 1) {
        // One of them is at fault; the others are not to wait for it.
        const middle = due.length >> 1
        for (const half of [due.slice(0, middle), due.slice(middle)]) {
          await deliver(half).catch(() => {
            for (const one of half) putBack(one)
          })
        }
        return
      }
      refused++
      warn(`The database refuses ledger entry ${due[0]?.id}: ${(error as Error).message}. It stays in the journal.`)
      return
    }
    shipped += due.length
    for (const { openingSegment, settlementSegment } of due) {
      if (openingSegment !== undefined) journal.shipped(openingSegment, 1)
      if (settlementSegment !== undefined) journal.shipped(settlementSegment, 1)
    }
  }

  function put(record: LedgerRecord, segment: number, since: number): void {
    let one = waiting.get(record.value.id)
    if (!one) {
      one = emptyOf(record.value.id, since)
      waiting.set(one.id, one)
    }
    if (record.kind === 'opening') {
      if (one.openingSegment !== undefined) journal.shipped(segment, 1)
      else {
        one.opening = record.value
        one.openingText = record.text
        one.openingSegment = segment
      }
    } else if (one.settlementSegment !== undefined) journal.shipped(segment, 1)
    else {
      one.settlement = record.value
      one.settlementText = record.text
      one.settlementSegment = segment
    }
  }

  /** It may have been settled while it was on its way. */
  function putBack(one: Waiting): void {
    const now = waiting.get(one.id)
    if (!now) waiting.set(one.id, one)
    else waiting.set(one.id, bothOf(one, now))
  }

  /** Reads on in the journal, as far as there is room. */
  async function catchUp(): Promise<void> {
    while (behind && !stopped) {
      journal.commit()
      const { segment, offset } = behind
      const end = journal.end
      const current = segment === end.segment
      for await (const { records, position } of readJournal(journal.pathOf(segment), offset, current ? end.offset : undefined)) {
        for (const record of records) put(record, segment, 0)
        behind = { segment, offset: position }
        if (waiting.size >= memory) return
      }
      // A full one was read to its end; in the current one only what was said while we read is left, if anything.
      if (!current) behind = { segment: segment + 1, offset: 0 }
      else if (journal.commit() && journal.end.segment === segment && journal.end.offset === end.offset) behind = undefined
    }
  }

  const anySince = (time: number): boolean => {
    for (const { since } of waiting.values()) if (since <= time) return true
    return inFlight.some(({ since }) => since <= time)
  }

  return {
    take(record) {
      if (behind === undefined && waiting.size >= memory && !waiting.has(record.value.id)) {
        journal.commit()
        behind = journal.end
      }
      const segment = journal.append(record)
      if (behind === undefined) put(record, segment, performance.now())
      else if (!journal.commit()) {
        // It exists here only.
        if (waiting.size < memory * 4) put(record, segment, performance.now())
        else if (dropped++ === 0) warn('The ledger loses entries: neither its journal nor the database can be written.')
      }
      schedule()
    },
    waiting: (id) => waiting.get(id),
    async flush(limitMs) {
      const upTo = performance.now()
      const until = upTo + limitMs
      forced = Math.max(forced, upTo)
      while (behind || anySince(upTo)) {
        void run()
        await Promise.race([round.promise, sleep(POLL_MS, undefined, { ref: false })])
        if (performance.now() >= until) throw lastError ?? new Error('the ledger is still on its way to the database')
      }
    },
    get state() {
      return { waiting: waiting.size, behind: behind !== undefined, shipped, refused, dropped }
    },
    async stop() {
      stopped = true
      clearTimeout(timer)
      stopping.abort()
      await running
    },
  }
}

const bothOf = (before: Waiting, now: Waiting): Waiting => ({
  id: now.id,
  opening: now.opening ?? before.opening,
  openingText: now.openingText ?? before.openingText,
  openingSegment: now.openingSegment ?? before.openingSegment,
  settlement: now.settlement ?? before.settlement,
  settlementText: now.settlementText ?? before.settlementText,
  settlementSegment: now.settlementSegment ?? before.settlementSegment,
  since: Math.min(before.since, now.since),
})

const pauseAfter = (failures: number): number =>
  Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2)

/** The row is at fault, not the database: its value does not fit (SQLSTATE 22, 23, 54; SQLite: too big, constraint, mismatch). */
function isRefusal(error: unknown): boolean {
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown }
  if (typeof errcode === 'number') return [18, 19, 20].includes(errcode & 0xff)
  return typeof code === 'string' && /^(22|23|54)...$|^ERR_(INVALID|OUT_OF)/.test(code)
}
