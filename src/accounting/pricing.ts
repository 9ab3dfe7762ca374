/**
 * Finds the price of a model. The config's word stands over the price data's, which stands over the catalogue's. What
 * nobody prices has no price: unknown is not free.
 */
import type { Usage } from '../core/event.ts'
import { type Cost, costOf, type Price, type Rates } from './price.ts'
import { type FinerPrices, finerPrices } from './price-data.ts'

export interface Pricing {
  /** `provider` is the catalogue's id (the preset). Kinds that an override leaves out keep their listed price. */
  priceOf(provider: string, model: string, override?: Rates): Price | undefined
  costOf(usage: Usage, price: Price, at: Date): Cost | undefined
}

export interface PricingOptions {
  readonly catalog: { model(provider: string, model: string): { readonly id: string; readonly price?: Rates } | undefined }
  /** Default: the price data, loaded when first needed. */
  readonly finer?: FinerPrices
}

/** Names come from callers too (`provider/model`), so the memory of prices is bounded. */
const REMEMBERED = 4096

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
    if (schedule) return { source: 'price-data', schedule }
    return entry?.price && { source: 'catalogue', schedule: [{ rates: ratesOf(entry.price) }] }
  }

  return {
    priceOf(provider, model, override) {
      if (!override || Object.values(override).every((rate) => rate === undefined)) return listed(provider, model)
      const schedule = listed(provider, model)?.schedule ?? [{ rates: {} }]
      return { source: 'config', schedule: schedule.map((part) => ({ ...part, rates: overridden(part.rates, override) })) }
    },
    costOf,
  }
}

/** What the config says holds at every hour and length of input, so bands of the same kinds go. */
function overridden(listed: Rates, override: Rates): Rates {
  const said = Object.fromEntries(Object.entries(override).filter(([, rate]) => rate !== undefined)) as Rates
  const { bands = [], ...rates } = listed
  const kept = bands.map((band) => Object.fromEntries(Object.entries(band).filter(([kind]) => !(kind in said))) as typeof band)
  return { ...rates, ...(kept.length > 0 && { bands: kept }), ...said }
}

/** The catalogue writes 0 where a cache is not priced apart; a model whose input costs something has no free cache. */
function ratesOf({ cacheRead, cacheWrite, ...rates }: Rates): Rates {
  const priced = (rate: number | undefined): boolean => rate !== undefined && (rate > 0 || rates.input === 0)
  return { ...rates, ...(priced(cacheRead) && { cacheRead }), ...(priced(cacheWrite) && { cacheWrite }) }
}
