/** An answer's bytes as events, streamed or whole. */
import { GatewayError } from '../../core/error.ts'
import type { Event } from '../../core/event.ts'
import { isObject, type Json, type JsonObject, objectOf, parseJson, stringOf } from '../../core/json.ts'
import { providerErrorOf, readProviderError, toldError } from '../provider-error.ts'
import { type SseFrame, SseReader, SseTooLarge } from '../sse.ts'
import type { ReplyDecoder } from '../wire.ts'
import { BlockReader } from './block-reader.ts'
import { endOf } from './finish.ts'
import { mergedRaw, usageOf } from './usage.ts'

/** How much of an answer without any event is kept, to tell what it was. */
const MAX_STRAY = 4096

const unreadable = (message: string): Event => ({ type: 'error', error: new GatewayError('upstream-invalid', message) })

/** The events of a whole message; an error when it is not one. */
export function eventsOfMessage(value: Json | undefined): readonly Event[] {
  if (value === undefined) return [unreadable("The provider's answer is not JSON.")]
  if (!isObject(value) || !Array.isArray(value['content'])) {
    const told = isObject(value) && (value['type'] === 'error' || value['error'] !== undefined) ? providerErrorOf(value) : undefined
    return [told ? { type: 'error', error: toldError(value) } : unreadable("The provider's answer is not a message.")]
  }
  const blocks = new BlockReader()
  const events: Event[] = [{ type: 'reply-start', id: stringOf(value['id']), model: stringOf(value['model']) }]
  value['content'].forEach((block, index) => {
    events.push(...blocks.start(index, block), ...blocks.stop(index))
  })
  const usage = usageOf(objectOf(value['usage']))
  if (usage) events.push({ type: 'usage', usage })
  events.push(endOf(value, blocks.calls))
  return events
}

/** A stream's frames as events, in the order of the API: start, blocks, delta, stop. */
class StreamReader {
  readonly #blocks = new BlockReader()
  #usage: JsonObject | undefined
  #end: JsonObject = {}
  #started = false
  /** Set by the stream's ending or an error: nothing counts after it. */
  done = false

  read({ data }: SseFrame): readonly Event[] {
    if (this.done || data === '' || data === '[DONE]') return []
    const frame = parseJson(data)
    if (!isObject(frame)) {
      this.done = true
      return [unreadable("The provider's stream holds an event that is not JSON.")]
    }
    const { type, index } = frame
    const place = typeof index === 'number' ? index : undefined
    switch (type) {
      case 'message_start':
        return this.#start(objectOf(frame['message']) ?? {})
      case 'content_block_start':
        return this.#begun(this.#blocks.start(place, frame['content_block']))
      case 'content_block_delta':
        return this.#begun(this.#blocks.delta(place, objectOf(frame['delta']) ?? {}))
      case 'content_block_stop':
        return this.#blocks.stop(place)
      case 'message_delta':
        return this.#delta(frame)
      case 'message_stop':
        this.done = true
        return this.#begun([...this.#blocks.stopAll(), ...this.#usageNow(), endOf(this.#end, this.#blocks.calls)])
      case 'error':
        return this.#fail(frame)
      default:
        return type === undefined && frame['error'] !== undefined ? this.#fail(frame) : []
    }
  }

  #start(message: JsonObject): readonly Event[] {
    if (this.#started) return []
    this.#started = true
    this.#usage = mergedRaw(undefined, message['usage'])
    if (message['stop_reason']) this.#end = message
    const said = usageOf(this.#usage)
    // What it says of its output at the start is not yet true.
    const usage = said && { ...said, output: undefined }
    const start: Event = { type: 'reply-start', id: stringOf(message['id']), model: stringOf(message['model']), usage }
    const content = Array.isArray(message['content']) ? message['content'] : []
    return [start, ...content.flatMap((block, index) => [...this.#blocks.start(index, block), ...this.#blocks.stop(index)])]
  }

  #begun(events: readonly Event[]): readonly Event[] {
    if (this.#started) return events
    this.#started = true
    return [{ type: 'reply-start' }, ...events]
  }

  #delta(frame: JsonObject): readonly Event[] {
    this.#end = mergedRaw(this.#end, frame['delta']) ?? {}
    this.#usage = mergedRaw(this.#usage, frame['usage'])
    return []
  }

  #usageNow(): readonly Event[] {
    const usage = usageOf(this.#usage)
    return usage ? [{ type: 'usage', usage }] : []
  }

  #fail(frame: JsonObject): readonly Event[] {
    this.done = true
    return [{ type: 'error', error: toldError(frame) }]
  }
}

/** Reads both forms, whichever was asked for: some hosts know only one, and errors come whole. */
export class Decoder implements ReplyDecoder {
  readonly #text = new TextDecoder('utf-8')
  readonly #frames: SseReader
  readonly #stream = new StreamReader()
  readonly #streamed: boolean
  /** Undefined until the first character that is no white space. */
  #whole: boolean | undefined
  #kept = ''
  #seen = false
  #over = false

  constructor(streamed: boolean, maxEvent?: number) {
    this.#streamed = streamed
    this.#frames = new SseReader(maxEvent)
  }

  push(bytes: Uint8Array): readonly Event[] {
    if (this.#over) return []
    if (this.#whole === false && this.#seen) return this.#frame(bytes)
    const text = this.#text.decode(bytes, { stream: true })
    if (this.#whole === undefined) {
      const first = (this.#kept + text).trimStart()[0]
      if (first !== undefined) this.#whole = !this.#streamed || /[[{<"]/.test(first)
    }
    if (this.#whole !== false || this.#kept.length < MAX_STRAY) this.#kept += text
    return this.#streamed && this.#whole !== true ? this.#frame(bytes) : []
  }

  end(): readonly Event[] {
    if (this.#over) return []
    if (this.#whole === false && this.#streamed) return this.#endOfStream()
    const text = this.#kept + this.#text.decode()
    this.#over = true
    if (/^\s*(?:event|data|id|retry)?:/.test(text)) {
      const frames = [...this.#frames.push(new TextEncoder().encode(text)), ...this.#frames.end()]
      const events = frames.flatMap((frame) => this.#stream.read(frame))
      return this.#stream.done ? events : [...events, unreadable("The provider's stream ended before its end.")]
    }
    if (text.trim() === '') return [unreadable('The provider sent an empty answer.')]
    return eventsOfMessage(parseJson(text))
  }

  #endOfStream(): readonly Event[] {
    const events = this.#frame()
    if (this.#over) return events
    this.#over = true
    if (this.#seen) return [...events, unreadable("The provider's stream ended before its end.")]
    return [unreadable(`The provider did not send a stream: ${readProviderError(0, this.#kept).message}`)]
  }

  #frame(bytes?: Uint8Array): readonly Event[] {
    try {
      return this.#read(bytes ? this.#frames.push(bytes) : this.#frames.end())
    } catch (thrown) {
      if (!(thrown instanceof SseTooLarge)) throw thrown
      this.#over = true
      return [unreadable('The provider sent an event that is too large.')]
    }
  }

  #read(frames: readonly SseFrame[]): readonly Event[] {
    const [only] = frames
    if (!only) return []
    if (!this.#seen) {
      this.#seen = true
      this.#kept = ''
    }
    const events = frames.length === 1 ? this.#stream.read(only) : frames.flatMap((frame) => this.#stream.read(frame))
    if (this.#stream.done) this.#over = true
    return events
  }
}
