/**
 * What a call may cost, held before it goes and settled when it has ended, however that was. All rules that hold for a call are held at once
 * or not at all, so that none is passed however many calls come together; `costs.ts` says what is held, and how far spending can go.
 */
import type { Counters } from '../../core/counters.ts'
import { type GatewayError, gatewayErrorOf } from '../../core/error.ts'
import type { Ledger, LedgerEntry } from '../../core/ledger.ts'
import type { Spending } from '../../core/policy.ts'
import type { RecordStore } from '../../core/records.ts'
import type { BudgetRule, RateRule } from '../../core/rules.ts'
import { createTally, type Tally } from '../../core/tally.ts'
import { type HoldPolicy, policyOf } from './costs.ts'
import type { Desk } from './desk.ts'
import type { RuleValue } from './matcher.ts'
import type { Seeds } from './meter.ts'
import { releaseAll } from './release.ts'
import { Reservation } from './reservation.ts'
import { createRuleBook, type Rules } from './rule-book.ts'
import { type Charged, spentBeforeFrom } from './spent-before.ts'
import { type Balance, type BudgetStatus, balanceOf, type Statement, statementOf, statusesOf } from './statement.ts'
import { createLine } from './waiting.ts'
import { createWarnings, type SpendingEvent } from './warnings.ts'

export interface SpendingOptions {
  readonly counters: Counters
  readonly ledger: Ledger
  /** Budgets, limits, organisations and credit made through the admin API. Absent: there are none. */
  readonly records?: RecordStore | undefined
  /** The configuration's. */
  readonly rules?: Rules
  readonly policy?: HoldPolicy
  /** Milliseconds since 1970. */
  readonly clock?: () => number
  /** Shares of budgets that are reached, budgets that are used up. Once for each window, in the whole fleet. */
  readonly warn?: (event: SpendingEvent) => void
  /** A record that is no rule: it does not hold. */
  readonly broken?: (id: string, error: GatewayError) => void
  /** What the ledger says was charged; must know of all lost calls by then. Default: sums of `ledger.usage`. */
  readonly charged?: Charged
  /** What the ledger keeps of a call as JSON, made of `Exchange.settled`. Absent: nothing but the places that limits took out. */
  readonly recordOf?: (settled: object) => object
  /** Nobody else counts: the counters are those of this process and thread. A window that begins anew is then known to be empty. */
  readonly alone?: boolean
}

export interface SpendingDesk extends Spending {
  /** After a reload. */
  configure(rules: Rules, policy?: HoldPolicy): void
  /** Resolves once the rules of the store are known; until then calls are refused with `store-unavailable`. */
  readonly ready: Promise<void>
  /**
   * Calls whose process ended before they did: what they held is given back, and their estimate counts. Tries until the store tells the rules
   * of their keys. Never rejects: after a minute `broken` is told, and their holds end with their leases.
   */
  release(lost: readonly LedgerEntry[]): Promise<void>
  /** How far a rule is used, for each of these values. */
  status(rule: BudgetRule | RateRule, values: readonly RuleValue[]): Promise<readonly BudgetStatus[]>
  balance(organisation: string): Promise<Balance>
  statement(organisation: string, from: number, to: number): Promise<Statement>
  /** No rule of everybody's holds; keys and organisations may have their own. */
  readonly ruleless: boolean
  /** Calls that wait for room. */
  readonly waiting: number
  /** Calls that had no room: by kind of rule, what it counts, for whom, and what became of the call. */
  readonly refusals: Pick<Tally, 'read'>
  close(): void
}

const RELEASE_TRIES = 60
const NO_RULES: Rules = { budgets: [], limits: [] }
export function createSpending(options: SpendingOptions): SpendingDesk {
  const { counters, ledger, records, rules = NO_RULES, policy, clock = Date.now, warn = () => {}, broken = () => {} } = options
  const seeds: Seeds = { spentBefore: spentBeforeFrom(ledger, clock, options.charged), aloneSince: options.alone ? clock : undefined }
  const book = createRuleBook({ rules, records, seeds, broken: ({ id }, error) => broken(id, error) })
  const line = createLine()
  const desk: Desk = {
    counters,
    ledger,
    book,
    line,
    warnings: createWarnings(counters, warn),
    refusals: createTally(),
    clock,
    recordOf: options.recordOf,
    policy: policyOf(policy),
    fallen: new WeakMap(),
  }

  return {
    ready: book.ready,
    refusals: desk.refusals,
    get ruleless() {
      return book.matcher().size === 0
    },
    get waiting() {
      return line.size
    },
    admit(call) {
      return new Reservation(desk, call).admit()
    },
    configure(rules, policy) {
      book.configure(rules)
      if (policy) desk.policy = policyOf(policy)
    },
    async release(lost) {
      for (let tries = 1; tries <= RELEASE_TRIES; tries++) {
        try {
          return await releaseAll(desk, lost, records)
        } catch (thrown) {
          if (tries === RELEASE_TRIES) broken(`of ${lost.length} lost calls`, gatewayErrorOf(thrown))
          else await new Promise((resolve) => void setTimeout(resolve, 1_000))
        }
      }
    },
    status: (rule, values) => statusesOf(counters, book.meter(rule), values, clock()),
    balance: (organisation) => balanceOf({ counters, book, organisation, now: clock() }),
    statement: (organisation, from, to) => statementOf({ ledger, book, organisation, from, to }),
    close: () => book.close(),
  }
}
