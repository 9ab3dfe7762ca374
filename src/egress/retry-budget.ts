/**
 * Tokens for repeated work: each call brings a share of one, each retry takes one, and what is not used within the window
 * is gone. So an outage is never met with a multiple of the load. Time is passed in.
 */

export interface RetryBudgetOptions {
  /** Retries for each call. Default 0.2. */
  readonly share?: number
  /** Retries that are always there, for quiet times. Default 3. */
  readonly perSecond?: number
  /** Default 10 000. */
  readonly windowMs?: number
}

const BUCKETS = 10

export class RetryBudget {
  readonly #share: number
  readonly #bucketMs: number
  readonly #floor: number
  readonly #deposits = new Float64Array(BUCKETS)
  readonly #takings = new Float64Array(BUCKETS)
  #stretch = Number.NEGATIVE_INFINITY
  #balance: number

  constructor({ share = 0.2, perSecond = 3, windowMs = 10_000 }: RetryBudgetOptions = {}) {
    this.#share = share
    this.#bucketMs = windowMs / BUCKETS
    this.#floor = (perSecond * windowMs) / 1000
    this.#balance = this.#floor
  }

  /** A call has come in. */
  deposit(now: number): void {
    const index = this.#turn(now)
    this.#deposits[index] = (this.#deposits[index] ?? 0) + this.#share
    this.#balance += this.#share
  }

  /** What is left, at this moment. */
  left(now: number): number {
    this.#turn(now)
    return this.#balance
  }

  /** False: it is used up. */
  take(now: number): boolean {
    const index = this.#turn(now)
    // Sums of shares are not exact.
    if (this.#balance < 1 - 1e-9) return false
    this.#takings[index] = (this.#takings[index] ?? 0) + 1
    this.#balance--
    return true
  }

  /** Throws away what has expired; returns the bucket of this moment. */
  #turn(now: number): number {
    const stretch = Math.floor(now / this.#bucketMs)
    const passed = Math.min(BUCKETS, stretch - this.#stretch)
    for (let step = 1; step <= passed; step++) {
      const index = (((stretch - passed + step) % BUCKETS) + BUCKETS) % BUCKETS
      this.#balance += (this.#takings[index] ?? 0) - (this.#deposits[index] ?? 0)
      this.#deposits[index] = 0
      this.#takings[index] = 0
    }
    if (stretch > this.#stretch) this.#stretch = stretch
    return ((this.#stretch % BUCKETS) + BUCKETS) % BUCKETS
  }
}

/** The budget of one route within that of the whole gateway. */
export interface CallBudget {
  /** False: no more retries for now. */
  take(): boolean
  /** False: no second request for a slow one for now. */
  takeHedge(): boolean
}

export interface RetryBudgets {
  /** A call of this route has come in. */
  begin(route: string, hedges?: boolean): CallBudget
}

const MAX_ROUTES = 5_000

/** 20 % and 3 a second for each route, 10 % and 10 a second for all together; second requests for slow ones 5 %, and nothing in quiet times. */
export function createRetryBudgets(now: () => number = Date.now): RetryBudgets {
  const all = new RetryBudget({ share: 0.1, perSecond: 10 })
  const routes = new Map<string, RetryBudget>()
  const hedging = new Map<string, RetryBudget>()
  const hedgeOf = (route: string): RetryBudget => {
    let hedge = hedging.get(route)
    if (!hedge) {
      hedge = new RetryBudget({ share: 0.05, perSecond: 0, windowMs: 60_000 })
      hedging.set(route, hedge)
    }
    return hedge
  }
  return {
    begin(route, hedges = false) {
      let own = routes.get(route)
      if (!own) {
        if (routes.size >= MAX_ROUTES) routes.clear()
        own = new RetryBudget()
        routes.set(route, own)
      }
      const at = now()
      own.deposit(at)
      all.deposit(at)
      const budget = own
      const hedge = hedges ? hedgeOf(route) : undefined
      hedge?.deposit(at)
      return {
        takeHedge: () => hedge?.take(now()) ?? false,
        take() {
          const moment = now()
          return all.left(moment) >= 1 - 1e-9 && budget.take(moment) && all.take(moment)
        },
      }
    },
  }
}
