/** Messages of a Chat body. */
import type { Message, Part, ReasoningPart, ToolCallPart } from '../../core/call.ts'
import { invalid } from '../../core/error.ts'
import { at, isFilled, isObject, isString, type Json, type JsonObject } from '../../core/json.ts'
import { uncarry } from '../carrier.ts'
import { cacheMark, contentParts, markKey } from './decode-part.ts'
import { asObject, listAt, names, objectAt, restOf, textAt } from './read.ts'
import { type Thought, thoughtsOf } from './reasoning-details.ts'
import { signatureOf } from './tool-deltas.ts'

const ROLES: Readonly<Record<string, Message['role']>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
  tool: 'user',
  function: 'user',
}

const COMMON = 'role content name id parsed provider_specific_fields'
const KNOWN = names(COMMON)
const KNOWN_OF_TOOL = names(`${COMMON} tool_call_id`)
const KNOWN_OF_ASSISTANT = names(
  `${COMMON} refusal tool_calls function_call reasoning reasoning_content reasoning_details thinking_blocks extra_content`,
)
/** What a client echoes of an answer without meaning anything by it. */
const ECHOES = ['id', 'parsed', 'provider_specific_fields']

export function messageOf(value: Json, path: string): Message {
  const message = asObject(value, path)
  const word = textAt(message, 'role', path)
  if (word === undefined) throw invalid(`${at(path, 'role')} is missing.`, at(path, 'role'))
  const role = Object.hasOwn(ROLES, word) ? ROLES[word] : undefined
  if (!role)
    throw invalid(`${at(path, 'role')} must be one of ${Object.keys(ROLES).join(', ')}, not ${JSON.stringify(word)}.`, at(path, 'role'))
  if (word === 'tool' || word === 'function') return toolMessage(message, path, word)
  const parts = role === 'assistant' ? assistantParts(message, path) : contentParts(message['content'], at(path, 'content'))
  const extras = restOf(message, role === 'assistant' ? KNOWN_OF_ASSISTANT : KNOWN, markKey(cacheMark(message, path)))
  const own = ownOf(message, word === 'developer' ? { role: word } : {})
  const name = textAt(message, 'name', path)
  return {
    path,
    role,
    parts: marked(parts, message, path),
    ...(name !== undefined && name !== '' && { name }),
    ...(extras && { extras }),
    ...(own && { own }),
  }
}

function ownOf(message: JsonObject, more: JsonObject): JsonObject | undefined {
  const echoes = ECHOES.filter((key) => message[key] !== undefined && message[key] !== null).map((key) => [key, message[key]])
  // DeepSeek wants the field even when there was no thinking.
  for (const key of ['reasoning_content', 'reasoning']) if (message[key] === '') echoes.push([key, ''])
  const own: JsonObject = { ...Object.fromEntries(echoes), ...more }
  return Object.keys(own).length > 0 ? own : undefined
}

/** A mark on the whole message stands on its last part. */
function marked(parts: readonly Part[], message: JsonObject, path: string): readonly Part[] {
  const cache = cacheMark(message, path)
  const last = parts.at(-1)
  return cache && last && !last.cache ? [...parts.slice(0, -1), { ...last, cache }] : parts
}

function toolMessage(message: JsonObject, path: string, word: string): Message {
  const cache = cacheMark(message, path)
  const extras = restOf(message, KNOWN_OF_TOOL, markKey(cache))
  const name = textAt(message, 'name', path)
  return {
    path,
    role: 'user',
    parts: [
      {
        type: 'tool-result',
        path,
        id: textAt(message, 'tool_call_id', path) ?? '',
        ...(name !== undefined && { name }),
        content: contentParts(message['content'], at(path, 'content')),
        ...(cache && { cache }),
      },
    ],
    ...(word === 'function' && { own: { role: word } }),
    ...(extras && { extras }),
  }
}

function assistantParts(message: JsonObject, path: string): Part[] {
  const parts: Part[] = [...thoughtParts(message, path), ...contentParts(message['content'], at(path, 'content'))]
  const refusal = textAt(message, 'refusal', path)
  if (isFilled(refusal)) parts.push({ type: 'refusal', text: refusal, path: at(path, 'refusal') })
  const calls = listAt(message, 'tool_calls', path) ?? []
  for (const [index, call] of calls.entries()) parts.push(toolCallOf(call, at(at(path, 'tool_calls'), index)))
  const legacy = objectAt(message, 'function_call', path)
  if (legacy) parts.push(legacyCall(legacy, at(path, 'function_call')))
  const signature = signatureOf(message)
  return signature === undefined ? parts : signed(parts, signature)
}

/** Google's signature of the whole message belongs to its first call, else to its text. */
function signed(parts: readonly Part[], signature: string): Part[] {
  const sealed = uncarry(signature) ?? ([{ vendor: 'google', kind: 'thought-signature', value: signature }] as const)
  const target = parts.find((part) => part.type === 'tool-call') ?? parts.findLast((part) => part.type === 'text')
  return parts.map((part) => (part === target && !part.sealed ? { ...part, sealed } : part))
}

/**
 * Thinking, wherever the client learnt to echo it. `reasoning_content` or `reasoning` often repeat what the details say:
 * then the details speak, since they carry the seals.
 */
function thoughtParts(message: JsonObject, path: string): ReasoningPart[] {
  const bare = (text: string): string => text.replace(/\s+/g, '')
  const plain = ['reasoning_content', 'reasoning'].flatMap((field) => {
    const text = textAt(message, field, path)
    return isFilled(text) ? [{ field, text }] : []
  })
  const details = listAt(message, 'reasoning_details', path) ?? []
  const blocks = listAt(message, 'thinking_blocks', path) ?? []
  const list = details.length > 0 ? 'reasoning_details' : 'thinking_blocks'
  // An empty entry goes back to where it came from; elsewhere it says nothing.
  const thoughts = details.length > 0 ? thoughtsOf(details) : blocks.map(blockThought)
  const told = bare(thoughts.map(({ text }) => text).join(''))
  const [first, second] = plain
  const text = first?.text ?? ''
  const fields = plain.filter((one) => bare(one.text) === bare(text)).map(({ field }) => field)
  const parts: ReasoningPart[] = thoughts.map(({ text, summary, sealed, detail }) => ({
    type: 'reasoning',
    path: at(path, list),
    text,
    ...(summary && { summary }),
    ...(sealed.length > 0 && { sealed }),
    own: { fields, ...(detail && { detail }) },
  }))
  const [opening, ...rest] = parts
  if (first && bare(text) !== told) {
    // Only seals in the details: their words are the plain ones.
    if (opening && told === '') parts.splice(0, parts.length, { ...opening, text }, ...rest)
    else parts.unshift({ type: 'reasoning', path: at(path, first.field), text, own: { fields } })
  }
  if (second && !fields.includes(second.field))
    parts.push({ type: 'reasoning', path: at(path, second.field), text: second.text, own: { fields: [second.field] } })
  return parts
}

function blockThought(block: Json): Thought {
  const { thinking, signature, data } = isObject(block) ? block : {}
  const text = isString(thinking) ? thinking : ''
  if (isFilled(signature))
    return { text, summary: false, sealed: uncarry(signature) ?? [{ vendor: 'anthropic', kind: 'signature', value: signature }] }
  return { text, summary: false, sealed: isFilled(data) ? (uncarry(data) ?? [{ vendor: 'anthropic', kind: 'redacted', value: data }]) : [] }
}

const KNOWN_OF_CALL = names('id type index function custom extra_content')

const KNOWN_OF_FUNCTION = names('name arguments input parsed_arguments')

function toolCallOf(value: Json, path: string): ToolCallPart {
  const call = asObject(value, path)
  const custom = isObject(call['custom'])
  const inner = custom ? 'custom' : 'function'
  const given = objectAt(call, inner, path) ?? {}
  const place = at(path, inner)
  const name = textAt(given, 'name', place)
  if (name === undefined) throw invalid(`${at(place, 'name')} is missing.`, at(place, 'name'))
  const signature = signatureOf(call)
  const cache = cacheMark(call, path)
  const outer = restOf(call, KNOWN_OF_CALL, markKey(cache))
  const within = restOf(given, KNOWN_OF_FUNCTION)
  const extras = within ? { ...outer, [inner]: within } : outer
  return {
    type: 'tool-call',
    path,
    id: textAt(call, 'id', path) ?? '',
    name,
    arguments: argumentsOf(given, custom ? 'input' : 'arguments', place),
    ...(custom && { freeform: true }),
    ...(signature !== undefined && { sealed: uncarry(signature) ?? [{ vendor: 'google', kind: 'thought-signature', value: signature }] }),
    ...(cache && { cache }),
    ...(extras && { extras }),
  }
}

/** Text, or the object that some clients send in its place. */
function argumentsOf(owner: JsonObject, key: string, path: string): string {
  const value = owner[key]
  return isObject(value) ? JSON.stringify(value) : (textAt(owner, key, path) ?? '')
}

const legacyCall = (call: JsonObject, path: string): ToolCallPart => ({
  type: 'tool-call',
  path,
  id: '',
  name: textAt(call, 'name', path) ?? '',
  arguments: argumentsOf(call, 'arguments', path),
  own: { legacy: true },
})
