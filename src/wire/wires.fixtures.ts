/** What the contract suites of all wires share: small calls, replies as events, and how two replies are compared. */
import type { ChatCall, WireId } from '../core/call.ts'
import type { Event } from '../core/event.ts'
import { type FoldedReply, fold } from '../core/fold.ts'
import { type Json, type JsonObject, parseJson } from '../core/json.ts'
import type { Target } from '../core/target.ts'
import type { ReplyContext, Wire } from './wire.ts'

export const targetOf = (wire: WireId): Target => ({ provider: 'p', model: 'm', wire, capabilities: {}, quirks: {} })
export const context: ReplyContext = { id: 'req_1', model: 'm', created: 1_790_000_000 }

const SMALL: { readonly [Id in WireId]?: JsonObject } = {
  'openai-chat': { model: 'm', messages: [{ role: 'user', content: 'Hi' }], stream_options: { include_usage: true } },
  'openai-responses': { model: 'm', input: 'Hi' },
  'anthropic-messages': { model: 'm', max_tokens: 100, messages: [{ role: 'user', content: 'Hi' }] },
  gemini: { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] },
}

/** The smallest call of a dialect. */
export const smallCall = (wire: Wire): ChatCall => wire.decodeCall(SMALL[wire.id] ?? {}, { model: 'm', stream: true })

const utf8 = new TextEncoder()

/** The events of these bytes, given in pieces of `size`. */
export function decode(wire: Wire, body: string | Uint8Array, streamed: boolean, size = Number.POSITIVE_INFINITY): Event[] {
  const bytes = typeof body === 'string' ? utf8.encode(body) : body
  const decoder = wire.replyDecoder({ streamed, target: targetOf(wire.id) })
  const events: Event[] = []
  for (let start = 0; start < bytes.length; start += size) events.push(...decoder.push(bytes.subarray(start, start + size)))
  return [...events, ...decoder.end()]
}

/** The same reply in a dialect, streamed and whole. */
export const streamOf = (wire: Wire, events: readonly Event[]): string => wire.streamEncoder(smallCall(wire), context).push(events)
export const wholeOf = (wire: Wire, events: readonly Event[]): string =>
  JSON.stringify(wire.encodeReply(fold(events), smallCall(wire), context))

/** Adjacent deltas of one part as one: how a text was cut says nothing. */
export function merged(events: readonly Event[]): Event[] {
  const list: Event[] = []
  for (const event of events) {
    const last = list.at(-1)
    if (event.type === 'text-delta' && last?.type === 'text-delta' && last.index === event.index)
      list[list.length - 1] = { ...last, text: last.text + event.text }
    else list.push(event)
  }
  return list
}

export interface Picture {
  readonly said: string
  readonly calls: readonly { readonly name: string | undefined; readonly arguments: Json | undefined }[]
  readonly finish: string | undefined
  readonly input: number | undefined
  readonly output: number | undefined
  readonly cacheRead: number | undefined
}

/** What every dialect can say of a reply. A refusal may stand as words; which words stopped it is not told everywhere. */
export function pictureOf({ parts, end, usage }: FoldedReply): Picture {
  const said = parts.map((part) => (part.kind === 'text' || part.kind === 'refusal' ? part.text : '')).join('')
  const calls = parts.flatMap((part) =>
    part.kind === 'tool-call' ? [{ name: part.name, arguments: part.text.trim() === '' ? {} : (parseJson(part.text) ?? part.text) }] : [],
  )
  const finish = end?.finish === 'stop-sequence' ? 'stop' : end?.finish
  return { said, calls, finish, input: usage?.input, output: usage?.output, cacheRead: usage?.cacheRead }
}

/** Replies that every wire must be able to tell. */
export const replies: { readonly [name: string]: readonly Event[] } = {
  'a text': [
    { type: 'reply-start', id: 'id-1', model: 'm', created: 1_790_000_000 },
    { type: 'part-start', index: 0, kind: 'text' },
    { type: 'text-delta', index: 0, text: 'Sünny "☀"\n\ndata: no frame\n' },
    { type: 'text-delta', index: 0, text: '\u2028 and 😀.' },
    { type: 'part-end', index: 0 },
    { type: 'usage', usage: { input: 12, output: 7, cacheRead: 4 } },
    { type: 'reply-end', finish: 'stop' },
  ],
  'thinking, text and two calls': [
    { type: 'reply-start', id: 'id-2', model: 'm' },
    { type: 'part-start', index: 0, kind: 'reasoning' },
    { type: 'text-delta', index: 0, text: 'Hm.' },
    { type: 'part-end', index: 0 },
    { type: 'part-start', index: 1, kind: 'text' },
    { type: 'text-delta', index: 1, text: 'Looking.' },
    { type: 'part-end', index: 1 },
    { type: 'part-start', index: 2, kind: 'tool-call', id: 'call_1', name: 'add' },
    { type: 'text-delta', index: 2, text: '{"a":[1,{"b":' },
    { type: 'text-delta', index: 2, text: '"}"}]}' },
    { type: 'part-end', index: 2 },
    { type: 'part-start', index: 3, kind: 'tool-call', id: '', name: 'now' },
    { type: 'part-end', index: 3 },
    { type: 'usage', usage: { input: 3, output: 9 } },
    { type: 'reply-end', finish: 'tool-calls' },
  ],
  'calls side by side': [
    { type: 'reply-start' },
    { type: 'part-start', index: 0, kind: 'tool-call', id: 'call_1', name: 'one' },
    { type: 'part-start', index: 1, kind: 'tool-call', id: 'call_2', name: 'two' },
    { type: 'text-delta', index: 0, text: '{"n":' },
    { type: 'text-delta', index: 1, text: '{"n":' },
    { type: 'text-delta', index: 0, text: '1}' },
    { type: 'text-delta', index: 1, text: '2}' },
    { type: 'part-end', index: 0 },
    { type: 'part-end', index: 1 },
    { type: 'reply-end', finish: 'tool-calls' },
  ],
  'a text that was cut off by its limit': [
    { type: 'reply-start' },
    { type: 'part-start', index: 0, kind: 'text' },
    { type: 'text-delta', index: 0, text: 'Once upon' },
    { type: 'part-end', index: 0 },
    { type: 'reply-end', finish: 'length' },
  ],
  'a text that a filter stopped': [
    { type: 'reply-start' },
    { type: 'part-start', index: 0, kind: 'text' },
    { type: 'text-delta', index: 0, text: 'First, take' },
    { type: 'part-end', index: 0 },
    { type: 'reply-end', finish: 'filter' },
  ],
}
