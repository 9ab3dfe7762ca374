/** Chance that can be had again: the same seed gives the same throws. */
import { numbersFrom } from '../random.ts'

export interface Die {
  /** 0 to 1. */
  chance(): number
  below(limit: number): number
  pick<T>(choices: readonly T[]): T
}

export function die(seed: number): Die {
  const chance = numbersFrom(Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b))
  const below = (limit: number): number => Math.floor(chance() * limit)
  return { chance, below, pick: (choices) => choices[below(choices.length)] as (typeof choices)[number] }
}
