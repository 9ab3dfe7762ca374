/** Sorting by a score that is worked out once for each candidate. */
import type { Candidate } from '../core/target.ts'

/** Lowest first; equal ones keep their order. */
export function byScore(candidates: readonly Candidate[], scoreOf: (candidate: Candidate) => number): readonly Candidate[] {
  const scores = candidates.map(scoreOf)
  return sortedBy(candidates, scores)
}

/** Insertion sort: routes have a handful of targets, and nothing is allocated but the result. */
export function sortedBy(candidates: readonly Candidate[], scores: number[]): readonly Candidate[] {
  const sorted = candidates.slice()
  for (let index = 1; index < sorted.length; index++) {
    const candidate = sorted[index] as Candidate
    const score = scores[index] as number
    let place = index
    while (place > 0 && (scores[place - 1] as number) > score) {
      sorted[place] = sorted[place - 1] as Candidate
      scores[place] = scores[place - 1] as number
      place--
    }
    sorted[place] = candidate
    scores[place] = score
  }
  return sorted
}
