/** Openings and settlements as the JSON texts that the journal and the database keep. Money is a decimal string of nano-dollars in them. */
import type { LedgerEntry, Opening, Settlement } from '../../core/ledger.ts'
import { markedUp } from '../../core/money.ts'

export type LedgerRecord =
  | { readonly kind: 'opening'; readonly value: Opening; readonly text: string }
  | { readonly kind: 'settlement'; readonly value: Settlement; readonly text: string }

export function openingRecord(value: Opening): LedgerRecord {
  return { kind: 'opening', value, text: JSON.stringify({ ...value, estimate: value.estimate?.toString() }) }
}

export function settlementRecord(value: Settlement): LedgerRecord {
  return { kind: 'settlement', value, text: JSON.stringify({ ...value, cost: value.cost?.toString(), charge: value.charge?.toString() }) }
}

export const openingOf = (text: string): Opening => withNanos(JSON.parse(text), ['estimate']) as unknown as Opening
export const settlementOf = (text: string): Settlement => withNanos(JSON.parse(text), ['cost', 'charge']) as unknown as Settlement

/** Throws when the text is not what it says it is. */
export function recordOf(kind: LedgerRecord['kind'], text: string): LedgerRecord {
  const record =
    kind === 'opening' ? ({ kind, value: openingOf(text), text } as const) : ({ kind, value: settlementOf(text), text } as const)
  if (typeof record.value.id !== 'string') throw new Error('a record without an id')
  return record
}

export function entryOf(opening: string, settlement: string | null | undefined): LedgerEntry {
  const entry = openingOf(opening)
  return settlement ? { ...entry, settlement: settlementOf(settlement) } : entry
}

function withNanos(value: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  for (const name of names) if (typeof value[name] === 'string') value[name] = BigInt(value[name])
  return value
}

/** How a call ended whose process ended before it: nobody will ever know more than what was expected of it. */
export function lostSettlement(opening: Opening, endedAt: number): Settlement {
  const { id, at, provider, model, estimate, markup } = opening
  return {
    id,
    endedAt,
    state: 'lost',
    ...(provider !== undefined && { provider }),
    ...(model !== undefined && { model }),
    status: 500,
    error: 'lost',
    ...(estimate !== undefined && { cost: estimate, charge: markedUp(estimate, markup) }),
    estimated: estimate !== undefined,
    attempts: 1,
    totalMs: Math.max(0, endedAt - at),
  }
}
