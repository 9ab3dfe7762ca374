/**
 * How late the event loop is: a tick is asked for every few milliseconds and comes later by what the loop was busy with.
 * It runs only while somebody wants to know.
 */

export interface Clock {
  /** Milliseconds of any steady clock. */
  now(): number
  /** Calls back once after so many milliseconds; returns what forgets it. Must not keep the process alive. */
  after(ms: number, run: () => void): () => void
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    // Outside Node a timer is a number.
    return () => clearTimeout(timer)
  },
}

const TICK_MS = 20
/** With so many ticks, one pause alone (a collection of garbage, say) is no congestion. */
const LONE_PAUSE = 4

export class LoopDelay {
  readonly #clock: Clock
  readonly #ticked: () => void
  #worst = 0
  #second = 0
  #ticks = 0
  #due = 0
  /** What `take` told last. */
  #taken = 0
  #stop: (() => void) | undefined

  /** `ticked` is called after every tick. */
  constructor(clock: Clock, ticked: () => void) {
    this.#clock = clock
    this.#ticked = ticked
  }

  start(): void {
    if (this.#stop) return
    this.take()
    this.#arm()
  }

  stop(): void {
    this.#stop?.()
    this.#stop = undefined
  }

  /** The upper end of the delays since this was last asked, in milliseconds. */
  take(): number {
    const delay = this.#ticks >= LONE_PAUSE ? this.#second : this.#worst
    this.#worst = 0
    this.#second = 0
    this.#ticks = 0
    this.#taken = delay
    return delay
  }

  /** The upper end since `take` was called last but once, one long pause left aside. */
  get recentMs(): number {
    return Math.max(this.#taken, this.#second)
  }

  #arm(): void {
    this.#due = this.#clock.now() + TICK_MS
    this.#stop = this.#clock.after(TICK_MS, () => {
      this.#note(Math.max(0, this.#clock.now() - this.#due))
      this.#arm()
      this.#ticked()
    })
  }

  #note(delay: number): void {
    this.#ticks++
    if (delay > this.#worst) {
      this.#second = this.#worst
      this.#worst = delay
    } else if (delay > this.#second) this.#second = delay
  }
}
