/**
 * Counters in Redis, for many processes: one command for all holds of a call, one for the calls that have ended in a turn. When Redis does
 * not answer, reserving rejects; what has ended is kept and told later. `fallback.ts` decides what happens to calls meanwhile.
 */
import type { CounterState, Hold, Reserved } from '../../core/counters.ts'
import { createIds } from './ids.ts'
import { bornAt, createRedisCommands, type Ended } from './redis-commands.ts'
import { type RedisLink, redisDown } from './redis-link.ts'
import { createSeeds, LEDGER_MS, soon } from './seeds.ts'
import { actualOf, endOf } from './windows.ts'

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export interface RedisCountersOptions {
  readonly link: RedisLink
  /** Name of this process among its like, in Redis. */
  readonly replica: string
  /** Told when something is lost: settlements beyond what can be kept, answers that make no sense. */
  readonly onTrouble?: (message: string) => void
}

/** A call of this process whose holds live. */
export interface LiveCall {
  readonly holds: readonly Hold[]
  /** By `performance.now()`. */
  readonly until: number
  /** Where its holds are: in this epoch of Redis; empty: nowhere there. */
  readonly epoch: string
}

export interface RedisCounters {
  /** Redis is there, and knows of all that has ended. */
  readonly ready: boolean
  /** Processes that counted in Redis when it was last seen, this one included; 0: never seen. */
  readonly replicas: number
  readonly epoch: string
  /** Rejects with `store-unavailable`. Whether it was taken is not known then: say `settle` or `cancel`. */
  reserve(id: string, holds: readonly Hold[], leaseMs: number): Promise<Reserved>
  /** Returns at once. A call that was not reserved here counts with what it used. */
  settle(id: string, holds: readonly Hold[], actual: readonly number[]): void
  /** Undoes what may have been taken under this id. It may be reserved again afterwards. */
  cancel(id: string, holds: readonly Hold[]): void
  read(counters: readonly string[]): Promise<readonly (CounterState | undefined)[]>
  /** As last seen by this process. */
  lastSeen(counter: string): CounterState | undefined
  live(): ReadonlyMap<string, LiveCall>
  /** Settlements that Redis has not been told of. */
  readonly untold: number
  /** Called when Redis is there (again) and has been told of all that has ended. */
  onReady(listener: () => void): void
  close(): Promise<void>
}

const BEAT_MS = 1_000
/** Without a beat for so long a replica does not count. */
const BEAT_KEEP_MS = 5_000
const BATCH = 100
/** Beyond this many the oldest are given up: the ledger has them, this window's counters will not. */
const MOST_UNTOLD = 200_000
const MOST_FLYING = 8
/** What replicas' clocks may differ by. */
const SKEW_MS = 2_000
/** A counter without an end is kept a little longer than so long without a call. */
const KEPT_MS = 6 * 86_400_000
const MOST_CANCELLED = 50_000
const MOST_SEEN = 50_000
const RETRY_MS = 200
const FAREWELL_MS = 1_000

export function createRedisCounters({ link, replica, onTrouble = () => {} }: RedisCountersOptions): RedisCounters {
  const commands = createRedisCommands(link)
  const seeds = createSeeds()
  const seen = new Map<string, CounterState>()
  const live = new Map<string, LiveCall>()
  const ended = createIds()
  /** Asked for and not ended since. A call may end before Redis has answered that it may begin. */
  const reserving = new Set<string>()
  /** How often an id was cancelled: its next reservation goes by another name. */
  const cancelled = new Map<string, number>()
  const listeners: (() => void)[] = []
  let untold: Ended[] = []
  let turn = false
  /** Batches on their way. */
  let flying = 0
  let ready = false
  let closed = false
  let epoch = ''
  let replicas = 0

  const nameOf = (id: string): string => {
    const times = cancelled.size > 0 ? cancelled.get(id) : undefined
    return times === undefined ? id : `${id}~${times}`
  }

  function note(holds: readonly Hold[], reserved: Reserved): void {
    if (seen.size > MOST_SEEN) seen.clear()
    if (reserved.ok) {
      for (let index = 0; index < holds.length; index++) {
        const [hold, state] = [holds[index], reserved.states[index]]
        if (hold && state) seen.set(hold.counter, state)
      }
    } else {
      const hold = holds[reserved.index]
      if (hold) seen.set(hold.counter, reserved.state)
    }
  }

  function noteEnd(holds: readonly Hold[], actual: readonly number[]): void {
    for (let index = 0; index < holds.length; index++) {
      const hold = holds[index]
      const state = hold && seen.get(hold.counter)
      if (!state || !hold) continue
      seen.set(hold.counter, { spent: state.spent + actualOf(actual[index], hold), held: Math.max(0, state.held - hold.amount) })
    }
  }

  /** The ledger's word; where it cannot be had soon, zero for a counter that would be known if anything had been counted. */
  async function seedOf(hold: Hold, epoch: string): Promise<number> {
    const { emptyUntil = 0 } = hold
    const kept = Number.isFinite(endOf(hold)) || Date.now() - emptyUntil < KEPT_MS
    const empty = kept && emptyUntil > bornAt(epoch) + SKEW_MS
    if (!empty) return await seeds.ask(hold)
    return (await soon(seeds.ask(hold), LEDGER_MS).catch(() => undefined)) ?? 0
  }

  async function reserve(id: string, holds: readonly Hold[], leaseMs: number): Promise<Reserved> {
    // What ended before this call came is told before it: one connection, one order.
    if (turn) tell()
    reserving.add(id)
    let answer = await commands.reserve(nameOf(id), holds, leaseMs)
    for (let trips = 0; answer.what === 'unknown'; trips++) {
      if (trips === 3) throw redisDown('The shared counters forget what they are told.')
      const { epoch } = answer
      const asked = answer.indexes.map(async (index): Promise<[number, number]> => {
        const hold = holds[index]
        return [index, hold ? await seedOf(hold, epoch) : 0]
      })
      answer = await commands.reserve(nameOf(id), holds, leaseMs, { askedAt: answer.at, seeds: new Map(await Promise.all(asked)) })
    }
    epoch = answer.epoch
    note(holds, answer.reserved)
    if (answer.reserved.ok && reserving.delete(id)) live.set(id, { holds, until: performance.now() + leaseMs, epoch })
    return answer.reserved
  }

  function end(id: string, holds: readonly Hold[], actual: readonly number[]): void {
    const call = live.get(id)
    const name = nameOf(id)
    if (!call && ended.has(name)) return
    ended.add(name, performance.now())
    live.delete(id)
    reserving.delete(id)
    if (call) noteEnd(call.holds, actual)
    untold.push({ id: name, epoch: call?.epoch ?? '', endedAt: performance.now(), holds: call?.holds ?? holds, actual })
    if (untold.length > MOST_UNTOLD) {
      untold = untold.slice(MOST_UNTOLD / 10)
      onTrouble(`Redis is away for too long: ${MOST_UNTOLD / 10} settlements will be missing in its counters`)
    }
    if (turn) return
    turn = true
    setImmediate(tell)
  }

  /** All that is not told yet. What may have arrived is told again: the scripts know it by its id. */
  function tell(): void {
    turn = false
    while (link.up && untold.length > 0 && flying < MOST_FLYING) {
      const batch = untold.splice(0, BATCH)
      flying++
      commands.settle(batch).then(
        (told) => {
          epoch = told.epoch
          flying--
          if (untold.length > 0) tell()
          else becomeReady()
        },
        () => {
          ready = false
          flying--
          untold.unshift(...batch)
          setTimeout(tell, RETRY_MS).unref()
        },
      )
    }
  }

  function becomeReady(): void {
    if (ready || closed || !link.up || flying > 0 || untold.length > 0) return
    ready = true
    for (const listener of listeners) listener()
  }

  async function beat(): Promise<void> {
    if (!link.up) {
      ready = false
      return
    }
    tell()
    const count = await commands.beat(replica, BEAT_KEEP_MS).catch(() => 0)
    if (count > 0) {
      replicas = count
      becomeReady()
    }
    sweep()
  }

  /** Calls that nobody ended, and cancelled ids that nobody asks for any more. */
  function sweep(): void {
    const now = performance.now()
    for (const [id, call] of live) if (call.until < now) live.delete(id)
    for (const id of cancelled.keys()) {
      if (cancelled.size <= MOST_CANCELLED) break
      cancelled.delete(id)
    }
  }

  link.onUp(() => void Promise.resolve().then(beat))
  const beating = setInterval(() => void beat(), BEAT_MS)
  beating.unref()

  return {
    get ready() {
      if (!link.up) ready = false
      return ready
    },
    get replicas() {
      return replicas
    },
    get epoch() {
      return epoch
    },
    get untold() {
      return untold.length + flying
    },
    reserve,
    settle: end,
    cancel(id, holds) {
      end(
        id,
        holds,
        holds.map(() => 0),
      )
      cancelled.set(id, (cancelled.get(id) ?? 0) + 1)
    },
    read: (counters) => {
      if (turn) tell()
      return commands.read(counters)
    },
    lastSeen: (counter) => seen.get(counter),
    live: () => live,
    onReady(listener) {
      listeners.push(listener)
      if (ready) listener()
    },
    async close() {
      closed = true
      clearInterval(beating)
      const until = performance.now() + FAREWELL_MS
      for (; link.up && (untold.length > 0 || flying > 0) && performance.now() < until; await sleep(5)) tell()
      if (link.up) await link.command(['ZREM', '{sb}replicas', replica]).catch(() => {})
      link.close()
    },
  }
}
