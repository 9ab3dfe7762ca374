/** Input items, as turns. */
import type { Message, Part, ReasoningPart, Sealed, Tool } from '../../core/call.ts'
import { invalid } from '../../core/error.ts'
import { at, isFilled, isObject, type Json, type JsonObject } from '../../core/json.ts'
import { isCarried, uncarry } from '../carrier.ts'
import { decodeContent } from './decode-parts.ts'
import { decodeTools, type Nest } from './decode-tools.ts'
import { madeHere } from './ids.ts'
import { asObject, listAt, others, pick, stringAt } from './read.ts'

const ROLES: Readonly<Record<string, Message['role']>> = { system: 'system', developer: 'system', user: 'user', assistant: 'assistant' }
/** What an item carries for the sake of the answer that it once was. */
const BOOKKEEPING = ['id', 'status', 'caller', 'created_by'] as const

const known = (...names: string[]): ReadonlySet<string> => new Set(['type', ...BOOKKEEPING, ...names])
const MESSAGE = known('role', 'content')
const CALL = known('call_id', 'name', 'namespace', 'arguments')
const CUSTOM_CALL = known('call_id', 'name', 'namespace', 'input')
const OUTPUT = known('call_id', 'output', 'name')
const REASONING = known('summary', 'content', 'encrypted_content', 'format')
const WORDS = new Set(['type', 'text'])
const ADDITIONAL_TOOLS = new Set(['type', 'id', 'role', 'tools'])

/** Items of one side that follow each other become one turn; a message is a turn of its own. */
class Turns {
  readonly messages: Message[] = []
  #open: { readonly role: 'user' | 'assistant'; readonly parts: Part[] } | undefined

  message(message: Message): void {
    this.#open = undefined
    this.messages.push(message)
  }

  add(role: 'user' | 'assistant', part: Part): void {
    if (this.#open?.role !== role) {
      this.#open = { role, parts: [] }
      this.messages.push({ role, path: part.path, parts: this.#open.parts })
    }
    this.#open.parts.push(part)
  }

  /** Gives state to the call that it names, else to the last thing that the assistant said or called; false when there is none. */
  seal(sealed: readonly Sealed[]): boolean {
    const [first] = sealed
    const named = (part: Part): boolean => part.type === 'tool-call' && part.id !== '' && part.id === first?.id
    const found = this.messages.findLastIndex(({ parts }) => parts.some(named))
    const index = found < 0 ? this.messages.length - 1 : found
    const message = this.messages[index]
    const place = found < 0 ? (message?.parts.length ?? 0) - 1 : (message?.parts.findLastIndex(named) ?? -1)
    const part = message?.parts[place]
    if (message?.role !== 'assistant' || (part?.type !== 'text' && part?.type !== 'tool-call')) return false
    const own = sealed.map(({ id: _, ...one }) => one)
    const parts = message.parts.with(place, { ...part, sealed: [...(part.sealed ?? []), ...own] })
    if (this.#open?.parts === message.parts) this.#open = { role: 'assistant', parts }
    this.messages[index] = { ...message, parts }
    return true
  }
}

/** The conversation, and the tools that items brought along. */
export function decodeInput(body: JsonObject, nest: Nest): { readonly messages: readonly Message[]; readonly tools: readonly Tool[] } {
  const turns = new Turns()
  const tools: Tool[] = []
  const { input } = body
  if (typeof input === 'string') turns.message({ role: 'user', path: 'input', parts: [{ type: 'text', text: input, path: 'input' }] })
  else for (const { value, path } of listAt(body, 'input', '')) decodeItem(value, path, turns, tools, nest)
  return { messages: turns.messages, tools }
}

function decodeItem(value: Json, path: string, turns: Turns, tools: Tool[], nest: Nest): void {
  if (typeof value === 'string') {
    turns.message({ role: 'user', path, parts: [{ type: 'text', text: value, path }] })
    return
  }
  const item = asObject(value, path)
  const type = stringAt(item, 'type', path) ?? (isFilled(item['role']) ? 'message' : undefined)
  switch (type) {
    case 'message':
      turns.message(messageOf(item, path))
      break
    case 'function_call':
    case 'custom_tool_call':
      turns.add('assistant', callOf(item, path, type === 'custom_tool_call'))
      break
    case 'function_call_output':
    case 'custom_tool_call_output':
      turns.add('user', resultOf(item, path, type))
      break
    case 'reasoning':
      decodeReasoning(item, path, turns, nest)
      break
    case 'additional_tools':
      tools.push(...decodeTools(item, 'tools', path, nest))
      nest.keep(path, others(item, ADDITIONAL_TOOLS) ?? {})
      nest.own(path, pick(item, ['id', 'role']) ?? {})
      break
    case undefined:
      throw invalid(`${path} has neither a type nor a role.`, at(path, 'type'))
    default: {
      const role = /_output$|_response$/.test(type) ? 'user' : 'assistant'
      turns.add(role, { type: 'foreign', path, wire: 'openai-responses', kind: type, value: item })
    }
  }
}

const resultOf = (item: JsonObject, path: string, type: string): Part => ({
  type: 'tool-result',
  path,
  id: stringAt(item, 'call_id', path) ?? '',
  content: isObject(item['output'])
    ? [{ type: 'text', text: JSON.stringify(item['output']), path: at(path, 'output') }]
    : decodeContent(item, 'output', path),
  extras: others(item, OUTPUT),
  own: { ...ownOf(item), type },
})

function messageOf(item: JsonObject, path: string): Message {
  const name = stringAt(item, 'role', path)
  const role = name === undefined ? undefined : Object.hasOwn(ROLES, name) ? ROLES[name] : undefined
  if (!role) throw invalid(`${at(path, 'role')} must be user, assistant, system or developer.`, at(path, 'role'))
  // Which of its words the client used is no loss elsewhere.
  const own = { ...ownOf(item), ...pick(item, ['type', 'role']) }
  return { role, path, parts: decodeContent(item, 'content', path), extras: others(item, MESSAGE), own }
}

function callOf(item: JsonObject, path: string, freeform: boolean): Part {
  const name = stringAt(item, 'name', path)
  if (name === undefined) throw invalid(`${at(path, 'name')} is missing.`, at(path, 'name'))
  const own = ownOf(item)
  const key = freeform ? 'input' : 'arguments'
  const said = item[key]
  return {
    type: 'tool-call',
    path,
    id: stringAt(item, 'call_id', path) ?? stringAt(item, 'id', path) ?? '',
    name,
    namespace: stringAt(item, 'namespace', path),
    arguments: isObject(said) ? JSON.stringify(said) : (stringAt(item, key, path) ?? ''),
    ...(freeform && { freeform }),
    extras: others(item, freeform ? CUSTOM_CALL : CALL),
    ...(own && { own }),
  }
}

/** Ids that the gateway itself made say nothing to any provider. */
function ownOf(item: JsonObject): JsonObject | undefined {
  const found = BOOKKEEPING.filter((name) => item[name] !== undefined && item[name] !== null && !(name === 'id' && madeHere(item[name])))
  return found.length === 0 ? undefined : Object.fromEntries(found.map((name) => [name, item[name]]))
}

/**
 * One part per text, so that several summaries stay several; what is sealed goes with the last. A signature that
 * another vendor put on words or on a call came to the client in an item of its own behind them, and goes back there.
 */
function decodeReasoning(item: JsonObject, path: string, turns: Turns, nest: Nest): void {
  const value = stringAt(item, 'encrypted_content', path)
  const id = stringAt(item, 'id', path)
  const made = madeHere(id)
  const sealed: readonly Sealed[] = !value
    ? []
    : isCarried(value)
      ? (uncarry(value) ?? [])
      : [{ vendor: 'openai', kind: 'encrypted', value, ...(id && !made ? { id } : {}) }]
  const texts = [
    ...textsOf(item, 'summary', path, nest).map((one) => ({ ...one, summary: true })),
    ...textsOf(item, 'content', path, nest).map((one) => ({ ...one, summary: undefined })),
  ]
  const said = texts.some(({ text }) => text !== '')
  if (!said && sealed.length > 0 && sealed.every(({ kind }) => kind === 'thought-signature') && turns.seal(sealed)) return
  const format = stringAt(item, 'format', path)
  const own = { ...ownOf(item), ...(made && { made: true }), ...(format !== undefined && { format }) }
  nest.keep(path, others(item, REASONING) ?? {})
  const parts: ReasoningPart[] = (texts.length > 0 ? texts : [{ text: '', path, summary: true }]).map((one) => ({
    type: 'reasoning',
    ...one,
    own,
  }))
  const last = parts.at(-1)
  if (last) parts[parts.length - 1] = { ...last, ...(sealed.length > 0 && { sealed }) }
  for (const part of parts) turns.add('assistant', part)
}

const textsOf = (item: JsonObject, key: string, path: string, nest: Nest): readonly { readonly text: string; readonly path: string }[] =>
  listAt(item, key, path).map(({ value, path: place }) => {
    const part = asObject(value, place)
    nest.keep(place, others(part, WORDS) ?? {})
    return { text: stringAt(part, 'text', place) ?? '', path: place }
  })
