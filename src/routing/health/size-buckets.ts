/** Latencies are kept by the size of the input, or hosts that get the long prompts would look slow. */

/** Upper bounds, in tokens; the last bucket has none. */
const BOUNDS = [1_000, 4_000, 16_000, 64_000] as const
export const SIZES = BOUNDS.length + 1

export function bucketOf(inputTokens: number): number {
  let bucket = 0
  while (bucket < BOUNDS.length && inputTokens >= (BOUNDS[bucket] ?? 0)) bucket++
  return bucket
}

/** For each bucket, all of them, nearest first: what is known of a neighbour is better than nothing. */
export const nearestFirst: readonly (readonly number[])[] = Array.from({ length: SIZES }, (_, bucket) =>
  Array.from({ length: SIZES }, (_, other) => other).toSorted((a, b) => Math.abs(a - bucket) - Math.abs(b - bucket)),
)
