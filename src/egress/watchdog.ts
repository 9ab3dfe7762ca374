import { MAX_TIMER_MS } from '../core/units.ts'

/** A timer that is pushed back cheaply: one clock reading for each sign of life, one system timer for many of them. */
export class Watchdog {
  /** False while the reader is busy elsewhere: silence is nobody's fault then, and the limit begins anew. */
  awaited = true
  #limitMs: number
  #last: number
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #fire: () => void

  constructor(limitMs: number, fire: () => void) {
    this.#limitMs = limitMs
    this.#fire = fire
    this.#last = performance.now()
    this.#arm(limitMs)
  }

  /** A sign of life. */
  touch(): void {
    this.#last = performance.now()
  }

  /** From now on another limit. */
  restart(limitMs: number): void {
    this.stop()
    this.#limitMs = limitMs
    this.#last = performance.now()
    this.#arm(limitMs)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #arm(delayMs: number): void {
    this.#timer = setTimeout(
      () => {
        if (!this.awaited) this.touch()
        const left = this.#last + this.#limitMs - performance.now()
        if (left <= 1) this.#fire()
        else this.#arm(left)
      },
      Math.min(delayMs, MAX_TIMER_MS),
    )
  }
}
