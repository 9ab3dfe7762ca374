/**
 * Finds the price of a model. The config's word stands over the price data's, which stands over the catalogue's. What
 * nobody prices has no price: unknown is not free.
 */
import type { Usage } from '../core/event.ts'
import type { Nanos } from '../core/money.ts'
import type { PriceOverride } from '../core/rates.ts'
import { overridden, saysSomething } from './override.ts'
import { type Cost, costOf, type Price, type Rates } from './price.ts'
import { type FinerPrices, finerPrices } from './price-data.ts'
import { geoFactorsOf, tierFactorsOf } from './service-tiers.ts'
import { type WorstCase, worstCost } from './worst-cost.ts'

export interface Pricing {
  /** `provider` is the catalogue's id (the preset). Kinds that an override leaves out keep their listed price. */
  priceOf(provider: string, model: string, override?: PriceOverride): Price | undefined
  costOf(usage: Usage, price: Price, at: Date): Cost | undefined
  /** The most that a call of this size can cost, for what is set aside before it is made. */
  worstCost(price: Price, call: WorstCase): Nanos | undefined
}

export interface PricingOptions {
  readonly catalog: { model(provider: string, model: string): { readonly id: string; readonly price?: Rates } | undefined }
  /** Default: the price data, loaded when first needed. */
  readonly finer?: FinerPrices
}

/** Names come from callers too (`provider/model`), so the memory of prices is bounded. */
const REMEMBERED = 4096

/** Providers whose usage says what the whole call cost, with searches and fees that tokens do not show. */
const TELLS_COST: ReadonlySet<string> = new Set(['openrouter', 'perplexity', 'xai'])

const factorsOf = (provider: string): Pick<Price, 'tiers' | 'geos'> => {
  const tiers = tierFactorsOf(provider)
  const geos = geoFactorsOf(provider)
  return { ...(tiers && { tiers }), ...(geos && { geos }) }
}

export function createPricing({ catalog, finer = finerPrices }: PricingOptions): Pricing {
  const known = new Map<string, Price | undefined>()

  function listed(provider: string, model: string): Price | undefined {
    const key = `${provider} ${model}`
    if (known.has(key)) return known.get(key)
    const price = lookUp(provider, model)
    if (known.size >= REMEMBERED) known.clear()
    known.set(key, price)
    return price
  }

  function lookUp(provider: string, model: string): Price | undefined {
    const entry = catalog.model(provider, model)
    const schedule = finer(provider, entry?.id ?? model)
    const about = { ...factorsOf(provider), ...(TELLS_COST.has(provider) && { told: true }) }
    if (schedule) return { source: 'price-data', schedule, ...about }
    return entry?.price && { source: 'catalogue', schedule: [{ rates: ratesOf(entry.price) }], ...about }
  }

  return {
    priceOf(provider, model, override) {
      if (!saysSomething(override)) return listed(provider, model)
      const schedule = listed(provider, model)?.schedule ?? [{ rates: {} }]
      return { source: 'config', schedule: overridden(schedule, override), ...factorsOf(provider) }
    },
    costOf,
    worstCost,
  }
}

/** The catalogue writes 0 where a cache is not priced apart; a model whose input costs something has no free cache. */
function ratesOf({ cacheRead, cacheWrite, ...rates }: Rates): Rates {
  const priced = (rate: number | undefined): boolean => rate !== undefined && (rate > 0 || rates.input === 0)
  return { ...rates, ...(priced(cacheRead) && { cacheRead }), ...(priced(cacheWrite) && { cacheWrite }) }
}
