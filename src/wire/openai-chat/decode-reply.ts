/** Reads an answer of a Chat Completions provider, plain or streamed, and of its many relatives. */
import { GatewayError } from '../../core/error.ts'
import type { Event } from '../../core/event.ts'
import { isFilled, isNumber, isObject, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import type { Target } from '../../core/target.ts'
import { providerErrorOf, readProviderError, toldError } from '../provider-error.ts'
import { type SseFrame, SseReader } from '../sse.ts'
import type { ReplyDecoder } from '../wire.ts'
import { AnswerReader } from './answer-reader.ts'
import { isFailure } from './finish.ts'
import { usageOf } from './usage.ts'

export interface ReplyDecoderOptions {
  readonly streamed: boolean
  readonly target: Target
  readonly maxEvent?: number
}

const unreadable = (message: string, cause?: unknown): GatewayError => new GatewayError('upstream-invalid', message, { cause })

/** The error that a body or a chunk tells, if it tells one. Words of other kinds beside an answer are no error. */
export function errorIn(value: Json | undefined): GatewayError | undefined {
  if (Array.isArray(value)) return value.length > 0 && !Array.isArray(value[0]) ? errorIn(value[0]) : undefined
  if (!isObject(value)) return undefined
  const { error, choices } = value
  if (isObject(error) ? Object.keys(error).length > 0 : isFilled(error)) return toldError(value)
  if (!Array.isArray(choices)) {
    const telling = value['object'] === 'error' || value['type'] === 'error' || 'detail' in value || 'message' in value || 'errors' in value
    return telling && providerErrorOf(value) ? toldError(value) : undefined
  }
  const failed = choices.find((choice): choice is JsonObject => isObject(choice) && isObject(choice['error']))
  return failed && Object.keys(failed['error'] ?? {}).length > 0 ? toldError({ error: failed['error'] }) : undefined
}

export function replyDecoder({ streamed, target, maxEvent }: ReplyDecoderOptions): ReplyDecoder {
  return streamed ? new StreamDecoder(target, maxEvent) : new PlainDecoder(target)
}

/** What both forms share: the beginning, the usage, the ending. */
class Answer {
  readonly reader: AnswerReader
  readonly #reasoningOutside: boolean
  #started = false
  #ended = false
  finishRaw: string | undefined
  finishChoice: JsonObject | undefined

  constructor(target: Target, whole: boolean) {
    this.reader = new AnswerReader({ whole })
    this.#reasoningOutside = target.quirks.reasoningOutsideOutput === true
  }

  get ended(): boolean {
    return this.#ended
  }
  get started(): boolean {
    return this.#started
  }

  take(chunk: JsonObject, out: Event[]): void {
    const choices = Array.isArray(chunk['choices']) ? chunk['choices'] : []
    const choice = choices.find((one): one is JsonObject => isObject(one) && (one['index'] ?? 0) === 0)
    const usage = usageOf(usageIn(chunk), {
      reasoningOutside: this.#reasoningOutside,
      serviceTier: chunk['service_tier'],
      model: chunk['model'],
    })
    // Azure begins with a chunk that says nothing of the answer.
    if (!choice && !usage) return
    this.#start(chunk, out)
    if (usage) out.push({ type: 'usage', usage })
    if (!choice) return
    const message = isObject(choice['delta']) && Object.keys(choice['delta']).length > 0 ? choice['delta'] : choice['message']
    const said = isObject(choice['message']) && this.reader.whole ? choice['message'] : message
    this.reader.push(isObject(said) ? said : {}, choice, chunk, out)
    const raw = choice['finish_reason']
    if (isFilled(raw)) {
      this.finishRaw ??= raw
      this.finishChoice ??= choice
    }
  }

  #start(chunk: JsonObject, out: Event[]): void {
    if (this.#started) return
    this.#started = true
    const { id, model, model_id, created } = chunk
    const name = [model, model_id].find(isFilled)
    out.push({
      type: 'reply-start',
      ...(isFilled(id) && { id }),
      ...(name !== undefined && { model: name }),
      ...(isNumber(created) && created > 0 && { created }),
    })
  }

  end(out: Event[]): void {
    if (this.#ended) return
    const raw = this.finishRaw
    if (raw !== undefined && isFailure(raw)) {
      this.fail(new GatewayError('upstream-failed', `The provider ended the answer with \`${raw}\`.`), out)
      return
    }
    this.#ended = true
    this.reader.end(out)
    out.push(this.reader.finish(raw, this.finishChoice ?? {}))
  }

  fail(error: GatewayError, out: Event[]): void {
    if (this.#ended) return
    this.#ended = true
    out.push({ type: 'error', error })
  }
}

/** Groq keeps the usage of a stream under its own name. */
function usageIn(chunk: JsonObject): Json | undefined {
  const { usage, x_groq } = chunk
  return isObject(usage) ? usage : isObject(x_groq) ? x_groq['usage'] : undefined
}

class PlainDecoder implements ReplyDecoder {
  readonly #decoder = new TextDecoder()
  readonly #answer: Answer
  #text = ''

  constructor(target: Target) {
    this.#answer = new Answer(target, true)
  }

  push(bytes: Uint8Array): readonly Event[] {
    this.#text += this.#decoder.decode(bytes, { stream: true })
    return []
  }

  end(): readonly Event[] {
    const out: Event[] = []
    const text = this.#text + this.#decoder.decode()
    this.#text = ''
    const body = parseJson(text.trim())
    const error = wholeError(body, text)
    if (error) this.#answer.fail(error, out)
    else if (isObject(body)) {
      this.#answer.take(body, out)
      this.#answer.end(out)
    }
    return out
  }
}

/** Why a whole body is no answer of this wire, if it is none. */
export function wholeError(body: Json | undefined, text = ''): GatewayError | undefined {
  if (body === undefined) {
    const said = text.trim() === '' ? 'an empty body' : `no JSON: ${readProviderError(0, text).message}`
    return unreadable(`The provider answered with ${said}`)
  }
  const error = errorIn(body)
  if (error) return error
  const choices = isObject(body) ? body['choices'] : undefined
  if (!Array.isArray(choices)) return unreadable('The provider answered with JSON that is no chat completion.')
  const [choice] = choices
  // Azure leaves the message out of what it filtered.
  if (!isObject(choice) || !(isObject(choice['message']) || isObject(choice['delta']) || isFilled(choice['finish_reason'])))
    return unreadable('The provider answered with a chat completion without a message.')
  return undefined
}

class StreamDecoder implements ReplyDecoder {
  readonly #answer: Answer
  readonly #reader: SseReader
  readonly #target: Target
  /** Some providers answer a stream's request with one JSON body, an error mostly. */
  #plain: PlainDecoder | undefined
  #undecided = true

  constructor(target: Target, maxEvent: number | undefined) {
    this.#target = target
    this.#answer = new Answer(target, false)
    this.#reader = new SseReader(maxEvent)
  }

  push(bytes: Uint8Array): readonly Event[] {
    if (this.#answer.ended) return []
    if (this.#undecided) this.#decide(bytes)
    if (this.#plain) return this.#plain.push(bytes)
    return this.#read(() => this.#reader.push(bytes))
  }

  end(): readonly Event[] {
    if (this.#plain) return this.#plain.end()
    const out = this.#read(() => this.#reader.end())
    if (this.#answer.ended) return out
    if (this.#answer.finishRaw !== undefined) this.#answer.end(out)
    else this.#answer.fail(unreadable("The provider's stream ended before its end."), out)
    return out
  }

  #read(frames: () => readonly SseFrame[]): Event[] {
    const out: Event[] = []
    try {
      for (const frame of frames()) this.#frame(frame, out)
    } catch (error) {
      this.#answer.fail(
        unreadable(`The provider's stream could not be read: ${error instanceof Error ? error.message : error}`, error),
        out,
      )
    }
    return out
  }

  #frame({ event, data }: SseFrame, out: Event[]): void {
    if (this.#answer.ended) return
    const text = data.trim()
    if (text === '') return
    if (text === '[DONE]') {
      if (this.#answer.started) this.#answer.end(out)
      else this.#answer.fail(unreadable("The provider's stream ended without an answer."), out)
      return
    }
    const chunk = parseJson(text)
    const error = event === 'error' ? (chunk === undefined ? toldError(text) : toldError(chunk)) : errorIn(chunk)
    if (error) this.#answer.fail(error, out)
    else if (isObject(chunk)) this.#answer.take(chunk, out)
    else this.#answer.fail(unreadable('The provider sent an event that is not JSON.'), out)
  }

  /** By the first byte that is not white space or part of a byte order mark. */
  #decide(bytes: Uint8Array): void {
    const first = bytes.find((byte) => byte > 32 && byte !== 0xef && byte !== 0xbb && byte !== 0xbf)
    if (first === undefined) return
    this.#undecided = false
    // `{`, `[` and `<` begin no line of an event stream.
    if (first === 0x7b || first === 0x5b || first === 0x3c) this.#plain = new PlainDecoder(this.#target)
  }
}
