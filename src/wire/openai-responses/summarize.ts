/** A whole plain answer that passes untouched: is it one, and what does it say of itself. */
import { GatewayError } from '../../core/error.ts'
import { arrayOf, isObject, type Json, stringOf } from '../../core/json.ts'
import type { ReplySummary } from '../wire.ts'
import { notAnAnswer } from './decode-reply.ts'
import { endingOf, errorOf, usageOf } from './read-answer.ts'

export function summarize(body: Json): ReplySummary {
  if (!isObject(body)) throw notAnAnswer(body, '')
  const error = errorOf(body)
  if (error) throw error
  const { output } = body
  if (!Array.isArray(output)) throw new GatewayError('upstream-invalid', "The provider's answer is no response object.")
  const items = output.filter(isObject)
  const calls = items.some(({ type }) => type === 'function_call' || type === 'custom_tool_call')
  const id = stringOf(body['id'])
  const model = stringOf(body['model'])
  const usage = usageOf(body)
  return {
    ...(id && { id }),
    ...(model && { model }),
    finish: endingOf(body, calls).finish,
    ...(usage && { usage }),
    outputs: items.length,
    characters: items.reduce((sum, item) => sum + charactersOf(item), 0),
  }
}

const charactersOf = (item: { readonly [key: string]: Json | undefined }): number => {
  const texts = [...arrayOf(item['content']), ...arrayOf(item['summary'])].map((part) =>
    isObject(part) ? (stringOf(part['text']) ?? '') : '',
  )
  return [...texts, stringOf(item['arguments']) ?? '', stringOf(item['input']) ?? ''].reduce((sum, text) => sum + text.length, 0)
}
