/** Arithmetic of windows that all counters share. */
import type { Hold } from '../../core/counters.ts'

/**
 * A rolling window is counted in slices. What happened in a slice leaves with the slice, so it counts for the window's length and up to one
 * slice (a tenth) more: never less, so that never more is let through than the limit says.
 */
export const SLICES = 10
/** Slices that are kept: those that lie in the window wholly, and the one that has begun. */
export const SLOTS = SLICES + 1

export const sliceMsOf = (rollingMs: number): number => Math.max(1, Math.ceil(rollingMs / SLICES))

/** 0: none, else the length of a slice. */
export const rollingSliceMs = (hold: Hold): number =>
  hold.kind === 'spend' && hold.window && 'rollingMs' in hold.window ? sliceMsOf(hold.window.rollingMs) : 0

/** When the counter is to be forgotten; Infinity: never. */
export const endOf = (hold: Hold): number =>
  hold.kind === 'spend' && hold.window && 'endsAt' in hold.window ? hold.window.endsAt : Number.POSITIVE_INFINITY

/** A window that has ended stays this long, for replicas whose clocks are behind. */
export const GRACE_MS = 60_000

/** Counters that can be seeded again are forgotten after so long without a call. */
export const IDLE_MS = 3_600_000

/** What settling adds. What is not a number is taken for what was held: unknown is not zero. */
export function actualOf(actual: number | undefined, hold: Hold): number {
  if (hold.kind === 'gauge') return 0
  if (actual === undefined || !Number.isFinite(actual)) return hold.amount
  return Math.min(Math.max(0, Math.ceil(actual)), Number.MAX_SAFE_INTEGER)
}

export function checkHold({ amount, counter }: Hold): void {
  if (!Number.isSafeInteger(amount) || amount < 0) throw new RangeError(`the amount held on ${counter} is not a whole number: ${amount}`)
}
