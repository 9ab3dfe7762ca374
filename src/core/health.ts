/**
 * What is known of the places that calls go to. Routing reads it to choose, the attempt loop feeds it; neither knows the
 * other. Times are milliseconds of one clock.
 */
import type { WireId } from './call.ts'
import type { GatewayError } from './error.ts'
import type { Headers } from './http.ts'
import type { Candidate } from './target.ts'

/**
 * `ready`: call it. `probe`: it has rested, and one call may find out. `outlier`: it rests because too many of its calls
 * fail, though some succeed. `resting`: it rests because it fails, was told to wait, or no key of it is usable.
 */
export type Standing = 'ready' | 'probe' | 'outlier' | 'resting'

/** One attempt on its way. Every visit is ended exactly once; further ends do nothing. */
export interface Visit {
  /** The answer has begun well after so many milliseconds: first output of a stream, or a plain answer whole. */
  began(ms: number, headers: Readonly<Headers>): void
  /** Without a fault: it ended well. Faults that say nothing of the target only end it. */
  ended(fault?: GatewayError, headers?: Readonly<Headers>): void
}

/** One provider × wire × model, with its keys by their place in the list. */
export interface TargetHealth {
  standing(now: number): Standing
  /** 0 to 1: what a target that has just recovered is trusted with. */
  share(now: number): number
  /** Milliseconds until it may be called again; 0 when it may now. */
  restMs(now: number): number
  /** Every usable key waits for its rate limit: how long until the first is free. Undefined when that is not why it rests. */
  limitedMs(now: number): number | undefined
  /** It fails for sure: another try at once would be wasted. */
  failing(now: number): boolean
  readonly lastFailedAt: number
  readonly inFlight: number
  /** Share of recent calls that failed, 0 to 1. */
  errors(now: number): number
  /** Least headroom under its rate limits, of its best key: 0 (used up) to 1. */
  headroom(now: number): number
  /** Peak-sensitive mean of the first-token (streamed) or whole-answer time for inputs of about this size. */
  latencyMs(inputTokens: number, streamed: boolean, now: number): number | undefined
  /** A quantile of the same, over the last ten minutes; undefined with too few calls. */
  quantileMs(q: number, inputTokens: number, streamed: boolean, now: number): number | undefined
  /** Mean tokens of an answer, and the mean share of input read from a cache, as far as known. */
  readonly meanOutput: number | undefined
  readonly meanCachedShare: number | undefined
  readonly tokensPerSecond: number | undefined

  /**
   * The best key to use now, by place. Keys in `tried` are left out. With `forced`, resting keys count too, the one that
   * is free soonest first. Undefined: there is none.
   */
  keyFor(tried: readonly number[], forced: boolean, now: number): number | undefined
  enter(key: number, inputTokens: number, streamed: boolean): Visit
}

export interface HealthView {
  /** Undefined where nothing is remembered of this candidate. */
  of(candidate: Candidate, wire: WireId): TargetHealth | undefined
}

/** The order of one call's targets. */
export interface Plan {
  readonly candidates: readonly Candidate[]
  /** How many of them, from the first, may be called as usual. Those behind rest: they are tried only when nothing else is left. */
  readonly ready: number
  /** Why the first one stands first, where that is not the route's own order. */
  readonly why?: string | undefined
}
