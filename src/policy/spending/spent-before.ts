/** What the ledger says was spent already, for counters that nobody knows: after a start, or when the shared store lost them. */
import type { Ledger, UsageDimension, UsageQuery, UsageRow } from '../../core/ledger.ts'
import type { Nanos } from '../../core/money.ts'
import { type Meter, type SpentBefore, wholeOf } from './meter.ts'

/** Clocks of replicas differ, but not by so much. */
const DAY = 86_400_000

/** What was charged to these, by the time of opening; `to` excluded. */
export type Charged = (selector: { readonly where: NonNullable<UsageQuery['where']> }, from: number, to: number) => Promise<Nanos>

/**
 * The ledger keeps no class of addresses: such counts begin at nothing. `charged` is a shorter way for plain budgets, where the ledger has
 * one.
 */
export function spentBeforeFrom(ledger: Pick<Ledger, 'usage' | 'flush'>, clock: () => number, charged?: Charged): SpentBefore {
  return async (meter, where, { startsAt, endsAt }) => {
    if (where === undefined) return 0
    await ledger.flush()
    const now = clock()
    const from = meter.rollingMs === undefined ? startsAt : now - meter.rollingMs
    const to = Math.min(endsAt, now + DAY)
    const whose = meter.organisation === undefined ? where : { ...where, organisation: meter.organisation }
    if (charged && meter.measure === 'charge' && !meter.models && !meter.tiers) return wholeOf(await charged({ where: whose }, from, to))
    const by: UsageDimension[] = ['organisation']
    if (meter.models) by.push('requestedModel', 'route', 'provider', 'model')
    if (meter.tiers) by.push('tier')
    const rows = await ledger.usage({ by, from, to, where: whose })
    let sum = 0
    for (const row of rows) if (counts(meter, row)) sum += measured(meter, row)
    return Math.min(sum, Number.MAX_SAFE_INTEGER)
  }
}

function counts({ models, tiers }: Meter, { by }: UsageRow): boolean {
  if (tiers && !tiers.has(by.tier ?? '')) return false
  if (!models) return true
  const { requestedModel, route, provider, model } = by
  if (requestedModel !== undefined && models.asked(requestedModel)) return true
  if (route !== undefined && models.asked(route)) return true
  return provider !== undefined && model !== undefined && models.place(provider, model)
}

function measured({ measure }: Meter, { charge, requests, inputTokens, outputTokens }: UsageRow): number {
  switch (measure) {
    case 'charge':
      return wholeOf(charge)
    case 'requests':
      return requests
    case 'input-tokens':
      return inputTokens
    case 'output-tokens':
      return outputTokens
    case 'tokens':
      return inputTokens + outputTokens
    case 'concurrent':
      return 0
  }
}
