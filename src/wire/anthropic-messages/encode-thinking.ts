/** How much to think, in the words that the model takes: a mode, a budget, a level. */
import type { ChatCall, Effort, ReasoningWish } from '../../core/call.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Notes } from '../../core/notes.ts'
import type { Target } from '../../core/target.ts'
import { WIRE } from './decode-content.ts'

export interface Thinking {
  readonly thinking?: JsonObject
  readonly effort?: string
  /** Thinking tokens, which `max_tokens` must exceed. */
  readonly budget?: number
  /** The budget is what the client said, so that it may not be made smaller. */
  readonly exact?: boolean
}

const LEVELS: readonly Effort[] = ['minimal', 'low', 'medium', 'high', 'xhigh', 'max']
/** Part of the output that a level may think away, on models that take a budget. */
const SHARES: Readonly<Record<Effort, number>> = { none: 0, minimal: 0.02, low: 0.1, medium: 0.3, high: 0.6, xhigh: 0.9, max: 0.95 }
const LEAST_BUDGET = 1024
/** What shares are taken of when nothing is known of the model or the call. */
const ASSUMED_OUTPUT = 32_000

/** `limit`: the output tokens of this call, as far as they are known. */
export function encodeThinking(call: ChatCall, { capabilities }: Target, limit: number | undefined, notes: Notes): Thinking {
  const { reasoning: wish } = call
  if (!wish) return {}
  const own = call.wire === WIRE
  const extras = own ? { ...wish.own, ...wish.extras } : void notes.extrasOf({ path: wish.path, extras: wish.extras }, call, WIRE)
  const modes = modesOf(capabilities)
  if (call.wire === 'openai-chat' && wish.visible === false) notes.dropped(`${wish.path}.exclude`, 'in the words of the target')
  const off = wish.on === false || wish.effort === 'none' || wish.budget === 0
  const on = !off && (wish.on === true || wish.effort !== undefined || wish.budget !== undefined)
  if (off) {
    const said = switchedOff(wish, modes, capabilities, own, notes)
    return said.thinking ? { ...said, thinking: { ...said.thinking, ...extras } } : said
  }
  if (capabilities.reasoning === false) {
    if (on || wish.visible) notes.dropped(wish.path, 'the model does not think')
    return {}
  }
  // Shown only, of whatever the model thinks by itself.
  if (!on && !wish.visible) return {}
  if (own && wish.on === undefined && takesLevels(capabilities)) return { effort: levelOf(wish, capabilities, notes) }
  const mode = modeOf(wish, on, modes)
  if (!mode) {
    notes.dropped(wish.path, 'not supported by the target')
    return {}
  }
  const display = displayOf(wish, call, modes)
  if (mode === 'enabled') {
    const budget = budgetOf(wish, capabilities, limit, notes)
    const effort = own && wish.mode === 'enabled' && takesLevels(capabilities) ? levelOf(wish, capabilities, notes) : undefined
    return { thinking: { type: mode, budget_tokens: budget, ...display, ...extras }, budget, effort, exact: (wish.budget ?? -1) > 0 }
  }
  const effort = on
    ? levelOf(wish.effort === undefined ? { ...wish, effort: levelOfBudget(wish, capabilities) } : wish, capabilities, notes)
    : undefined
  return { thinking: { type: mode, ...(mode === 'adaptive' && display), ...extras }, effort }
}

type Capabilities = Target['capabilities']

/** The switches a model takes; undefined when nobody knows. */
const modesOf = ({ thinkingModes, thinkingBudget, efforts }: Capabilities): readonly string[] | undefined =>
  thinkingModes ?? (thinkingBudget && !efforts?.length ? ['enabled', 'disabled'] : undefined)

const takesLevels = ({ efforts }: Capabilities): boolean => efforts === undefined || efforts.length > 0

function switchedOff(
  wish: ReasoningWish,
  modes: readonly string[] | undefined,
  capabilities: Capabilities,
  own: boolean,
  notes: Notes,
): Thinking {
  if (capabilities.reasoning === false || (modes && modes.length === 0)) return {}
  const level = own && wish.effort && wish.effort !== 'none' && takesLevels(capabilities) ? levelOf(wish, capabilities, notes) : undefined
  if (!modes || modes.includes('disabled')) return { thinking: { type: 'disabled' }, effort: level }
  notes.dropped(wish.path, 'thinking cannot be switched off')
  if (modes.includes('between_tools')) return { thinking: { type: 'between_tools' } }
  return takesLevels(capabilities) ? { effort: 'low' } : {}
}

function modeOf(wish: ReasoningWish, on: boolean, modes: readonly string[] | undefined): string | undefined {
  const wanted = wish.mode ?? ((wish.budget ?? -1) > 0 ? 'enabled' : 'adaptive')
  if (!modes) return wanted
  // To be shown thinking is no reason to start it.
  if (!on && !modes.includes('adaptive')) return undefined
  return [wanted, 'adaptive', 'enabled', 'between_tools'].find((mode) => modes.includes(mode))
}

/** Models that think by budget alone show their thinking anyway, and know no other way. */
function displayOf(wish: ReasoningWish, call: ChatCall, modes: readonly string[] | undefined): JsonObject {
  if (call.wire === WIRE) return wish.visible === undefined ? {} : { display: wish.visible ? 'summarized' : 'omitted' }
  if (modes && !modes.includes('adaptive')) return {}
  // A Chat client that asks for thinking expects to see it; it has no other word for that.
  const visible = wish.visible ?? (call.wire === 'openai-chat' ? true : undefined)
  return visible === undefined ? {} : { display: visible ? 'summarized' : 'omitted' }
}

function budgetOf(wish: ReasoningWish, { thinkingBudget, maxOutput }: Capabilities, limit: number | undefined, notes: Notes): number {
  const least = Math.max(LEAST_BUDGET, thinkingBudget?.min ?? 0)
  const most = thinkingBudget?.max ?? (maxOutput === undefined ? Number.MAX_SAFE_INTEGER : maxOutput - 1)
  const asked = wish.budget !== undefined && wish.budget > 0 ? wish.budget : undefined
  const share = SHARES[wish.effort ?? 'medium'] * Math.min(limit ?? maxOutput ?? ASSUMED_OUTPUT, maxOutput ?? Number.MAX_SAFE_INTEGER)
  const budget = Math.max(least, Math.min(most, asked ?? Math.floor(share)))
  if (asked !== undefined && budget !== asked) notes.dropped(wish.path, `thinking budget ${asked} as ${budget}`)
  return budget
}

/** The level that a budget comes to. */
function levelOfBudget({ budget }: ReasoningWish, { maxOutput }: Capabilities): Effort | undefined {
  if (budget === undefined || budget < 0) return undefined
  const share = budget / (maxOutput ?? ASSUMED_OUTPUT)
  return share <= 0.15 ? 'low' : share <= 0.45 ? 'medium' : share <= 0.8 ? 'high' : 'xhigh'
}

function levelOf({ effort, path }: ReasoningWish, { efforts }: Capabilities, notes: Notes): string | undefined {
  if (effort === undefined || effort === 'none') return undefined
  const known = (efforts ?? ['low', 'medium', 'high', 'xhigh', 'max']).filter((level) => level !== 'none')
  if (known.length === 0) {
    notes.dropped(path, 'the model takes no level of effort')
    return undefined
  }
  if (known.includes(effort)) return effort
  const rank = (level: Effort): number => LEVELS.indexOf(level)
  const nearest = [...known].sort((a, b) => Math.abs(rank(a) - rank(effort)) - Math.abs(rank(b) - rank(effort)) || rank(a) - rank(b))[0]
  notes.dropped(path, `effort ${effort} as ${nearest}`)
  return nearest
}
