/**
 * The catalogue's own small form: one text per provider, one line per model, fields apart by `|`. A provider's text is
 * only taken apart when somebody asks for its models.
 *
 *   id | name | flags | modalities | limits | price | released | thinking | departure | family
 */
import type { WireId } from '../core/call.ts'
import { isNumber, isObject, type JsonObject } from '../core/json.ts'
import type { Facts, ModelFacts, ProviderFacts } from './facts.ts'

export const FORMAT = 1

export interface CompactProvider {
  readonly id: string
  readonly name: string
  readonly npm?: string
  readonly api?: string
  readonly doc?: string
  readonly env: readonly string[]
}

export interface CompactCatalog {
  readonly format: number
  readonly providers: readonly CompactProvider[]
  readonly models: Readonly<Record<string, string>>
}

export const PRICE_FIELDS = [
  'input',
  'output',
  'cacheRead',
  'cacheWrite',
  'reasoning',
  'inputAudio',
  'outputAudio',
  'outputImage',
  'request',
] as const

/** Names under which the facts give each price; some providers' facts use an older one. */
const COST_NAMES: Record<(typeof PRICE_FIELDS)[number], readonly string[]> = {
  input: ['input'],
  output: ['output'],
  cacheRead: ['cache_read', 'cached_input', 'cache_input'],
  cacheWrite: ['cache_write', 'cached_write'],
  reasoning: ['reasoning'],
  inputAudio: ['input_audio'],
  outputAudio: ['output_audio'],
  outputImage: ['image'],
  request: ['request'],
}

const MODALITIES: Readonly<Record<string, string>> = { text: 't', image: 'i', pdf: 'p', audio: 'a', video: 'v' }
const EFFORTS: Readonly<Record<string, string>> = { none: 'n', minimal: 'i', low: 'l', medium: 'm', high: 'h', xhigh: 'x', max: 'M' }
const STATUSES: Readonly<Record<string, string>> = { alpha: 'A', beta: 'B', deprecated: 'D' }
const WIRES: Readonly<Record<string, string>> = { 'openai-chat': 'c', 'openai-responses': 'r', 'anthropic-messages': 'a', gemini: 'g' }

export const modalityOf = inverse(MODALITIES)
export const effortOf = inverse(EFFORTS)
export const statusOf = inverse(STATUSES)
export const wireOf = inverse(WIRES)

/** The same facts always give the same bytes: providers and models in order of their ids. */
export function compactCatalog(facts: Facts): CompactCatalog {
  const ids = Object.keys(facts).sort()
  const providers = ids.map((id) => compactProvider(id, facts[id]!))
  const models = Object.fromEntries(ids.map((id) => [id, textOf(facts[id]!)]))
  return { format: FORMAT, providers, models }
}

function compactProvider(id: string, { name, npm, api, doc, env }: ProviderFacts): CompactProvider {
  return { id, name, ...(npm && { npm }), ...(api && { api: api.replace(/\/+$/, '') }), ...(doc && { doc }), env }
}

const textOf = (provider: ProviderFacts): string =>
  Object.keys(provider.models)
    // An id that holds a separator would come back as another id.
    .filter((id) => !/[|\r\n]/.test(id))
    .sort()
    .map((id) => lineOf(id, provider.models[id]!))
    .join('\n')

function lineOf(id: string, model: ModelFacts): string {
  const fields = [
    id,
    model.name === id ? '' : clean(model.name),
    flagsOf(model),
    `${lettersOf(model.modalities?.input, MODALITIES)}>${lettersOf(model.modalities?.output, MODALITIES)}`,
    [model.limit?.context, model.limit?.output, model.limit?.input].map(countOf).join(',').replace(/,+$/, ''),
    priceOf(model.cost),
    (model.release_date ?? '').replace(/^20(\d\d)-(\d\d)-(\d\d)$/, '$1$2$3'),
    thinkingOf(model),
    departureOf(model),
    clean(model.family ?? ''),
  ]
  return fields.join('|').replace(/\|+$/, '')
}

// The separators cannot stand in a field: a name loses them.
const clean = (text: string): string => text.replace(/[|\s]+/g, ' ').trim()

function flagsOf(model: ModelFacts): string {
  const { interleaved } = model
  const field = typeof interleaved === 'object' ? interleaved.field : undefined
  return [
    flag(model.tool_call, 't', 'T'),
    flag(model.reasoning, 'r', 'R'),
    flag(model.structured_output, 's', 'S'),
    flag(model.temperature, 'p', 'P'),
    flag(model.open_weights, 'o', ''),
    field === 'reasoning_content' ? 'c' : field === 'reasoning_details' ? 'd' : '',
    STATUSES[model.status ?? ''] ?? '',
  ].join('')
}

const flag = (value: boolean | undefined, yes: string, no: string): string => (value === undefined ? '' : value ? yes : no)

const lettersOf = (names: readonly string[] | undefined, letters: Readonly<Record<string, string>>): string =>
  (names ?? []).map((name) => letters[name] ?? '').join('')

const countOf = (value: number | undefined): string =>
  value === undefined ? '' : value % 1000 === 0 ? `${value / 1000}k` : String(Math.trunc(value))

function priceOf(cost: JsonObject | undefined): string {
  if (!cost) return ''
  const tiers = Array.isArray(cost['tiers']) ? cost['tiers'].filter(isObject) : []
  const bands = tiers.flatMap((tier) => {
    const size = isObject(tier['tier']) ? tier['tier']['size'] : undefined
    const type = isObject(tier['tier']) ? tier['tier']['type'] : undefined
    return isNumber(size) && (type === undefined || type === 'context') ? [`@${size}:${ratesOf(tier)}`] : []
  })
  return ratesOf(cost) + bands.join('')
}

const ratesOf = (cost: JsonObject): string =>
  PRICE_FIELDS.map((field) => {
    const value = COST_NAMES[field].map((name) => cost[name]).find(isNumber)
    return value === undefined || value < 0 ? '' : String(Number(value.toPrecision(12)))
  })
    .join(',')
    .replace(/,+$/, '')

/** `g` switch, `e` levels, `b` budget: `g;elmh;b1024-32768`. A bare `e` means that it takes no level. */
function thinkingOf({ reasoning_options: options }: ModelFacts): string {
  if (!options) return ''
  if (options.length === 0) return 'e'
  return options
    .map((option) => {
      switch (option['type']) {
        case 'toggle':
          return 'g'
        case 'effort':
          return `e${Array.isArray(option['values']) ? lettersOf(option['values'].map(String), EFFORTS) : ''}`
        case 'budget_tokens':
          return `b${isNumber(option['min']) ? option['min'] : ''}-${isNumber(option['max']) ? option['max'] : ''}`
        default:
          return ''
      }
    })
    .filter(Boolean)
    .sort()
    .join(';')
}

function departureOf({ provider }: ModelFacts): string {
  if (!provider) return ''
  const wire =
    provider.shape === 'responses' ? 'openai-responses' : provider.shape === 'completions' ? 'openai-chat' : wireOfPackage(provider.npm)
  return `${(wire && WIRES[wire]) ?? ''}${clean(provider.api ?? '')}`
}

/** What a provider's AI SDK package says of its wire. */
export function wireOfPackage(npm: string | undefined): WireId | undefined {
  switch (npm) {
    case '@ai-sdk/openai':
      return 'openai-responses'
    case '@ai-sdk/anthropic':
      return 'anthropic-messages'
    case '@ai-sdk/google':
      return 'gemini'
    case '@ai-sdk/openai-compatible':
      return 'openai-chat'
    default:
      return undefined
  }
}

function inverse(map: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(map).map(([name, letter]) => [letter, name]))
}
