import { type Alarm, alarmAfter } from '../core/alarm.ts'

const STEP_MS = 10

/** A timer that is pushed back cheaply: one clock reading for each sign of life, one system timer for many of them. */
export class Watchdog {
  /** False while the reader is busy elsewhere: silence is nobody's fault then, and the limit begins anew. */
  awaited = true
  #limitMs: number
  #last: number
  #alarm: Alarm | undefined
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
    this.#alarm?.cancel()
    this.#alarm = undefined
  }

  #arm(delayMs: number): void {
    this.#alarm = alarmAfter(delayMs, () => {
      if (!this.awaited) this.touch()
      const left = this.#last + this.#limitMs - performance.now()
      if (left <= 1) this.#fire()
      // Whole steps, so that what is left does not make a queue of its own each time.
      else this.#arm(Math.ceil(left / STEP_MS) * STEP_MS)
    })
  }
}
