/** Counters as records in memory that threads share. All of it runs under the memory's lock. */
import type { CounterState, Hold, Reserved } from '../../core/counters.ts'
import { CAPACITY, ENDS, HAND, HELD, LATEST, MOST_NAME, RING, SEEDABLE, SLICE, SPENT, USED_AT, USERS } from './shared-layout.ts'
import { GENERATION, LENGTH, type SharedMemory, storedName, type Table } from './shared-memory.ts'
import { endOf, IDLE_MS, rollingSliceMs, SLOTS } from './windows.ts'

export interface SharedTable {
  /** Counters that the call in hand has found so far: they are not swept away while it looks for the others. */
  readonly found: number[]
  recordOf(name: string): number
  /** First cell of the hold's counter, advanced; 0: not known. */
  find(hold: Hold, at: number): number
  /** 0: there is no room. */
  add(hold: Hold, spent: number, at: number): number
  /** Frees counters that are over; how many. */
  sweep(most: number, at: number): number
  /** Slices that have left the window are taken off. */
  advance(c: number, at: number): void
  take(c: number, amount: number, at: number): void
  /** False: it has left its window before. */
  giveBack(c: number, amount: number, then: number, at: number): boolean
  /** `onTime` of it counts from `then`, the rest from now. */
  spend(c: number, used: number, onTime: number, then: number, at: number): void
  stateAt(c: number): CounterState
  refusal(index: number, hold: Hold, c: number, at: number): Reserved
}

export function createSharedTable(memory: SharedMemory, counters: Table): SharedTable {
  const { cells, put, globals } = memory
  /** Where this thread found counters last; checked before it is believed. */
  const places = new Map<string, { readonly record: number; readonly generation: number }>()
  /** Those that a call has found so far: they are not swept away while it looks for the others. */
  const found: number[] = []
  const get = (cell: number): number => cells[cell] ?? 0
  const plus = (cell: number, by: number): void => put(cell, get(cell) + by)
  const stateAt = (c: number): CounterState => ({ spent: get(c + SPENT), held: get(c + HELD) })

  function recordOf(name: string): number {
    const place = places.get(name)
    if (place && get(counters.at(place.record) + GENERATION) === place.generation) return place.record
    const record = counters.find(storedName(name, MOST_NAME))
    if (record >= 0) remember(name, record)
    return record
  }

  function remember(name: string, record: number): void {
    if (places.size > CAPACITY) places.clear()
    places.set(name, { record, generation: get(counters.at(record) + GENERATION) })
  }

  /** Slices that have left the window are taken off. */
  function advance(c: number, at: number): void {
    const sliceMs = get(c + SLICE)
    if (sliceMs === 0) return
    const [slice, latest] = [Math.floor(at / sliceMs), get(c + LATEST)]
    if (slice <= latest) return
    for (let next = Math.max(latest + 1, slice - SLOTS + 1); next <= slice; next++) {
      const ring = c + RING + 2 * (next % SLOTS)
      if (get(ring) !== 0) plus(c + SPENT, -get(ring))
      if (get(ring + 1) !== 0) plus(c + HELD, -get(ring + 1))
      if (get(ring) !== 0) put(ring, 0)
      if (get(ring + 1) !== 0) put(ring + 1, 0)
    }
    put(c + LATEST, slice)
  }

  /** First cell of the hold's counter, advanced; 0: not known. */
  function find(hold: Hold, at: number): number {
    const record = recordOf(hold.counter)
    if (record < 0) return 0
    const c = counters.at(record)
    const [ends, endsAt] = [get(c + ENDS), endOf(hold)]
    if (ends !== endsAt) {
      if (ends <= at && endsAt > ends) {
        counters.remove(record)
        memory.commit()
        return 0
      }
      put(c + ENDS, Math.max(ends, endsAt))
    }
    advance(c, at)
    if (get(c + SLICE) === rollingSliceMs(hold)) return c
    const used = get(c + SPENT) + get(c + HELD)
    counters.remove(record)
    memory.commit()
    return add(hold, used, at)
  }

  /** 0: there is no room. */
  function add(hold: Hold, spent: number, at: number): number {
    const name = storedName(hold.counter, MOST_NAME)
    let record = counters.add(name)
    if (record < 0 && sweep(counters.used(), at) > 0) record = counters.add(name)
    if (record < 0) return 0
    const c = counters.at(record)
    const sliceMs = rollingSliceMs(hold)
    put(c + SPENT, spent)
    put(c + ENDS, endOf(hold))
    put(c + SLICE, sliceMs)
    put(c + SEEDABLE, hold.spentBefore ? 1 : 0)
    put(c + USED_AT, at)
    if (sliceMs > 0) {
      const latest = Math.floor(at / sliceMs)
      put(c + LATEST, latest)
      put(c + RING + 2 * (latest % SLOTS), spent)
    }
    remember(hold.counter, record)
    return c
  }

  /** Frees counters that are over; how many. */
  function sweep(most: number, at: number): number {
    let freed = 0
    const used = counters.used()
    for (let left = Math.min(most, used); left > 0; left--) {
      const record = get(globals + HAND) % used
      cells[globals + HAND] = record + 1
      const c = counters.at(record)
      if (get(c + LENGTH) > 0 && !found.includes(c) && isOver(c, at)) {
        counters.remove(record)
        freed++
      }
      memory.commit()
    }
    return freed
  }

  function isOver(c: number, at: number): boolean {
    if (get(c + ENDS) <= at) return true
    if (get(c + USERS) > 0) return false
    advance(c, at)
    const seedable = get(c + SEEDABLE) === 1
    if (get(c + SPENT) === 0 && (!seedable || get(c + SLICE) > 0)) return true
    return seedable && at - get(c + USED_AT) > IDLE_MS
  }

  /** Place of the slice in which something happened; 0: it has left the window. */
  function sliceAt(c: number, then: number): number {
    const slice = Math.min(Math.floor(then / get(c + SLICE)), get(c + LATEST))
    return slice > get(c + LATEST) - SLOTS ? c + RING + 2 * (slice % SLOTS) : 0
  }

  function giveBack(c: number, amount: number, then: number, at: number): boolean {
    plus(c + USERS, -1)
    if (get(c + SLICE) > 0) {
      advance(c, at)
      const ring = sliceAt(c, then)
      if (ring === 0) return false
      plus(ring + 1, -amount)
    }
    plus(c + HELD, -amount)
    return true
  }

  function spend(c: number, used: number, onTime: number, then: number, at: number): void {
    put(c + USED_AT, at)
    if (get(c + SLICE) > 0) {
      const ring = sliceAt(c, then)
      if (ring > 0 && onTime > 0) plus(ring, onTime)
      const latest = sliceAt(c, at)
      if (used > onTime) plus(latest, used - onTime)
    }
    plus(c + SPENT, used)
  }

  function take(c: number, amount: number, at: number): void {
    plus(c + HELD, amount)
    plus(c + USERS, 1)
    put(c + USED_AT, at)
    if (get(c + SLICE) > 0) plus(sliceAt(c, at) + 1, amount)
  }

  function refusal(index: number, { amount, limit = 0 }: Hold, c: number, at: number): Reserved {
    const state = stateAt(c)
    const refused = { ok: false, index, state } as const
    if (amount > limit) return refused
    const [sliceMs, ends, latest] = [get(c + SLICE), get(c + ENDS), get(c + LATEST)]
    if (sliceMs === 0) return Number.isFinite(ends) ? { ...refused, retryAfterMs: Math.max(0, ends - at) } : refused
    let over = state.spent + state.held + amount - limit
    for (let slice = latest - SLOTS + 1; slice <= latest; slice++) {
      const ring = c + RING + 2 * (slice % SLOTS)
      over -= get(ring) + get(ring + 1)
      if (over <= 0) return { ...refused, retryAfterMs: Math.max(1, (slice + SLOTS) * sliceMs - at) }
    }
    return refused
  }

  return { found, recordOf, find, add, sweep, advance, take, giveBack, spend, stateAt, refusal }
}
