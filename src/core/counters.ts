/**
 * Counters that many calls share: spending under budgets, rates, calls in flight. One call's holds are taken together or not at all.
 * Memory, shared memory between threads, and Redis implement it (`store/counters/`); policy uses it.
 *
 * Amounts are whole numbers below 2^53: nano-dollars, tokens, calls. A window of more than 9 million dollars cannot be counted.
 */

export interface Hold {
  /** Opaque name, at most 200 characters of printable ASCII: rule, what it counts for, window. */
  readonly counter: string
  /**
   * `spend`: `amount` is held, and settling turns it into what was really used, until the window ends.
   * `gauge`: `amount` is in use until it is settled, nothing stays.
   */
  readonly kind: 'spend' | 'gauge'
  readonly amount: number
  /** What spent + held + amount may reach. Undefined: counted, never refused. */
  readonly limit: number | undefined
  /** A window that ends at a time (milliseconds since 1970), after which the counter is forgotten; or the last so many milliseconds. Absent: for ever. */
  readonly window?: { readonly endsAt: number } | { readonly rollingMs: number }
  /** What was spent in this window already, asked once where the counter is not known (after a start, or when Redis lost it). */
  readonly spentBefore?: () => Promise<number> | number
  /** Until then nothing can have been spent: the window began, or what is counted was made. Milliseconds since 1970. */
  readonly emptyUntil?: number
}

export interface CounterState {
  readonly spent: number
  readonly held: number
}

export type Reserved =
  | { readonly ok: true; readonly states: readonly CounterState[] }
  /** The first hold that did not fit; `retryAfterMs`: when it might, where that can be known. */
  | { readonly ok: false; readonly index: number; readonly state: CounterState; readonly retryAfterMs?: number }

export interface Counters {
  /** `id` is the call's: reserving or settling twice under one id changes nothing. A hold that nobody settles is released after its lease. */
  reserve(id: string, holds: readonly Hold[], leaseMs: number): Reserved | Promise<Reserved>
  /** `actual[i]` is what hold i came to (gauges: ignored). May exceed what was held. Never throws: what cannot be told now is told later. */
  settle(id: string, holds: readonly Hold[], actual: readonly number[]): void | Promise<void>
  /** For reports. Undefined: nobody has counted there yet. */
  read(counters: readonly string[]): Promise<readonly (CounterState | undefined)[]>
  close(): Promise<void>
}
