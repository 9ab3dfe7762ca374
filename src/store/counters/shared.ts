/**
 * Counters of one process with several threads, in memory that they share. They are as those of `memory.ts`; there is room for so many and
 * no more. Without room, calls that nothing limits are not counted, and others are refused as `overloaded`.
 */
import type { Counters, Hold, Reserved } from '../../core/counters.ts'
import { GatewayError } from '../../core/error.ts'
import { createSeeds } from './seeds.ts'
import {
  AMOUNT,
  AT,
  CAPACITY,
  COUNTER,
  capacityOf,
  DUE,
  ENDS,
  FIRST,
  FOLLOWING,
  HELD,
  LATER,
  MOST_ID,
  OLDEST,
  plansFor,
  REMEMBERED,
  SETTLED,
  SETTLED_COUNT,
  SPENT,
  TOLD,
  UNTIL,
  WHICH,
  YOUNGEST,
} from './shared-layout.ts'
import { GENERATION, LENGTH, openSharedMemory, recoverThread, sharedMemoryBuffer, storedName } from './shared-memory.ts'
import { createSharedTable } from './shared-table.ts'
import { actualOf, checkHold, endOf } from './windows.ts'

export interface SharedCountersOptions {
  /** From `sharedCountersBuffer`, the same in all threads. */
  readonly buffer: SharedArrayBuffer
  readonly now?: () => number
  /** Told once, when there is no room any more. */
  readonly onTrouble?: (message: string) => void
}

/** Counters that are looked at whenever one is added, so that those that are over go without a long pause. */
const SWEPT_PER_NEW = 4

export interface SharedCounters extends Counters {
  settle(id: string, holds: readonly Hold[], actual: readonly number[]): void
}

/** Memory for so many counters, to be handed to all threads. */
export function sharedCountersBuffer(capacity: number = CAPACITY): SharedArrayBuffer {
  return sharedMemoryBuffer(plansFor(capacity))
}

/** To be called by whoever notices that a thread has ended, with the id that it had. */
export const recoverSharedCounters = (buffer: SharedArrayBuffer, thread: number): void => recoverThread(buffer, thread)

export function createSharedCounters({ buffer, now = Date.now, onTrouble = () => {} }: SharedCountersOptions): SharedCounters {
  const memory = openSharedMemory(buffer, plansFor(capacityOf(buffer)))
  const { cells, put, globals } = memory
  const [counters, calls, parts] = memory.tables as [(typeof memory.tables)[0], (typeof memory.tables)[0], (typeof memory.tables)[0]]
  const seeds = createSeeds()
  const { found, recordOf, find, add, sweep, advance, take, giveBack, spend, stateAt, refusal } = createSharedTable(memory, counters)
  const get = (cell: number): number => cells[cell] ?? 0
  const plus = (cell: number, by: number): void => put(cell, get(cell) + by)

  /** Ends a call: its holds go, `each` is told of those whose counters are still there. */
  function dissolve(call: number, at: number, each?: (index: number, c: number, amount: number, inWindow: boolean) => void): void {
    const first = calls.at(call)
    const then = get(first + AT)
    let index = 0
    for (let link = get(first + FIRST); link > 0; index++) {
      const part = parts.at(link - 1)
      const record = get(part + COUNTER)
      const c = counters.at(record)
      const alive = get(c + GENERATION) === get(part + WHICH)
      const amount = get(part + AMOUNT)
      const inWindow = alive && giveBack(c, amount, then, at)
      each?.(index, alive ? c : 0, amount, inWindow)
      const next = get(part + FOLLOWING)
      parts.remove(link - 1)
      link = next
    }
    put(first + FIRST, 0)
  }

  function release(at: number): void {
    let due = Number.POSITIVE_INFINITY
    for (let call = 0; call < calls.used(); call++) {
      const first = calls.at(call)
      if (get(first + LENGTH) === 0 || get(first + SETTLED) === 1) continue
      const until = get(first + UNTIL)
      if (until > at) due = Math.min(due, until)
      else {
        dissolve(call, at)
        calls.remove(call)
        memory.commit()
      }
    }
    put(globals + DUE, due)
  }

  /** The call stays as a name, until enough others have been settled. */
  function bury(call: number): void {
    const first = calls.at(call)
    put(first + SETTLED, 1)
    const youngest = get(globals + YOUNGEST)
    if (youngest > 0) put(calls.at(youngest - 1) + LATER, call + 1)
    else put(globals + OLDEST, call + 1)
    put(globals + YOUNGEST, call + 1)
    plus(globals + SETTLED_COUNT, 1)
    if (get(globals + SETTLED_COUNT) > REMEMBERED) forgetOldest()
  }

  function forgetOldest(): boolean {
    const oldest = get(globals + OLDEST)
    if (oldest === 0) return false
    const next = get(calls.at(oldest - 1) + LATER)
    put(globals + OLDEST, next)
    if (next === 0) put(globals + YOUNGEST, 0)
    plus(globals + SETTLED_COUNT, -1)
    calls.remove(oldest - 1)
    return true
  }

  /** Room for another call, where remembering gives it up. */
  function makeRoom(): void {
    if (calls.isFull() && forgetOldest()) memory.commit()
  }

  function noRoom(holds: readonly Hold[]): Reserved {
    if (get(globals + TOLD) === 0) {
      cells[globals + TOLD] = 1
      onTrouble(`There is no room for more counters: ${counters.capacity} are in use. Calls under a limit are refused.`)
    }
    if (holds.every(({ limit }) => limit === undefined)) return { ok: true, states: holds.map(() => ({ spent: 0, held: 0 })) }
    throw new GatewayError('overloaded', 'There is no room to count this call against its limits.', { retryAfterMs: 1_000 })
  }

  /** Undefined: a counter has to be asked for first. */
  function tryReserve(id: string, holds: readonly Hold[], leaseMs: number, at: number): Reserved | undefined {
    if (get(globals + DUE) <= at) release(at)
    if (calls.find(id) >= 0) {
      return {
        ok: true,
        states: holds.map((hold) => {
          const c = find(hold, at)
          return c ? stateAt(c) : { spent: 0, held: 0 }
        }),
      }
    }
    makeRoom()
    const places = found
    places.length = 0
    let isNew = false
    for (const hold of holds) {
      let c = find(hold, at)
      if (c === 0) {
        if (hold.spentBefore) return undefined
        c = add(hold, 0, at)
        isNew = true
      }
      if (c === 0) return noRoom(holds)
      places.push(c)
    }
    for (let index = 0; index < holds.length; index++) {
      const [hold, c = 0] = [holds[index], places[index]]
      if (!hold) continue
      if (hold.limit !== undefined && get(c + SPENT) + get(c + HELD) + hold.amount > hold.limit) {
        for (let before = 0; before < index; before++) giveBack(places[before] ?? 0, holds[before]?.amount ?? 0, at, at)
        return refusal(index, hold, c, at)
      }
      take(c, hold.amount, at)
    }
    const call = calls.add(id)
    if (call < 0) throw new Full()
    const first = calls.at(call)
    put(first + AT, at)
    put(first + UNTIL, at + leaseMs)
    for (let index = places.length - 1; index >= 0; index--) {
      const part = parts.add('')
      if (part < 0) throw new Full()
      const p = parts.at(part)
      const c = places[index] ?? 0
      put(p + COUNTER, (c - counters.at(0)) / (counters.at(1) - counters.at(0)))
      put(p + WHICH, get(c + GENERATION))
      put(p + AMOUNT, holds[index]?.amount ?? 0)
      put(p + FOLLOWING, get(first + FIRST))
      put(first + FIRST, part + 1)
    }
    if (get(globals + DUE) === 0 || at + leaseMs < get(globals + DUE)) put(globals + DUE, at + leaseMs)
    const states = places.map(stateAt)
    if (isNew) {
      memory.commit()
      sweep(SWEPT_PER_NEW, at)
    }
    return { ok: true, states }
  }

  /** Makes the counters that are not known, of those that there is room for; false: not for all. */
  function seedAll(holds: readonly Hold[]): boolean | Promise<boolean> {
    const waiting: Promise<boolean>[] = []
    let all = true
    const seed = (hold: Hold, spent: number): boolean =>
      memory.locked(() => {
        const at = now()
        return find(hold, at) !== 0 || add(hold, spent, at) !== 0
      })
    for (const hold of holds) {
      if (!hold.spentBefore || memory.locked(() => find(hold, now())) !== 0) continue
      const answer = seeds.ask(hold)
      if (typeof answer === 'number') all = seed(hold, answer) && all
      else waiting.push(answer.then((spent) => seed(hold, spent)))
    }
    return waiting.length > 0 ? Promise.all(waiting).then((seeded) => all && seeded.every(Boolean)) : all
  }

  function reserve(id: string, holds: readonly Hold[], leaseMs: number): Reserved | Promise<Reserved> {
    for (const hold of holds) checkHold(hold)
    let reserved: Reserved | undefined
    try {
      const name = storedName(id, MOST_ID)
      reserved = memory.locked(() => tryReserve(name, holds, leaseMs, now()))
    } catch (error) {
      if (error instanceof Full) return noRoom(holds)
      throw error
    }
    if (reserved) return reserved
    const goOn = (seeded: boolean) => (seeded ? reserve(id, holds, leaseMs) : noRoom(holds))
    const seeding = seedAll(holds)
    return typeof seeding === 'boolean' ? goOn(seeding) : seeding.then(goOn)
  }

  function settleNow(id: string, holds: readonly Hold[], actual: readonly number[], at: number): void {
    const call = calls.find(id)
    if (call >= 0) {
      if (get(calls.at(call) + SETTLED) === 1) return
      dissolve(call, at, (index, c, amount, inWindow) => {
        const hold = holds[index]
        if (!hold || hold.kind === 'gauge' || c === 0) return
        const used = actualOf(actual[index], hold)
        if (inWindow) spend(c, used, amount, get(calls.at(call) + AT), at)
        else spend(c, Math.max(0, used - amount), 0, at, at)
      })
      bury(call)
      return
    }
    // Its lease ran out. What it used counts all the same, except where the ledger will be asked: that knows of it already.
    makeRoom()
    const late = calls.add(id)
    if (late >= 0) bury(late)
    for (const [index, hold] of holds.entries()) {
      const used = actualOf(actual[index], hold)
      if (used === 0 || endOf(hold) <= at) continue
      const c = find(hold, at) || (hold.spentBefore ? 0 : add(hold, 0, at))
      if (c > 0) spend(c, used, 0, at, at)
    }
  }

  return {
    reserve,
    settle(id, holds, actual) {
      const name = storedName(id, MOST_ID)
      memory.locked(() => settleNow(name, holds, actual, now()))
    },
    read: async (names) =>
      memory.locked(() => {
        const at = now()
        if (get(globals + DUE) <= at) release(at)
        return names.map((name) => {
          const record = recordOf(name)
          if (record < 0) return undefined
          const c = counters.at(record)
          if (get(c + ENDS) <= at) return undefined
          advance(c, at)
          memory.commit()
          return stateAt(c)
        })
      }),
    close: async () => {},
  }
}

/** No room for the call itself; what it had taken is undone. */
class Full extends Error {}
