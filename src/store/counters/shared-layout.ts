/** What lies where in the memory that threads share for counters. */
import { type Plan, sharedMemoryBuffer } from './shared-memory.ts'
import { SLOTS } from './windows.ts'

/** Counters that there is room for, unless told otherwise: 560 bytes each, taken from the system when they are used. */
export const CAPACITY = 65_536
/** Settled calls that are remembered, so that settling twice is noticed. */
export const REMEMBERED = 4_096
export const [MOST_NAME, MOST_ID] = [200, 128] as const

// Cells of a counter, of a call, and of one hold of a call.
export const [SPENT, HELD, ENDS, SLICE, LATEST, SEEDABLE, USED_AT, USERS, NAME] = [3, 4, 5, 6, 7, 8, 9, 10, 11] as const
export const RING = NAME + MOST_NAME / 8
export const [AT, UNTIL, FIRST, SETTLED, LATER, ID] = [3, 4, 5, 6, 7, 8] as const
export const [COUNTER, WHICH, AMOUNT, FOLLOWING] = [3, 4, 5, 6] as const
// Cells of all: no lease ends before; the sweep's place; settled calls, oldest and youngest; how many; told that there is no room.
export const [DUE, HAND, OLDEST, YOUNGEST, SETTLED_COUNT, TOLD] = [0, 1, 2, 3, 4, 5] as const

export const plansFor = (capacity: number): [Plan, Plan, Plan] => {
  const calls = Math.max(2 * REMEMBERED, Math.ceil(capacity / 2))
  return [
    { shape: { size: RING + 2 * SLOTS, name: { at: NAME, most: MOST_NAME } }, capacity },
    { shape: { size: ID + MOST_ID / 8, name: { at: ID, most: MOST_ID } }, capacity: calls },
    { shape: { size: FOLLOWING + 1 }, capacity: calls * 8 },
  ]
}

/** The capacity follows from the size, so that a buffer is all that a thread needs. */
export function capacityOf(buffer: SharedArrayBuffer): number {
  let [low, high] = [1, 2 ** 26]
  const sizeOf = (capacity: number): number => {
    const plans = plansFor(capacity)
    return plans.reduce((sum, { shape, capacity: records }) => sum + records * (shape.size + (shape.name ? 1 : 0)) * 8, 0)
  }
  const fixed = sharedMemoryBuffer([]).byteLength + 3 * 2 * 8
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (fixed + sizeOf(middle) <= buffer.byteLength) low = middle
    else high = middle - 1
  }
  return low
}
