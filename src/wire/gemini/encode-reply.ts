/** A whole answer for a client of this dialect. */
import type { ChatCall, Sealed } from '../../core/call.ts'
import type { Citation, Logprob } from '../../core/event.ts'
import type { FoldedContent, FoldedReply } from '../../core/fold.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ReplyContext } from '../wire.ts'
import { groundingOf, logprobsResult } from './citations.ts'
import { callPart, wholePart } from './encode-part.ts'
import { finishReason } from './finish.ts'
import { type Hidden, hiddenIn, signatureOf } from './sealed.ts'
import { usageMetadata } from './usage.ts'

/** Google shows thoughts only when they are asked for: many clients read the first part and take it for the answer. */
export const showsThoughts = (call: ChatCall): boolean => call.reasoning?.visible === true

export function encodeReply(reply: FoldedReply, call: ChatCall, context: ReplyContext): JsonObject {
  const parts = partsOf(reply.parts, showsThoughts(call))
  const text = parts.map((part) => (part['thought'] === true ? '' : (part['text'] ?? ''))).join('')
  const citations: Citation[] = []
  const logprobs: Logprob[] = []
  for (const part of reply.parts) {
    if (part.kind === 'whole') continue
    citations.push(...shifted(part.citations, text.indexOf(part.text)))
    logprobs.push(...part.logprobs)
  }
  const grounding = groundingOf(citations, text)
  const usage = usageMetadata(reply.usage, context.cost?.())
  return {
    candidates: [
      {
        content: { role: 'model', parts: parts.length > 0 ? parts : [{ text: '' }] },
        ...finishReason(reply.end ?? { type: 'reply-end', finish: 'other' }),
        index: 0,
        ...(grounding && { groundingMetadata: grounding }),
        ...logprobsResult(logprobs),
      },
    ],
    ...(usage && { usageMetadata: usage }),
    modelVersion: reply.model ?? context.model,
    responseId: reply.id || context.id,
  }
}

/** Ranges of one part as ranges of the whole text. */
const shifted = (citations: readonly Citation[], offset: number): Citation[] =>
  citations.map((citation) => {
    if (offset <= 0 || citation.start === undefined || citation.end === undefined) return citation
    return { ...citation, start: citation.start + offset, end: citation.end + offset }
  })

function partsOf(contents: readonly FoldedContent[], thoughts: boolean): JsonObject[] {
  const parts: JsonObject[] = []
  /** Sealed state of thoughts that are not shown, for the next part that is. */
  let waiting: Hidden[] = []
  const signed = (own: readonly Sealed[]): string | undefined => {
    const signature = signatureOf([...own, ...waiting])
    waiting = []
    return signature
  }
  for (const content of contents) {
    if (content.kind === 'whole') {
      const part = wholePart(content.part)
      if (part) parts.push(part)
      continue
    }
    const { kind, text, sealed } = content
    if (kind === 'reasoning' && !thoughts) {
      waiting.push(...hiddenIn(text, sealed))
      continue
    }
    if (kind === 'tool-call') {
      parts.push(callPart({ ...content, arguments: text }, signed(sealed)))
      continue
    }
    const signature = signed(sealed)
    if (text === '' && signature === undefined) continue
    parts.push({ text, ...(kind === 'reasoning' && { thought: true }), ...(signature !== undefined && { thoughtSignature: signature }) })
  }
  if (waiting.length > 0) parts.push({ text: '', thoughtSignature: signed([]) })
  return parts
}
