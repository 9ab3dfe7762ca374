/** Pauses before another try. */
import type { Cancellation } from '../core/cancellation.ts'

const FIRST_MS = 100
export const MAX_BACKOFF_MS = 5_000

/** Full jitter, so that callers who failed together do not come back together; never before the provider said. `tries`: those behind us. */
export const backoffMs = (tries: number, retryAfterMs: number | undefined, random: () => number): number =>
  Math.max(retryAfterMs ?? 0, random() * Math.min(MAX_BACKOFF_MS, FIRST_MS * 2 ** (tries - 1)))

/** Ends early when the call is cancelled. */
export function pause(ms: number, cancellation: Cancellation): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      forget()
      resolve()
    }, ms)
    const forget = cancellation.onCancel(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}
