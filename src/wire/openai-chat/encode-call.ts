/** A call as a Chat Completions body, for OpenAI and for the hosts that speak its wire with an accent. */
import type { ChatCall, SettingName, Settings } from '../../core/call.ts'
import { isObject, type Json, type JsonObject } from '../../core/json.ts'
import { type Notes, settingsOf } from '../../core/notes.ts'
import type { Target } from '../../core/target.ts'
import { refuseStored } from '../stored.ts'
import { toolNames } from '../tool-names.ts'
import type { EncodedCall } from '../wire.ts'
import { type Encoding, encodeMessages } from './encode-messages.ts'
import { encodeReasoning } from './encode-reasoning.ts'
import { encodeChoice, encodeFormat, encodeTools, NAME_RULES } from './encode-tools.ts'

/** The fields of the body, under the host's own names; what it refuses is named as dropped. */
class Fields {
  readonly #fields = new Map<string, Json>()
  readonly #target: Target
  readonly #notes: Notes

  constructor(target: Target, notes: Notes) {
    this.#target = target
    this.#notes = notes
  }

  put(key: string, value: Json | undefined, path: string): void {
    if (value === undefined) return
    const { refuses, rename } = this.#target.quirks
    if (refuses?.includes(key)) this.#notes.dropped(path, 'not supported by the target')
    else this.#fields.set(rename && Object.hasOwn(rename, key) ? (rename[key] ?? key) : key, value)
  }

  /** Members of the client's own wire that came back: they join what stands there. */
  merge(key: string, value: Json | undefined): void {
    const known = this.#fields.get(key)
    this.put(key, isObject(known) && isObject(value) ? { ...known, ...value, ...inner(known, value) } : value, key)
  }

  get body(): JsonObject {
    return Object.fromEntries(this.#fields)
  }
}

const inner = (known: JsonObject, value: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) => {
      const own = known[key]
      return isObject(own) && isObject(member) ? [[key, { ...own, ...member }]] : []
    }),
  )

export function encodeCall(call: ChatCall, target: Target, notes: Notes): EncodedCall {
  refuseStored(call, 'openai-chat')
  const names = toolNames(call, NAME_RULES)
  const same = call.wire === 'openai-chat'
  const encoding: Encoding = { call, target, names, notes, same }
  const fields = new Fields(target, notes)
  const { choice, only, legacy } = encodeChoice(encoding)
  const { tools, functions, webSearch } = encodeTools(encoding, only)
  const { format, instruction } = encodeFormat(encoding)
  const messages = encodeMessages(encoding)

  fields.put('model', target.model, 'model')
  fields.put('messages', instruction === undefined ? messages : instructed(messages, instruction), 'messages')
  putSettings(encoding, fields, tools !== undefined)
  fields.put('tools', tools, 'tools')
  fields.put('functions', functions, 'functions')
  fields.put('web_search_options', webSearch, 'web_search_options')
  if (tools !== undefined || functions !== undefined || same)
    fields.put(legacy ? 'function_call' : 'tool_choice', choice, call.toolChoice?.path ?? '')
  else if (choice !== undefined && choice !== 'auto' && choice !== 'none')
    notes.dropped(call.toolChoice?.path ?? 'tool_choice', 'there are no tools to choose from')
  fields.put('response_format', format, call.format?.path ?? '')
  for (const [name, value] of encodeReasoning(encoding)) fields.put(name, value, call.reasoning?.path ?? name)
  if (call.stream) {
    fields.put('stream', true, 'stream')
    if (!target.quirks.noStreamOptions) fields.put('stream_options', { include_usage: true }, 'stream_options')
  }
  if (call.cache) notes.dropped(call.cache.path, 'not supported by the target')
  for (const [key, value] of Object.entries(notes.extrasOf(call, call, 'openai-chat') ?? {})) fields.merge(key, value)
  return { body: fields.body, ...(names.changed && { restore: { tools: (name: string) => names.received(name) } }) }
}

/** The instruction joins the system text at the start, or becomes it. */
function instructed(messages: readonly JsonObject[], instruction: string): JsonObject[] {
  const [first, ...rest] = messages
  if (first && (first['role'] === 'system' || first['role'] === 'developer') && typeof first['content'] === 'string')
    return [{ ...first, content: `${first['content']}\n\n${instruction}` }, ...rest]
  return [{ role: 'system', content: instruction }, ...messages]
}

const TIERS: Readonly<Record<string, string>> = { standard: 'default', standard_only: 'default' }

function putSettings(encoding: Encoding, fields: Fields, hasTools: boolean): void {
  const { call, target, notes, same } = encoding
  const { capabilities, quirks } = target
  const settings = settingsOf(call, notes)
  /** `value` says undefined for what needs no saying. */
  const put = <Name extends SettingName>(
    name: Name,
    key: string,
    value: (given: NonNullable<Settings[Name]>) => Json | undefined = (given) => given as Json,
  ): void => {
    const given = settings.take(name)
    if (given === undefined) return
    const path = settings.pathOf(name)
    if (capabilities.refuses?.includes(name)) notes.dropped(path, 'not supported by the model')
    else fields.put(key, value(given as NonNullable<Settings[Name]>), path)
  }
  const lossy = (name: SettingName, reason: string): undefined => notes.dropped(settings.pathOf(name), reason) as undefined
  const off = call.reasoning?.on === false || call.reasoning?.effort === 'none'
  const samples = capabilities.sampling !== false || (capabilities.samplingWithoutReasoning === true && off)
  const sampled = <Value extends Json>(name: SettingName, value: Value): Value | undefined =>
    samples ? value : lossy(name, 'the model takes no sampling settings')

  put('maxTokens', maxTokensKey(encoding), (given) => {
    const { maxOutput } = capabilities
    const bounded = Math.max(1, maxOutput === undefined ? given : Math.min(given, maxOutput))
    if (bounded !== given) notes.dropped(settings.pathOf('maxTokens'), `clamped to ${bounded}`)
    return bounded
  })
  put('temperature', 'temperature', (given) => {
    if (given > 2 && !same) notes.dropped(settings.pathOf('temperature'), 'clamped to 2')
    return sampled('temperature', same ? given : Math.min(given, 2))
  })
  put('topP', 'top_p', (given) => sampled('topP', given))
  put('topK', 'top_k', (given) =>
    same || quirks.takes?.includes('top_k') ? sampled('topK', given) : lossy('topK', 'not supported by the target'),
  )
  put('stop', 'stop', (given) => {
    if (given.length > 4 && !same) notes.dropped(settings.pathOf('stop'), 'only the first 4')
    return given.length === 0 ? undefined : same ? given : given.slice(0, 4)
  })
  put('seed', same ? settings.pathOf('seed') : 'seed')
  put('presencePenalty', 'presence_penalty')
  put('frequencyPenalty', 'frequency_penalty')
  put('logitBias', 'logit_bias')
  const { topLogprobs = 0, logprobs } = call.settings
  put('logprobs', 'logprobs')
  if (!same && topLogprobs > 0 && logprobs === undefined) fields.put('logprobs', true, settings.pathOf('topLogprobs'))
  put('topLogprobs', 'top_logprobs', (given) => (same || (given > 0 && logprobs !== false) ? given : undefined))
  // An answer that is translated back holds one choice: more would be paid for and lost.
  put('n', 'n', (given) => (same ? given : given > 1 ? lossy('n', 'one answer only') : undefined))
  put('user', quirks.userField ?? (same ? settings.pathOf('user') : 'user'))
  put('serviceTier', 'service_tier', (given) => {
    if (same) return given
    const tier = given.toLowerCase()
    return tier === 'auto' ? undefined : Object.hasOwn(TIERS, tier) ? TIERS[tier] : tier
  })
  // OpenAI takes metadata only of what it stores.
  put('metadata', 'metadata', (given) =>
    same || call.settings.store === true
      ? given
      : Object.keys(given).length > 0
        ? lossy('metadata', 'only kept with stored answers')
        : undefined,
  )
  put('store', 'store', (given) => (same || given ? given : undefined))
  put('parallelTools', 'parallel_tool_calls', (given) =>
    hasTools ? given : same && settings.pathOf('parallelTools') === 'parallel_tool_calls' ? given : undefined,
  )
  put('verbosity', 'verbosity')
  put('promptCacheKey', 'prompt_cache_key', (given) => (same || given !== '' ? given : undefined))
  put('modalities', 'modalities', (given) => {
    const wanted = given.map((modality) => modality.toLowerCase())
    return !same && wanted.length === 1 && wanted[0] === 'text' ? undefined : wanted
  })
  settings.rest()
}

/** The client's own name, where it speaks this wire; else OpenAI's new one where the model wants it, and the old one that all hosts know. */
function maxTokensKey({ call, target, same }: Encoding): string {
  if (target.capabilities.developerRole) return 'max_completion_tokens'
  return same ? (call.paths.maxTokens ?? 'max_tokens') : 'max_tokens'
}
