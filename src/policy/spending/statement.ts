/** Reports of money: how far a rule is used, what credit is left, what an organisation was charged. */
import type { Counters } from '../../core/counters.ts'
import type { Ledger } from '../../core/ledger.ts'
import type { Nanos } from '../../core/money.ts'
import { type RuleValue, slotOf } from './matcher.ts'
import type { Meter } from './meter.ts'
import type { RuleBook } from './rule-book.ts'
import type { Credit } from './tenants.ts'

export interface BudgetStatus {
  readonly rule: string
  /** As it is counted: names within an organisation as `organisation/name`. */
  readonly value: string
  /** Nano-dollars, tokens or calls, as the rule counts. */
  readonly limit: number
  readonly spent: number
  /** By calls that run. */
  readonly held: number
  readonly remaining: number
  /** Milliseconds since 1970; undefined where the window has no end of its own. */
  readonly resetsAt: number | undefined
}

export async function statusesOf(
  counters: Counters,
  meter: Meter,
  values: readonly RuleValue[],
  now: number,
): Promise<readonly BudgetStatus[]> {
  const slots = values.map((value) => slotOf(meter, value, now))
  const states = await counters.read(slots.map(({ counter }) => counter))
  return Promise.all(
    slots.map(async (slot, index) => {
      const { spent, held } = states[index] ?? { spent: (await slot.spentBefore?.()) ?? 0, held: 0 }
      return {
        rule: meter.id,
        value: slot.value,
        limit: meter.limit,
        spent,
        held,
        remaining: Math.max(0, meter.limit - spent - held),
        resetsAt: Number.isFinite(slot.endsAt) ? slot.endsAt : undefined,
      }
    }),
  )
}

export interface Balance {
  readonly organisation: string
  readonly prepaid: boolean
  /** All entries of credit together. */
  readonly credited: Nanos
  readonly spent: Nanos
  readonly held: Nanos
  /** May be below zero: calls can come to more than they held. */
  readonly available: Nanos
}

export async function balanceOf({
  counters,
  book,
  organisation,
  now,
}: {
  readonly counters: Counters
  readonly book: RuleBook
  readonly organisation: string
  readonly now: number
}): Promise<Balance> {
  const meter = book.creditMeter(organisation)
  const slot = meter.slot(organisation, now, () => ({ organisation }))
  const [state] = await counters.read([slot.counter])
  // Of an organisation that pays afterwards nothing is held, so that only the ledger knows.
  const prepaid = book.terms(organisation).prepaid
  const spent = BigInt(prepaid && state ? state.spent : ((await slot.spentBefore?.()) ?? 0))
  const held = BigInt(prepaid && state ? state.held : 0)
  const credited = sumOf(book.credits(organisation))
  return { organisation, prepaid, credited, spent, held, available: credited - spent - held }
}

export interface Statement {
  readonly organisation: string
  /** Milliseconds since 1970; `to` excluded. */
  readonly from: number
  readonly to: number
  readonly opening: Nanos
  readonly credits: readonly Credit[]
  /** By day and model, in this order. */
  readonly charges: readonly {
    readonly day: string
    readonly model: string
    readonly requests: number
    readonly inputTokens: number
    readonly outputTokens: number
    readonly charge: Nanos
    /** Calls whose charge is an estimate, and calls that nobody could price. */
    readonly estimated: number
    readonly unpriced: number
  }[]
  readonly credited: Nanos
  readonly charged: Nanos
  /** `opening + credited - charged`. */
  readonly closing: Nanos
}

const EVER = 0

/** Credit counts from when it was entered, a call from when it was opened. */
export async function statementOf({
  ledger,
  book,
  organisation,
  from,
  to,
}: {
  readonly ledger: Ledger
  readonly book: RuleBook
  readonly organisation: string
  readonly from: number
  readonly to: number
}): Promise<Statement> {
  await ledger.flush()
  const where = { organisation }
  const [earlier, rows] = await Promise.all([
    from > EVER ? ledger.usage({ by: ['organisation'], from: EVER, to: from, where }) : [],
    ledger.usage({ by: ['day', 'model'], from, to, where }),
  ])
  const all = book.credits(organisation)
  const credits = all.filter(({ at }) => from <= at && at < to)
  const charges = rows
    .map(({ by, requests, inputTokens, outputTokens, charge, estimated, unpriced }) => ({
      day: by.day ?? '',
      model: by.model ?? '',
      requests,
      inputTokens,
      outputTokens,
      charge,
      estimated,
      unpriced,
    }))
    .sort((one, other) => (one.day === other.day ? compare(one.model, other.model) : compare(one.day, other.day)))
  const opening = sumOf(all.filter(({ at }) => at < from)) - earlier.reduce((sum, { charge }) => sum + charge, 0n)
  const credited = sumOf(credits)
  const charged = charges.reduce((sum, { charge }) => sum + charge, 0n)
  return { organisation, from, to, opening, credits, charges, credited, charged, closing: opening + credited - charged }
}

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)
const sumOf = (credits: readonly Credit[]): Nanos => credits.reduce((sum, { amount }) => sum + amount, 0n)
