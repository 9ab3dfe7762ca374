/** OpenAI Responses, both directions. */
import { encodeError } from '../openai-chat/error.ts'
import { readProviderError } from '../provider-error.ts'
import type { Wire } from '../wire.ts'
import { count } from './count.ts'
import { decodeCall } from './decode-call.ts'
import { ResponsesDecoder } from './decode-reply.ts'
import { encodeCall } from './encode-call.ts'
import { encodeReply } from './encode-reply.ts'
import { encodeStreamError } from './error.ts'
import { ResponsesStreamEncoder } from './stream-encoder.ts'
import { summarize } from './summarize.ts'
import { streamTap } from './tap.ts'

export const openaiResponses: Wire = {
  id: 'openai-responses',
  decodeCall,
  encodeCall,
  summarize,
  count,
  replyDecoder: (options) => new ResponsesDecoder(options),
  encodeReply,
  streamEncoder(call, context, resume) {
    const encoder = new ResponsesStreamEncoder(call, context)
    if (resume) encoder.resume(resume)
    return encoder
  },
  keepAlive: ': keep-alive\n\n',
  streamTap,
  encodeError,
  encodeStreamError,
  decodeError: readProviderError,
}
