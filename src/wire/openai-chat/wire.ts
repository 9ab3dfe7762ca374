/** OpenAI Chat Completions, as OpenAI defined it and as its many relatives speak it. */
import { isFilled, isObject, type Json, type JsonObject } from '../../core/json.ts'
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
  const { id, model, usage, choices, service_tier: serviceTier } = isObject(body) ? body : {}
  const counted = usageOf(usage, { reasoningOutside: target.quirks.reasoningOutsideOutput, serviceTier, model })
  const messages: JsonObject[] = []
  let raw: string | undefined
  let calls = false
  for (const choice of Array.isArray(choices) ? choices : []) {
    if (!isObject(choice)) continue
    const { message, finish_reason: reason } = choice
    if (raw === undefined && isFilled(reason)) raw = reason
    if (!isObject(message)) continue
    messages.push(message)
    if (Array.isArray(message['tool_calls']) && message['tool_calls'].length > 0) calls = true
  }
  return {
    id: isFilled(id) ? id : undefined,
    model: isFilled(model) ? model : undefined,
    usage: counted,
    finish: finishOf(raw, { calls, stopSequence: false }),
    outputs: 1,
    // Only an estimate needs it.
    characters: counted?.output === undefined ? JSON.stringify(messages).length : 0,
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
  keepAlive: ': keep-alive\n\n',
  streamTap,
  encodeError,
  encodeStreamError,
  decodeError: readProviderError,
}
