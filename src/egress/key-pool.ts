/** Which key of a provider goes next. What is known of keys is the health's business; without it they go in order. */
import type { TargetHealth } from '../core/health.ts'

/** By place. `tried` are those that this call has used up; with `forced`, a resting key is better than none. */
export function nextKey(
  health: TargetHealth | undefined,
  keyCount: number,
  tried: readonly number[],
  forced: boolean,
  now: number,
): number | undefined {
  if (health) return health.keyFor(tried, forced, now)
  return tried.length < keyCount ? tried.length : undefined
}
