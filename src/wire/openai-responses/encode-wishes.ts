/** Thinking, output format and single values, for a provider. */
import type { ChatCall, Effort } from '../../core/call.ts'
import { digestWord } from '../../core/id.ts'
import { at, compact, type JsonObject } from '../../core/json.ts'
import type { Notes, settingsOf } from '../../core/notes.ts'
import type { Target } from '../../core/target.ts'
import { nestedExtras } from './nested.ts'
import { isStrictReady } from './schema.ts'

const WIRE = 'openai-responses'
const LEVELS: readonly Effort[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']
const SHOWS = new Set(['openai-chat', 'anthropic-messages'])
const MIN_OUTPUT = 16
const MAX_USER = 64

export function encodeReasoning(call: ChatCall, { capabilities, quirks }: Target, notes: Notes): JsonObject | undefined {
  const wish = call.reasoning
  if (!wish) return undefined
  const own = call.wire === WIRE
  const extras = notes.extrasOf(wish, call, WIRE)
  const off = wish.on === false || wish.effort === 'none' || wish.budget === 0
  if (capabilities.reasoning === false && !own) {
    notes.dropped(wish.path, 'the model does not think')
    return undefined
  }
  const asked = off ? 'none' : (wish.effort ?? levelOfBudget(wish.budget) ?? (wish.on === true ? 'medium' : undefined))
  let effort: string | undefined = asked
  if (asked !== undefined && !own) {
    const level = nearest(asked, capabilities.efforts)
    if (level !== asked) notes.dropped(wish.path, level === undefined ? 'the model takes no level' : `as ${level}`)
    effort = level === undefined ? undefined : (quirks.efforts?.[level] ?? level)
  }
  // Clients of Chat and Anthropic who ask for thinking read the thoughts, if there are any.
  const shown = !off && (wish.visible ?? (SHOWS.has(call.wire) && asked !== undefined))
  if (wish.visible === false && call.wire === 'openai-chat') notes.dropped(at(wish.path, 'exclude'), 'thoughts are not asked for')
  const summary = own ? wish.own?.['summary'] : shown ? 'auto' : undefined
  const reasoning = compact({ effort, summary, ...extras })
  return Object.keys(reasoning).length > 0 || own ? reasoning : undefined
}

/** Levels stand for shares of what a model may write; the bounds are those that clients' own levels are usually turned into. */
function levelOfBudget(budget: number | undefined): Effort | undefined {
  if (budget === undefined) return undefined
  if (budget < 0) return 'medium'
  if (budget <= 4096) return 'low'
  return budget <= 16_384 ? 'medium' : 'high'
}

function nearest(effort: Effort, known: readonly Effort[] | undefined): Effort | undefined {
  if (!known || known.includes(effort)) return effort
  const wanted = LEVELS.indexOf(effort)
  const distance = (level: Effort): number => Math.abs(LEVELS.indexOf(level) - wanted)
  return [...known].sort((left, right) => distance(left) - distance(right))[0]
}

export function encodeText(
  call: ChatCall,
  { capabilities }: Target,
  verbosity: string | undefined,
  notes: Notes,
): { readonly text?: JsonObject; readonly instruction?: string } {
  const own = call.wire === WIRE
  const extras = own ? nestedExtras(call.extras, 'text') : {}
  const { format } = call
  let encoded: JsonObject | undefined
  let instruction: string | undefined
  if (format?.type === 'text') encoded = own ? { type: 'text' } : undefined
  else if (format?.type === 'json') encoded = { type: 'json_object' }
  else if (format?.type === 'schema') {
    if (capabilities.jsonSchema === false && !own) {
      notes.dropped(format.path, 'as an instruction')
      instruction = `Answer with one JSON object that follows this JSON Schema, and nothing else:\n${JSON.stringify(format.schema)}`
      encoded = { type: 'json_object' }
    } else
      encoded = compact({
        type: 'json_schema',
        name: own ? format.name : nameOf(format.name),
        description: format.description,
        schema: format.schema,
        // Anthropic and Gemini hold to a schema without being told to be strict.
        strict: format.strict ?? (/^openai/.test(call.wire) || !isStrictReady(format.schema) ? undefined : true),
        ...(own && nestedExtras(call.extras, 'text.format')),
      })
  }
  const text = compact({ format: encoded, verbosity, ...extras })
  return { ...(Object.keys(text).length > 0 && { text }), ...(instruction !== undefined && { instruction }) }
}

const nameOf = (name = 'response'): string => name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64) || 'response'

const TIERS: Readonly<Record<string, string>> = { standard: 'default', standard_only: 'default', on_demand: 'default' }
const KNOWN_TIERS = new Set(['auto', 'default', 'flex', 'scale', 'priority', 'fast', 'ultrafast'])

export function encodeSettings(
  call: ChatCall,
  { capabilities }: Target,
  settings: ReturnType<typeof settingsOf>,
  notes: Notes,
): JsonObject {
  const own = call.wire === WIRE
  const refused = new Set(own ? [] : [...(capabilities.refuses ?? []), ...(capabilities.sampling === false ? ['temperature', 'topP'] : [])])
  const taken = <Name extends Parameters<typeof settings.take>[0]>(name: Name) => {
    const value = settings.take(name)
    if (value === undefined || !refused.has(name)) return value
    notes.dropped(settings.pathOf(name), 'the model refuses it')
    return undefined
  }
  return compact({
    max_output_tokens: limitOf(taken('maxTokens')),
    temperature: taken('temperature'),
    top_p: taken('topP'),
    top_logprobs: taken('topLogprobs'),
    parallel_tool_calls: call.tools.length > 0 || own ? taken('parallelTools') : undefined,
    metadata: metadataOf(taken('metadata')),
    // Responses keeps every answer unless told otherwise; clients of other dialects asked for no such thing.
    store: taken('store') ?? (call.wire === 'openai-responses' ? undefined : false),
    service_tier: tierOf(taken('serviceTier')),
    prompt_cache_key: taken('promptCacheKey'),
    ...userOf(taken('user')),
  })

  function limitOf(asked: number | undefined): number | undefined {
    if (asked === undefined || own) return asked
    const most = capabilities.maxOutput
    const limit = Math.max(MIN_OUTPUT, most === undefined ? asked : Math.min(asked, most))
    if (limit !== asked) notes.dropped(settings.pathOf('maxTokens'), `clamped to ${limit}`)
    return limit
  }

  /** Values are texts here. */
  function metadataOf(metadata: JsonObject | undefined): JsonObject | undefined {
    if (!metadata || own) return metadata
    if (Object.keys(metadata).length === 0) return undefined
    return Object.fromEntries(
      Object.entries(metadata).map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]),
    )
  }

  function tierOf(tier: string | undefined): string | undefined {
    if (tier === undefined || own) return tier
    const mapped = TIERS[tier] ?? tier
    if (tier === 'on_demand') notes.dropped(settings.pathOf('serviceTier'), 'as default')
    if (KNOWN_TIERS.has(mapped)) return mapped
    notes.dropped(settings.pathOf('serviceTier'), 'not a tier of this provider')
    return undefined
  }

  function userOf(user: string | undefined): JsonObject | undefined {
    if (user === undefined) return undefined
    const path = settings.pathOf('user')
    if (/^openai/.test(call.wire)) return path === 'user' ? { user } : { safety_identifier: user }
    if (user.length <= MAX_USER) return user === '' ? undefined : { safety_identifier: user }
    notes.dropped(path, 'as a digest')
    return { safety_identifier: `user_${digestWord(user, 13)}` }
  }
}

/** Which further data the answer shall hold. */
export function encodeInclude(call: ChatCall, { capabilities }: Target, logprobs: boolean | undefined): readonly unknown[] | undefined {
  const own = call.wire === WIRE
  const kept = own && Array.isArray(call.extras?.['include']) ? call.extras['include'] : []
  const off = call.reasoning?.on === false || call.reasoning?.effort === 'none'
  // What is sealed must come back for the next turn; models that do not think refuse to be asked.
  const thinks = capabilities.reasoning === true || (capabilities.reasoning === undefined && call.reasoning !== undefined)
  const sealed = own ? call.wantsSealed === true : thinks && !off
  const include = [...(sealed ? ['reasoning.encrypted_content'] : []), ...(logprobs ? ['message.output_text.logprobs'] : []), ...kept]
  return include.length > 0 ? include : undefined
}
