/**
 * How many calls may run at a time, found out while they run (after Netflix's Gradient2). What is watched is how long calls
 * wait for their first token, against what is usual for their target; never how long they take in all, since streams are
 * long by design. A provider that has become slow is not the gateway's congestion: the limit shrinks only while the
 * process is late itself.
 */

export interface LimiterOptions {
  /** Default 20. */
  readonly min?: number
  /** Default 2 000. */
  readonly max?: number
  /** Where the limit begins. Default 256. */
  readonly first?: number
  /** First tokens may take this many times as long as usual before the limit shrinks. Default 2. */
  readonly tolerance?: number
  /** Delay of the event loop beyond which the limit shrinks. Default 100 ms. */
  readonly lateMs?: number
}

/** What was seen since the last adjustment. */
export interface Observed {
  readonly inFlight: number
  /** Upper end of the event loop's delays, in milliseconds. */
  readonly delayMs: number
  /** Calls that got a place, and calls that were refused. */
  readonly started?: number
  readonly refused?: number
}

/** Targets whose usual time is remembered; callers may name any model. */
const MAX_BASELINES = 1_000
/** Share of a new sample in what is usual: about the last 600 count. */
const LONG = 2 / 601
/** A target's first samples, in which its usual time is a plain mean. */
const WARM_UP = 20
/** Share of an adjustment downwards that is made at once. */
const SMOOTHING = 0.4
/** Least share of the calls that run which is left of the limit at once. */
const FIRM = 0.8
/** Calls that must get a place for each that is refused, or the limit does not shrink. */
const LEAST_STARTED = 0.6
/** Below this share of `lateMs` the process counts as calm: congestion, if there is any, is the provider's. */
const CALM = 0.2

interface Baseline {
  ms: number
  samples: number
}

export class Limiter {
  readonly #min: number
  readonly #tolerance: number
  readonly #lateMs: number
  readonly #baselines = new Map<string, Baseline>()
  readonly #first: number
  #max: number
  #limit: number
  #ratios = 0
  #samples = 0
  /** It was late the last time. */
  #late = false

  constructor({ min = 20, max = 2_000, first = 256, tolerance = 2, lateMs = 100 }: LimiterOptions = {}) {
    this.#min = min
    this.#max = max
    this.#first = first
    this.#limit = Math.min(first, max)
    this.#tolerance = tolerance
    this.#lateMs = lateMs
  }

  /** Calls that may run now. */
  get limit(): number {
    return Math.floor(this.#limit)
  }

  /** Another upper end, after a reload. A limit that stood at the old one is free to begin again. */
  set max(max: number) {
    const wanted = this.#limit >= this.#max ? Math.max(this.#limit, this.#first) : this.#limit
    this.#max = max
    this.#limit = Math.min(max, Math.max(wanted, this.#least))
  }

  /** Never above the upper end, which a reload may set below what is otherwise the least. */
  get #least(): number {
    return Math.min(this.#min, this.#max)
  }

  /** A call of this target waited so long for its first token. */
  sample(target: string, ms: number): void {
    let baseline = this.#baselines.get(target)
    if (!baseline) {
      if (this.#baselines.size >= MAX_BASELINES) this.#baselines.clear()
      baseline = { ms, samples: 0 }
      this.#baselines.set(target, baseline)
    }
    const usual = Math.max(baseline.ms, 1)
    this.#ratios += ms / usual
    this.#samples++
    baseline.samples++
    baseline.ms += (ms - baseline.ms) * Math.max(LONG, baseline.samples <= WARM_UP ? 1 / baseline.samples : 0)
    // After a long surge what was usual then must not pass for usual now.
    if (usual > ms * this.#tolerance) baseline.ms *= 0.95
  }

  /** To be called at an even pace while calls run. */
  adjust({ inFlight, delayMs, started = 0, refused = 0 }: Observed): void {
    const slower = this.#samples === 0 ? 1 : this.#ratios / this.#samples
    this.#ratios = 0
    this.#samples = 0
    const calm = delayMs <= this.#lateMs * CALM
    const first = calm ? 1 : Math.max(0.5, Math.min(1, this.#tolerance / slower))
    const late = Math.max(0.5, Math.min(1, this.#lateMs / Math.max(delayMs, 1)))
    const gradient = Math.min(first, late)
    const again = late < 1 && this.#late
    this.#late = late < 1
    // Refusing takes time as well. Where that is what makes the process late, fewer places would mean more of it.
    if (started < refused * LEAST_STARTED) return
    if (gradient < 1) {
      const gentle = this.#limit * (1 - SMOOTHING * (1 - gradient))
      // Late twice in a row is no accident: then it is what runs that is too much, however far below the limit.
      const firm = again ? Math.min(this.#limit, inFlight) * Math.max(FIRM, gradient) : gentle
      this.#limit = Math.max(this.#least, Math.min(gentle, firm))
    }
    // A limit that is not reached says nothing of a higher one.
    else if (inFlight >= this.#limit / 2) this.#limit = Math.min(this.#max, this.#limit + this.#step(calm))
  }

  /** Calls wait though the loop has not been late for a while: between two adjustments the limit makes room at once. */
  makeRoom(delayMs: number): void {
    if (delayMs <= this.#lateMs * CALM) this.#limit = Math.min(this.#max, this.#limit * 1.25)
  }

  /** Where the process has time to spare, the limit is in nobody's interest. */
  #step(calm: boolean): number {
    const root = Math.sqrt(this.#limit)
    return calm ? Math.max(root, this.#limit * 0.25) : root
  }
}
