/** Parts of the conversation as content blocks. */
import type { CacheMark, ChatCall, Part, ReasoningPart, Sealed, TextPart, ToolCallPart, ToolResultPart } from '../../core/call.ts'
import { arrayOf, isObject, type Json, type JsonObject } from '../../core/json.ts'
import type { Notes } from '../../core/notes.ts'
import type { ToolNames } from '../tool-names.ts'
import { WIRE } from './decode-content.ts'
import { mediaBlock } from './encode-media.ts'
import { objectIn } from './tool-input.ts'

/** A block being written: marks may still be taken off it. */
export type Block = Record<string, Json | undefined>

export interface Mark {
  readonly block: Block
  readonly path: string
}

/** What parts need to know of the whole. */
export interface Writing {
  readonly call: ChatCall
  readonly own: boolean
  readonly notes: Notes
  readonly names: ToolNames
  readonly ids: ReadonlyMap<Part, string>
  /** False: pictures in a tool result go behind it. */
  readonly resultMedia: boolean
  /** All marks in the order of the prompt. */
  readonly marks: Mark[]
}

export const cacheControl = ({ ttl }: CacheMark): JsonObject => ({
  type: 'ephemeral',
  ...(ttl !== undefined && { ttl: ttl === '5m' ? '5m' : '1h' }),
})

/** Blocks of a turn: results first, then the rest as it came. */
export function blocksOf(parts: readonly Part[], role: 'user' | 'assistant' | 'system', writing: Writing): Block[] {
  const results: Block[] = []
  const others: Block[] = []
  for (const part of parts) {
    if (part.type === 'tool-result' && role === 'user') {
      const behind: Block[] = []
      results.push(toolResult(part, writing, behind))
      others.push(...behind)
    } else {
      const block = blockOf(part, role, writing)
      if (block) others.push(block)
    }
  }
  return [...results, ...others]
}

/** One part; undefined when nothing of it can be said, which is then named. */
function blockOf(part: Part, role: 'user' | 'assistant' | 'system', writing: Writing): Block | undefined {
  const { notes, own } = writing
  if (part.type !== 'reasoning') dropSealed(part.path, part.sealed ?? [], notes)
  switch (part.type) {
    case 'text':
    case 'refusal':
      return finished(textBlock(part), part, writing)
    case 'media':
      if (role === 'user' || (own && role === 'assistant')) return finished(mediaBlock(part, own, notes), part, writing)
      notes.dropped(part.path, `media in a turn of the ${role} is not supported by the target`)
      return undefined
    case 'reasoning':
      return finished(thinkingBlock(part, notes), part, writing)
    case 'tool-call':
      return finished(toolUse(part, writing), part, writing)
    case 'tool-result':
      return toolResult(part, writing, [])
    case 'foreign':
      if (part.wire === WIRE) return finished(isObject(part.value) ? { ...part.value } : undefined, part, writing)
      notes.dropped(part.path, `${part.kind} is not known to the target`)
      return undefined
    default:
      return part satisfies never
  }
}

/** Adds what only this wire knows, and the mark. */
function finished(block: JsonObject | undefined, part: Part, { call, own, notes, marks }: Writing): Block | undefined {
  const extras = notes.extrasOf(part, call, WIRE)
  if (!block) {
    if (part.cache) notes.dropped(part.cache.path, 'nothing is left that could be cached')
    return undefined
  }
  const whole: Block = own ? merged(block, part.own, extras) : { ...block }
  if (part.cache) {
    if (whole['type'] === 'thinking' || whole['type'] === 'redacted_thinking') notes.dropped(part.cache.path, 'thinking cannot be marked')
    else
      whole['cache_control'] = isObject(whole['cache_control'])
        ? { ...cacheControl(part.cache), ...whole['cache_control'] }
        : cacheControl(part.cache)
  }
  if (whole['cache_control']) marks.push({ block: whole, path: part.cache?.path ?? part.path })
  return whole
}

/** Members of members are put together: a source keeps what was read of it and what was not. */
function merged(block: JsonObject, ...more: readonly (JsonObject | undefined)[]): Block {
  const whole: Block = { ...block }
  for (const extras of more)
    for (const [name, value] of Object.entries(extras ?? {})) {
      const before = whole[name]
      whole[name] = isObject(before) && isObject(value) ? { ...before, ...value } : value
    }
  // It was no text but made of texts.
  if (whole['type'] !== 'text') delete whole['text']
  if (Array.isArray(whole['citations'])) whole['citations'] = whole['citations'].filter(isGenuine)
  return whole
}

/** Citations that the gateway made of another vendor's cannot be read by the API. */
const isGenuine = (citation: Json): boolean => !(isObject(citation) && citation['encrypted_index'] === '')

const textBlock = ({ text }: Pick<TextPart, 'text'>): JsonObject | undefined => (text.trim() === '' ? undefined : { type: 'text', text })

// ---- thinking ----------------------------------------------------------------------------------------------------

const READABLE = (sealed: Sealed): boolean => sealed.vendor === 'anthropic'

/** Thinking goes back only with the signature that its own vendor gave it. */
function thinkingBlock(part: ReasoningPart, notes: Notes): JsonObject | undefined {
  const sealed = part.sealed ?? []
  dropSealed(
    part.path,
    sealed.filter((one) => !READABLE(one)),
    notes,
  )
  const signature = sealed.find((one) => READABLE(one) && one.kind === 'signature')
  if (signature) return { type: 'thinking', thinking: part.text, signature: signature.value }
  const redacted = sealed.find((one) => READABLE(one) && one.kind === 'redacted')
  if (redacted) return { type: 'redacted_thinking', data: redacted.value }
  if (part.text.trim() !== '') notes.dropped(part.path, 'thinking without a signature of the target')
  return undefined
}

const SEAL_NAMES: Readonly<Record<Sealed['kind'], string>> = {
  signature: 'signature',
  redacted: 'redacted_thinking',
  encrypted: 'encrypted_content',
  'thought-signature': 'thought_signature',
  details: 'reasoning_details',
}

function dropSealed(path: string, sealed: readonly Sealed[], notes: Notes): void {
  for (const { kind } of sealed) notes.dropped(`${path}.${SEAL_NAMES[kind]}`, 'sealed by another vendor')
}

// ---- tools -------------------------------------------------------------------------------------------------------

function toolUse(part: ToolCallPart, { ids, names, notes }: Writing): JsonObject {
  return { type: 'tool_use', id: ids.get(part) ?? part.id, name: names.sent(part.name, part.namespace), input: inputOf(part, notes) }
}

function inputOf({ arguments: text, freeform, path }: ToolCallPart, notes: Notes): JsonObject {
  if (freeform) return { input: text }
  const object = objectIn(text)
  if (object) return object
  notes.dropped(`${path}.arguments`, 'not a JSON object, as a text')
  return { input: text }
}

/** `behind` takes the pictures that have no place in the result itself. */
function toolResult(part: ToolResultPart, writing: Writing, behind: Block[]): Block {
  const { ids, notes } = writing
  dropSealed(part.path, part.sealed ?? [], notes)
  const parts: Part[] =
    part.json === undefined ? [...part.content] : [{ type: 'text', text: wordsOf(part.json), path: part.path }, ...part.content]
  const blocks: Block[] = []
  for (const inner of parts) {
    if (inner.type === 'media' && (inner.kind === 'audio' || inner.kind === 'video')) {
      notes.dropped(inner.path, `${inner.kind} is not supported by the target`)
      continue
    }
    const block = blockOf(inner, 'user', writing)
    if (!block) continue
    if (inner.type === 'media' && !writing.resultMedia) behind.push(block)
    else blocks.push(block)
  }
  if (blocks.length === 0 && behind.length > 0) blocks.push({ type: 'text', text: 'See below.' })
  const [only] = blocks
  // A text alone is written as a text, unless the client wrote it as a list.
  const listed = writing.own && parts[0]?.path.endsWith(']')
  const bare = blocks.length === 1 && only?.['type'] === 'text' && Object.keys(only).length === 2 && parts.length === 1 && !listed
  const content = bare ? only['text'] : blocks
  const block: JsonObject = {
    type: 'tool_result',
    tool_use_id: ids.get(part) ?? part.id,
    ...(arrayOf(content).length > 0 || bare ? { content } : {}),
    ...((part.isError || isErrorObject(part)) && { is_error: true }),
  }
  return finished(block, part, writing) ?? { ...block }
}

const isErrorObject = ({ json }: ToolResultPart): boolean =>
  json !== undefined && Object.keys(json).length === 1 && json['error'] !== undefined

/** An object with one text in it is that text; any other is its JSON. */
function wordsOf(json: JsonObject): string {
  const values = Object.values(json)
  const [only] = values
  if (values.length === 1 && typeof only === 'string') return only
  return values.length === 0 ? '' : JSON.stringify(json)
}
