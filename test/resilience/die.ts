/** Chance that can be had again: the same seed gives the same throws. */
export interface Die {
  /** 0 to 1. */
  chance(): number
  below(limit: number): number
  pick<T>(choices: readonly T[]): T
}

export function die(seed: number): Die {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0
  const chance = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number): number => Math.floor(chance() * limit)
  return { chance, below, pick: (choices) => choices[below(choices.length)] as (typeof choices)[number] }
}
