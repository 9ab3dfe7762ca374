/**
 * Leaves a target in peace once it fails: closed → open → half-open (one probe at a time) → closed with a slow start.
 * Time and chance are passed in, so that every schedule can be replayed.
 */
import { SuccessWindow } from './success-window.ts'

export interface BreakerOptions {
  /** Hard failures in a row that open it. Default 5. */
  readonly consecutive?: number
  /** It opens when fewer than this share of the calls in the window succeed. Default 0.8. */
  readonly successRate?: number
  /** Calls in the window below which the rate says nothing. Default 20. */
  readonly leastCalls?: number
  /** Default 30 000. */
  readonly windowMs?: number
  /** First rest; doubles each time, with equal jitter. Default 5 000. */
  readonly restMs?: number
  /** Longest rest. Default 300 000. */
  readonly maxRestMs?: number
  /** Good probes in a row that close it. Default 3. */
  readonly probes?: number
  /** How long a recovered target is eased in. Default 30 000. */
  readonly slowStartMs?: number
  /** Share it is trusted with when that begins. Default 0.1. */
  readonly slowStartShare?: number
  /** 0 to 1. Default `Math.random`. */
  readonly random?: () => number
}

export type BreakerState = 'closed' | 'open' | 'half-open'
/** Why it opened: failures in a row, or too low a rate of success. */
export type BreakerCause = 'consecutive' | 'rate'

/** What a call carries from its admission to its end: what it found out counts only while that is still news. */
export interface Pass {
  readonly epoch: number
  readonly probe: boolean
}

/** A probe whose answer has begun well and goes on this long need not end before the next one. */
const LONG_PROBE_MS = 5_000
/** Closed for this long, its past is forgotten: the next rest is a short one. */
const FORGIVEN_AFTER_MS = 60_000

export class Breaker {
  readonly #options: Required<BreakerOptions>
  readonly #window: SuccessWindow
  /** What every call carries that is no probe. */
  #plain: Pass = { epoch: 0, probe: false }
  #state: BreakerState = 'closed'
  #cause: BreakerCause = 'consecutive'
  #consecutive = 0
  #until = 0
  /** How often it has opened in a row. */
  #level = 0
  /** Counts openings, to know late news from new. */
  #epoch = 0
  /** The one that is on its way; an earlier one may still be, but is no longer waited for. */
  #probe: Pass | undefined
  #probeBegan: number | undefined
  #goodProbes = 0
  /** When it closed after having been open. */
  #closedAt = Number.NEGATIVE_INFINITY

  constructor({
    consecutive = 5,
    successRate = 0.8,
    leastCalls = 20,
    windowMs = 30_000,
    restMs = 5_000,
    maxRestMs = 300_000,
    probes = 3,
    slowStartMs = 30_000,
    slowStartShare = 0.1,
    random = Math.random,
  }: BreakerOptions = {}) {
    this.#options = { consecutive, successRate, leastCalls, windowMs, restMs, maxRestMs, probes, slowStartMs, slowStartShare, random }
    this.#window = new SuccessWindow(windowMs)
  }

  get cause(): BreakerCause {
    return this.#cause
  }

  /** The state at this moment: an open one whose rest is over is half-open. */
  state(now: number): BreakerState {
    return this.#state === 'open' && now >= this.#until ? 'half-open' : this.#state
  }

  /** Closed, or half-open with no probe on its way. */
  admits(now: number): boolean {
    const state = this.state(now)
    return state === 'closed' || (state === 'half-open' && !this.#busy(now))
  }

  /** Milliseconds until a call may go; 0 when one may now. A probe on its way is waited for without a time. */
  restMs(now: number): number {
    return this.#state === 'open' ? Math.max(0, this.#until - now) : 0
  }

  /** 0 to 1: what it is trusted with in its slow start. */
  share(now: number): number {
    const { slowStartMs, slowStartShare } = this.#options
    const since = now - this.#closedAt
    return this.#state !== 'closed' || since >= slowStartMs ? 1 : Math.max(slowStartShare, since / slowStartMs)
  }

  /** A call goes, admitted or not: where everything rests, something is called all the same. */
  enter(now: number): Pass {
    if (this.#state === 'closed') return this.#plain
    this.#wake(now)
    if (this.#state === 'open' || this.#busy(now)) return this.#plain
    this.#probe = { epoch: this.#epoch, probe: true }
    this.#probeBegan = undefined
    return this.#probe
  }

  /** The call's answer has begun well; whether it ends well is not known yet. */
  began(pass: Pass, now: number): void {
    if (pass === this.#probe) this.#probeBegan ??= now
  }

  success(pass: Pass, now: number): void {
    if (pass.epoch !== this.#epoch) return
    if (this.#state === 'closed') {
      this.#consecutive = 0
      this.#window.add(true, now)
      return
    }
    this.#wake(now)
    this.#forget(pass)
    this.#goodProbe(now)
  }

  failure(pass: Pass, now: number): void {
    if (pass.epoch !== this.#epoch) return
    this.#wake(now)
    this.#forget(pass)
    switch (this.#state) {
      case 'closed':
        this.#consecutive++
        this.#window.add(false, now)
        if (this.#consecutive >= this.#options.consecutive) this.#open('consecutive', now)
        else if ((this.#window.rate(this.#options.leastCalls, now) ?? 1) < this.#options.successRate) this.#open('rate', now)
        return
      case 'half-open':
        this.#open(this.#cause, now)
        return
      case 'open':
        // It was called for want of anything better; that it fails is no news.
        this.#goodProbes = 0
    }
  }

  /** Another replica found it failing: rested as long as it does there, but not beyond a first rest, and then probed. False: it is not closed here. */
  hear(restMs: number, now: number): boolean {
    if (this.state(now) !== 'closed') return false
    this.#rest('consecutive', now + Math.min(Math.max(0, restMs), this.#options.restMs))
    return true
  }

  /** The call ended without saying anything of the target. */
  neutral(pass: Pass): void {
    this.#forget(pass)
  }

  /** An open one whose rest is over. */
  #wake(now: number): void {
    if (this.#state !== 'open' || now < this.#until) return
    this.#state = 'half-open'
    this.#goodProbes = 0
  }

  #forget(pass: Pass): void {
    if (pass === this.#probe) this.#probe = undefined
  }

  #busy(now: number): boolean {
    if (this.#probe === undefined) return false
    return this.#probeBegan === undefined || now - this.#probeBegan < LONG_PROBE_MS
  }

  #goodProbe(now: number): void {
    this.#goodProbes++
    if (this.#goodProbes < this.#options.probes) return
    this.#state = 'closed'
    this.#closedAt = now
    this.#consecutive = 0
    this.#probe = undefined
    this.#window.clear()
  }

  #open(cause: BreakerCause, now: number): void {
    const { restMs, maxRestMs, random } = this.#options
    if (this.#state === 'closed' && now - this.#closedAt > FORGIVEN_AFTER_MS) this.#level = 0
    const rest = Math.min(maxRestMs, restMs * 2 ** this.#level)
    this.#level = Math.min(this.#level + 1, 30)
    this.#rest(cause, now + rest / 2 + (rest / 2) * random())
  }

  #rest(cause: BreakerCause, until: number): void {
    this.#state = 'open'
    this.#cause = cause
    this.#until = until
    this.#epoch++
    this.#plain = { epoch: this.#epoch, probe: false }
    this.#consecutive = 0
    this.#goodProbes = 0
    this.#probe = undefined
  }
}
