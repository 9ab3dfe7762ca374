/** Repeatable chance: the same seed gives the same run, so that a failure can be told by its number. */
export interface Chance {
  /** From 0 to below 1. */
  next(): number
  /** A whole number from 0 to below `end`. */
  below(end: number): number
  pick<T>(items: readonly T[]): T
  /** True this often. */
  one(probability: number): boolean
}

/** From 0 to below 1 (mulberry32). */
export function numbersFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export function chanceOf(seed: number): Chance {
  const next = numbersFrom(seed)
  const below = (end: number): number => Math.floor(next() * end)
  return {
    next,
    below,
    one: (probability) => next() < probability,
    pick: <T>(items: readonly T[]): T => {
      if (items.length === 0) throw new RangeError('nothing to pick from')
      return items[below(items.length)] as T
    },
  }
}

/** The seed of a run: `SIGNALBOX_TEST_SEED`, else one of its own, which the test prints. */
export const runSeed = (): number => Number(process.env['SIGNALBOX_TEST_SEED'] ?? Math.floor(Math.random() * 1e9))
