/**
 * A streamed answer in this dialect. Blocks follow each other strictly, so that parts which come interleaved are held
 * until the one before them is whole; words and thinking may be cut into several blocks, a call may not.
 */
import type { Sealed } from '../../core/call.ts'
import {
  type Citation,
  type Event,
  mergeUsage,
  type PartStart,
  type PartWhole,
  type ReplyEnd,
  type ReplyStart,
  type Usage,
} from '../../core/event.ts'
import { isObject, type JsonObject, objectOf, parseJson } from '../../core/json.ts'
import { sseEvent } from '../sse.ts'
import type { ReplyContext, Resume, StreamEncoder } from '../wire.ts'
import { CallIds } from './call-ids.ts'
import { writeCitation } from './citations.ts'
import { WIRE } from './decode-content.ts'
import { encodeStreamError } from './error.ts'
import { writeEnd } from './finish.ts'
import { signatureOf } from './sealing.ts'
import { endingOf, newPart, type PartState, sealOf } from './stream-part.ts'
import { inputOf } from './tool-input.ts'
import { writeUsage } from './usage.ts'

const DELTA_END = '}}\n\n'
export const PING = sseEvent('ping', '{"type": "ping"}')

const KNOWN: ReadonlySet<string> = new Set(['text', 'thinking', 'redacted_thinking', 'tool_use'])

const frame = (value: JsonObject): string => sseEvent(String(value['type']), JSON.stringify(value))

export class AnthropicStreamEncoder implements StreamEncoder {
  readonly #context: ReplyContext
  readonly #parts = new Map<number, PartState>()
  readonly #ids = new CallIds()
  #waiting: PartState[] = []
  #current: PartState | undefined
  #index = -1
  #calls = 0
  #usage: Usage | undefined
  #started = false
  #over = false
  /** How it ends has been told already. */
  #told = false
  torn = false

  constructor(context: ReplyContext) {
    this.#context = context
  }

  /** Goes on with the block that is open at the caller, or behind the last one. */
  resume({ events, frames }: Resume): void {
    this.push(events)
    for (const { data } of frames) {
      const frame = parseJson(data)
      if (!isObject(frame)) continue
      const { type, index } = frame
      if (type === 'message_delta' && objectOf(frame['delta'])?.['stop_reason']) this.#told = true
      if (typeof index !== 'number' || !String(type).startsWith('content_block_')) continue
      this.#index = index
      if (type === 'content_block_start') {
        // A block of the vendor's own is told when it is whole.
        this.torn = !KNOWN.has(String(objectOf(frame['content_block'])?.['type']))
        this.#current ??= this.torn ? undefined : [...this.#parts.values()].at(-1)
      } else if (type === 'content_block_stop') {
        this.torn = false
        this.#current = undefined
      }
    }
    if (!this.#current) return
    this.#current.opened = true
    this.#current.prefix = prefixOf(this.#current.kind, this.#index)
  }

  restart(): string {
    const out = this.torn ? frame({ type: 'content_block_stop', index: this.#index }) : this.#close()
    this.torn = false
    this.#waiting = []
    this.#calls = 0
    return out
  }

  push(events: readonly Event[]): string {
    let out = ''
    for (let place = 0; place < events.length && !this.#over; place++) {
      const event = events[place]!
      if (event.type === 'text-delta') {
        const part = this.#parts.get(event.index)
        if (part && part === this.#current && part.kind !== 'tool-call') out += part.prefix + JSON.stringify(event.text) + DELTA_END
        else if (part) out += this.#text(part, event.text)
      } else out += this.#other(event, events, place)
    }
    return out
  }

  #other(event: Exclude<Event, { type: 'text-delta' }>, events: readonly Event[], place: number): string {
    switch (event.type) {
      case 'reply-start':
        return this.#begin(event)
      case 'part-start':
        return this.#begin() + this.#partStart(event, events, place)
      case 'part-sealed':
        return this.#seal(this.#parts.get(event.index), event.sealed)
      case 'part-citation':
        return this.#cite(this.#parts.get(event.index), event.citation)
      case 'part-end':
        return this.#partEnd(event.index)
      case 'part-whole':
        return this.#begin() + this.#whole(event)
      case 'usage':
        this.#usage = mergeUsage(this.#usage, event.usage)
        return ''
      case 'reply-end':
        return this.#end(event)
      case 'error':
        this.#over = true
        return encodeStreamError(event.error, this.#context.id)
      case 'part-logprobs':
        return ''
      default:
        return event satisfies never
    }
  }

  #begin(event?: ReplyStart): string {
    if (this.#started) return ''
    this.#started = true
    this.#usage = mergeUsage(this.#usage, event?.usage)
    const message = {
      id: event?.id || this.#context.id,
      type: 'message',
      role: 'assistant',
      model: event?.model || this.#context.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: writeUsage({ ...this.#usage, output: 0, reasoning: undefined, providerCost: undefined }),
    }
    return frame({ type: 'message_start', message })
  }

  #partStart(event: PartStart, events: readonly Event[], place: number): string {
    const kind = event.kind === 'refusal' ? 'text' : event.kind
    const part = newPart(kind, event)
    this.#parts.set(event.index, part)
    if (kind === 'reasoning') return ''
    // Seals stand before what they belong to, so they are looked for in what has come with it.
    const sealed: Sealed[] = []
    for (let index = place + 1; index < events.length; index++) {
      const later = events[index]
      if (later?.type === 'part-sealed' && later.index === event.index) sealed.push(later.sealed)
    }
    part.sealed.push(...sealed)
    const seals = sealed.length > 0 ? this.#offer(sealOf(sealed)) : ''
    return kind === 'tool-call' ? seals + this.#offer(part) : seals
  }

  /** Writes a part now when none is in the way, else later. */
  #offer(part: PartState): string {
    if (this.#current?.kind === 'tool-call' || this.#waiting.length > 0) {
      if (!this.#waiting.includes(part)) this.#waiting.push(part)
      return ''
    }
    return this.#close() + this.#open(part)
  }

  #text(part: PartState, text: string): string {
    if (text === '') return ''
    if (part === this.#current) return this.#argumentText(part, text)
    part.held.push(text)
    // A refusal reads like an answer here: half of one would say something else.
    return part.start?.kind === 'refusal' ? '' : this.#offer(part)
  }

  /** Opens a block and writes what was held for it; a part that has ended is closed again. */
  #open(part: PartState): string {
    this.#index++
    const start = this.#index
    const head = (block: JsonObject): string => frame({ type: 'content_block_start', index: start, content_block: block })
    if (part.kind === 'block') return head(part.block ?? {}) + frame({ type: 'content_block_stop', index: start })
    this.#current = part
    part.opened = true
    part.prefix = prefixOf(part.kind, start)
    let out: string
    if (part.kind === 'tool-call') {
      this.#calls++
      out = head({ type: 'tool_use', id: this.#ids.next(part.start?.id), name: part.start?.name ?? '', input: {} })
    } else if (part.kind === 'reasoning') {
      out = head({ type: 'thinking', thinking: '', signature: '' })
    } else {
      out = head({ type: 'text', text: '' })
    }
    for (const text of part.held.splice(0))
      out += part.kind === 'tool-call' ? this.#argumentText(part, text) : part.prefix + JSON.stringify(text) + DELTA_END
    for (const citation of part.citations.splice(0)) out += this.#citation(citation)
    return part.ended ? out + this.#close() : out
  }

  #argumentText(part: PartState, text: string): string {
    const before = part.arguments
    part.arguments += text
    if (part.live) return part.prefix + JSON.stringify(text) + DELTA_END
    if (part.start?.freeform || before.trim() !== '' || !part.arguments.trimStart().startsWith('{')) return ''
    part.live = true
    return part.prefix + JSON.stringify(part.arguments) + DELTA_END
  }

  /** Ends the open block. */
  #close(): string {
    const part = this.#current
    if (!part) return ''
    this.#current = undefined
    let out = ''
    if (part.kind === 'reasoning') {
      const signature = signatureOf(part.sealed.splice(0))
      out = frame({ type: 'content_block_delta', index: this.#index, delta: { type: 'signature_delta', signature } })
    } else if (part.kind === 'tool-call') {
      const rest = part.live ? endingOf(part.arguments) : JSON.stringify(inputOf(part.arguments, part.start?.freeform))
      if (rest !== '') out = part.prefix + JSON.stringify(rest) + DELTA_END
    }
    return out + frame({ type: 'content_block_stop', index: this.#index })
  }

  #partEnd(index: number): string {
    const part = this.#parts.get(index)
    if (!part) return ''
    this.#parts.delete(index)
    part.ended = true
    if (part === this.#current) return this.#close() + this.#drain()
    if (part.start?.kind === 'refusal' && part.held.length > 0) return this.#offer(part)
    // Seals that came without words, or after the block had to be closed.
    if (part.kind === 'reasoning' && part.sealed.length > 0 && !this.#waiting.includes(part)) return this.#offer(sealOf(part.sealed))
    return ''
  }

  /** Writes what waited, up to a call that is not whole yet. */
  #drain(): string {
    let out = ''
    while (this.#waiting.length > 0 && this.#current?.kind !== 'tool-call') {
      const next = this.#waiting.shift()!
      out += this.#close() + this.#open(next)
    }
    return out
  }

  #seal(part: PartState | undefined, sealed: Sealed): string {
    // Those of a call or a text that were found ahead are written already.
    if (!part || part.sealed.includes(sealed)) return ''
    if (part.kind === 'reasoning') {
      part.sealed.push(sealed)
      return ''
    }
    const bearer = sealOf([sealed])
    // A call is not cut in two: its seal follows it.
    this.#waiting.push(bearer)
    return this.#current?.kind === 'tool-call' ? '' : this.#drain()
  }

  #cite(part: PartState | undefined, citation: Citation): string {
    if (part && part === this.#current) return this.#citation(citation)
    if (part && !part.opened) part.citations.push(citation)
    return ''
  }

  #citation(citation: Citation): string {
    const written = writeCitation(citation)
    return written ? frame({ type: 'content_block_delta', index: this.#index, delta: { type: 'citations_delta', citation: written } }) : ''
  }

  #whole({ part }: PartWhole): string {
    if (part.type !== 'foreign' || part.wire !== WIRE || !isObject(part.value)) return ''
    return this.#offer(newPart('block', undefined, part.value))
  }

  #end(event: ReplyEnd): string {
    this.#over = true
    const seals = [...this.#parts.values()].filter(({ kind, opened, sealed }) => kind === 'reasoning' && !opened && sealed.length > 0)
    let out = this.#begin() + this.#close()
    for (const part of [...this.#waiting, ...seals.map(({ sealed }) => sealOf(sealed))]) out += this.#open(part) + this.#close()
    if (this.#told) return out + frame({ type: 'message_stop' })
    const { stop_details: details, ...delta } = writeEnd(event, this.#calls)
    const usage = writeUsage(this.#usage, this.#context.cost?.())
    out += frame({
      type: 'message_delta',
      delta: { ...delta, ...(details !== undefined && { stop_details: details }) },
      usage: told(usage, this.#usage),
    })
    return out + frame({ type: 'message_stop' })
  }
}

/** Everything of a delta's frame up to its text. */
function prefixOf(kind: PartState['kind'], index: number): string {
  const [type, member] =
    kind === 'tool-call'
      ? ['input_json_delta', 'partial_json']
      : kind === 'reasoning'
        ? ['thinking_delta', 'thinking']
        : ['text_delta', 'text']
  return `event: content_block_delta\ndata: {"type":"content_block_delta","index":${index},"delta":{"type":"${type}","${member}":`
}

/** Without the input when it is not known: what the start said stands. */
function told(usage: JsonObject, known: Usage | undefined): JsonObject {
  if (known?.input !== undefined) return usage
  const { input_tokens: _input, ...rest } = usage
  return rest
}
