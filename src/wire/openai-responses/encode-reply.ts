/** A whole reply as a response object. */
import type { ChatCall } from '../../core/call.ts'
import type { FoldedPart, FoldedReply } from '../../core/fold.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import type { ReplyContext } from '../wire.ts'
import { newItemId } from './ids.ts'
import {
  annotationOf,
  CallIds,
  callItem,
  carrierItem,
  itemId,
  messageItem,
  NO_ARGUMENTS,
  reasoningItem,
  refusalContent,
  textContent,
  wholeItem,
} from './output-items.ts'
import { echoOf, encodeUsage, responseId, statusOf } from './response-object.ts'

export function encodeReply(reply: FoldedReply, call: ChatCall, context: ReplyContext): JsonObject {
  const { status, incomplete_details } = statusOf(reply.end?.finish)
  return {
    id: responseId(reply.id, context),
    object: 'response',
    created_at: reply.created ?? context.created,
    status,
    error: null,
    incomplete_details,
    model: reply.model ?? context.model,
    output: outputOf(reply, call),
    service_tier: reply.usage?.serviceTier ?? 'default',
    usage: encodeUsage(reply.usage, context.cost?.()),
    ...echoOf(call),
  }
}

function outputOf(reply: FoldedReply, call: ChatCall): readonly JsonObject[] {
  const output: JsonObject[] = []
  const ids = new CallIds()
  let message: { readonly id: string; readonly from: FoldedPart; readonly content: Json[] } | undefined
  const { status } = statusOf(reply.end?.finish)
  const flush = (state = 'completed'): void => {
    if (message) output.push(messageItem(message.id, state, message.from.phase, message.content))
    message = undefined
  }
  for (const part of reply.parts) {
    switch (part.kind) {
      case 'text':
      case 'refusal': {
        // An empty text may be there for its signature only.
        if (part.text === '' && part.sealed.length > 0) {
          flush()
          output.push(carrierItem(part.sealed))
          break
        }
        if (!message || !joins(message.from, part)) {
          flush()
          message = { id: itemId('msg', part.id), from: part, content: [] }
        }
        message.content.push(part.kind === 'refusal' ? refusalContent(part.text) : textOf(part))
        if (part.sealed.length === 0) break
        flush()
        output.push(carrierItem(part.sealed))
        break
      }
      case 'reasoning':
        flush()
        output.push(
          reasoningItem(itemId('rs', part.id), {
            text: part.text,
            summary: part.summary === true || call.reasoning?.visible === true,
            sealed: part.sealed,
          }),
        )
        break
      case 'tool-call': {
        flush()
        const id = newItemId(part.freeform ? 'ctc' : 'fc')
        const said = { id, callId: ids.of(part.id), name: part.name ?? '', namespace: part.namespace, freeform: part.freeform }
        output.push(callItem(said, 'completed', part.freeform || part.text.trim() !== '' ? part.text : NO_ARGUMENTS))
        if (part.sealed.length > 0) output.push(carrierItem(part.sealed, said.callId))
        break
      }
      case 'whole': {
        const item = wholeItem(part.part)
        if (!item) break
        flush()
        output.push(item)
        break
      }
      default:
        part satisfies never
    }
  }
  flush(status)
  const explanation = explanationOf(reply)
  if (explanation !== undefined) output.push(messageItem(newItemId('msg'), status, undefined, [refusalContent(explanation)]))
  return output
}

/** Texts in a row are one message, unless the provider said that they are several. */
export const joins = (before: Pick<FoldedPart, 'id' | 'phase'>, part: Pick<FoldedPart, 'id' | 'phase'>): boolean =>
  before.id === part.id && before.phase === part.phase

/** Why nothing was said, where the provider tells and nothing else stands there. */
function explanationOf({ end, parts }: FoldedReply): string | undefined {
  if (end?.finish !== 'filter' || !end.explanation) return undefined
  return parts.some((part) => (part.kind === 'text' || part.kind === 'refusal') && part.text !== '') ? undefined : end.explanation
}

const textOf = ({ text, citations, logprobs }: FoldedPart): JsonObject =>
  textContent(
    text,
    citations.map((citation) => annotationOf(citation, text.length)).filter((one) => one !== undefined),
    logprobs,
  )
