/** What each organisation pays: mark-up or discount, and whether ahead. Pure but for the entries it is given. */
import { invalid } from '../../core/error.ts'
import type { Json } from '../../core/json.ts'
import { dollarsOf, type Nanos, nanosOf } from '../../core/money.ts'
import type { NewRecord, StoredRecord } from '../../core/records.ts'

/** Of an `organisation` record: `billing` and `markup` (parts in a thousand over cost: 1100 is ten percent more, 900 ten percent less). */
export interface Terms {
  readonly prepaid: boolean
  readonly markup: number
}
export const usualTerms: Terms = { prepaid: false, markup: 1_000 }

export const creditKinds = ['top-up', 'refund', 'adjustment'] as const
export type CreditKind = (typeof creditKinds)[number]

/** One entry of an organisation's credit. Entries are added, never changed. */
export interface Credit {
  readonly id: string
  readonly organisation: string
  /** Milliseconds since 1970. */
  readonly at: number
  readonly kind: CreditKind
  /** Below zero for what is taken back. */
  readonly amount: Nanos
  readonly note: string | undefined
}

/** What may be charged for this cost at most: `markedUp`, rounded up. */
export const mostOf = (cost: Nanos, markup: number): Nanos => (markup === 1_000 ? cost : (cost * BigInt(markup) + 999n) / 1_000n)

export function termsOf({ data }: Pick<StoredRecord, 'data'>): Terms {
  const { billing, markup } = data
  return {
    prepaid: billing === 'prepaid',
    markup: typeof markup === 'number' && Number.isSafeInteger(markup) && markup >= 0 ? markup : usualTerms.markup,
  }
}

/** The record of a credit entry. Throws `invalid-request`; only what is taken back may be below zero. */
export function creditRecord(entry: {
  readonly id: string
  readonly organisation: string
  readonly kind: CreditKind
  /** Decimal USD. */
  readonly amount: string
  readonly note?: string
}): NewRecord {
  const { id, organisation, kind, amount, note } = entry
  const nanos = signedNanosOf(amount)
  if (nanos === undefined || nanos === 0n) throw invalid('amount: not an amount in USD: write "25.00".', 'amount')
  if (nanos < 0n && kind === 'top-up') throw invalid('amount: a top-up adds; write an adjustment to take something back.', 'amount')
  const data: Record<string, Json> = { kind, amount: (nanos < 0n ? '-' : '') + dollarsOf(nanos < 0n ? -nanos : nanos) }
  if (note !== undefined) data['note'] = note
  return { kind: 'credit', id, organisation, data }
}

/** Undefined: no entry of credit. */
export function creditOf({ id, organisation, data, createdAt }: StoredRecord): Credit | undefined {
  const amount = typeof data['amount'] === 'string' ? signedNanosOf(data['amount']) : undefined
  const kind = creditKinds.find((one) => one === data['kind']) ?? 'top-up'
  if (amount === undefined || organisation === undefined) return undefined
  return { id, organisation, at: createdAt, kind, amount, note: typeof data['note'] === 'string' ? data['note'] : undefined }
}

function signedNanosOf(text: string): Nanos | undefined {
  const nanos = nanosOf(text.replace(/^-/, ''))
  return nanos !== undefined && text.startsWith('-') ? -nanos : nanos
}
