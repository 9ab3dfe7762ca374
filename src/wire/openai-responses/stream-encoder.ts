/** A reply as this wire's stream, event by event. */
import type { ChatCall } from '../../core/call.ts'
import type { GatewayError } from '../../core/error.ts'
import { type Event, mergeUsage, type PartKind, type PartStart, type ReplyEnd, type ReplyStart, type Usage } from '../../core/event.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ReplyContext, Resume, StreamEncoder } from '../wire.ts'
import { joins } from './encode-reply.ts'
import { failureOf } from './error.ts'
import { newItemId } from './ids.ts'
import {
  annotationOf,
  CallIds,
  type CallItem,
  callItem,
  carrierItem,
  itemId,
  messageItem,
  NO_ARGUMENTS,
  reasoningItem,
  refusalContent,
  textContent,
  wholeItem,
} from './output-items.ts'
import { echoOf, encodeUsage, responseId, statusOf } from './response-object.ts'
import type { LooseItem, OpenItem, OpenPart } from './stream-parts.ts'
import { movedTo, placeOf } from './stream-place.ts'

export class ResponsesStreamEncoder implements StreamEncoder {
  readonly #call: ChatCall
  readonly #context: ReplyContext
  readonly #parts = new Map<number, OpenPart>()
  readonly #output: JsonObject[] = []
  readonly #ids = new CallIds()
  #number = 0
  #places = 0
  #head = ''
  #tail = ''
  #message: OpenItem | undefined
  #usage: Usage | undefined
  #said = false
  #over = false
  #voidedPlaces = 0
  /** An item that began before this encoder did, and of which the events know nothing. */
  #loose: LooseItem | undefined
  torn = false

  constructor(call: ChatCall, context: ReplyContext) {
    this.#call = call
    this.#context = context
  }

  /** Goes on with the numbers, places and ids of what went out, and in the item that is open. */
  resume({ events, frames }: Resume): void {
    this.push(events)
    const { number, places, item } = placeOf(frames)
    this.#number = number + 1
    this.#places = places
    if (!item) return
    const open = [...this.#parts].at(-1)
    const own = open?.[1].item ?? this.#message
    const taken: OpenItem = { content: [], open: 0, closing: false, ...own, id: item.id, place: item.place }
    if (own ? own === this.#message : item.type === 'message') this.#message = taken
    else if (!own) this.#loose = { item: taken, type: item.type, json: item.json }
    this.torn = this.#loose !== undefined && item.type !== 'reasoning'
    if (open) this.#parts.set(open[0], movedTo(taken, item.slot, open[1]))
  }

  restart(): string {
    const frames = this.#leaveMessage() + (this.#loose ? this.#endLoose(this.#loose) : '')
    this.#voidedPlaces = this.#places
    this.#said = false
    return frames
  }

  push(events: readonly Event[]): string {
    let frames = this.#loose && !this.torn ? this.#endLoose(this.#loose) : ''
    for (const event of events) {
      if (this.#over) break
      if (event.type === 'text-delta') frames += this.#delta(event.index, event.text)
      else frames += this.#take(event)
    }
    return frames
  }

  #take(event: Exclude<Event, { type: 'text-delta' }>): string {
    switch (event.type) {
      case 'reply-start':
        this.#usage = mergeUsage(this.#usage, event.usage)
        return this.#begin(event)
      case 'part-start':
        return this.#begin() + this.#startPart(event)
      case 'part-sealed':
        this.#parts.get(event.index)?.sealed.push(event.sealed)
        return ''
      case 'part-citation': {
        const part = this.#parts.get(event.index)
        const annotation = part?.kind === 'text' ? annotationOf(event.citation, part.text.length) : undefined
        if (!part || !annotation) return ''
        const number = part.annotations.push(annotation) - 1
        return this.#frame(
          'response.output_text.annotation.added',
          `${part.at},"annotation_index":${number},"annotation":${JSON.stringify(annotation)}`,
        )
      }
      case 'part-logprobs': {
        const part = this.#parts.get(event.index)
        if (part?.kind !== 'text') return ''
        part.logprobs.push(...event.logprobs)
        return this.#frame('response.output_text.delta', `${part.at},"delta":"","logprobs":${JSON.stringify(event.logprobs)}`)
      }
      case 'part-end':
        return this.#endPart(event.index)
      case 'part-whole': {
        const item = wholeItem(event.part)
        return item ? this.#begin() + this.#leaveMessage() + this.#whole(item) : ''
      }
      case 'usage':
        this.#usage = mergeUsage(this.#usage, event.usage)
        return ''
      case 'reply-end':
        return this.#begin() + this.#end(event)
      case 'error':
        return this.#begin() + this.#fail(event.error)
      default:
        return event satisfies never
    }
  }

  /** The only path that is walked for every token. */
  #delta(index: number, text: string): string {
    const part = this.#parts.get(index)
    if (!part || text === '') return ''
    const opening = part.text === '' && part.kind === 'reasoning' ? this.#openThought(part) : ''
    part.text += text
    return `${opening}${part.prefix}${JSON.stringify(text)}${part.suffix}${this.#number++}}\n\n`
  }

  #frame(type: string, members: string): string {
    return `event: ${type}\ndata: {"type":"${type}",${members},"sequence_number":${this.#number++}}\n\n`
  }

  #begin(start?: ReplyStart): string {
    if (this.#head !== '') return ''
    const { created, model } = this.#context
    const head = {
      id: responseId(start?.id, this.#context),
      object: 'response',
      created_at: start?.created ?? created,
      model: start?.model ?? model,
    }
    this.#head = JSON.stringify(head).slice(0, -1)
    this.#tail = JSON.stringify(echoOf(this.#call)).slice(1)
    const fresh = this.#response({ status: 'in_progress', error: null, incomplete_details: null, output: [], usage: null })
    return this.#frame('response.created', fresh) + this.#frame('response.in_progress', fresh)
  }

  #response(state: JsonObject): string {
    const tier = JSON.stringify(this.#usage?.serviceTier ?? 'default')
    return `"response":${this.#head},${JSON.stringify(state).slice(1, -1)},"service_tier":${tier},${this.#tail}`
  }

  #startPart(event: PartStart): string {
    switch (event.kind) {
      case 'text':
      case 'refusal':
        return this.#startText(event)
      case 'reasoning':
        return this.#leaveMessage() + this.#startThought(event)
      case 'tool-call':
        return this.#leaveMessage() + this.#startCall(event)
      default:
        return event.kind satisfies never
    }
  }

  #startText({ index, kind, id, phase }: PartStart): string {
    let frames = ''
    if (!this.#message || !joins({ id: this.#message.from, phase: this.#message.phase }, { id, phase })) {
      frames += this.#leaveMessage()
      this.#message = { ...this.#newItem(itemId('msg', id)), phase, from: id }
      frames += this.#added(this.#message, messageItem(this.#message.id, 'in_progress', phase, []))
    }
    const item = this.#message
    const slot = item.content.push(undefined) - 1
    item.open++
    const at = `"item_id":"${item.id}","output_index":${item.place},"content_index":${slot}`
    const stem = kind === 'refusal' ? 'response.refusal' : 'response.output_text'
    this.#open(index, { kind, item, at, slot, stem, more: kind === 'refusal' ? '' : ',"logprobs":[]' })
    const part = kind === 'refusal' ? refusalContent('') : textContent('', [], [])
    return frames + this.#frame('response.content_part.added', `${at},"part":${JSON.stringify(part)}`)
  }

  #startThought({ index, id, summary }: PartStart): string {
    const item = this.#newItem(itemId('rs', id))
    const shortened = summary === true || this.#call.reasoning?.visible === true
    const at = `"item_id":"${item.id}","output_index":${item.place},"${shortened ? 'summary' : 'content'}_index":0`
    this.#open(index, {
      kind: 'reasoning',
      item,
      at,
      slot: -1,
      stem: shortened ? 'response.reasoning_summary_text' : 'response.reasoning_text',
      summary: shortened,
    })
    return this.#added(item, { id: item.id, type: 'reasoning', summary: [] })
  }

  #startCall({ index, id, name = '', namespace, freeform }: PartStart): string {
    const item = this.#newItem(newItemId(freeform ? 'ctc' : 'fc'))
    const call = { id: item.id, callId: this.#ids.of(id), name, namespace, freeform }
    const at = `"item_id":"${item.id}","output_index":${item.place}`
    this.#open(index, {
      kind: 'tool-call',
      item,
      at,
      slot: -1,
      stem: freeform ? 'response.custom_tool_call_input' : 'response.function_call_arguments',
      call,
    })
    return this.#added(item, callItem(call, 'in_progress', ''))
  }

  #newItem(id: string): OpenItem {
    return { id, place: this.#places++, content: [], open: 0, closing: false }
  }

  #open(
    index: number,
    start: { kind: PartKind; item: OpenItem; at: string; slot: number; stem: string; more?: string; summary?: boolean; call?: CallItem },
  ): void {
    const { kind, item, at, slot, stem, more = '', summary = false, call } = start
    const prefix = `event: ${stem}.delta\ndata: {"type":"${stem}.delta",${at},"delta":`
    this.#parts.set(index, {
      kind,
      item,
      at,
      slot,
      summary,
      call,
      prefix,
      suffix: `${more},"sequence_number":`,
      text: '',
      sealed: [],
      annotations: [],
      logprobs: [],
    })
  }

  #added(item: OpenItem, json: JsonObject): string {
    return this.#frame('response.output_item.added', `"output_index":${item.place},"item":${JSON.stringify(json)}`)
  }

  #done(item: OpenItem, json: JsonObject): string {
    this.#output[item.place] = json
    return this.#frame('response.output_item.done', `"output_index":${item.place},"item":${JSON.stringify(json)}`)
  }

  /** An item in one piece. */
  #whole(json: JsonObject): string {
    const item = this.#newItem('')
    return this.#added(item, json) + this.#done(item, json)
  }

  #openThought({ summary, at }: OpenPart): string {
    if (summary) return this.#frame('response.reasoning_summary_part.added', `${at},"part":{"type":"summary_text","text":""}`)
    return this.#frame('response.content_part.added', `${at},"part":{"type":"reasoning_text","text":""}`)
  }

  #endPart(index: number): string {
    const part = this.#parts.get(index)
    if (!part) return ''
    this.#parts.delete(index)
    switch (part.kind) {
      case 'text':
      case 'refusal':
        return this.#endText(part)
      case 'reasoning':
        return this.#endThought(part)
      case 'tool-call':
        return this.#endCall(part)
      default:
        return part.kind satisfies never
    }
  }

  #endText(part: OpenPart): string {
    const { kind, item, at, text, annotations, logprobs } = part
    if (text !== '') this.#said = true
    const content = kind === 'refusal' ? refusalContent(text) : textContent(text, annotations, logprobs)
    item.content[part.slot] = content
    item.open--
    const told =
      kind === 'refusal' ? `"refusal":${JSON.stringify(text)}` : `"text":${JSON.stringify(text)},"logprobs":${JSON.stringify(logprobs)}`
    const frames =
      this.#frame(kind === 'refusal' ? 'response.refusal.done' : 'response.output_text.done', `${at},${told}`) +
      this.#frame('response.content_part.done', `${at},"part":${JSON.stringify(content)}`)
    if (part.sealed.length > 0) return frames + (item === this.#message ? this.#leaveMessage() : '') + this.#whole(carrierItem(part.sealed))
    return item.closing && item.open === 0 ? frames + this.#closeMessage(item) : frames
  }

  #endThought({ item, at, text, summary, sealed }: OpenPart): string {
    const quoted = JSON.stringify(text)
    let frames = ''
    if (text !== '' && summary)
      frames =
        this.#frame('response.reasoning_summary_text.done', `${at},"text":${quoted}`) +
        this.#frame('response.reasoning_summary_part.done', `${at},"part":{"type":"summary_text","text":${quoted}}`)
    else if (text !== '')
      frames =
        this.#frame('response.reasoning_text.done', `${at},"text":${quoted}`) +
        this.#frame('response.content_part.done', `${at},"part":{"type":"reasoning_text","text":${quoted}}`)
    return frames + this.#done(item, { ...reasoningItem(item.id, { text, summary, sealed }), id: item.id })
  }

  #endCall(part: OpenPart): string {
    const { call, item, at, sealed } = part
    if (!call) return ''
    const empty = part.text === '' && !call.freeform
    const said = empty ? NO_ARGUMENTS : part.text
    let frames = empty ? `${part.prefix}"${NO_ARGUMENTS}"${part.suffix}${this.#number++}}\n\n` : ''
    frames += call.freeform
      ? this.#frame('response.custom_tool_call_input.done', `${at},"input":${JSON.stringify(said)}`)
      : this.#frame(
          'response.function_call_arguments.done',
          `${at},"name":${JSON.stringify(call.name)},"arguments":${JSON.stringify(said)}`,
        )
    frames += this.#done(item, callItem(call, 'completed', said))
    return sealed.length > 0 ? frames + this.#whole(carrierItem(sealed, call.callId)) : frames
  }

  /** Nothing more joins the message: it ends now, or with its last open part. */
  #leaveMessage(status = 'completed'): string {
    const item = this.#message
    this.#message = undefined
    if (!item) return ''
    if (item.open === 0) return this.#closeMessage(item, status)
    item.closing = true
    return ''
  }

  #closeMessage(item: OpenItem, status = 'completed'): string {
    return this.#done(
      item,
      messageItem(
        item.id,
        status,
        item.phase,
        item.content.filter((one) => one !== undefined),
      ),
    )
  }

  #end({ finish, explanation }: ReplyEnd): string {
    const state = statusOf(finish)
    let frames = ''
    for (const index of [...this.#parts.keys()]) frames += this.#endPart(index)
    frames += this.#leaveMessage(state.status)
    if (finish === 'filter' && explanation && !this.#said) frames += this.#refuse(explanation)
    this.#over = true
    const usage = encodeUsage(this.#usage, this.#context.cost?.())
    const type = state.status === 'incomplete' ? 'response.incomplete' : 'response.completed'
    return (
      frames +
      this.#frame(
        type,
        this.#response({ status: state.status, error: null, incomplete_details: state.incomplete_details, output: this.#outputs(), usage }),
      )
    )
  }

  #endLoose({ item, type, json }: LooseItem): string {
    this.#loose = undefined
    this.torn = false
    return this.#done(item, { ...(json ?? { id: item.id, type, summary: [] }), ...(type !== 'reasoning' && { status: 'incomplete' }) })
  }

  #outputs(): JsonObject[] {
    return this.#output.slice(this.#voidedPlaces).filter((item) => item !== undefined)
  }

  /** Why nothing was said. */
  #refuse(explanation: string): string {
    return (
      this.#startText({ type: 'part-start', index: -1, kind: 'refusal' }) +
      this.#delta(-1, explanation) +
      this.#endPart(-1) +
      this.#leaveMessage('incomplete')
    )
  }

  #fail(error: GatewayError): string {
    this.#over = true
    const { event, failure } = failureOf(error)
    const output = this.#outputs()
    return (
      this.#frame('error', JSON.stringify(event).slice(1, -1)) +
      this.#frame('response.failed', this.#response({ status: 'failed', error: failure, incomplete_details: null, output, usage: null }))
    )
  }
}
