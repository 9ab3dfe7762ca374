/** What a caller of the OpenAI Chat dialect makes of an answer. */
import type { HttpReply } from '../core/http.ts'
import { isObject, type JsonObject, parseJson } from '../core/json.ts'

/** `broken`: neither whole nor an error that a caller would notice. */
export type Got =
  | { readonly kind: 'answer'; readonly text: string }
  | { readonly kind: 'error'; readonly message: string; readonly afterText: boolean }
  | { readonly kind: 'broken'; readonly message: string }

const ENDS = new Set(['stop', 'length'])

export async function readAnswer({ status, body }: HttpReply): Promise<Got> {
  let text = ''
  const decoder = new TextDecoder()
  try {
    if (body instanceof Uint8Array) text = decoder.decode(body)
    else for await (const chunk of body) text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
  } catch (error) {
    return { kind: 'error', message: `the connection broke: ${error instanceof Error ? error.message : String(error)}`, afterText: true }
  }
  const json = parseJson(text)
  if (status !== 200) {
    const message = errorOf(json)
    return message === undefined
      ? { kind: 'broken', message: `status ${status} without an error that the dialect knows` }
      : { kind: 'error', message, afterText: false }
  }
  return isObject(json) ? plain(json) : streamed(text)
}

function plain(json: JsonObject): Got {
  const choice = firstOf(json['choices'])
  const message = isObject(choice?.['message']) ? choice['message']['content'] : undefined
  if (typeof message !== 'string' || message === '') return { kind: 'broken', message: 'status 200 without an answer' }
  if (!ENDS.has(String(choice?.['finish_reason']))) return { kind: 'broken', message: 'an answer without its end' }
  return { kind: 'answer', text: message }
}

function streamed(stream: string): Got {
  let text = ''
  let finish: unknown
  for (const block of stream.split(/\r?\n\r?\n/)) {
    const data = /^data: ?(.*)$/m.exec(block)?.[1]
    if (data === undefined) continue
    if (data === '[DONE]')
      return ENDS.has(String(finish)) && text !== ''
        ? { kind: 'answer', text }
        : { kind: 'broken', message: 'the stream ends without an answer' }
    const event = parseJson(data)
    const message = errorOf(event)
    if (message !== undefined) return { kind: 'error', message, afterText: text !== '' }
    if (!isObject(event)) return { kind: 'broken', message: 'an event that is not JSON' }
    const choice = firstOf(event['choices'])
    const delta = isObject(choice?.['delta']) ? choice['delta']['content'] : undefined
    if (typeof delta === 'string') text += delta
    finish = choice?.['finish_reason'] ?? finish
  }
  return { kind: 'broken', message: 'the stream stops without its end' }
}

function errorOf(json: unknown): string | undefined {
  const error = isObject(json) && isObject(json['error']) ? json['error'] : undefined
  return error && (typeof error['message'] === 'string' ? error['message'] : 'an error without words')
}

const firstOf = (list: unknown): JsonObject | undefined => (Array.isArray(list) && isObject(list[0]) ? list[0] : undefined)
