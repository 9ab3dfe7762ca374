/** The wish for thinking, in the words of OpenAI, OpenRouter, DeepSeek, Z.ai and Qwen. */
import type { Effort, ReasoningWish } from '../../core/call.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { flagAt, names, numberAt, objectAt, restOf, textAt } from './read.ts'

const EFFORTS = new Set<string>(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'])
const isEffort = (word: string): word is Effort => EFFORTS.has(word)

export const REASONING_FIELDS = ['reasoning_effort', 'reasoning', 'thinking', 'enable_thinking', 'thinking_budget'] as const

/** `rest`: members that are no wish of this kind, by field. */
export function reasoningOf(body: JsonObject): { wish?: ReasoningWish; rest: JsonObject } {
  const rest: [string, JsonObject | string | undefined][] = []
  const path = REASONING_FIELDS.find((field) => body[field] !== undefined && body[field] !== null)
  if (path === undefined) return { rest: {} }
  const wish: { -readonly [Name in keyof ReasoningWish]: ReasoningWish[Name] } = { path }
  const effort = (word: string | undefined, field: string): void => {
    const level = word?.toLowerCase()
    if (level === undefined || level === '') return
    // Groq's word: thinking on, and no level named.
    if (level === 'default') wish.on = true
    else if (isEffort(level)) wish.effort = level
    else rest.push([field, word])
  }
  effort(textAt(body, 'reasoning_effort', ''), 'reasoning_effort')
  if (isObject(body['reasoning'])) {
    const given = body['reasoning']
    effort(textAt(given, 'effort', 'reasoning'), 'reasoning')
    wish.budget = numberAt(given, 'max_tokens', 'reasoning') ?? wish.budget
    wish.on = flagAt(given, 'enabled', 'reasoning') ?? wish.on
    const exclude = flagAt(given, 'exclude', 'reasoning')
    if (exclude !== undefined) wish.visible = !exclude
    // Other wires say nothing to the same effect, which is not the same.
    rest.push(['reasoning', restOf(given, names(exclude ? 'effort max_tokens enabled' : 'effort max_tokens enabled exclude'))])
  } else if (typeof body['reasoning'] === 'string') rest.push(['reasoning', body['reasoning']])
  const thinking = objectAt(body, 'thinking', '')
  if (thinking) {
    const type = textAt(thinking, 'type', 'thinking')
    if (type !== undefined) wish.on = type !== 'disabled'
    wish.budget = numberAt(thinking, 'budget_tokens', 'thinking') ?? wish.budget
    rest.push(['thinking', restOf(thinking, names('type budget_tokens'))])
  }
  wish.on = flagAt(body, 'enable_thinking', '') ?? wish.on
  wish.budget = numberAt(body, 'thinking_budget', '') ?? wish.budget
  if (wish.effort === 'none' || wish.budget === 0) wish.on = false
  const thinks = wish.on === true || (wish.effort !== undefined && wish.effort !== 'none') || (wish.budget ?? 0) !== 0
  // Who asks for thinking in this dialect also wants to see it.
  if (thinks && wish.on !== false) wish.visible ??= true
  const said = Object.entries(wish).filter(([, value]) => value !== undefined)
  if (said.length === 1) return { rest: Object.fromEntries(rest.filter(([, value]) => value !== undefined)) }
  const own = rest.find(([field, value]) => field === path && isObject(value))?.[1]
  const others = rest.filter(([, value]) => value !== undefined && value !== own)
  return { wish: { ...Object.fromEntries(said), path, ...(isObject(own) && { extras: own }) }, rest: Object.fromEntries(others) }
}
