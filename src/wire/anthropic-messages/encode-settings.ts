/** Limits, sampling and the other single values of a body. */
import type { ChatCall, SettingName } from '../../core/call.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import type { Notes, settingsOf } from '../../core/notes.ts'
import type { Target } from '../../core/target.ts'
import { WIRE } from './decode-content.ts'
import type { Block } from './encode-parts.ts'
import type { Thinking } from './encode-thinking.ts'

type Taker = ReturnType<typeof settingsOf>

/** `max_tokens` must be said; what is said when nobody knows the model. */
const DEFAULT_MAX_TOKENS = 32_000

export function limitOf(
  asked: number | undefined,
  path: string,
  { capabilities: { maxOutput } }: Target,
  notes: Notes,
): number | undefined {
  if (asked === undefined || maxOutput === undefined || asked <= maxOutput) return asked
  notes.dropped(path, `clamped to ${maxOutput}`)
  return maxOutput
}

/** `max_tokens` has to exceed the thinking budget. */
export function withRoom(
  thinking: Thinking,
  limit: number | undefined,
  path: string,
  call: ChatCall,
  { capabilities: { maxOutput } }: Target,
  notes: Notes,
) {
  const { budget } = thinking
  const plain = limit ?? maxOutput ?? DEFAULT_MAX_TOKENS
  // The client's own headers may allow a budget beyond the limit (interleaved thinking).
  if (budget === undefined || budget < plain || (call.wire === WIRE && thinking.exact)) return { maxTokens: plain, thinking }
  const raised = plain + budget
  if (maxOutput === undefined || raised <= maxOutput) {
    if (limit !== undefined) notes.dropped(path, `raised to ${raised}, above the thinking budget`)
    return { maxTokens: raised, thinking }
  }
  const smaller = Math.max(1024, maxOutput - plain)
  if (limit !== undefined) notes.dropped(path, `raised to ${maxOutput}, above the thinking budget`)
  if (thinking.exact) notes.dropped(call.reasoning?.path ?? 'thinking', `thinking budget ${budget} as ${smaller}`)
  return { maxTokens: maxOutput, thinking: { ...thinking, budget: smaller, thinking: { ...thinking.thinking, budget_tokens: smaller } } }
}

export function sampling(settings: Taker, call: ChatCall, { capabilities }: Target, { thinking }: Thinking, notes: Notes): JsonObject {
  const own = call.wire === WIRE
  const thinks = thinking !== undefined && thinking['type'] !== 'disabled'
  const kept = (name: SettingName, allowed: boolean, reason: string): boolean => {
    if (capabilities.sampling !== false && !capabilities.refuses?.includes(name) && allowed) return true
    notes.dropped(settings.pathOf(name), capabilities.sampling === false ? 'not supported by the target' : reason)
    return false
  }
  const result: Record<string, number> = {}
  const temperature = settings.take('temperature')
  const topP = settings.take('topP')
  const topK = settings.take('topK')
  if (temperature !== undefined && kept('temperature', !thinks || temperature === 1 || own, 'not while the model thinks')) {
    result['temperature'] = own ? temperature : Math.min(1, Math.max(0, temperature))
    if (result['temperature'] !== temperature) notes.dropped(settings.pathOf('temperature'), `clamped to ${result['temperature']}`)
  }
  if (topP !== undefined && kept('topP', own || !thinks || topP >= 0.95, 'not while the model thinks')) {
    // Newer models refuse both together.
    if (!own && result['temperature'] !== undefined) notes.dropped(settings.pathOf('topP'), 'not together with temperature')
    else result['top_p'] = topP
  }
  if (topK !== undefined && kept('topK', own || !thinks, 'not while the model thinks')) result['top_k'] = topK
  return result
}

const TIERS: Readonly<Record<string, string>> = {
  auto: 'auto',
  standard_only: 'standard_only',
  default: 'standard_only',
  standard: 'standard_only',
  priority: 'auto',
}

export function others(settings: Taker, own: boolean, notes: Notes): JsonObject {
  const result: Record<string, Json> = {}
  const stop = settings.take('stop')
  if (stop && stop.length > 0) {
    const visible = stop.filter((one) => own || one.trim() !== '')
    if (visible.length < stop.length) notes.dropped(settings.pathOf('stop'), 'a stop sequence needs visible characters')
    if (visible.length > 0) result['stop_sequences'] = visible
  }
  const user = settings.take('user')
  if (user && (own || user.length <= 256)) result['metadata'] = { user_id: user }
  else if (user) notes.dropped(settings.pathOf('user'), 'longer than 256 characters')
  const tier = settings.take('serviceTier')
  if (tier !== undefined) {
    const known = own ? tier : TIERS[tier]
    if (known) result['service_tier'] = known
    else notes.dropped(settings.pathOf('serviceTier'), 'not offered by the target')
  }
  const modalities = settings.take('modalities')
  if (modalities?.some((one) => one !== 'text')) notes.dropped(settings.pathOf('modalities'), 'not supported by the target')
  return result
}

export function withParallel(
  choice: JsonObject | undefined,
  parallel: boolean | undefined,
  path: string,
  tools: readonly Block[],
  call: ChatCall,
  notes: Notes,
) {
  if (parallel === undefined || (parallel && call.wire !== WIRE) || tools.length === 0) return choice
  if (choice?.['type'] === 'none') {
    notes.dropped(path, 'no tool may be called')
    return choice
  }
  return { ...(choice ?? { type: 'auto' }), disable_parallel_tool_use: !parallel }
}
