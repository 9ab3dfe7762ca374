/** All rules that hold now: the configuration's, and those made through the admin API, kept current. */
import { GatewayError, gatewayErrorOf } from '../../core/error.ts'
import type { Principal } from '../../core/principal.ts'
import type { RecordKind, RecordStore, StoredRecord } from '../../core/records.ts'
import type { BudgetRule, RateRule } from '../../core/rules.ts'
import { budgetRuleOf, rateRuleOf } from '../../core/written-rules.ts'
import { type Matcher, matcherOf } from './matcher.ts'
import { budgetMeter, Meter, rateMeter, type Seeds, wholeOf } from './meter.ts'
import { type Credit, creditOf, type Terms, termsOf, usualTerms } from './tenants.ts'

export interface Rules {
  readonly budgets: readonly BudgetRule[]
  readonly limits: readonly RateRule[]
}

export interface RuleBook {
  /** Throws `store-unavailable` as long as nobody knows which rules there are. */
  matcher(): Matcher
  /** Of the key itself. */
  own(principal: Principal): Matcher
  meter(rule: BudgetRule | RateRule): Meter
  terms(organisation: string | undefined): Terms
  /** What limits a prepaid organisation: the sum of its credit. Undefined: it pays afterwards. */
  credit(organisation: string | undefined): Meter | undefined
  creditMeter(organisation: string): Meter
  credits(organisation: string): readonly Credit[]
  configure(rules: Rules): void
  /** Resolves once the store has told its rules. */
  readonly ready: Promise<void>
  close(): void
}

export interface RuleBookOptions {
  readonly rules: Rules
  readonly records: RecordStore | undefined
  readonly seeds: Seeds
  /** A record that is no rule. */
  readonly broken: (record: StoredRecord, error: GatewayError) => void
}

const kinds = ['budget', 'limit', 'organisation', 'credit'] as const satisfies readonly RecordKind[]
type Kind = (typeof kinds)[number]
const isKind = (kind: RecordKind): kind is Kind => (kinds as readonly RecordKind[]).includes(kind)
const RETRY_MS = 1_000
const PAGE = 10_000

export function createRuleBook({ rules, records, seeds, broken }: RuleBookOptions): RuleBook {
  let configured = rules
  const budgets = new Map<string, BudgetRule>()
  const limits = new Map<string, RateRule>()
  const terms = new Map<string, Terms>()
  const credits = new Map<string, Map<string, Credit>>()
  const organisationOf = new Map<string, string>()
  const creditMeters = new Map<string, Meter>()
  // Meters remember what they have counted and warned of, so a rule that stays keeps its own.
  const meters = new WeakMap<BudgetRule | RateRule, Meter>()
  const owns = new WeakMap<Principal, Matcher>()
  let current: Matcher | undefined
  let loaded = records === undefined
  let closed = false
  const retries = new Set<ReturnType<typeof setTimeout>>()
  /** To be read anew: one after the other, so that the last word stands. */
  const changed = new Map<string, { readonly kind: Kind; readonly id: string }>()
  let catchingUp = false
  const stopWatching = records?.watch((changes) => {
    for (const { kind, id } of changes) if (isKind(kind)) changed.set(`${kind} ${id}`, { kind, id })
    void catchUp()
  })

  const meter = (rule: BudgetRule | RateRule): Meter => {
    let known = meters.get(rule)
    if (!known) {
      known = 'what' in rule ? rateMeter(rule, seeds) : budgetMeter(rule, seeds)
      meters.set(rule, known)
    }
    return known
  }

  /** Rates first: who calls too often hears of that, and not of money. */
  const compiled = ({ budgets, limits }: Rules): Matcher => matcherOf([...limits.map(meter), ...budgets.map(meter)])

  function put(record: StoredRecord): void {
    try {
      const { kind, id, organisation, data } = record
      switch (kind as Kind) {
        case 'budget':
          budgets.set(id, budgetRuleOf(id, data, { organisation }))
          break
        case 'limit':
          limits.set(id, rateRuleOf(id, data, { organisation }))
          break
        case 'organisation':
          terms.set(id, termsOf(record))
          break
        case 'credit':
          putCredit(creditOf(record))
          break
      }
    } catch (thrown) {
      broken(record, gatewayErrorOf(thrown))
    }
  }

  function putCredit(credit: Credit | undefined): void {
    if (!credit) return
    const own = credits.get(credit.organisation) ?? new Map<string, Credit>()
    credits.set(credit.organisation, own)
    own.set(credit.id, credit)
    organisationOf.set(credit.id, credit.organisation)
    recount(credit.organisation)
  }

  function drop(kind: Kind, id: string): void {
    budgets.delete(kind === 'budget' ? id : '')
    limits.delete(kind === 'limit' ? id : '')
    terms.delete(kind === 'organisation' ? id : '')
    const organisation = kind === 'credit' ? organisationOf.get(id) : undefined
    if (organisation === undefined) return
    credits.get(organisation)?.delete(id)
    organisationOf.delete(id)
    recount(organisation)
  }

  function recount(organisation: string): void {
    const known = creditMeters.get(organisation)
    if (known) known.limit = creditSum(organisation)
  }

  function creditSum(organisation: string): number {
    let sum = 0n
    for (const { amount } of credits.get(organisation)?.values() ?? []) sum += amount
    return sum < 0n ? 0 : wholeOf(sum)
  }

  /** Reads what has changed; as long as the store does not answer, again and again. */
  async function catchUp(): Promise<void> {
    if (catchingUp || closed || !loaded || !records) return
    catchingUp = true
    for (const [name, { kind, id }] of changed) {
      changed.delete(name)
      try {
        const record = await records.get(kind, id)
        if (record) put(record)
        else drop(kind, id)
        if (kind === 'budget' || kind === 'limit') current = undefined
      } catch {
        changed.set(name, { kind, id })
        later(catchUp)
        break
      }
    }
    catchingUp = false
  }

  async function load(): Promise<void> {
    for (const kind of kinds) {
      let after: string | undefined
      do {
        const page = await (records as RecordStore).list(kind, { after, limit: PAGE })
        for (const record of page.data) put(record)
        after = page.next
      } while (after !== undefined)
    }
    loaded = true
    current = undefined
    void catchUp()
  }

  function later(run: () => Promise<void>): void {
    if (closed) return
    const timer = setTimeout(() => {
      retries.delete(timer)
      void run()
    }, RETRY_MS)
    timer.unref?.()
    retries.add(timer)
  }

  const ready = new Promise<void>((resolve) => {
    const attempt = async (): Promise<void> => {
      try {
        if (!loaded) await load()
        resolve()
      } catch {
        later(attempt)
      }
    }
    void attempt()
  })

  function creditMeter(organisation: string): Meter {
    let known = creditMeters.get(organisation)
    if (!known) {
      known = new Meter(
        {
          kind: 'credit',
          id: 'credit',
          name: undefined,
          measure: 'charge',
          limit: creditSum(organisation),
          by: 'organisation',
          window: 'total',
          organisation,
          warnAt: [0.8, 0.95],
        },
        seeds,
      )
      creditMeters.set(organisation, known)
    }
    return known
  }

  return {
    ready,
    matcher() {
      if (!loaded)
        throw new GatewayError('store-unavailable', 'The gateway cannot reach its store yet, so it cannot tell what this call may spend.', {
          retryAfterMs: RETRY_MS,
        })
      current ??= compiled({
        budgets: [...configured.budgets, ...budgets.values()],
        limits: [...configured.limits, ...limits.values()],
      })
      return current
    },
    own(principal) {
      let known = owns.get(principal)
      if (!known) {
        known = compiled(principal)
        owns.set(principal, known)
      }
      return known
    },
    meter,
    terms: (organisation) => (organisation === undefined ? usualTerms : (terms.get(organisation) ?? usualTerms)),
    credit: (organisation) => (organisation !== undefined && terms.get(organisation)?.prepaid ? creditMeter(organisation) : undefined),
    creditMeter,
    credits: (organisation) => [...(credits.get(organisation)?.values() ?? [])].sort((one, other) => one.at - other.at),
    configure(rules) {
      configured = rules
      current = undefined
    },
    close() {
      closed = true
      stopWatching?.()
      for (const timer of retries) clearTimeout(timer)
      retries.clear()
    },
  }
}
