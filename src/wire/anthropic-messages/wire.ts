/** Anthropic Messages, API versions 2023-06-01 and 2026-10-21. */
import type { FoldedReply } from '../../core/fold.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { readProviderError } from '../provider-error.ts'
import type { Wire } from '../wire.ts'
import { count } from './count.ts'
import { decodeCall } from './decode-call.ts'
import { WIRE } from './decode-content.ts'
import { Decoder } from './decode-reply.ts'
import { encodeCall } from './encode-call.ts'
import { contentOf, encodeReply } from './encode-reply.ts'
import { encodeError, encodeStreamError } from './error.ts'
import { AnthropicStreamEncoder, PING } from './stream-encoder.ts'
import { streamTap, summarize } from './tap.ts'

/** A paused turn is continued by sending it back as it is: the model goes on where it stopped. */
function continueBody(body: JsonObject, paused: FoldedReply): JsonObject | undefined {
  const content = contentOf(paused.parts).filter(({ type, signature }) => type !== 'thinking' || signature !== '')
  if (content.length === 0) return undefined
  const messages: readonly Json[] = Array.isArray(body['messages']) ? body['messages'] : []
  return { ...body, messages: [...messages, { role: 'assistant', content }] }
}

export const anthropicMessages: Wire = {
  id: WIRE,
  decodeCall,
  encodeCall,
  continueBody,
  summarize: (body) => summarize(body),
  count,
  replyDecoder: ({ streamed, maxEvent }) => new Decoder(streamed, maxEvent),
  encodeReply,
  streamEncoder(_call, context, resume) {
    const encoder = new AnthropicStreamEncoder(context)
    if (resume) encoder.resume(resume)
    return encoder
  },
  keepAlive: PING,
  streamTap: (_target, options) => streamTap(options),
  encodeError,
  encodeStreamError,
  decodeError: readProviderError,
}
