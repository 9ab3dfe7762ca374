/** A whole answer in this dialect. */
import type { ChatCall } from '../../core/call.ts'
import type { FoldedContent, FoldedPart, FoldedReply } from '../../core/fold.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import type { ReplyContext } from '../wire.ts'
import { CallIds } from './call-ids.ts'
import { writeCitation } from './citations.ts'
import { WIRE } from './decode-content.ts'
import { writeEnd } from './finish.ts'
import { thinkingOf } from './sealing.ts'
import { inputOf } from './tool-input.ts'
import { writeUsage } from './usage.ts'

export function encodeReply(reply: FoldedReply, _call: ChatCall, context: ReplyContext): JsonObject {
  const content = contentOf(reply.parts)
  const calls = content.filter(({ type }) => type === 'tool_use').length
  return {
    id: reply.id || context.id,
    type: 'message',
    role: 'assistant',
    model: reply.model || context.model,
    content,
    ...writeEnd(reply.end, calls),
    usage: writeUsage(reply.usage, context.cost?.()),
  }
}

export function contentOf(parts: readonly FoldedContent[]): readonly JsonObject[] {
  const ids = new CallIds()
  return parts.flatMap((part) => {
    if (part.kind !== 'whole') return blocksOf(part, ids)
    const { part: item } = part
    return item.type === 'foreign' && item.wire === WIRE && isObject(item.value) ? [item.value] : []
  })
}

function blocksOf(part: FoldedPart, ids: CallIds): readonly JsonObject[] {
  const { kind, text, sealed } = part
  switch (kind) {
    case 'reasoning': {
      const block = thinkingOf(text, sealed)
      return block ? [block] : []
    }
    case 'text':
    case 'refusal': {
      const citations = part.citations.map(writeCitation).filter((citation) => citation !== undefined)
      const words: JsonObject = { type: 'text', text, ...(citations.length > 0 && { citations }) }
      return [...bearing(part), ...(text === '' ? [] : [words])]
    }
    case 'tool-call':
      return [...bearing(part), { type: 'tool_use', id: ids.next(part.id), name: part.name ?? '', input: inputOf(text, part.freeform) }]
    default:
      return kind satisfies never
  }
}

/** Seals of a text or a call stand before it, as thinking without words. */
function bearing({ sealed }: FoldedPart): readonly JsonObject[] {
  const block = thinkingOf('', sealed)
  return block ? [block] : []
}
