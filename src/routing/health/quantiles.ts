/** Quantiles of latencies over the last five to ten minutes, in buckets that grow by a fifth. */

const SMALLEST_MS = 5
const GROWTH = Math.log(1.2)
/** Up to about nine minutes. */
const BUCKETS = 64
const GENERATION_MS = 300_000

export class Quantiles {
  #young = new Float64Array(BUCKETS)
  #old = new Float64Array(BUCKETS)
  #count = 0
  #oldCount = 0
  #since: number
  /** The last answers by their quantile, good until a few more values have come. */
  readonly #answers: { q: number; value: number; at: number }[] = []

  constructor(now: number) {
    this.#since = now
  }

  add(ms: number, now: number): void {
    this.#turn(now)
    const bucket = ms <= SMALLEST_MS ? 0 : Math.min(BUCKETS - 1, Math.ceil(Math.log(ms / SMALLEST_MS) / GROWTH))
    this.#young[bucket] = (this.#young[bucket] ?? 0) + 1
    this.#count++
  }

  /** The upper bound of the bucket that holds it; undefined with fewer than `least` values. */
  value(q: number, now: number, least = 20): number | undefined {
    this.#turn(now)
    const all = this.#count + this.#oldCount
    if (all < least) return undefined
    let answer = this.#answers.find((one) => one.q === q)
    if (!answer) {
      answer = { q, value: 0, at: Number.NEGATIVE_INFINITY }
      this.#answers.push(answer)
    }
    // One in thirty-two more moves no quantile by much.
    if (Math.abs(all - answer.at) * 32 > all) {
      answer.value = this.#at(q, all)
      answer.at = all
    }
    return answer.value
  }

  #at(q: number, all: number): number {
    let below = q * all
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      below -= (this.#young[bucket] ?? 0) + (this.#old[bucket] ?? 0)
      if (below <= 0) return SMALLEST_MS * Math.exp(bucket * GROWTH)
    }
    return SMALLEST_MS * Math.exp((BUCKETS - 1) * GROWTH)
  }

  #turn(now: number): void {
    const age = now - this.#since
    if (age < GENERATION_MS) return
    const [young, old] = [this.#young, this.#old]
    this.#old = young
    this.#oldCount = this.#count
    this.#young = old.fill(0)
    this.#count = 0
    if (age >= 2 * GENERATION_MS) {
      this.#old.fill(0)
      this.#oldCount = 0
    }
    this.#since = now
  }
}
