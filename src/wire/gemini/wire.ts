/** Google's generateContent: what the SDKs of Gemini and Vertex AI speak. The model and the wish for a stream are in the path. */

import type { FoldedReply } from '../../core/fold.ts'
import type { JsonObject } from '../../core/json.ts'
import { readProviderError } from '../provider-error.ts'
import type { Wire } from '../wire.ts'
import { countRequest, readCount, writeCount } from './count.ts'
import { decodeCall } from './decode-call.ts'
import { GeminiDecoder } from './decode-reply.ts'
import { encodeCall } from './encode-call.ts'
import { encodeReply } from './encode-reply.ts'
import { encodeError, encodeStreamError } from './error.ts'
import { GeminiStreamEncoder } from './stream-encoder.ts'
import { summarize } from './summarize.ts'
import { GeminiTap } from './tap.ts'

export const gemini: Wire = {
  id: 'gemini',
  decodeCall,
  encodeCall,
  continueBody,
  summarize,
  count: { request: countRequest, read: readCount, write: writeCount },
  replyDecoder: (options) => new GeminiDecoder(options),
  encodeReply,
  streamEncoder(call, context, resume) {
    const encoder = new GeminiStreamEncoder(call, context)
    // Frames stand for themselves: only what the last one tells of all of them is taken up.
    if (resume) encoder.push(resume.events)
    return encoder
  },
  keepAlive: ': keep-alive\n\n',
  streamTap: (_target, options) => new GeminiTap(options),
  encodeError,
  encodeStreamError,
  decodeError: readProviderError,
}

/** Google goes on with a long answer when the same request comes again with the token it gave. */
function continueBody(body: JsonObject, { end }: FoldedReply): JsonObject | undefined {
  return end?.finish === 'pause' && typeof end.continuation === 'string' ? { ...body, continuationToken: end.continuation } : undefined
}
