/** Timeouts learnt from a target's own times, never longer than configured. Pure. */
import type { TargetHealth } from '../core/health.ts'
import type { Timeouts } from '../core/target.ts'

/** As many times its slowest hundredth may a call take. */
const FACTOR = 3
/** However quick a target usually is, this long it may take. */
const FLOOR_FIRST_TOKEN_MS = 8_000
const FLOOR_ANSWER_MS = 30_000

/** The configured ones are caps: they hold where nothing is known, and where they are below the floors. */
export function timeoutsFor(
  configured: Timeouts,
  health: TargetHealth | undefined,
  inputTokens: number,
  streamed: boolean,
  now: number,
): Timeouts {
  const capMs = streamed ? configured.firstTokenMs : configured.answerMs
  const floorMs = streamed ? FLOOR_FIRST_TOKEN_MS : FLOOR_ANSWER_MS
  if (!health || capMs <= floorMs) return configured
  const slow = health.quantileMs(0.99, inputTokens, streamed, now)
  if (slow === undefined) return configured
  const limitMs = Math.max(floorMs, Math.ceil(slow * FACTOR))
  if (limitMs >= capMs) return configured
  return streamed ? { ...configured, firstTokenMs: limitMs } : { ...configured, answerMs: limitMs }
}
