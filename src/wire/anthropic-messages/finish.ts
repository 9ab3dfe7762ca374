/** Why an answer ended, in the API's words and the gateway's. */
import type { Finish, ReplyEnd } from '../../core/event.ts'
import { type Json, type JsonObject, objectOf, stringOf } from '../../core/json.ts'

const FINISHES: Readonly<Record<string, Finish>> = {
  end_turn: 'stop',
  stop_sequence: 'stop-sequence',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool-calls',
  refusal: 'filter',
  pause_turn: 'pause',
}

export function finishOf(reason: Json | undefined, calls: number): Finish {
  const finish = typeof reason === 'string' ? (FINISHES[reason] ?? 'other') : 'stop'
  return finish === 'stop' && calls > 0 ? 'tool-calls' : finish
}

/** The end that a message, or a `message_delta`, tells. */
export function endOf(said: JsonObject, calls: number): ReplyEnd {
  return {
    type: 'reply-end',
    finish: finishOf(said['stop_reason'], calls),
    raw: stringOf(said['stop_reason']),
    stopSequence: stringOf(said['stop_sequence']),
    explanation: stringOf(objectOf(said['stop_details'])?.['explanation']),
  }
}

const REASONS: Readonly<Record<Finish, string>> = {
  stop: 'end_turn',
  'stop-sequence': 'stop_sequence',
  length: 'max_tokens',
  'tool-calls': 'tool_use',
  filter: 'refusal',
  pause: 'pause_turn',
  other: 'end_turn',
}

/** `stop_reason` and what belongs to it. */
export function writeEnd(end: ReplyEnd | undefined, calls: number): JsonObject {
  const finish = end?.finish ?? 'stop'
  const reason = (finish === 'stop' || finish === 'other') && calls > 0 ? 'tool_use' : REASONS[finish]
  const { stopSequence, explanation } = end ?? {}
  return {
    stop_reason: reason,
    stop_sequence: finish === 'stop-sequence' ? (stopSequence ?? null) : null,
    ...(finish === 'filter' && { stop_details: { type: 'refusal', category: null, explanation: explanation ?? null } }),
  }
}
