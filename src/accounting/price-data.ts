/**
 * The finer prices of `@pydantic/genai-prices`: bands, dates, times of day, cache lifetimes. It weighs about 20 MB in
 * memory and 50 ms, so it is loaded when a model of a provider that it knows is first priced, never at start, and it is
 * never asked to fetch anything.
 */
import type { calcPrice as CalcPrice, ModelInfo, ModelPrice } from '@pydantic/genai-prices'
import type { KindRates } from '../core/rates.ts'
import { secondOf } from './override.ts'
import type { Rates, ScheduledRates } from './price.ts'

export type FinerPrices = (provider: string, model: string) => readonly ScheduledRates[] | undefined

/** The catalogue's provider ids, and the data's names for them. Subscription plans are left out: their calls are not priced by token. */
const PROVIDERS: Readonly<Record<string, string>> = {
  'amazon-bedrock': 'aws',
  anthropic: 'anthropic',
  azure: 'azure',
  'azure-cognitive-services': 'azure',
  baseten: 'baseten',
  cerebras: 'cerebras',
  'cloudflare-workers-ai': 'cloudflare',
  cohere: 'cohere',
  deepseek: 'deepseek',
  'fireworks-ai': 'fireworks',
  google: 'google',
  'google-vertex': 'google',
  'google-vertex-anthropic': 'anthropic',
  groq: 'groq',
  minimax: 'minimax',
  mistral: 'mistral',
  moonshotai: 'moonshotai',
  'novita-ai': 'novita',
  openai: 'openai',
  openrouter: 'openrouter',
  ovhcloud: 'ovhcloud',
  perplexity: 'perplexity',
  togetherai: 'together',
  xai: 'x-ai',
  zai: 'zai',
  zhipuai: 'zhipuai',
}

const FIELDS: Readonly<Record<string, keyof KindRates>> = {
  input_mtok: 'input',
  output_mtok: 'output',
  cache_read_mtok: 'cacheRead',
  cache_write_mtok: 'cacheWrite',
  cache_write_1h_mtok: 'cacheWrite1h',
  output_reasoning_mtok: 'reasoning',
  input_audio_mtok: 'inputAudio',
  output_audio_mtok: 'outputAudio',
  input_image_mtok: 'inputImage',
  output_image_mtok: 'outputImage',
  requests_kcount: 'request',
  web_searches_kcount: 'webSearch',
  storage_searches_kcount: 'fileSearch',
  social_searches_kcount: 'socialSearch',
  code_executions_kcount: 'codeRun',
}

let loaded: typeof CalcPrice | undefined

/** Loads the price data now rather than at the first priced call. */
export function loadPriceData(): typeof CalcPrice | undefined {
  // Not an import: that would load it at start, and a runtime without node:module goes without.
  const require = (globalThis as { process?: NodeJS.Process }).process?.getBuiltinModule?.('node:module').createRequire(import.meta.url)
  loaded ??= require && (require('@pydantic/genai-prices') as { calcPrice: typeof CalcPrice }).calcPrice
  return loaded
}

export const finerPrices: FinerPrices = (provider, model) => {
  const providerId = Object.hasOwn(PROVIDERS, provider) ? PROVIDERS[provider] : undefined
  if (!providerId) return undefined
  // The smallest usage finds the model; its prices are read, not the sum.
  const found = attempt(() => loadPriceData()?.({ input_tokens: 0 }, model, { providerId }))
  return found ? scheduleOf(found.model) : undefined
}

function attempt<T>(find: () => T): T | undefined {
  try {
    return find()
  } catch {
    // Some models are priced by the page or the second alone.
    return undefined
  }
}

function scheduleOf({ prices }: ModelInfo): readonly ScheduledRates[] | undefined {
  const conditional = Array.isArray(prices) ? prices : [{ prices }]
  const schedule = conditional.map(({ prices: rates, ...rest }): ScheduledRates => {
    const constraint = 'constraint' in rest ? rest.constraint : undefined
    switch (constraint?.type) {
      case 'start_date':
        return { rates: ratesOf(rates), from: Date.parse(constraint.start_date) }
      case 'time_of_date':
        return { rates: ratesOf(rates), daily: { start: secondOf(constraint.start_time), end: secondOf(constraint.end_time) } }
      default:
        return { rates: ratesOf(rates) }
    }
  })
  const priced = schedule.some(({ rates }) => rates.input !== undefined || rates.output !== undefined || rates.request !== undefined)
  return priced ? schedule : undefined
}

function ratesOf(prices: ModelPrice): Rates {
  const rates: Record<string, number> = {}
  const bands = new Map<number, Record<string, number>>()
  for (const [name, value] of Object.entries(prices)) {
    const field = FIELDS[name]
    if (!field || value === undefined) continue
    if (typeof value === 'number') rates[field] = value
    else {
      rates[field] = value.base
      for (const { start, price } of value.tiers) bands.set(start, { ...bands.get(start), [field]: price })
    }
  }
  return bands.size === 0 ? rates : { ...rates, bands: [...bands].map(([above, band]) => ({ above, ...band })) }
}
