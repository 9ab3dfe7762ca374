/** OpenAI Chat Completions, as OpenAI defined it and as its many relatives speak it. */
import { isFilled, isObject, type Json } from '../../core/json.ts'
import type { Target } from '../../core/target.ts'
import { readProviderError } from '../provider-error.ts'
import type { ReplySummary, Wire } from '../wire.ts'
import { decodeCall } from './decode-call.ts'
import { replyDecoder, wholeError } from './decode-reply.ts'
import { encodeCall } from './encode-call.ts'
import { encodeReply } from './encode-reply.ts'
import { encodeError, encodeStreamError } from './error.ts'
import { finishOf } from './finish.ts'
import { streamEncoder } from './stream-encoder.ts'
import { streamTap } from './tap.ts'
import { usageOf } from './usage.ts'

function summarize(body: Json, target: Target): ReplySummary {
  const error = wholeError(body)
  if (error) throw error
  const { id, model, usage, choices } = isObject(body) ? body : {}
  const list = Array.isArray(choices) ? choices.filter(isObject) : []
  const counted = usageOf(usage, { reasoningOutside: target.quirks.reasoningOutsideOutput })
  const messages = list.map((choice) => choice['message']).filter(isObject)
  const raw = list.map((choice) => choice['finish_reason']).find(isFilled)
  const calls = messages.some(({ tool_calls: calls }) => Array.isArray(calls) && calls.length > 0)
  return {
    ...(isFilled(id) && { id }),
    ...(isFilled(model) && { model }),
    ...(counted && { usage: counted }),
    finish: finishOf(raw, { calls, stopSequence: false }),
    outputs: 1,
    characters: JSON.stringify(messages).length,
  }
}

export const openaiChat: Wire = {
  id: 'openai-chat',
  decodeCall,
  encodeCall,
  summarize,
  replyDecoder,
  encodeReply,
  streamEncoder,
  streamTap,
  encodeError,
  encodeStreamError,
  decodeError: readProviderError,
}
