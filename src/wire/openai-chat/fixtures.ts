/** What the tests of this wire share. */
import type { ChatCall, Message, Part, Tool } from '../../core/call.ts'
import type { Event } from '../../core/event.ts'
import { type FoldedReply, fold } from '../../core/fold.ts'
import { arrayOf, isObject, type JsonObject, objectOf } from '../../core/json.ts'
import { type Drop, Notes } from '../../core/notes.ts'
import type { Capabilities, Quirks, Target } from '../../core/target.ts'
import type { ReplyContext } from '../wire.ts'
import { openaiChat } from './wire.ts'

export const targetWith = (quirks: Quirks = {}, capabilities: Capabilities = {}): Target => ({
  provider: 'p',
  model: 'm',
  wire: 'openai-chat',
  capabilities,
  quirks,
})

export const context: ReplyContext = { id: 'req_1', model: 'target-model', created: 1_790_000_000 }

/** A call of another wire: nothing in it goes back as it was said. */
export const foreignCall = (call: Partial<ChatCall>): ChatCall => ({
  op: 'chat',
  path: '',
  wire: 'anthropic-messages',
  model: 'x',
  stream: false,
  messages: [{ role: 'user', path: 'messages[0]', parts: [{ type: 'text', text: 'Hi', path: 'messages[0].content' }] }],
  tools: [],
  settings: {},
  paths: {},
  ...call,
})

export function encoded(
  call: ChatCall,
  target: Target = targetWith(),
): { body: JsonObject; drops: readonly Drop[]; dropped: readonly string[] } {
  const notes = new Notes()
  const { body } = openaiChat.encodeCall(call, target, notes)
  return { body, drops: notes.drops, dropped: notes.drops.map(({ path }) => path) }
}

export const decodedCall = (body: JsonObject): ChatCall => openaiChat.decodeCall({ model: 'm', ...body }, {})

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Events of an answer whose bytes come in pieces of at most `size`. */
export function decodedReply(text: string, streamed: boolean, { size = Number.POSITIVE_INFINITY, target = targetWith() } = {}): Event[] {
  const decoder = openaiChat.replyDecoder({ streamed, target })
  const whole = bytes(text)
  const events: Event[] = []
  for (let start = 0; start < whole.length; start += size)
    events.push(...decoder.push(whole.subarray(start, Math.min(whole.length, start + size))))
  events.push(...decoder.end())
  return events
}

/** Neighbouring pieces of one part as one, as a reader sees them. */
export function merged(events: readonly Event[]): Event[] {
  const out: Event[] = []
  for (const event of events) {
    const last = out.at(-1)
    if (event.type === 'text-delta' && last?.type === 'text-delta' && last.index === event.index)
      out[out.length - 1] = { ...last, text: last.text + event.text }
    else out.push(event)
  }
  return out
}

export const sse = (...chunks: readonly (JsonObject | string)[]): string =>
  chunks.map((chunk) => `data: ${typeof chunk === 'string' ? chunk : JSON.stringify(chunk)}\n\n`).join('')

export const chunk = (delta: JsonObject, more: JsonObject = {}): JsonObject => ({
  id: 'c1',
  object: 'chat.completion.chunk',
  created: 5,
  model: 'mm',
  choices: [{ index: 0, delta, finish_reason: null, ...more }],
})

export const ending = (reason = 'stop'): JsonObject => chunk({}, { finish_reason: reason })

export const plain = (message: JsonObject, more: JsonObject = {}, choice: JsonObject = {}): string =>
  JSON.stringify({
    id: 'c1',
    object: 'chat.completion',
    created: 5,
    model: 'mm',
    choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: 'stop', ...choice }],
    ...more,
  })

/** Parts and turns of a call, as another dialect's decoder makes them. */
export const text = (words: string, path = 'messages[0].content[0]'): Part => ({ type: 'text', text: words, path })
export const turn = (role: Message['role'], parts: readonly Part[], index = 0): Message => ({ role, parts, path: `messages[${index}]` })
export const toolCall = (id: string, name = 'f', more: Partial<Part> = {}): Part =>
  ({ type: 'tool-call', id, name, arguments: '{}', path: `call ${id}`, ...more }) as Part
export const result = (id: string, words: string, more: Partial<Part> = {}): Part =>
  ({ type: 'tool-result', id, content: [text(words, `result ${id}`)], path: `result ${id}`, ...more }) as Part
export const tool = { type: 'function', path: 'tools[0]', name: 'f', schema: { type: 'object' } } satisfies Tool
export const messagesOf = (call: Partial<ChatCall>, target = targetWith()): JsonObject[] =>
  encoded(foreignCall(call), target).body['messages'] as JsonObject[]

export const callsIn = (message: JsonObject | undefined): JsonObject[] => arrayOf(message?.['tool_calls']).filter(isObject)
export const functionIn = (owner: JsonObject | undefined): JsonObject => objectOf(owner?.['function']) ?? {}

export const said = ({ parts }: FoldedReply): unknown[] =>
  parts.map((part) => (part.kind === 'whole' ? [part.part.type] : [part.kind, part.text]))
export const streamed = (...chunks: (JsonObject | string)[]): FoldedReply => fold(decodedReply(sse(...chunks), true))
export const whole = (message: JsonObject, more?: JsonObject, choice?: JsonObject): FoldedReply =>
  fold(decodedReply(plain(message, more, choice), false))
