/** A whole answer as a chat completion. */
import type { ChatCall, MediaPart } from '../../core/call.ts'
import type { Citation, ReplyEnd } from '../../core/event.ts'
import type { FoldedPart, FoldedReply } from '../../core/fold.ts'
import { newId } from '../../core/id.ts'
import { arrayOf, isObject, type Json, type JsonObject } from '../../core/json.ts'
import { carry } from '../carrier.ts'
import type { ReplyContext } from '../wire.ts'
import { chatFinish, speaksOfFunctions } from './finish.ts'
import { detailsOf } from './reasoning-details.ts'
import { chatUsage } from './usage.ts'

export function encodeReply(reply: FoldedReply, call: ChatCall, context: ReplyContext): JsonObject {
  const message = messageOf(reply, hidesThinking(call))
  const finish = chatFinish(reply.end?.finish ?? 'stop')
  const legacy = speaksOfFunctions(call) && Array.isArray(message['tool_calls'])
  const usage = chatUsage(reply.usage, context.cost?.())
  return {
    id: reply.id || newId('chatcmpl-'),
    object: 'chat.completion',
    created: reply.created ?? context.created,
    model: reply.model ?? context.model,
    choices: [
      {
        index: 0,
        message: legacy ? withFunctionCall(message) : message,
        logprobs: logprobsOf(reply),
        finish_reason: legacy && finish === 'tool_calls' ? 'function_call' : finish,
      },
    ],
    ...(usage && { usage }),
    ...(reply.usage?.serviceTier !== undefined && { service_tier: reply.usage.serviceTier }),
  }
}

/** The old form holds one call. */
function withFunctionCall({ tool_calls: calls, ...message }: JsonObject): JsonObject {
  const [first] = arrayOf(calls)
  return { ...message, function_call: isObject(first) ? first['function'] : undefined }
}

const isKind =
  (kind: FoldedPart['kind']) =>
  (part: FoldedReply['parts'][number]): part is FoldedPart =>
    part.kind === kind

/** The client asked for thinking without being shown it (`exclude`). */
export const hidesThinking = ({ reasoning }: ChatCall): boolean => reasoning?.visible === false

function messageOf({ parts, end }: FoldedReply, hidden: boolean): JsonObject {
  const text = parts.filter(isKind('text'))
  const thoughts = parts.filter(isKind('reasoning'))
  const refusal =
    parts
      .filter(isKind('refusal'))
      .map((part) => part.text)
      .join('') || refusalIn(end)
  const calls = toolCallsOf(parts.filter(isKind('tool-call')))
  const media = parts.flatMap((part) => (part.kind === 'whole' && part.part.type === 'media' ? [part.part] : []))
  const audio = media.find((part) => part.kind === 'audio')
  const images = media.filter((part) => part.kind === 'image').map(imageOf)
  const words = text.map((part) => part.text).join('')
  const spoken = audio?.extras?.['transcript'] === words
  const thinking = hidden ? '' : thoughts.map((part) => part.text).join('')
  const details: JsonObject[] = []
  for (const { text: words, summary, sealed } of thoughts)
    details.push(...detailsOf({ text: hidden ? '' : words, summary: summary === true, sealed }, details.length))
  const annotations = annotationsOf(text)
  const signature = text.flatMap((part) => part.sealed)[0]
  const silent = words === '' && (calls.length > 0 || refusal !== '' || audio !== undefined)
  const tools = parts.flatMap((part) =>
    part.kind === 'whole' && part.part.type === 'foreign' && part.part.kind === 'executed_tools' ? [part.part.value] : [],
  )
  return {
    role: 'assistant',
    content: silent || spoken ? null : words,
    refusal: refusal === '' ? null : refusal,
    ...(thinking !== '' && { reasoning_content: thinking }),
    ...(details.length > 0 && { reasoning_details: details }),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(annotations.length > 0 && { annotations }),
    ...(audio && { audio: audioOf(audio) }),
    ...(images.length > 0 && { images }),
    ...(tools.length > 0 && { executed_tools: tools }),
    ...(signature && { extra_content: { google: { thought_signature: signatureOf(signature) } } }),
  }
}

/** The model's refusal, where the provider tells it beside the content. Words of a filter are none of the model's. */
export const refusalIn = (end: ReplyEnd | undefined): string =>
  end?.finish === 'filter' && end.raw === 'refusal' ? (end.explanation ?? '') : ''

/** Google's place for a signature; what another vendor sealed is marked as such. */
export const signatureOf = (sealed: FoldedPart['sealed'][number]): string => (sealed.vendor === 'google' ? sealed.value : carry(sealed))

function toolCallsOf(parts: readonly FoldedPart[]): JsonObject[] {
  const ids = new Set<string>()
  return parts.map(({ id, name = '', text, freeform, sealed }) => {
    const own = id && !ids.has(id) ? id : newId('call_')
    ids.add(own)
    const [signature] = sealed
    return {
      id: own,
      ...(freeform
        ? { type: 'custom', custom: { name, input: text } }
        : { type: 'function', function: { name, arguments: text.trim() === '' ? '{}' : text } }),
      ...(signature && { extra_content: { google: { thought_signature: signatureOf(signature) } } }),
    }
  })
}

/** A source in the dialect's one form. Places are counted in the whole text, not in the part. */
export function annotationOf({ url, title, start, end }: Citation, offset: number): JsonObject | undefined {
  if (url === undefined) return undefined
  const place = { start_index: offset + (start ?? 0), end_index: offset + (end ?? start ?? 0) }
  return { type: 'url_citation', url_citation: { url, title: title ?? url, ...place } }
}

function annotationsOf(parts: readonly FoldedPart[]): JsonObject[] {
  let offset = 0
  return parts.flatMap(({ citations, text }) => {
    const list = citations.map((citation) => annotationOf(citation, offset)).filter((one) => one !== undefined)
    offset += text.length
    return list
  })
}

export function imageOf({ source }: MediaPart): JsonObject {
  const url = source.type === 'base64' ? `data:${source.mime};base64,${source.data}` : source.type === 'url' ? source.url : ''
  return { type: 'image_url', image_url: { url } }
}

export function audioOf({ source, extras }: MediaPart): JsonObject {
  return {
    id: extras?.['id'] ?? newId('audio_'),
    data: source.type === 'base64' ? source.data : '',
    expires_at: extras?.['expires_at'] ?? 0,
    transcript: extras?.['transcript'] ?? '',
  }
}

function logprobsOf({ parts }: FoldedReply): Json {
  const of = (kind: 'text' | 'refusal'): readonly Json[] | null => {
    const list = parts.filter(isKind(kind)).flatMap((part) => part.logprobs)
    return list.length > 0 ? list : null
  }
  const [content, refusal] = [of('text'), of('refusal')]
  return content || refusal ? { content, refusal } : null
}
