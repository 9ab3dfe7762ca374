/** A streamed answer for a client of this dialect: `data:` frames and nothing else, each a response with more parts. */
import type { ChatCall, Sealed } from '../../core/call.ts'
import type { Citation, Event, Logprob, PartStart, ReplyEnd, Usage } from '../../core/event.ts'
import { mergeUsage } from '../../core/event.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ReplyContext, StreamEncoder } from '../wire.ts'
import { groundingOf, logprobsResult } from './citations.ts'
import { callPart, wholePart } from './encode-part.ts'
import { showsThoughts } from './encode-reply.ts'
import { encodeStreamError } from './error.ts'
import { finishReason } from './finish.ts'
import { type Hidden, hiddenIn, signatureOf } from './sealed.ts'
import { usageMetadata } from './usage.ts'

interface OpenPart {
  readonly start: PartStart
  /** Where the part's text begins in the whole text. */
  readonly offset: number
  text: string
  readonly sealed: Sealed[]
}

const TEXT = 'data: {"candidates":[{"content":{"role":"model","parts":[{"text":'
const CLOSE = '}]},"index":0}]'

export class GeminiStreamEncoder implements StreamEncoder {
  readonly #context: ReplyContext
  readonly #thoughts: boolean
  readonly #open = new Map<number, OpenPart>()
  /** Sealed state of thoughts that are not shown, for the next part that is. */
  #waiting: Hidden[] = []
  readonly #citations: Citation[] = []
  readonly #logprobs: Logprob[] = []
  #usage: Usage | undefined
  #text = ''
  #id: string
  #model: string
  /** What ends every frame: the same for all of one answer. */
  #tail = ''
  #done = false

  constructor(call: ChatCall, context: ReplyContext) {
    this.#context = context
    this.#thoughts = showsThoughts(call)
    this.#id = context.id
    this.#model = context.model
    this.#identify()
  }

  restart(): string {
    this.#text = ''
    this.#waiting = []
    this.#citations.length = 0
    this.#logprobs.length = 0
    return ''
  }

  push(events: readonly Event[]): string {
    let frames = ''
    /** Words of one kind that came together go out together. */
    let words = ''
    let wordsOf: OpenPart | undefined
    const flush = (): void => {
      if (wordsOf && words !== '') frames += this.#words(wordsOf, words)
      words = ''
      wordsOf = undefined
    }
    for (const event of events) {
      if (this.#done) break
      if (event.type === 'text-delta') {
        const part = this.#open.get(event.index)
        if (!part) continue
        if (part !== wordsOf) flush()
        wordsOf = part
        words += event.text
        continue
      }
      flush()
      frames += this.#take(event)
    }
    flush()
    return frames
  }

  #take(event: Exclude<Event, { type: 'text-delta' }>): string {
    switch (event.type) {
      case 'reply-start':
        this.#id = event.id || this.#id
        this.#model = event.model ?? this.#model
        this.#usage = mergeUsage(this.#usage, event.usage)
        this.#identify()
        return ''
      case 'part-start':
        this.#open.set(event.index, { start: event, offset: this.#text.length, text: '', sealed: [] })
        return ''
      case 'part-sealed':
        this.#open.get(event.index)?.sealed.push(event.sealed)
        return ''
      case 'part-citation': {
        const { citation } = event
        const offset = this.#open.get(event.index)?.offset ?? 0
        const ranged = citation.start !== undefined && citation.end !== undefined
        this.#citations.push(ranged ? { ...citation, start: citation.start + offset, end: citation.end + offset } : citation)
        return ''
      }
      case 'part-logprobs':
        this.#logprobs.push(...event.logprobs)
        return ''
      case 'part-end':
        return this.#end(event.index)
      case 'part-whole': {
        const part = wholePart(event.part)
        return part ? this.#frame(part) : ''
      }
      case 'usage':
        this.#usage = mergeUsage(this.#usage, event.usage)
        return ''
      case 'reply-end':
        return this.#finish(event)
      case 'error':
        this.#done = true
        return encodeStreamError(event.error, this.#context.id)
      default:
        return event satisfies never
    }
  }

  #words(part: OpenPart, text: string): string {
    const { kind } = part.start
    // Calls go out whole, and so do refusals: half of one, as text, would read like half an answer.
    if (kind === 'tool-call' || kind === 'refusal') {
      part.text += text
      return ''
    }
    if (kind === 'reasoning' && !this.#thoughts) {
      part.text += text
      return ''
    }
    if (kind === 'reasoning') return `${TEXT}${JSON.stringify(text)},"thought":true${CLOSE}${this.#tail}`
    return this.#answer(text)
  }

  #answer(text: string): string {
    this.#text += text
    if (this.#waiting.length === 0) return `${TEXT}${JSON.stringify(text)}${CLOSE}${this.#tail}`
    return this.#frame({ text, thoughtSignature: this.#signature([]) })
  }

  #end(index: number): string {
    const part = this.#open.get(index)
    if (!part) return ''
    this.#open.delete(index)
    const { start, sealed } = part
    if (start.kind === 'tool-call') return this.#frame(callPart({ ...start, arguments: part.text }, this.#signature(sealed)))
    const refusal = start.kind === 'refusal' && part.text !== '' ? this.#answer(part.text) : ''
    if (sealed.length === 0) return refusal
    if (start.kind === 'reasoning' && !this.#thoughts) {
      this.#waiting.push(...hiddenIn(part.text, sealed))
      return ''
    }
    return `${refusal}${this.#frame({ text: '', ...(start.kind === 'reasoning' && { thought: true }), thoughtSignature: this.#signature(sealed) })}`
  }

  #signature(own: readonly Sealed[]): string | undefined {
    const signature = signatureOf([...own, ...this.#waiting])
    this.#waiting = []
    return signature
  }

  #finish(end: ReplyEnd): string {
    this.#done = true
    let frames = ''
    for (const index of [...this.#open.keys()]) frames += this.#end(index)
    const signature = this.#signature([])
    const grounding = groundingOf(this.#citations, this.#text)
    const usage = usageMetadata(this.#usage, this.#context.cost?.())
    const last = {
      candidates: [
        {
          content: { role: 'model', parts: [{ text: '', ...(signature !== undefined && { thoughtSignature: signature }) }] },
          ...finishReason(end),
          index: 0,
          ...(grounding && { groundingMetadata: grounding }),
          ...logprobsResult(this.#logprobs),
        },
      ],
      ...(usage && { usageMetadata: usage }),
    }
    return `${frames}data: ${JSON.stringify(last).slice(0, -1)}${this.#tail}`
  }

  #frame(part: JsonObject): string {
    return `data: {"candidates":[{"content":{"role":"model","parts":[${JSON.stringify(part)}]},"index":0}]${this.#tail}`
  }

  #identify(): void {
    this.#tail = `,"modelVersion":${JSON.stringify(this.#model)},"responseId":${JSON.stringify(this.#id)}}\n\n`
  }
}
