/**
 * Counters of one process with one thread. Answers at once; only the first call on a counter may wait, for what was spent before.
 * Nothing runs by itself: what is due is released, and what is over is forgotten, by the calls that come.
 */
import type { CounterState, Counters, Hold, Reserved } from '../../core/counters.ts'
import { createIds } from './ids.ts'
import { createSeeds } from './seeds.ts'
import { actualOf, checkHold, endOf, IDLE_MS, rollingSliceMs, SLOTS } from './windows.ts'

export interface MemoryCountersOptions {
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

export interface MemoryCounters extends Counters {
  settle(id: string, holds: readonly Hold[], actual: readonly number[]): void
  /** How much is kept: counters, and calls whose holds live. */
  size(): { readonly counters: number; readonly leases: number }
}

/** Of a rolling window: what was spent and is held, by slice. Slice n is at n modulo SLOTS. */
interface Ring {
  readonly sliceMs: number
  latest: number
  readonly spent: number[]
  readonly held: number[]
}

/** `spent` and `held` are sums, over the ring where there is one. */
interface Counter {
  spent: number
  held: number
  endsAt: number
  readonly ring: Ring | undefined
  /** Can be seeded again, so it may be forgotten while nobody uses it. */
  readonly seeded: boolean
  usedAt: number
  /** Calls that hold something here, be it 0. */
  users: number
}

interface Lease {
  readonly at: number
  readonly until: number
  readonly holds: readonly Hold[]
  readonly counters: readonly Counter[]
}

/** Counters looked at whenever one is added, so that those that are over never outnumber the others for long. */
const SWEPT_PER_NEW = 4

export function createMemoryCounters({ now = Date.now }: MemoryCountersOptions = {}): MemoryCounters {
  const counters = new Map<string, Counter>()
  const leases = new Map<string, Lease>()
  const settled = createIds()
  const seeds = createSeeds()
  /** No lease ends before this. */
  let nextDue = Number.POSITIVE_INFINITY
  let hand = counters.entries()
  let added = 0

  /** The hold's counter as it is now; undefined when it is not known, its window is over, or it is of another kind. */
  function find(hold: Hold, at: number): Counter | undefined {
    const counter = counters.get(hold.counter)
    if (!counter) return undefined
    const endsAt = endOf(hold)
    if (counter.endsAt !== endsAt) {
      if (counter.endsAt <= at && endsAt > counter.endsAt) return undefined
      counter.endsAt = Math.max(counter.endsAt, endsAt)
    }
    if ((counter.ring?.sliceMs ?? 0) !== rollingSliceMs(hold)) return reshape(hold, counter, at)
    if (counter.ring) advance(counter, counter.ring, at)
    return counter
  }

  /** The window has another length now. What was in the old one counts in the new one from now on, the held part as spent. */
  function reshape(hold: Hold, { spent, held }: Counter, at: number): Counter {
    return add(hold, spent + held, at)
  }

  function add(hold: Hold, spent: number, at: number): Counter {
    const sliceMs = rollingSliceMs(hold)
    const ring = sliceMs ? emptyRing(sliceMs, at) : undefined
    if (ring) ring.spent[ring.latest % SLOTS] = spent
    const counter: Counter = { spent, held: 0, endsAt: endOf(hold), ring, seeded: hold.spentBefore !== undefined, usedAt: at, users: 0 }
    counters.set(hold.counter, counter)
    added++
    return counter
  }

  /** Not while a call takes its counters: those it has found must stay. */
  function sweep(at: number): void {
    for (let left = added * SWEPT_PER_NEW; left > 0; left--) {
      const step = hand.next()
      if (step.done) {
        hand = counters.entries()
        break
      }
      const [name, counter] = step.value
      if (isOver(counter, at)) counters.delete(name)
    }
    added = 0
  }

  function release(at: number): void {
    nextDue = Number.POSITIVE_INFINITY
    for (const [id, lease] of leases) {
      if (lease.until > at) {
        if (lease.until < nextDue) nextDue = lease.until
        continue
      }
      leases.delete(id)
      for (const [index, counter] of lease.counters.entries()) giveBack(counter, lease.holds[index], lease.at, at)
    }
  }

  /** Makes the counters that are not known. A promise where one of them has to be asked for. */
  function seedAll(holds: readonly Hold[], at: number): Promise<unknown> | undefined {
    const waiting: Promise<unknown>[] = []
    for (const hold of holds) {
      if (!hold.spentBefore || find(hold, at)) continue
      const answer = seeds.ask(hold)
      // Those that wait for one answer come one after the other: the first of them makes the counter.
      if (typeof answer === 'number') add(hold, answer, at)
      else waiting.push(answer.then((spent) => find(hold, now()) ?? add(hold, spent, now())))
    }
    return waiting.length > 0 ? Promise.all(waiting) : undefined
  }

  function seedThenReserve(id: string, holds: readonly Hold[], leaseMs: number, at: number): Reserved | Promise<Reserved> {
    const seeding = seedAll(holds, at)
    return seeding ? seeding.then(() => reserve(id, holds, leaseMs)) : reserve(id, holds, leaseMs)
  }

  function refuse(index: number, hold: Hold, counter: Counter, at: number): Reserved {
    if (added > 0) sweep(at)
    const retryAfterMs = retryAfter(hold, counter, at)
    const state = { spent: counter.spent, held: counter.held }
    return { ok: false, index, state, ...(retryAfterMs !== undefined && { retryAfterMs }) }
  }

  function reserve(id: string, holds: readonly Hold[], leaseMs: number): Reserved | Promise<Reserved> {
    const at = now()
    if (at >= nextDue) release(at)
    if (leases.has(id) || settled.has(id)) return { ok: true, states: holds.map((hold) => stateOf(find(hold, at))) }
    const taken: Counter[] = []
    for (const hold of holds) {
      checkHold(hold)
      const counter = find(hold, at) ?? (hold.spentBefore ? undefined : add(hold, 0, at))
      if (!counter) return seedThenReserve(id, holds, leaseMs, at)
      taken.push(counter)
    }
    const refused = take(holds, taken, at)
    if (refused) return refused
    const until = at + leaseMs
    leases.set(id, { at, until, holds, counters: taken })
    if (until < nextDue) nextDue = until
    if (added > 0) sweep(at)
    return { ok: true, states: taken.map(stateOf) }
  }

  /** All holds, or none and the answer that says why. */
  function take(holds: readonly Hold[], from: readonly Counter[], at: number): Reserved | undefined {
    for (let index = 0; index < holds.length; index++) {
      const [hold, counter] = [holds[index], from[index]]
      if (!hold || !counter) continue
      if (hold.limit !== undefined && counter.spent + counter.held + hold.amount > hold.limit) {
        for (let before = 0; before < index; before++) giveBack(from[before], holds[before], at, at)
        return refuse(index, hold, counter, at)
      }
      counter.held += hold.amount
      counter.usedAt = at
      counter.users++
      if (counter.ring) bump(counter.ring.held, counter.ring.latest, hold.amount)
    }
    return undefined
  }

  function settle(id: string, holds: readonly Hold[], actual: readonly number[]): void {
    const at = now()
    if (settled.has(id)) return
    const lease = leases.get(id)
    settled.add(id, at, lease && lease.until - lease.at)
    if (!lease) {
      settleLate(holds, actual, at)
      return
    }
    leases.delete(id)
    for (let index = 0; index < lease.holds.length; index++) {
      const [hold, counter] = [lease.holds[index], lease.counters[index]]
      if (!hold || !counter) continue
      const inWindow = giveBack(counter, hold, lease.at, at)
      if (hold.kind === 'gauge') continue
      const used = actualOf(actual[index], hold)
      if (inWindow) spend(counter, used, hold.amount, lease.at, at)
      else spend(counter, Math.max(0, used - hold.amount), 0, at, at)
    }
  }

  /** Its lease ran out. What it used counts all the same, except where the ledger will be asked: that knows of it already. */
  function settleLate(holds: readonly Hold[], actual: readonly number[], at: number): void {
    for (const [index, hold] of holds.entries()) {
      const used = actualOf(actual[index], hold)
      if (used === 0 || endOf(hold) <= at) continue
      const counter = find(hold, at) ?? (hold.spentBefore ? undefined : add(hold, 0, at))
      if (counter) spend(counter, used, 0, at, at)
    }
  }

  return {
    reserve,
    settle,
    read: async (names) => {
      const at = now()
      if (at >= nextDue) release(at)
      return names.map((name) => {
        const counter = counters.get(name)
        if (!counter || counter.endsAt <= at) return undefined
        if (counter.ring) advance(counter, counter.ring, at)
        return stateOf(counter)
      })
    },
    close: async () => {},
    size: () => ({ counters: counters.size, leases: leases.size }),
  }
}

const stateOf = (counter: Counter | undefined): CounterState => ({ spent: counter?.spent ?? 0, held: counter?.held ?? 0 })

const emptyRing = (sliceMs: number, at: number): Ring => ({
  sliceMs,
  latest: Math.floor(at / sliceMs),
  spent: new Array<number>(SLOTS).fill(0),
  held: new Array<number>(SLOTS).fill(0),
})

function bump(cells: number[], slice: number, by: number): void {
  const slot = slice % SLOTS
  cells[slot] = (cells[slot] ?? 0) + by
}

/** Slices that have left the window are taken off. A clock that goes back moves nothing. */
function advance(counter: Counter, ring: Ring, at: number): void {
  const slice = Math.floor(at / ring.sliceMs)
  for (let next = Math.max(ring.latest + 1, slice - SLOTS + 1); next <= slice; next++) {
    const slot = next % SLOTS
    counter.spent -= ring.spent[slot] ?? 0
    counter.held -= ring.held[slot] ?? 0
    ring.spent[slot] = 0
    ring.held[slot] = 0
  }
  if (slice > ring.latest) ring.latest = slice
}

/** Whether the slice of `then` is still in the window; advances it. */
function isIn(counter: Counter, ring: Ring, then: number, at: number): boolean {
  advance(counter, ring, at)
  return Math.floor(then / ring.sliceMs) > ring.latest - SLOTS
}

/** Ends a hold that was taken at `then`. False: it has left its window before. */
function giveBack(counter: Counter | undefined, hold: Hold | undefined, then: number, at: number): boolean {
  if (!counter || !hold) return false
  counter.users--
  if (counter.ring) {
    if (!isIn(counter, counter.ring, then, at)) return false
    bump(counter.ring.held, Math.min(Math.floor(then / counter.ring.sliceMs), counter.ring.latest), -hold.amount)
  }
  counter.held -= hold.amount
  return true
}

/** In a rolling window what was held counts from its reservation, and what came on top from now. */
function spend(counter: Counter, used: number, held: number, then: number, at: number): void {
  counter.usedAt = at
  const { ring } = counter
  if (!ring) {
    counter.spent += used
    return
  }
  const onTime = Math.min(used, held)
  bump(ring.spent, Math.min(Math.floor(then / ring.sliceMs), ring.latest), onTime)
  bump(ring.spent, ring.latest, used - onTime)
  counter.spent += used
}

function isOver(counter: Counter, at: number): boolean {
  if (counter.ring) advance(counter, counter.ring, at)
  if (counter.endsAt <= at) return true
  if (counter.users > 0) return false
  // Empty gauges and rolling windows come back as they went.
  if (counter.spent === 0 && !counter.seeded) return true
  if (counter.ring && counter.spent === 0) return true
  return counter.seeded && at - counter.usedAt > IDLE_MS
}

/** When so much has left the window that the hold fits; undefined: nobody knows, or never. */
function retryAfter({ amount, limit = 0 }: Hold, counter: Counter, at: number): number | undefined {
  if (amount > limit) return undefined
  if (!counter.ring) return Number.isFinite(counter.endsAt) ? Math.max(0, counter.endsAt - at) : undefined
  const { latest, sliceMs, spent, held } = counter.ring
  let over = counter.spent + counter.held + amount - limit
  for (let slice = latest - SLOTS + 1; slice <= latest; slice++) {
    const slot = ((slice % SLOTS) + SLOTS) % SLOTS
    over -= (spent[slot] ?? 0) + (held[slot] ?? 0)
    if (over <= 0) return Math.max(1, (slice + SLOTS) * sliceMs - at)
  }
  return undefined
}
