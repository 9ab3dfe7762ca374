/** What all calls share. */
import type { Counters } from '../../core/counters.ts'
import type { Exchange } from '../../core/exchange.ts'
import type { Ledger } from '../../core/ledger.ts'
import type { Tally } from '../../core/tally.ts'
import type { Policy } from './costs.ts'
import type { RuleBook } from './rule-book.ts'
import type { Line } from './waiting.ts'
import type { Warnings } from './warnings.ts'

export interface Desk {
  readonly counters: Counters
  readonly ledger: Ledger
  readonly book: RuleBook
  readonly line: Line
  readonly warnings: Warnings
  /** Calls that had no room: by kind of rule, what it counts, for whom, and what became of the call. */
  readonly refusals: Tally
  readonly clock: () => number
  /** Of `Exchange.settled`. */
  readonly recordOf: ((settled: object) => object) | undefined
  policy: Policy
  /** Budgets that a call has fallen from: they count on, and stop it no more. */
  readonly fallen: WeakMap<Exchange, Set<string>>
}
