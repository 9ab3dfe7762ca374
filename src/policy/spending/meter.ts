/** A rule made ready for counting: what it measures, and the counters it has, one for each value and window. */
import { createHash } from 'node:crypto'
import type { Hold } from '../../core/counters.ts'
import { timeOfId } from '../../core/id.ts'
import type { UsageDimension } from '../../core/ledger.ts'
import type { Nanos } from '../../core/money.ts'
import type { BudgetRule, Dimension, RateRule } from '../../core/rules.ts'
import { type NameFilter, nameFilter } from './names.ts'
import { type Span, windowAt } from './windows.ts'

export type Measure = 'charge' | RateRule['what']
/** What the ledger knows of a count; a dimension that it does not keep makes it undefined. */
export type Where = Readonly<Partial<Record<UsageDimension, string>>> | undefined

/** Tells what was spent already, for a counter that nobody knows: in this calendar window, or in the rolling window that ends now. */
export type SpentBefore = (meter: Meter, where: Where, calendar: Span) => Promise<number> | number

export interface Seeds {
  readonly spentBefore: SpentBefore
  /** Where nobody else counts: the clock, so that windows which begin later than their rule are known to be empty. */
  readonly aloneSince?: (() => number) | undefined
}

/** One counter. */
export interface Slot {
  /** What it counts for; empty for everybody. */
  readonly value: string
  readonly counter: string
  /** Milliseconds since 1970; 0 and Infinity where there is no end. */
  readonly startsAt: number
  readonly endsAt: number
  readonly window: Hold['window']
  /** As a hold's. */
  readonly emptyUntil: number
  readonly spentBefore: (() => Promise<number> | number) | undefined
  /** What was spent when the counter last answered, and what has been settled here since. */
  seen: number
  /** So many shares of the limit have been warned of. */
  warned: number
  breached: boolean
}

/** Counters hold whole numbers below this. */
export const MOST = Number.MAX_SAFE_INTEGER
const MOST_NANOS = BigInt(MOST)
export const wholeOf = (nanos: Nanos): number => (nanos > MOST_NANOS ? MOST : Number(nanos))

/** Values come from callers too. */
const REMEMBERED = 10_000

const SEEDED_MS = 600_000

export interface MeterOptions {
  readonly kind: 'rate' | 'budget' | 'credit'
  readonly id: string
  readonly name: string | undefined
  readonly measure: Measure
  readonly limit: number
  readonly by: Dimension
  readonly value?: string | undefined
  readonly window: BudgetRule['window'] | undefined
  readonly timeZone?: string | undefined
  readonly models?: readonly string[] | undefined
  readonly tiers?: readonly string[] | undefined
  readonly organisation?: string | undefined
  readonly warnAt?: readonly number[]
  readonly budget?: BudgetRule
}

export class Meter {
  readonly kind: MeterOptions['kind']
  readonly id: string
  readonly name: string | undefined
  readonly measure: Measure
  readonly limitText: string
  readonly by: Dimension
  readonly value: string | undefined
  readonly models: NameFilter | undefined
  readonly tiers: ReadonlySet<string> | undefined
  readonly organisation: string | undefined
  readonly budget: BudgetRule | undefined
  readonly rollingMs: number | undefined
  /** Counts what is under way, and keeps nothing. */
  readonly gauge: boolean
  /** Shares of the limit at which to warn, least first. */
  readonly warnAt: readonly number[]
  #limit: number
  readonly #window: MeterOptions['window']
  readonly #timeZone: string | undefined
  readonly #spentBefore: SpentBefore
  /** Windows that begin after this were empty then. */
  #aloneSince: number
  /** Or the first moment at which it is known to have been there. */
  readonly #madeAt: number
  readonly #seeded: boolean
  readonly #slots = new Map<string, Slot>()
  /** Most rules have one value that is asked for again and again. */
  #last: Slot | undefined

  constructor(options: MeterOptions, seeds: Seeds) {
    this.kind = options.kind
    this.id = options.id
    this.name = options.name
    this.measure = options.measure
    this.#limit = options.limit
    this.by = options.by
    this.value = options.value
    this.models = options.models && nameFilter(options.models)
    this.tiers = options.tiers && new Set(options.tiers)
    this.organisation = options.organisation
    this.budget = options.budget
    this.gauge = options.measure === 'concurrent'
    this.limitText = String(options.limit)
    this.rollingMs = typeof options.window === 'object' ? options.window.rollingMs : undefined
    this.warnAt = (options.warnAt ?? options.budget?.warnAt ?? []).toSorted((one, other) => one - other)
    // A window of minutes is empty again before anybody could tell what was in it.
    this.#seeded = options.measure === 'charge' || (this.rollingMs ?? 0) >= SEEDED_MS
    this.#window = options.measure === 'concurrent' ? undefined : options.window
    this.#timeZone = options.timeZone
    this.#spentBefore = seeds.spentBefore
    this.#madeAt = timeOfId(options.id) ?? Date.now()
    this.#aloneSince = seeds.aloneSince?.() ?? Number.POSITIVE_INFINITY
  }

  get limit(): number {
    return this.#limit
  }

  /** Prepaid credit's changes with every top-up; then it is warned of anew. */
  set limit(limit: number) {
    if (limit === this.#limit) return
    this.#limit = limit
    for (const slot of this.#slots.values()) {
      slot.warned = 0
      slot.breached = false
    }
  }

  /** Its counter for this value at this time. `where` says how the ledger finds what was counted there. */
  slot(value: string, now: number, where: () => Where): Slot {
    const last = this.#last
    if (last && last.value === value && last.startsAt <= now && now < last.endsAt) return last
    let slot = this.#slots.get(value)
    if (!slot || now < slot.startsAt || now >= slot.endsAt) {
      slot = this.#made(value, now, where())
      if (this.#slots.size >= REMEMBERED) this.#forget(now)
      this.#slots.set(value, slot)
    }
    this.#last = slot
    return slot
  }

  #forget(now: number): void {
    this.#slots.clear()
    if (Number.isFinite(this.#aloneSince)) this.#aloneSince = now
  }

  #asking(where: Where, span: Span): () => Promise<number> | number {
    let asked = false
    return () => {
      const fresh = !asked && span.startsAt >= this.#aloneSince
      asked = true
      return fresh ? 0 : this.#spentBefore(this, where, span)
    }
  }

  #made(value: string, now: number, where: Where): Slot {
    const window = this.#window
    const calendar = window === undefined || typeof window === 'object' ? undefined : window
    const { startsAt, endsAt } = calendar === undefined ? FOREVER : windowAt(calendar, now, this.#timeZone)
    const rolling = this.rollingMs
    const when = rolling !== undefined ? `r${rolling}` : calendar === undefined ? '' : `${calendar}.${startsAt.toString(36)}`
    const ends = Number.isFinite(endsAt)
    const begins = Math.max(startsAt, (this.by === 'key' && timeOfId(value)) || 0)
    const span = this.gauge ? undefined : rolling !== undefined ? { rollingMs: rolling } : ends ? { endsAt } : undefined
    return {
      value,
      counter: `${this.kind}|${plain(this.id)}|${plain(value)}|${when}`,
      startsAt,
      endsAt,
      window: span,
      // A rule that is younger may count what was spent before it was made.
      emptyUntil: begins >= this.#madeAt ? begins : 0,
      spentBefore: this.#seeded && !this.gauge ? this.#asking(where, { startsAt, endsAt }) : undefined,
      seen: 0,
      warned: 0,
      breached: false,
    }
  }
}

const FOREVER = { startsAt: 0, endsAt: Number.POSITIVE_INFINITY }

/** Names of counters are printable ASCII and short; what is not, is known by its digest. */
function plain(text: string): string {
  if (text.length <= 70 && /^[\x21-\x7b}~]*$/.test(text)) return text
  return `#${createHash('sha256').update(text).digest('base64url').slice(0, 32)}`
}

export function budgetMeter(rule: BudgetRule, seeds: Seeds): Meter {
  const { id, name, limit, by, value, window, timeZone, models, tiers, organisation } = rule
  return new Meter(
    {
      kind: 'budget',
      id,
      name,
      measure: 'charge',
      limit: wholeOf(limit),
      by,
      value,
      window,
      timeZone,
      models,
      tiers,
      organisation,
      budget: rule,
    },
    seeds,
  )
}

export function rateMeter(rule: RateRule, seeds: Seeds): Meter {
  const { id, name, what, limit, by, value, windowMs, models, tiers, organisation } = rule
  return new Meter(
    { kind: 'rate', id, name, measure: what, limit, by, value, window: { rollingMs: windowMs }, models, tiers, organisation },
    seeds,
  )
}
