/** What the ledger says was spent already, for counters that nobody knows: after a start, or when the shared store lost them. */
import type { Ledger, UsageDimension, UsageRow } from '../../core/ledger.ts'
import { type Meter, type SpentBefore, wholeOf } from './meter.ts'

/** Clocks of replicas differ, but not by so much. */
const DAY = 86_400_000

/** The ledger keeps no class of addresses: such counts begin at nothing. */
export function spentBeforeFrom(ledger: Pick<Ledger, 'usage' | 'flush'>, clock: () => number): SpentBefore {
  return async (meter, where, { startsAt, endsAt }) => {
    if (where === undefined) return 0
    await ledger.flush()
    const now = clock()
    const from = meter.rollingMs === undefined ? startsAt : now - meter.rollingMs
    const to = Math.min(endsAt, now + DAY)
    const by: UsageDimension[] = ['organisation']
    if (meter.models) by.push('requestedModel', 'route', 'provider', 'model')
    if (meter.tiers) by.push('tier')
    const rows = await ledger.usage({
      by,
      from,
      to,
      where: meter.organisation === undefined ? where : { ...where, organisation: meter.organisation },
    })
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
