/** Successes and failures of the last seconds, in a ring of buckets that expire by themselves. */

const BUCKETS = 6

export class SuccessWindow {
  readonly #bucketMs: number
  readonly #good = new Float64Array(BUCKETS)
  readonly #bad = new Float64Array(BUCKETS)
  /** Which stretch of time each bucket holds. */
  readonly #stretch = new Float64Array(BUCKETS).fill(-1)

  constructor(lengthMs: number) {
    this.#bucketMs = lengthMs / BUCKETS
  }

  add(good: boolean, now: number): void {
    const stretch = Math.floor(now / this.#bucketMs)
    const index = stretch % BUCKETS
    if (this.#stretch[index] !== stretch) {
      this.#stretch[index] = stretch
      this.#good[index] = 0
      this.#bad[index] = 0
    }
    const counts = good ? this.#good : this.#bad
    counts[index] = (counts[index] ?? 0) + 1
  }

  /** Share of successes; undefined with fewer than `least` calls. */
  rate(least: number, now: number): number | undefined {
    const newest = Math.floor(now / this.#bucketMs)
    let good = 0
    let bad = 0
    for (let index = 0; index < BUCKETS; index++) {
      const stretch = this.#stretch[index] ?? -1
      if (stretch <= newest - BUCKETS || stretch > newest) continue
      good += this.#good[index] ?? 0
      bad += this.#bad[index] ?? 0
    }
    return good + bad < least ? undefined : good / (good + bad)
  }

  clear(): void {
    this.#stretch.fill(-1)
  }
}
