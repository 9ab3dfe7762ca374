/** OpenRouter's routing words: the `models` list, the `provider` object, and the suffixes `:floor` and `:nitro`. */
import { isFilled, isNumber, isObject, type JsonObject } from '../../core/json.ts'
import type { SortBy, Steering, SteeringName } from '../../core/steering.ts'

const suffixes: Readonly<Record<string, SortBy>> = { ':floor': 'price', ':nitro': 'throughput' }

/** The model without its suffix, and what the suffix asks for. */
export function suffixOf(model: string): { readonly model: string; readonly sort: SortBy } | undefined {
  if (model.charCodeAt(model.length - 6) !== 58) return undefined
  const sort = suffixes[model.slice(-6)]
  return sort && model.length > 6 ? { model: model.slice(0, -6), sort } : undefined
}

export function openrouterModels(value: unknown): readonly SteeringName[] | undefined {
  if (!Array.isArray(value) || value.length === 0 || !value.every(isFilled)) return undefined
  return value.map((name, index) => ({ name, path: `models[${index}]` }))
}

const names = (value: unknown): readonly string[] | undefined =>
  Array.isArray(value) && value.length > 0 && value.every(isFilled) ? value.map((name) => name.toLowerCase()) : undefined

type Preferences = Pick<Steering, 'order' | 'only' | 'ignore' | 'allowFallbacks' | 'sort' | 'maxPrice' | 'requireParameters' | 'retention'>

const understood = new Set([
  'order',
  'only',
  'ignore',
  'allow_fallbacks',
  'sort',
  'max_price',
  'require_parameters',
  'data_collection',
  'zdr',
])

/** Undefined when it is no object: then it is not OpenRouter's, and the provider's to judge. */
export function openrouterProvider(value: unknown, ignored: { path: string; reason: string }[]): Preferences | undefined {
  if (!isObject(value)) return undefined
  for (const key of Object.keys(value))
    if (!understood.has(key)) ignored.push({ path: `provider.${key}`, reason: 'routing has no counterpart' })
  const sort = sortOf(isObject(value['sort']) ? value['sort']['by'] : value['sort'])
  const maxPrice = maxPriceOf(value['max_price'])
  const order = names(value['order'])
  const only = names(value['only'])
  const ignore = names(value['ignore'])
  const retention = value['zdr'] === true ? 'zero' : value['data_collection'] === 'deny' ? 'limited' : undefined
  return {
    ...(order && { order }),
    ...(only && { only }),
    ...(ignore && { ignore }),
    ...(value['allow_fallbacks'] === false && { allowFallbacks: false }),
    ...(sort && { sort }),
    ...(maxPrice && { maxPrice }),
    ...(value['require_parameters'] === true && { requireParameters: true }),
    ...(retention && { retention }),
  }
}

const sortOf = (value: unknown): SortBy | undefined =>
  value === 'price' || value === 'latency' || value === 'throughput' ? value : undefined

/** USD per million tokens; OpenRouter takes numbers and their text. */
function maxPriceOf(value: unknown): Steering['maxPrice'] {
  if (!isObject(value)) return undefined
  const input = priceOf(value, 'prompt')
  const output = priceOf(value, 'completion')
  return input === undefined && output === undefined
    ? undefined
    : { ...(input !== undefined && { input }), ...(output !== undefined && { output }) }
}

function priceOf(prices: JsonObject, key: string): number | undefined {
  const value = prices[key]
  const price = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return isNumber(price) && price >= 0 ? price : undefined
}
