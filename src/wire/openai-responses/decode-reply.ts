/** A provider's answer, plain or streamed, as events. What arrives decides: some hosts answer in the other form. */
import { GatewayError } from '../../core/error.ts'
import type { Event } from '../../core/event.ts'
import { arrayOf, isNumber, isObject, type Json, type JsonObject, parseJson, stringOf } from '../../core/json.ts'
import { readProviderError, toldError } from '../provider-error.ts'
import { type SseFrame, SseReader, SseTooLarge } from '../sse.ts'
import type { ReplyDecoder } from '../wire.ts'
import { endingOf, errorOf, usageOf } from './read-answer.ts'
import { ReplyItems } from './reply-items.ts'

const ENDINGS = new Set(['response.completed', 'response.incomplete', 'response.failed', 'response.cancelled'])

export class ResponsesDecoder implements ReplyDecoder {
  readonly #streamed: boolean
  readonly #frames: SseReader
  readonly #text = new TextDecoder('utf-8')
  readonly #items = new ReplyItems()
  #form: 'unknown' | 'events' | 'plain' = 'unknown'
  #plain = ''
  #started = false
  #over = false

  constructor({ streamed, maxEvent }: { streamed: boolean; maxEvent?: number }) {
    this.#streamed = streamed
    this.#frames = new SseReader(maxEvent)
  }

  push(bytes: Uint8Array): readonly Event[] {
    if (this.#over) return []
    if (this.#form === 'unknown') {
      // Hosts send white space while they think.
      const first = bytes.find((byte) => byte > 32 && byte !== 0xef && byte !== 0xbb && byte !== 0xbf)
      if (first === undefined) return []
      const opens = first === 123 || first === 91 || first === 60
      const names = first === 58 || first === 100 || first === 101 || first === 105 || first === 114
      this.#form = this.#streamed ? (opens ? 'plain' : 'events') : names ? 'events' : 'plain'
    }
    if (this.#form === 'plain') {
      this.#plain += this.#text.decode(bytes, { stream: true })
      return []
    }
    return this.#read(() => this.#frames.push(bytes))
  }

  end(): readonly Event[] {
    if (this.#over) return []
    const out: Event[] = []
    if (this.#form === 'events') out.push(...this.#read(() => this.#frames.end()))
    else if (this.#form === 'plain') this.#whole(this.#plain + this.#text.decode(), out)
    if (!this.#over) this.#fail(new GatewayError('upstream-invalid', "The provider's answer ended before its end."), out)
    return out
  }

  #read(frames: () => readonly SseFrame[]): readonly Event[] {
    const out: Event[] = []
    try {
      for (const frame of frames()) {
        this.#frame(frame, out)
        if (this.#over) break
      }
    } catch (error) {
      if (!(error instanceof SseTooLarge)) throw error
      this.#fail(new GatewayError('upstream-invalid', 'The provider sent an event that is too large.'), out)
    }
    return out
  }

  #frame({ event, data }: SseFrame, out: Event[]): void {
    const text = data.trim()
    if (text === '' || text === '[DONE]') return
    const value = parseJson(text)
    if (!isObject(value)) {
      this.#fail(new GatewayError('upstream-invalid', 'The provider sent an event that is no JSON object.'), out)
      return
    }
    const type = stringOf(value['type']) ?? event ?? ''
    const response = isObject(value['response']) ? value['response'] : undefined
    if (type === 'error' || event === 'error' || (type === '' && value['error'])) this.#fail(toldError(value), out)
    else if (response && ENDINGS.has(type)) this.#finish(response, type, out)
    else if (response) this.#start(response, out)
    else {
      this.#start(undefined, out)
      this.#items.take(type, value, out)
    }
  }

  #whole(text: string, out: Event[]): void {
    const trimmed = text.trim()
    const value = parseJson(trimmed.replace(/^\uFEFF/, ''))
    if (isObject(value) && Array.isArray(value['output'])) {
      const status = stringOf(value['status'])
      this.#finish(value, status === 'failed' || status === 'cancelled' ? `response.${status}` : 'response.completed', out)
    } else this.#fail(notAnAnswer(value, trimmed), out)
  }

  #start(response: JsonObject | undefined, out: Event[]): void {
    if (this.#started) return
    this.#started = true
    const id = stringOf(response?.['id'])
    const model = stringOf(response?.['model'])
    const created = response?.['created_at']
    out.push({
      type: 'reply-start',
      ...(id && { id }),
      ...(model && { model }),
      ...(isNumber(created) && { created: Math.floor(created) }),
    })
  }

  #finish(response: JsonObject, type: string, out: Event[]): void {
    const error = errorOf(response) ?? (type === 'response.failed' || type === 'response.cancelled' ? toldError({ response }) : undefined)
    if (error) {
      this.#fail(error, out)
      return
    }
    this.#start(response, out)
    this.#items.finish(arrayOf(response['output']), out)
    const usage = usageOf(response)
    if (usage) out.push({ type: 'usage', usage })
    const ended = type === 'response.incomplete' ? { status: 'incomplete', ...response } : response
    out.push({ type: 'reply-end', ...endingOf(ended, this.#items.calls > 0) })
    this.#over = true
  }

  #fail(error: GatewayError, out: Event[]): void {
    this.#over = true
    out.push({ type: 'error', error })
  }
}

/** What a body that is no response object means. */
export function notAnAnswer(value: Json | undefined, text: string): GatewayError {
  const told = isObject(value) || Array.isArray(value) ? errorOf(isObject(value) ? value : { error: value[0] ?? null }) : undefined
  if (told) return told
  if (value !== undefined) return new GatewayError('upstream-invalid', "The provider's answer is no response object.")
  const words = /^\s*</.test(text) ? readProviderError(0, text).message : undefined
  return new GatewayError('upstream-invalid', words ? `The provider answered with a page: ${words}` : "The provider's answer is no JSON.")
}
