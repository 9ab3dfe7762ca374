/** A client's Responses body, as a call. */
import type { ChatCall, Effort, Message, ReasoningWish, SettingName, Settings } from '../../core/call.ts'
import { invalid } from '../../core/error.ts'
import { at, type Json, type JsonObject } from '../../core/json.ts'
import type { DecodeContext } from '../wire.ts'
import { decodeInput } from './decode-items.ts'
import { decodeFormat, decodeToolChoice, decodeTools, type Nest } from './decode-tools.ts'
import { booleanAt, listAt, numberAt, objectAt, others, stringAt } from './read.ts'

const BODY = new Set([
  ...[
    'model',
    'stream',
    'input',
    'instructions',
    'tools',
    'tool_choice',
    'parallel_tool_calls',
    'max_output_tokens',
    'temperature',
    'top_p',
  ],
  ...['top_logprobs', 'user', 'service_tier', 'metadata', 'store', 'prompt_cache_key', 'text', 'reasoning', 'include', 'stream_options'],
])
const TEXT = new Set(['format', 'verbosity'])
const REASONING = new Set(['effort', 'summary', 'generate_summary'])
const EFFORTS = new Set<string>(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'])
const ENCRYPTED = 'reasoning.encrypted_content'
const LOGPROBS = 'message.output_text.logprobs'
/** Stating these is the same as saying nothing. */
const DEFAULTS: readonly (readonly [string, Json])[] = [
  ['truncation', 'disabled'],
  ['background', false],
]

export function decodeCall(body: JsonObject, context: DecodeContext): ChatCall {
  const model = context.model ?? stringAt(body, 'model', '')
  if (!model) throw invalid('model is missing.', 'model')
  const kept = new Map<string, Json | undefined>()
  const own = new Map<string, Json | undefined>()
  const keeping = (map: Map<string, Json | undefined>) => (path: string, members: JsonObject) => {
    for (const [key, value] of Object.entries(members)) map.set(at(path, key), value)
  }
  const nest: Nest = { keep: keeping(kept), own: keeping(own) }

  const messages: Message[] = []
  const instructions = stringAt(body, 'instructions', '')
  if (instructions !== undefined)
    messages.push({ role: 'system', path: 'instructions', parts: [{ type: 'text', text: instructions, path: 'instructions' }] })
  const input = decodeInput(body, nest)
  messages.push(...input.messages)

  const settings = decodeSettings(body)
  const text = objectAt(body, 'text', '') ?? {}
  settings.set('verbosity', stringAt(text, 'verbosity', 'text'), 'text.verbosity')
  nest.keep('text', others(text, TEXT) ?? {})
  const include = decodeInclude(body)
  if (include.logprobs) settings.set('logprobs', true, include.logprobs)

  const streaming = objectAt(body, 'stream_options', '') ?? {}
  const { include_usage: streamUsage, ...options } = streaming
  nest.keep('stream_options', others(options, new Set()) ?? {})

  for (const [key, value] of Object.entries(others(body, BODY) ?? {}))
    if (!settings.taken.has(key) && !DEFAULTS.some(([name, usual]) => name === key && usual === value)) kept.set(key, value)
  if (include.rest.length > 0) kept.set('include', include.rest)

  const tools = [...decodeTools(body, 'tools', '', nest), ...input.tools]
  return {
    op: 'chat',
    wire: 'openai-responses',
    path: '',
    model,
    stream: context.stream ?? booleanAt(body, 'stream', '') ?? false,
    ...(streamUsage === true && { streamUsage }),
    messages,
    tools,
    toolChoice: decodeToolChoice(body['tool_choice'], 'tool_choice', nest),
    format: decodeFormat(text, nest),
    reasoning: decodeReasoning(body),
    settings: settings.values,
    paths: settings.paths,
    wantsSealed: include.sealed,
    version: context.version,
    ...(kept.size > 0 && { extras: Object.fromEntries(kept) }),
    ...(own.size > 0 && { own: Object.fromEntries(own) }),
  }
}

function decodeSettings(body: JsonObject) {
  const values: { -readonly [Name in SettingName]?: Settings[Name] } = {}
  const paths: { [Name in SettingName]?: string } = {}
  const taken = new Set<string>()
  const set = <Name extends SettingName>(name: Name, value: Settings[Name], path: string): void => {
    if (value === undefined) return
    values[name] = value
    paths[name] = path
    taken.add(path)
  }
  set('maxTokens', numberAt(body, 'max_output_tokens', ''), 'max_output_tokens')
  set('temperature', numberAt(body, 'temperature', ''), 'temperature')
  set('topP', numberAt(body, 'top_p', ''), 'top_p')
  set('topLogprobs', numberAt(body, 'top_logprobs', ''), 'top_logprobs')
  set('serviceTier', stringAt(body, 'service_tier', ''), 'service_tier')
  set('metadata', objectAt(body, 'metadata', ''), 'metadata')
  set('store', booleanAt(body, 'store', ''), 'store')
  set('parallelTools', booleanAt(body, 'parallel_tool_calls', ''), 'parallel_tool_calls')
  set('promptCacheKey', stringAt(body, 'prompt_cache_key', ''), 'prompt_cache_key')
  const user = stringAt(body, 'user', '')
  if (user !== undefined) set('user', user, 'user')
  else set('user', stringAt(body, 'safety_identifier', ''), 'safety_identifier')
  return { values, paths, taken, set }
}

function decodeInclude(body: JsonObject) {
  const entries = listAt(body, 'include', '')
  const pathOf = (name: string): string | undefined => entries.find(({ value }) => value === name)?.path
  return {
    sealed: pathOf(ENCRYPTED) !== undefined,
    logprobs: pathOf(LOGPROBS),
    rest: entries.map(({ value }) => value).filter((value) => value !== ENCRYPTED && value !== LOGPROBS),
  }
}

function decodeReasoning(body: JsonObject): ReasoningWish | undefined {
  const path = 'reasoning'
  const wish = objectAt(body, path, '')
  if (!wish) return undefined
  const effort = stringAt(wish, 'effort', path)
  const summary = stringAt(wish, 'summary', path) ?? stringAt(wish, 'generate_summary', path)
  const known = effort !== undefined && EFFORTS.has(effort)
  const extras = { ...others(wish, REASONING), ...(effort !== undefined && !known && { effort }) }
  return {
    path,
    ...(known && { effort: effort as Effort }),
    ...(effort === 'none' && { on: false }),
    ...(summary !== undefined && summary !== 'none' && { visible: true }),
    ...(summary !== undefined && { own: { summary } }),
    ...(Object.keys(extras).length > 0 && { extras }),
  }
}
