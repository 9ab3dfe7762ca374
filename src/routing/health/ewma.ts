/** Means that forget: the older a value, the less it counts. */

/** Rises at once with a slow call and falls slowly: a host in trouble shows with its first slow answer. */
export class PeakEwma {
  readonly #tauMs: number
  #value: number | undefined
  #at = 0

  constructor(tauMs = 10_000) {
    this.#tauMs = tauMs
  }

  add(value: number, now: number): void {
    const known = this.#value
    if (known === undefined || value >= known) this.#value = value
    else {
      const weight = Math.exp((this.#at - now) / this.#tauMs)
      this.#value = known * weight + value * (1 - weight)
    }
    this.#at = now
  }

  /** What nobody has looked at for a while looks better with time, so that it is tried again. */
  value(now: number): number | undefined {
    if (this.#value === undefined) return undefined
    const idle = now - this.#at - this.#tauMs
    return idle > 0 ? this.#value * Math.exp(-idle / (6 * this.#tauMs)) : this.#value
  }
}

/** The share of failures among about the last ten calls; without news it fades, so that who failed is tried again. */
export class FaultEwma {
  readonly #tauMs: number
  #value = 0
  #at = 0

  constructor(tauMs = 5_000) {
    this.#tauMs = tauMs
  }

  add(bad: boolean, now: number): void {
    this.#value = this.value(now) * 0.9 + (bad ? 0.1 : 0)
    this.#at = now
  }

  value(now: number): number {
    return this.#value === 0 ? 0 : this.#value * Math.exp(Math.min(0, this.#at - now) / this.#tauMs)
  }
}

/** A plain moving mean over about the last twenty values. */
export class Mean {
  #value: number | undefined

  add(value: number): void {
    this.#value = this.#value === undefined ? value : this.#value + (value - this.#value) / 20
  }
  get value(): number | undefined {
    return this.#value
  }
}
