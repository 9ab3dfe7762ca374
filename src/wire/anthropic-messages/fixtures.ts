/** Small calls and answers for the tests of this folder. */
import type { ChatCall, Message, Part } from '../../core/call.ts'
import type { Event } from '../../core/event.ts'
import { Fold, type FoldedReply } from '../../core/fold.ts'
import type { JsonObject } from '../../core/json.ts'
import { Notes } from '../../core/notes.ts'
import type { Capabilities, Target } from '../../core/target.ts'
import { anthropicMessages } from './wire.ts'

/** A call of a Chat client. */
export const chatCall = (call: Partial<ChatCall>): ChatCall => ({
  op: 'chat',
  wire: 'openai-chat',
  path: '',
  model: 'route',
  stream: false,
  messages: [user('Hello')],
  tools: [],
  settings: {},
  paths: {},
  ...call,
})

export const text = (words: string, path = 'messages[0].content'): Part => ({ type: 'text', text: words, path })
export const user = (words: string, path = 'messages[0]'): Message => ({ role: 'user', path, parts: [text(words, `${path}.content`)] })
export const assistant = (parts: readonly Part[], path = 'messages[1]'): Message => ({ role: 'assistant', path, parts })
export const toolCall = (id: string, name: string, args = '{}', path = 'messages[1].tool_calls[0]'): Part => ({
  type: 'tool-call',
  id,
  name,
  arguments: args,
  path,
})
export const toolResult = (id: string, words: string, path = 'messages[2]'): Part => ({
  type: 'tool-result',
  id,
  path,
  content: [text(words, `${path}.content`)],
})

export const targetOf = (capabilities: Capabilities = {}): Target => ({
  provider: 'anthropic',
  model: 'claude-test',
  wire: 'anthropic-messages',
  capabilities,
  quirks: {},
})

export interface Encoded {
  readonly body: JsonObject
  readonly dropped: readonly string[]
  readonly formatTool: string | undefined
  readonly headers: Readonly<Record<string, string>>
}

export function encoded(call: Partial<ChatCall>, capabilities?: Capabilities): Encoded {
  const notes = new Notes()
  const { body, restore, headers } = anthropicMessages.encodeCall(chatCall(call), targetOf(capabilities), notes)
  return {
    body: JSON.parse(JSON.stringify(body)) as JsonObject,
    dropped: notes.drops.map(({ path, reason }) => `${path};${reason}`),
    formatTool: restore?.formatTool,
    headers: headers ?? {},
  }
}

const bytes = new TextEncoder()

/** Events of an answer that arrives in pieces of `size` bytes. */
export function decoded(answer: string, { streamed, size = Number.POSITIVE_INFINITY }: { streamed: boolean; size?: number }): Event[] {
  const decoder = anthropicMessages.replyDecoder({ streamed, target: targetOf() })
  const all = bytes.encode(answer)
  const events: Event[] = []
  for (let start = 0; start < all.length; start += size)
    events.push(...decoder.push(all.subarray(start, Math.min(all.length, start + size))))
  return [...events, ...decoder.end()]
}

export function folded(events: readonly Event[]): FoldedReply {
  const fold = new Fold()
  fold.push(events)
  return fold.reply
}

export const sse = (...events: readonly JsonObject[]): string =>
  events.map((event) => `event: ${event['type']}\ndata: ${JSON.stringify(event)}\n\n`).join('')

export const context = { id: 'req_1', model: 'upstream-model', created: 1_790_000_000 }

/** What a client is sent for these events, in one batch or event by event. */
export function streamed(events: readonly Event[], oneByOne = true): string {
  const encoder = anthropicMessages.streamEncoder(chatCall({ stream: true }), context)
  return oneByOne ? events.map((event) => encoder.push([event])).join('') : encoder.push(events)
}

/** The data of every frame. */
export const framesOf = (stream: string): JsonObject[] =>
  stream
    .split('\n\n')
    .filter(Boolean)
    .map((block) => JSON.parse(block.slice(block.indexOf('data:') + 5)) as JsonObject)
