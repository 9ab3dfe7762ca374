/** What Gemini answers, as events: plain, as server-sent events, or as one growing JSON array. */
import { GatewayError } from '../../core/error.ts'
import type { Event } from '../../core/event.ts'
import { isObject, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import { providerErrorOf, toldError } from '../provider-error.ts'
import { SseReader } from '../sse.ts'
import type { ReplyDecoder } from '../wire.ts'
import { type Framing, framingOf } from './framing.ts'
import { JsonArrayReader } from './json-array.ts'
import { ChunkReader } from './read-chunk.ts'

const DEFAULT_MAX_EVENT = 64 << 20

export class GeminiDecoder implements ReplyDecoder {
  readonly #streamed: boolean
  readonly #reader = new ChunkReader()
  readonly #text = new TextDecoder('utf-8')
  readonly #sse: SseReader
  readonly #array: JsonArrayReader
  /** Undefined while a stream has not begun. */
  #framing: Framing['kind'] | undefined
  /** A whole body, as far as it has come. */
  #body = ''
  #done = false

  constructor({ streamed, maxEvent = DEFAULT_MAX_EVENT }: { streamed: boolean; maxEvent?: number }) {
    this.#streamed = streamed
    this.#sse = new SseReader(maxEvent)
    this.#array = new JsonArrayReader(maxEvent)
    this.#framing = streamed ? undefined : 'object'
  }

  push(bytes: Uint8Array): readonly Event[] {
    if (this.#done) return []
    try {
      return this.#framing ? this.#take(this.#framing, bytes) : this.#begin(bytes)
    } catch (error) {
      return this.#fail(unreadable(error))
    }
  }

  #begin(bytes: Uint8Array): readonly Event[] {
    const framing = framingOf(bytes)
    if (!framing) return []
    this.#framing = framing.kind
    return this.#take(framing.kind, framing.start === 0 ? bytes : bytes.subarray(framing.start))
  }

  #take(framing: Framing['kind'], bytes: Uint8Array): readonly Event[] {
    if (framing === 'events') return this.#frames(this.#sse.push(bytes))
    const text = this.#text.decode(bytes, { stream: true })
    if (framing === 'array') return this.#items(this.#array.push(text))
    this.#body += text
    return []
  }

  end(): readonly Event[] {
    if (this.#done) return []
    try {
      const last = this.#framing === 'object' ? this.#whole() : this.#framing === 'events' ? this.#frames(this.#sse.end()) : []
      if (this.#done) return last
      this.#done = true
      return [...last, ...this.#reader.end(this.#streamed && this.#framing !== 'object')]
    } catch (error) {
      return this.#fail(unreadable(error))
    }
  }

  #frames(frames: readonly { readonly data: string }[]): readonly Event[] {
    // A proxy's `[DONE]` ends nothing that has not ended itself.
    return frames.length === 0 ? [] : this.#items(frames.map(({ data }) => data).filter((data) => data !== '' && data !== '[DONE]'))
  }

  #items(items: readonly string[]): readonly Event[] {
    const events: Event[] = []
    for (const item of items) {
      events.push(...this.#chunk(parseJson(item)))
      if (this.#done) break
    }
    return events
  }

  #whole(): readonly Event[] {
    const body = parseJson(`${this.#body}${this.#text.decode()}`.trim())
    if (Array.isArray(body) && body.length > 0) return body.flatMap((chunk: Json) => (this.#done ? [] : this.#chunk(chunk)))
    const fault = isObject(body) ? faultOf(body) : undefined
    return fault ? this.#fail(fault) : this.#chunk(body)
  }

  #chunk(chunk: Json | undefined): readonly Event[] {
    if (!isObject(chunk)) return this.#fail(new GatewayError('upstream-invalid', "A part of the provider's answer is not a JSON object."))
    if (isError(chunk)) return this.#fail(toldError(chunk))
    return this.#reader.push(chunk)
  }

  #fail(error: GatewayError): readonly Event[] {
    this.#done = true
    return [{ type: 'error', error }]
  }
}

const ANSWER = ['candidates', 'promptFeedback', 'usageMetadata', 'modelVersion', 'responseId']

/** An error of Google's, or what is no answer of this wire and holds words like one. */
const isError = (chunk: JsonObject): boolean =>
  isObject(chunk['error']) ||
  typeof chunk['error'] === 'string' ||
  (!ANSWER.some((name) => chunk[name] !== undefined) && providerErrorOf(chunk) !== undefined)

/** Why this is no whole answer of this wire: the error it tells, or another shape. */
export function faultOf(body: JsonObject): GatewayError | undefined {
  if (isError(body)) return toldError(body)
  if (Array.isArray(body['candidates']) || isObject(body['promptFeedback'])) return undefined
  return new GatewayError('upstream-invalid', "The provider's answer has no candidates.")
}

const unreadable = (cause: unknown): GatewayError =>
  new GatewayError('upstream-invalid', `The provider's answer could not be read: ${cause instanceof Error ? cause.message : 'unknown'}.`, {
    cause,
  })
