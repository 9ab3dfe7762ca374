/** An answer as chat completion chunks. Runs once per event of every translated stream: it builds text, not objects. */
import type { ChatCall, MediaPart, Sealed } from '../../core/call.ts'
import type { Event, Logprob, PartStart, ReplyEnd, ReplyStart, Usage } from '../../core/event.ts'
import { mergeUsage } from '../../core/event.ts'
import { newId } from '../../core/id.ts'
import { isObject, type JsonObject, parseJson } from '../../core/json.ts'
import type { ReplyContext, Resume, StreamEncoder } from '../wire.ts'
import { annotationOf, audioOf, hidesThinking, imageOf, refusalIn, signatureOf } from './encode-reply.ts'
import { encodeStreamError } from './error.ts'
import { chatFinish, speaksOfFunctions } from './finish.ts'
import { detailsOf } from './reasoning-details.ts'
import { chatUsage } from './usage.ts'

const AFTER = ',"logprobs":null,"finish_reason":null}]}\n\n'

type Open =
  | { readonly kind: 'text'; readonly offset: number }
  | { readonly kind: 'refusal' }
  | { readonly kind: 'reasoning'; readonly summary: boolean; text: string; readonly sealed: Sealed[] }
  | {
      readonly kind: 'tool-call'
      readonly before: string
      readonly after: string
      empty: boolean
      readonly freeform: boolean
      readonly place: number
    }

class ChatStreamEncoder implements StreamEncoder {
  readonly #call: ChatCall
  readonly #context: ReplyContext
  readonly #open = new Map<number, Open>()
  readonly #ids = new Set<string>()
  #start: ReplyStart | undefined
  /** Everything of a chunk up to `choices`. */
  #head = ''
  /** Everything of a chunk up to its delta. */
  #before = ''
  #usage: Usage | undefined
  #calls = 0
  #details = 0
  /** Characters of content so far: sources are placed in the whole of it. */
  #length = 0
  #refused = false
  /** The client speaks of functions, the form before tools, which knows one call only. */
  readonly #legacy: boolean
  readonly #hidden: boolean
  #done = false
  torn = false

  constructor(call: ChatCall, context: ReplyContext) {
    this.#call = call
    this.#legacy = speaksOfFunctions(call)
    this.#hidden = hidesThinking(call)
    this.#context = context
  }

  /** Words that the events do not end with stand between thinking tags, or may yet turn out to. */
  resume({ events, frames }: Resume): void {
    this.push(events)
    const last = frames.map(({ data }) => contentOf(data)).findLast((content) => content.trim() !== '')
    const told = events.findLast((event) => event.type === 'text-delta')
    this.torn = last !== undefined && !(told?.text.endsWith(last) && this.#open.get(told.index)?.kind === 'text')
  }

  restart(): string {
    this.#length = 0
    this.#refused = false
    return ''
  }

  push(events: readonly Event[]): string {
    let out = ''
    for (let position = 0; position < events.length; position++) {
      const event = events[position]
      if (!event || this.#done) continue
      const next = events[position + 1]
      if (event.type === 'part-start' && event.kind === 'tool-call' && next?.type === 'part-sealed' && next.index === event.index) {
        // Clients look for a call's signature where the call begins.
        out += this.#begin() + this.#startCall(event, next.sealed)
        position++
      } else out += this.#encode(event)
    }
    return out
  }

  #encode(event: Event): string {
    switch (event.type) {
      case 'text-delta':
        return event.text === '' ? '' : this.#text(event.index, event.text)
      case 'reply-start':
        this.#start = event
        this.#usage = mergeUsage(this.#usage, event.usage)
        return ''
      case 'part-start':
        return this.#begin() + this.#startPart(event)
      case 'part-sealed':
        return this.#sealed(event.index, event.sealed)
      case 'part-citation': {
        const open = this.#open.get(event.index)
        const annotation = annotationOf(event.citation, open?.kind === 'text' ? open.offset : 0)
        return annotation ? this.#begin() + this.#delta({ annotations: [annotation] }) : ''
      }
      case 'part-logprobs':
        return this.#logprobs(event.index, event.logprobs)
      case 'part-end':
        return this.#endPart(event.index)
      case 'part-whole':
        return event.part.type === 'media' ? this.#begin() + this.#media(event.part) : ''
      case 'usage':
        this.#usage = mergeUsage(this.#usage, event.usage)
        return ''
      case 'reply-end':
        return this.#begin() + this.#end(event)
      case 'error':
        this.#done = true
        return encodeStreamError(event.error)
      default:
        return event satisfies never
    }
  }

  /** The first chunk, once there is something to say: it names the role. */
  #begin(): string {
    if (this.#before !== '') return ''
    const { id, created, model } = this.#start ?? {}
    const head = JSON.stringify({
      id: id || newId('chatcmpl-'),
      object: 'chat.completion.chunk',
      created: created ?? this.#context.created,
      model: model ?? this.#context.model,
    })
    this.#head = `data: ${head.slice(0, -1)}`
    this.#before = `${this.#head},"choices":[{"index":0,"delta":`
    return `${this.#before}{"role":"assistant","content":""}${AFTER}`
  }

  #delta(delta: JsonObject): string {
    return this.#before + JSON.stringify(delta) + AFTER
  }

  #startPart(event: PartStart): string {
    const { index, kind, summary = false } = event
    switch (kind) {
      case 'tool-call':
        return this.#startCall(event, undefined)
      case 'text':
        this.#open.set(index, { kind, offset: this.#length })
        return ''
      case 'refusal':
        this.#open.set(index, { kind })
        return ''
      case 'reasoning':
        this.#open.set(index, { kind, summary, text: '', sealed: [] })
        return ''
      default:
        return kind satisfies never
    }
  }

  #startFunction(index: number, name: string): string {
    if (this.#calls++ > 0) return ''
    const before = `${this.#before}{"function_call":{"arguments":`
    this.#open.set(index, { kind: 'tool-call', before, after: `}}${AFTER}`, empty: true, freeform: false, place: -1 })
    return this.#delta({ function_call: { name, arguments: '' } })
  }

  #startCall({ index, id, name = '', freeform = false }: PartStart, sealed: Sealed | undefined): string {
    if (this.#legacy) return this.#startFunction(index, name)
    const own = id && !this.#ids.has(id) ? id : newId('call_')
    this.#ids.add(own)
    const place = this.#calls++
    const [kind, field] = freeform ? ['custom', 'input'] : ['function', 'arguments']
    this.#open.set(index, {
      kind: 'tool-call',
      before: `${this.#before}{"tool_calls":[{"index":${place},"${kind}":{"${field}":`,
      after: `}}]}${AFTER}`,
      empty: true,
      freeform,
      place,
    })
    return this.#delta({
      tool_calls: [{ index: place, id: own, type: kind ?? '', [kind ?? '']: { name, [field ?? '']: '' }, ...(sealed && extra(sealed)) }],
    })
  }

  #text(index: number, text: string): string {
    const open = this.#open.get(index)
    switch (open?.kind) {
      case 'text':
        this.#length += text.length
        return `${this.#before}{"content":${JSON.stringify(text)}}${AFTER}`
      case 'reasoning':
        if (this.#hidden) return ''
        open.text += text
        return `${this.#before}{"reasoning_content":${JSON.stringify(text)}}${AFTER}`
      case 'tool-call':
        open.empty = false
        return open.before + JSON.stringify(text) + open.after
      case 'refusal':
        this.#refused = true
        return `${this.#before}{"refusal":${JSON.stringify(text)}}${AFTER}`
      case undefined:
        return ''
      default:
        return open satisfies never
    }
  }

  #sealed(index: number, sealed: Sealed): string {
    const open = this.#open.get(index)
    if (open?.kind === 'reasoning') open.sealed.push(sealed)
    if (open?.kind === 'tool-call') return open.place < 0 ? '' : this.#delta({ tool_calls: [{ index: open.place, ...extra(sealed) }] })
    return open?.kind === 'text' ? this.#delta(extra(sealed)) : ''
  }

  #endPart(index: number): string {
    const open = this.#open.get(index)
    this.#open.delete(index)
    // A call without arguments is one with none: clients parse what they got.
    if (open?.kind === 'tool-call') return open.empty && !open.freeform ? `${open.before}"{}"${open.after}` : ''
    if (open?.kind !== 'reasoning') return ''
    const details = detailsOf(open, this.#details)
    this.#details += details.length
    return details.length > 0 ? this.#delta({ reasoning_details: details }) : ''
  }

  #logprobs(index: number, logprobs: readonly Logprob[]): string {
    const kind = this.#open.get(index)?.kind
    if (kind !== 'text' && kind !== 'refusal') return ''
    const both = JSON.stringify({ content: kind === 'text' ? logprobs : null, refusal: kind === 'refusal' ? logprobs : null })
    return `${this.#before}{},"logprobs":${both},"finish_reason":null}]}\n\n`
  }

  #media(part: MediaPart): string {
    if (part.kind === 'image') return this.#delta({ images: [imageOf(part)] })
    if (part.kind !== 'audio') return ''
    // The words have gone out as content.
    const { transcript: _, ...audio } = audioOf(part)
    return this.#delta({ audio })
  }

  #end(end: ReplyEnd): string {
    this.#done = true
    const words = this.#refused ? '' : refusalIn(end)
    const refusal = words === '' ? '' : this.#delta({ refusal: words })
    const finish = chatFinish(end.finish)
    const word = finish === 'tool_calls' && this.#legacy ? 'function_call' : finish
    const last = `${this.#before}{},"logprobs":null,"finish_reason":"${word}"}]}\n\n`
    const usage = this.#call.streamUsage ? chatUsage(this.#usage, this.#context.cost?.()) : undefined
    return `${refusal}${last}${usage ? `${this.#head},"choices":[],"usage":${JSON.stringify(usage)}}\n\n` : ''}data: [DONE]\n\n`
  }
}

function contentOf(data: string): string {
  const chunk = parseJson(data)
  const choices = isObject(chunk) && Array.isArray(chunk['choices']) ? chunk['choices'] : []
  const delta = isObject(choices[0]) ? choices[0]['delta'] : undefined
  return isObject(delta) && typeof delta['content'] === 'string' ? delta['content'] : ''
}

const extra = (sealed: Sealed): JsonObject => ({ extra_content: { google: { thought_signature: signatureOf(sealed) } } })

export function streamEncoder(call: ChatCall, context: ReplyContext, resume?: Resume): StreamEncoder {
  const encoder = new ChatStreamEncoder(call, context)
  if (resume) encoder.resume(resume)
  return encoder
}
