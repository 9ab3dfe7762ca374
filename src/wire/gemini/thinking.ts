/** The wish for thinking as `thinkingConfig`: tokens for models of 2.5, levels for later ones. */
import type { Effort, ReasoningWish } from '../../core/call.ts'
import { at, type JsonObject } from '../../core/json.ts'
import type { Capabilities } from '../../core/target.ts'
import type { EncodeContext } from './encode-turns.ts'

/** What part of a model's longest answer may go into thinking. */
const SHARES: Readonly<Record<Exclude<Effort, 'none'>, number>> = { minimal: 0.02, low: 0.1, medium: 0.3, high: 0.6, xhigh: 0.9, max: 1 }
const ORDER: readonly Effort[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']
const USUAL_OUTPUT = 65_536

export function thinkingConfig(context: EncodeContext): JsonObject | undefined {
  const { call, target, notes, own } = context
  const wish = call.reasoning
  if (!wish) return undefined
  const extras = notes.extrasOf({ path: wish.path, ...(wish.extras && { extras: wish.extras }) }, call, 'gemini') ?? {}
  if (own) return { ...ownConfig(wish), ...extras }
  const { capabilities } = target
  const off = wish.on === false || wish.effort === 'none' || wish.budget === 0
  if (capabilities.reasoning === false) {
    if (!off) notes.dropped(wish.path, 'the model does not think')
    return undefined
  }
  const amount = off ? offConfig(wish, capabilities, context) : amountOf(wish, capabilities, context)
  if (call.wire === 'openai-chat' && wish.visible === false) notes.dropped(at(wish.path, 'exclude'), 'thoughts are not asked for')
  const shown = !off && (wish.visible ?? asksToSee(wish, context))
  const config = { ...amount, ...(shown && { includeThoughts: true }) }
  return Object.keys(config).length > 0 ? config : undefined
}

/** In these dialects to ask for thinking is to ask to see it. */
const asksToSee = ({ effort, on, budget }: ReasoningWish, { call }: EncodeContext): boolean =>
  (call.wire === 'openai-chat' || call.wire === 'anthropic-messages') &&
  (on === true || budget !== undefined || (call.wire === 'openai-chat' && effort !== undefined))

function ownConfig({ effort, budget, visible }: ReasoningWish): JsonObject {
  return {
    ...(visible !== undefined && { includeThoughts: visible }),
    ...(budget !== undefined && { thinkingBudget: budget }),
    ...(effort !== undefined && { thinkingLevel: effort.toUpperCase() }),
  }
}

const levelsOf = ({ efforts }: Capabilities): readonly Effort[] => (efforts ?? []).filter((effort) => effort !== 'none')

function offConfig(wish: ReasoningWish, capabilities: Capabilities, { notes }: EncodeContext): JsonObject {
  const { thinkingBudget: bounds } = capabilities
  if (bounds) {
    if (bounds.min <= 0) return { thinkingBudget: 0 }
    notes.dropped(wish.path, `thinking cannot be turned off: ${bounds.min} tokens`)
    return { thinkingBudget: bounds.min }
  }
  const [least] = levelsOf(capabilities)
  if (capabilities.efforts === undefined) return { thinkingBudget: 0 }
  notes.dropped(wish.path, least ? `thinking cannot be turned off: ${least}` : 'thinking cannot be turned off')
  return least ? { thinkingLevel: least.toUpperCase() } : {}
}

function amountOf(wish: ReasoningWish, capabilities: Capabilities, context: EncodeContext): JsonObject {
  const { effort, budget, on } = wish
  const { notes } = context
  const { thinkingBudget: bounds } = capabilities
  if (bounds) {
    const output = capabilities.maxOutput ?? USUAL_OUTPUT
    if (budget === undefined && effort === undefined) return on ? { thinkingBudget: -1 } : {}
    const tokens = budget ?? Math.floor(output * SHARES[effort === undefined || effort === 'none' ? 'medium' : effort])
    if (tokens < 0) return { thinkingBudget: -1 }
    const within = Math.min(bounds.max, Math.max(bounds.min, tokens))
    if (budget !== undefined && within !== budget) notes.dropped(wish.path, `clamped to ${within} tokens`)
    return { thinkingBudget: within }
  }
  if (capabilities.efforts !== undefined) {
    const levels = levelsOf(capabilities)
    const wanted = effort ?? (budget === undefined || budget < 0 ? undefined : effortOf(budget, capabilities))
    if (wanted === undefined) return {}
    const level = nearest(wanted, levels)
    if (level !== wanted && effort !== undefined) notes.dropped(wish.path, level ? `clamped to ${level}` : 'the model takes no level')
    if (budget !== undefined && level === undefined) notes.dropped(wish.path, 'the model takes no budget')
    return level ? { thinkingLevel: level.toUpperCase() } : {}
  }
  if (budget !== undefined) return { thinkingBudget: budget }
  if (effort === undefined) return on ? { thinkingBudget: -1 } : {}
  if (effort === 'max') notes.dropped(wish.path, 'clamped to high')
  return { thinkingLevel: effort === 'max' ? 'HIGH' : effort.toUpperCase() }
}

function effortOf(budget: number, { maxOutput = USUAL_OUTPUT }: Capabilities): Effort {
  const share = budget / maxOutput
  if (share <= SHARES.minimal) return 'minimal'
  return share <= 0.2 ? 'low' : share <= 0.45 ? 'medium' : 'high'
}

function nearest(wanted: Effort, levels: readonly Effort[]): Effort | undefined {
  const place = ORDER.indexOf(wanted)
  return levels.toSorted((one, other) => Math.abs(ORDER.indexOf(one) - place) - Math.abs(ORDER.indexOf(other) - place))[0]
}
