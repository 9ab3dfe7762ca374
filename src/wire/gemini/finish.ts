/** Why Gemini stopped, in the gateway's terms and back. */
import type { Finish, ReplyEnd } from '../../core/event.ts'
import { isNumber, isString, type Json } from '../../core/json.ts'

const FILTERED = new Set([
  'SAFETY',
  'RECITATION',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
  'MODEL_ARMOR',
])

/** The model wrote something that is no answer: the same question may well go better the next time. */
const BROKEN = new Set([
  'MALFORMED_FUNCTION_CALL',
  'UNEXPECTED_TOOL_CALL',
  'TOO_MANY_TOOL_CALLS',
  'MALFORMED_RESPONSE',
  'MISSING_THOUGHT_SIGNATURE',
])

/** The protocol's numbers, which come when a client asks for enums as numbers. */
const NUMBERED = ['FINISH_REASON_UNSPECIFIED', 'STOP', 'MAX_TOKENS', 'SAFETY', 'RECITATION', 'OTHER']

export const reasonOf = (value: Json | undefined): string | undefined =>
  isString(value) ? value || undefined : isNumber(value) ? (NUMBERED[value] ?? `REASON_${value}`) : undefined

export const isBroken = (reason: string): boolean => BROKEN.has(reason)

export function finishOf(reason: string, calls: boolean): Finish {
  if (reason === 'STOP') return calls ? 'tool-calls' : 'stop'
  if (reason === 'MAX_TOKENS') return 'length'
  if (reason === 'CONTINUATION') return 'pause'
  return FILTERED.has(reason) ? 'filter' : 'other'
}

/** The reason and its words for a client of this dialect. */
export function finishReason({ finish, raw, explanation }: ReplyEnd): { finishReason: string; finishMessage?: string } {
  const message = explanation === undefined ? {} : { finishMessage: explanation }
  switch (finish) {
    case 'stop':
    case 'stop-sequence':
    case 'tool-calls':
      return { finishReason: 'STOP' }
    case 'length':
      return { finishReason: 'MAX_TOKENS' }
    case 'filter':
      return { finishReason: raw !== undefined && FILTERED.has(raw) && raw !== 'MODEL_ARMOR' ? raw : 'SAFETY', ...message }
    case 'pause':
      return { finishReason: 'OTHER', finishMessage: explanation ?? 'The provider paused its answer.' }
    case 'other':
      return { finishReason: 'OTHER', ...message }
    default:
      return finish satisfies never
  }
}
