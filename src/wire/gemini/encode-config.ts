/** `generationConfig` and what stands beside it. */
import type { SettingName } from '../../core/call.ts'
import { at, type Json, type JsonObject } from '../../core/json.ts'
import { settingsOf } from '../../core/notes.ts'
import type { EncodedTools } from './encode-tools.ts'
import type { EncodeContext } from './encode-turns.ts'
import { googleSchemaOf } from './schema.ts'

const MAX_STOPS = 5
const MAX_TEMPERATURE = 2
const MAX_LOGPROBS = 20
/** Google keeps seeds in 32 bits. */
const MAX_SEED = 2 ** 31

const PLAIN = {
  topP: 'topP',
  topK: 'topK',
  presencePenalty: 'presencePenalty',
  frequencyPenalty: 'frequencyPenalty',
} as const satisfies { [Name in SettingName]?: string }

export interface EncodedConfig {
  readonly generation: JsonObject
  readonly beside: JsonObject
  /** A function that stands for the format: the model cannot do both at once. */
  readonly formatTool?: JsonObject
  /** What must be said in words. */
  readonly instruction?: string
}

export function configOf(context: EncodeContext, tools: EncodedTools): EncodedConfig {
  const { notes, call } = context
  const { generation, beside } = settingsConfig(context)
  const format = formatConfig(context, tools)
  if (call.cache) notes.dropped(call.cache.path, 'Gemini caches prompts by itself')
  return {
    generation: { ...generation, ...format.generation },
    beside,
    ...(format.formatTool && { formatTool: format.formatTool }),
    ...(format.instruction && { instruction: format.instruction }),
  }
}

function settingsConfig({ call, target, notes, own }: EncodeContext): { generation: JsonObject; beside: JsonObject } {
  const settings = settingsOf(call, notes)
  const { capabilities } = target
  const generation: [string, Json][] = []
  const beside: [string, Json][] = []
  /** A setting that this model takes; else it is named. */
  const take = <Name extends SettingName>(name: Name) => {
    const value = settings.take(name)
    const refused = capabilities.refuses?.includes(name) || (capabilities.sampling === false && /^(temperature|topP|topK)$/.test(name))
    if (value === undefined || own || !refused) return value
    notes.dropped(settings.pathOf(name), 'the model refuses it')
    return undefined
  }
  const clamped = (name: SettingName, value: number, limit: number): number => {
    if (own || value <= limit) return value
    notes.dropped(settings.pathOf(name), `clamped to ${limit}`)
    return limit
  }
  const maxTokens = take('maxTokens')
  if (maxTokens !== undefined) generation.push(['maxOutputTokens', clamped('maxTokens', maxTokens, capabilities.maxOutput ?? maxTokens)])
  const temperature = take('temperature')
  if (temperature !== undefined) generation.push(['temperature', clamped('temperature', temperature, MAX_TEMPERATURE)])
  for (const [name, member] of Object.entries(PLAIN) as [keyof typeof PLAIN, string][]) {
    const value = take(name)
    if (value !== undefined) generation.push([member, value])
  }
  const seed = take('seed')
  if (seed !== undefined) {
    if (own || (Number.isInteger(seed) && Math.abs(seed) < MAX_SEED)) generation.push(['seed', seed])
    else notes.dropped(settings.pathOf('seed'), 'more than 32 bits')
  }
  const stop = take('stop')
  if (stop) {
    const kept = own ? stop : stop.filter((word) => word !== '').slice(0, MAX_STOPS)
    if (kept.length < stop.length)
      notes.dropped(settings.pathOf('stop'), stop.length > MAX_STOPS ? `clamped to ${MAX_STOPS}` : 'empty words')
    if (own || kept.length > 0) generation.push(['stopSequences', kept])
  }
  const top = take('topLogprobs')
  const logprobs = take('logprobs')
  if (logprobs === true || (top !== undefined && top > 0 && logprobs !== false)) generation.push(['responseLogprobs', true])
  if (own && logprobs === false) generation.push(['responseLogprobs', false])
  if (top !== undefined && (own || (top > 0 && logprobs !== false)))
    generation.push(['logprobs', clamped('topLogprobs', top, MAX_LOGPROBS)])
  const modalities = take('modalities')
  if (modalities && (own || modalities.some((one) => one !== 'text')))
    generation.push(['responseModalities', modalities.map((one) => one.toUpperCase())])
  if (own) {
    const n = settings.take('n')
    if (n !== undefined) generation.push(['candidateCount', n])
    for (const [name, member] of [
      ['metadata', 'labels'],
      ['store', 'store'],
    ] as const) {
      const value = settings.take(name)
      if (value !== undefined) beside.push([member, value])
    }
  }
  const tier = settings.take('serviceTier')
  if (tier !== undefined) {
    const known = own ? tier : TIERS.get(tier)
    if (known) beside.push(['serviceTier', known])
    else if (known === undefined) notes.dropped(settings.pathOf('serviceTier'), 'no such tier')
  }
  settings.rest()
  return { generation: Object.fromEntries(generation), beside: Object.fromEntries(beside) }
}

/** Other vendors' tiers. Empty: the usual one, which needs no word. */
const TIERS = new Map([
  ['auto', ''],
  ['default', ''],
  ['standard', ''],
  ['standard_only', ''],
  ['on_demand', ''],
  ['flex', 'flex'],
  ['priority', 'priority'],
  ['fast', 'priority'],
])

export const FORMAT_TOOL = 'json_answer'

function formatConfig({ call, target, notes, own }: EncodeContext, { functions }: EncodedTools): Omit<EncodedConfig, 'beside'> {
  const { format, toolChoice } = call
  if (!format) return { generation: {} }
  if (format.type === 'text') return { generation: own ? { responseMimeType: 'text/plain' } : {} }
  const { jsonSchema, jsonSchemaWithTools } = target.capabilities
  const withTools = functions.length > 0
  if (format.type !== 'schema') {
    if (own || !withTools || jsonSchemaWithTools !== false) return { generation: { responseMimeType: 'application/json' } }
    notes.dropped(format.path, 'as an instruction')
    return { generation: {}, instruction: 'Answer with a JSON object and nothing else.' }
  }
  const described = format.description !== undefined && format.schema['description'] === undefined
  if (format.description !== undefined && !described && format.description !== format.schema['description'])
    notes.dropped(at(format.path, 'description'), 'the schema has its own')
  const schema: JsonObject = {
    ...(format.name !== undefined && format.schema['title'] === undefined && { title: format.name }),
    ...(described && { description: format.description }),
    ...googleSchemaOf(format.schema),
  }
  const native = own || (jsonSchema !== false && (!withTools || jsonSchemaWithTools !== false))
  if (native) return { generation: { responseMimeType: 'application/json', responseJsonSchema: schema } }
  if (withTools && toolChoice && toolChoice.type !== 'auto') {
    notes.dropped(format.path, 'not together with a chosen tool')
    return { generation: {} }
  }
  notes.dropped(format.path, 'as a tool')
  const formatTool = {
    name: FORMAT_TOOL,
    description: 'Gives the final answer. Call it once, when the answer is ready.',
    parametersJsonSchema: schema,
  }
  return { generation: {}, formatTool }
}
