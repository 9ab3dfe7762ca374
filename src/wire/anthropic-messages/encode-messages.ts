/** The conversation as the body's messages, and what the API wants of its first and last ones. */
import type { ChatCall, Part } from '../../core/call.ts'
import { isObject, type Json } from '../../core/json.ts'
import type { Notes } from '../../core/notes.ts'
import type { Target } from '../../core/target.ts'
import { untranslatable } from '../stored.ts'
import { WIRE } from './decode-content.ts'
import { type Block, blocksOf, type Writing } from './encode-parts.ts'
import type { Thinking } from './encode-thinking.ts'
import type { Turn } from './turns.ts'

export interface Message {
  [member: string]: Json | undefined
  role: string
  content: Json
}

export function messagesOf(turns: readonly Turn[], writing: Writing): Message[] {
  const drafts: { role: Turn['role']; blocks: Block[]; message: Turn['message'] }[] = []
  for (const { role, parts, message } of turns) {
    const blocks = blocksOf(parts, role, writing)
    const last = drafts.at(-1)
    if (blocks.length === 0 && !(message && parts.length === 0)) continue
    // A turn of which nothing was left may have stood between two of one side.
    if (!message && last?.role === role) last.blocks.push(...blocks)
    else drafts.push({ role, blocks, message })
  }
  return drafts.map(({ role, blocks, message }) => ({
    ...message?.extras,
    role,
    content: message && isListed(message.parts) ? blocks : plainText(blocks),
  }))
}

/** The client wrote a list, even if of one text. */
export const isListed = (parts: readonly Part[]): boolean => parts[0]?.path.endsWith(']') ?? false

/** One text and nothing else is written as a text. */
export function plainText(blocks: readonly Block[]): Json {
  const [only] = blocks
  return blocks.length === 1 && only && only['type'] === 'text' && Object.keys(only).length === 2 ? (only['text'] ?? '') : blocks
}

const blocksIn = (content: Json): readonly Json[] => (Array.isArray(content) ? content : [])

/** The model thinks by a budget, but the calls whose results it is given were made without thinking. */
export function loopWithoutThinking(messages: readonly Message[]): boolean {
  const before = messages.at(-2)
  if (before?.role !== 'assistant') return false
  const blocks = blocksIn(before.content)
  const [first] = blocks
  return (
    blocks.some((block) => isObject(block) && block['type'] === 'tool_use') && !(isObject(first) && /thinking$/.test(String(first['type'])))
  )
}

/** A conversation with calls must offer tools: those it used, when the client offers none any more. */
export function pastTools(messages: readonly Message[]): Block[] {
  const blocks = messages.flatMap(({ content }) => blocksIn(content)).filter(isObject)
  const names = new Set(blocks.filter(({ type }) => type === 'tool_use').map(({ name }) => String(name)))
  return [...names].map((name) => ({ name, description: 'No longer available.', input_schema: { type: 'object', properties: {} } }))
}

/** Nothing but instructions: they are what the model is asked. */
export function saveSystemOnly(system: Block[], messages: Message[], call: ChatCall, notes: Notes): void {
  const path = call.messages[0]?.path ?? ''
  if (system.length === 0) throw untranslatable('The conversation holds nothing that this provider could be asked.', path)
  notes.dropped(path, 'as a text of the user')
  messages.push({ role: 'user', content: plainText(system.splice(0)) })
}

export function finishMessages(messages: Message[], call: ChatCall, { capabilities }: Target, { budget }: Thinking, notes: Notes): void {
  const own = call.wire === WIRE
  if (!own && messages[0]?.role === 'assistant') {
    notes.dropped(call.messages[0]?.path ?? '', 'an opening turn of the user was added')
    messages.unshift({ role: 'user', content: '(The conversation begins with your message.)' })
  }
  const last = messages.at(-1)
  if (last?.role !== 'assistant') return
  const tail = blocksIn(last.content).at(-1)
  if (typeof last.content === 'string') last.content = last.content.trimEnd()
  else if (isObject(tail) && tail['type'] === 'text')
    last.content = [...blocksIn(last.content).slice(0, -1), { ...tail, text: String(tail['text']).trimEnd() }]
  const calls = isObject(tail) && tail['type'] === 'tool_use'
  if (calls || (capabilities.prefill !== false && (own || budget === undefined))) return
  notes.dropped(call.messages.at(-1)?.path ?? '', 'the model cannot continue a turn: it is asked to')
  messages.push({ role: 'user', content: 'Continue your last message exactly where it ends.' })
}
