/** What accounting and safety need to know of an answer that goes to the caller byte for byte. */
import { GatewayError } from '../../core/error.ts'
import { arrayOf, isFilled, isObject, isString, type Json, type JsonObject, stringOf } from '../../core/json.ts'
import type { FrameNews } from '../tap.ts'
import type { ReplySummary } from '../wire.ts'
import { faultOf } from './decode-reply.ts'
import { finishOf, reasonOf } from './finish.ts'
import { type Searches, searchesIn } from './searches.ts'
import { usageOf } from './usage.ts'

export function summarize(body: Json): ReplySummary {
  const chunks = Array.isArray(body) && body.length > 0 ? body : [body]
  const summary: {
    id?: string
    model?: string
    finish?: FrameNews['finish']
    usage?: FrameNews['usage']
    outputs: number
    characters: number
  } = {
    outputs: 0,
    characters: 0,
  }
  let searches: Searches | undefined
  for (const chunk of chunks) {
    if (!isObject(chunk)) throw new GatewayError('upstream-invalid', "The provider's answer is not a JSON object.")
    const fault = faultOf(chunk)
    if (fault) throw fault
    searches = searchesIn(chunk, searches)
    const { id, model, finish, usage } = newsOf(chunk, searches)
    if (id) summary.id ??= id
    if (model) summary.model ??= model
    if (finish) summary.finish = finish
    if (usage) summary.usage = { ...summary.usage, ...usage }
    const parts = partsOf(candidateOf(chunk))
    summary.outputs += parts.length
    for (const { text, functionCall } of parts)
      summary.characters += isString(text) ? text.length : isObject(functionCall) ? JSON.stringify(functionCall).length : 0
  }
  return summary
}

const candidateOf = (chunk: JsonObject): JsonObject | undefined => arrayOf(chunk['candidates']).find(isObject)

const partsOf = (candidate: JsonObject | undefined): JsonObject[] =>
  arrayOf(isObject(candidate?.['content']) ? candidate['content']['parts'] : undefined).filter(isObject)

/**
 * What one response object says, beside what was searched until then; a stream is finished by a reason to stop, or by a
 * blocked prompt.
 */
export function newsOf(chunk: JsonObject, searches: Searches | undefined): FrameNews {
  const candidate = candidateOf(chunk)
  const reason = reasonOf(candidate?.['finishReason'])
  const feedback = chunk['promptFeedback']
  const blocked = isObject(feedback) && Boolean(feedback['blockReason'])
  const parts = partsOf(candidate)
  const calls = parts.some(({ functionCall }) => isObject(functionCall))
  const { usageMetadata } = chunk
  return {
    id: isFilled(chunk['responseId']) ? chunk['responseId'] : undefined,
    model: stringOf(chunk['modelVersion']),
    usage: isObject(usageMetadata) ? usageOf(usageMetadata, searches) : searches && usageOf({}, searches),
    finish: blocked ? 'filter' : reason === undefined ? undefined : finishOf(reason, calls),
    finished: blocked || reason !== undefined,
    output: parts.length > 0,
  }
}
