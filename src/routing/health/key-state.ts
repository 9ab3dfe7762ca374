/** What is known of one key for one model. It is known by its place in the list, never by its text. */
import { allowanceOf } from './rate-limit-headers.ts'
import { SuccessWindow } from './success-window.ts'

/** Rest after a 429 that says nothing, doubling up to a minute. */
const FIRST_REST_MS = 1_000
const MAX_REST_MS = 60_000
/** Rest of a key that too many of its calls are refused with, doubling up to five minutes. */
const TRIP_REST_MS = 5_000
const MAX_TRIP_REST_MS = 300_000
/** An account without money: somebody has to pay first. */
const UNPAID_REST_MS = 60_000
const LEAST_CALLS = 20
const SUCCESS_RATE = 0.8
const WINDOW_MS = 30_000

/** How soon the headers of another answer are read again while there is plenty left. */
const TOLD_AGAIN_MS = 100
const PLENTY = 0.2

export class KeyState {
  inFlight = 0
  /** Refused by the provider: not used until the configuration changes. */
  retired = false
  readonly #random: () => number
  readonly #window = new SuccessWindow(WINDOW_MS)
  #restUntil = 0
  /** 429s in a row. */
  #level = 0
  #left = 1
  #resetAt: number | undefined
  #toldAt = 0
  /** What made it rest was a rate limit. */
  #limited = false

  constructor(random: () => number) {
    this.#random = random
  }

  /** After a rest one call goes first, and the others wait for what it finds. */
  usable(now: number): boolean {
    return !this.retired && now >= this.#restUntil && !(this.#level > 0 && this.inFlight > 0)
  }
  restMs(now: number): number {
    return Math.max(0, this.#restUntil - now)
  }
  /** It rests, or has one call finding out, because of its rate limit. */
  limited(now: number): boolean {
    return !this.retired && this.#limited && !this.usable(now)
  }

  good(now: number): void {
    this.#level = 0
    this.retired = false
    this.#window.add(true, now)
  }

  /** A 429, perhaps with the time to wait. */
  refusedForNow(retryAfterMs: number | undefined, now: number): void {
    this.#window.add(false, now)
    const jitter = 0.5 + this.#random() / 2
    const guess = Math.min(MAX_REST_MS, FIRST_REST_MS * 2 ** this.#level) * jitter
    let rest = retryAfterMs ?? Math.max(guess, this.#resetAt !== undefined && this.#left === 0 ? this.#resetAt - now : 0)
    if ((this.#window.rate(LEAST_CALLS, now) ?? 1) < SUCCESS_RATE)
      rest = Math.max(rest, Math.min(MAX_TRIP_REST_MS, TRIP_REST_MS * 2 ** this.#level) * jitter)
    this.#level = Math.min(this.#level + 1, 30)
    this.#rest(rest, now)
    this.#limited = true
  }

  unpaid(now: number): void {
    this.#rest(UNPAID_REST_MS, now)
    this.#limited = false
  }

  /** What the headers of an answer say is left. A key that has nothing left rests until it is told to come back. */
  told(headers: Readonly<Record<string, string>>, now: number): void {
    // With plenty left, every answer would say nearly the same.
    if (now - this.#toldAt < TOLD_AGAIN_MS && this.#left > PLENTY && now >= this.#toldAt) return
    const allowance = allowanceOf(headers, now)
    if (!allowance) return
    this.#left = allowance.left
    this.#resetAt = allowance.resetAt
    this.#toldAt = now
    if (!allowance.used || allowance.resetAt === undefined) return
    this.#rest(Math.min(MAX_REST_MS, allowance.resetAt - now), now)
    this.#limited = true
  }

  /** What is left of its limits, 0 to 1; it comes back evenly until the reset. */
  headroom(now: number): number {
    if (this.#left >= 1) return 1
    const resetAt = this.#resetAt ?? this.#toldAt + 60_000
    if (now >= resetAt) return 1
    const gone = (now - this.#toldAt) / Math.max(1, resetAt - this.#toldAt)
    return this.#left + (1 - this.#left) * Math.max(0, gone)
  }

  #rest(ms: number, now: number): void {
    this.#restUntil = Math.max(this.#restUntil, now + Math.max(0, ms))
  }
}
