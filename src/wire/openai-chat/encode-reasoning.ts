/** The wish for thinking, in the words that a host understands. */
import type { Effort, ReasoningWish } from '../../core/call.ts'
import { at, isObject, type Json } from '../../core/json.ts'
import type { Encoding } from './encode-messages.ts'

const LEVELS: readonly Effort[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']

/** Fields of the body, by name. What cannot be said is named as dropped. */
export function encodeReasoning(encoding: Encoding): ReadonlyMap<string, Json> {
  const { call, target, notes, same } = encoding
  const fields = new Map<string, Json>()
  const wish = call.reasoning
  if (!wish) return fields
  const extras = notes.extrasOf(wish, call, 'openai-chat')
  const { capabilities, quirks } = target
  if (wish.visible === true && !same && quirks.reasoningStyle !== 'openrouter') notes.dropped(wish.path, 'shown if the provider shows it')
  if (capabilities.reasoning === false || quirks.reasoningStyle === 'none') {
    if (!isOff(wish)) notes.dropped(wish.path, 'the model does not think')
    return fields
  }
  if (same && quirks.reasoningStyle === undefined) {
    for (const [name, value] of ownWords(wish)) fields.set(name, isObject(value) ? { ...value, ...extras } : value)
    return fields
  }
  switch (quirks.reasoningStyle) {
    case 'thinking-type':
      thinkingType(wish, encoding, fields)
      break
    case 'enable-thinking':
      enableThinking(wish, encoding, fields)
      break
    case 'openrouter':
      openRouter(wish, encoding, fields)
      break
    default: {
      const effort = levelOf(wish, encoding)
      if (effort !== undefined) fields.set('reasoning_effort', effort)
    }
  }
  const own = fields.get(wish.path)
  if (extras && isObject(own)) fields.set(wish.path, { ...own, ...extras })
  else for (const name of Object.keys(extras ?? {})) notes.dropped(at(wish.path, name), 'not supported by the target')
  return fields
}

const isOff = ({ on, effort, budget }: ReasoningWish): boolean => on === false || effort === 'none' || budget === 0

/** The nearest level that the model knows, and the host's word for it. */
function levelOf(wish: ReasoningWish, { target, notes }: Encoding): string | undefined {
  const wanted = isOff(wish)
    ? 'none'
    : (wish.effort ?? (wish.budget === undefined ? (wish.on ? 'medium' : undefined) : byBudget(wish.budget)))
  if (wanted === undefined) return undefined
  const { efforts } = target.capabilities
  if (efforts?.length === 0) {
    notes.dropped(wish.path, 'the model takes no level')
    return undefined
  }
  const known = efforts && !efforts.includes(wanted) ? nearest(wanted, efforts) : wanted
  if (known !== wanted) notes.dropped(wish.path, `${wanted} became ${known}`)
  const { efforts: words } = target.quirks
  return words && Object.hasOwn(words, known) ? words[known] : known
}

function nearest(wanted: Effort, known: readonly Effort[]): Effort {
  const place = LEVELS.indexOf(wanted)
  const distance = (level: Effort): number => Math.abs(LEVELS.indexOf(level) - place)
  return known.reduce((best, level) => (distance(level) < distance(best) ? level : best))
}

/** Tokens of thinking as a level; −1 leaves it to the model. */
function byBudget(budget: number): Effort {
  if (budget < 0) return 'medium'
  return budget <= 2048 ? 'low' : budget <= 8192 ? 'medium' : 'high'
}

/** DeepSeek, Z.ai: a switch, and a level where the host has words for it. */
function thinkingType(wish: ReasoningWish, encoding: Encoding, fields: Map<string, Json>): void {
  const { quirks, capabilities } = encoding.target
  const off = isOff(wish)
  fields.set('thinking', { type: off ? 'disabled' : 'enabled' })
  if (off || (wish.effort === undefined && wish.budget === undefined)) return
  if (quirks.efforts || (capabilities.efforts?.length ?? 0) > 0) {
    const effort = levelOf(wish, encoding)
    if (effort !== undefined) fields.set('reasoning_effort', effort)
  } else encoding.notes.dropped(wish.path, 'on, but no level is known')
}

/** Qwen: a switch and a budget. */
function enableThinking(wish: ReasoningWish, { target, notes }: Encoding, fields: Map<string, Json>): void {
  fields.set('enable_thinking', !isOff(wish))
  if (isOff(wish)) return
  const bounds = target.capabilities.thinkingBudget
  if (wish.budget !== undefined && wish.budget > 0)
    fields.set('thinking_budget', bounds ? Math.min(Math.max(wish.budget, bounds.min), bounds.max) : wish.budget)
  else if (wish.effort !== undefined && bounds)
    fields.set('thinking_budget', Math.round(bounds.min + (bounds.max - bounds.min) * shareOf(wish.effort)))
  else if (wish.effort !== undefined) notes.dropped(wish.path, 'on, but no level is known')
}

/** Which part of the largest budget a level stands for. */
function shareOf(effort: Effort): number {
  const shares: Readonly<Record<Effort, number>> = { none: 0, minimal: 0.02, low: 0.1, medium: 0.3, high: 0.6, xhigh: 0.9, max: 1 }
  return shares[effort]
}

function openRouter(wish: ReasoningWish, encoding: Encoding, fields: Map<string, Json>): void {
  const hidden = wish.visible === false ? { exclude: true } : {}
  if (isOff(wish)) fields.set('reasoning', { enabled: false })
  else if (wish.budget !== undefined && wish.budget > 0 && wish.effort === undefined)
    fields.set('reasoning', { max_tokens: wish.budget, ...hidden })
  else if (wish.effort !== undefined) fields.set('reasoning', { effort: levelOf(wish, encoding) ?? wish.effort, ...hidden })
  else if (wish.on !== undefined || wish.visible !== undefined)
    fields.set('reasoning', { ...(wish.on !== undefined && { enabled: wish.on }), ...hidden })
}

/** As a client of this wire said it; the path tells which of its relatives it speaks. */
function ownWords({ path, on, effort, budget, visible }: ReasoningWish): [string, Json][] {
  const words: [string, Json | undefined][] = []
  if (path === 'reasoning')
    words.push([
      'reasoning',
      clean({ effort, max_tokens: budget, enabled: effort === 'none' ? undefined : on, exclude: visible === false ? true : undefined }),
    ])
  else if (path === 'reasoning_effort') {
    words.push(['reasoning_effort', effort ?? (on === true ? 'default' : undefined)])
    if (on !== undefined && effort !== undefined && effort !== 'none') words.push(['thinking', { type: on ? 'enabled' : 'disabled' }])
  } else if (path === 'thinking') words.push(['thinking', clean({ type: on === false ? 'disabled' : 'enabled', budget_tokens: budget })])
  else words.push(['enable_thinking', on], ['thinking_budget', budget])
  return words.filter((entry): entry is [string, Json] => entry[1] !== undefined)
}

const clean = (value: Record<string, Json | undefined>): Json =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined))
