/** The conversation as input items. */
import type { ChatCall, Message, Part, ReasoningPart, Sealed, ToolCallPart, ToolResultPart } from '../../core/call.ts'
import { at, compact, isObject, type JsonObject } from '../../core/json.ts'
import { untranslatable } from '../stored.ts'
import { dropSealed, inputPart, outputPart, type PartContext } from './encode-parts.ts'
import { type CallIds, callIds, type Names } from './names.ts'
import { nestedExtras } from './nested.ts'

const WIRE = 'openai-responses'

export interface EncodedInput {
  readonly instructions?: string
  readonly input: string | readonly JsonObject[]
}

export interface ItemContext extends PartContext {
  readonly names: Names
  /** Items that brought tools along, by their path: they stand where they stood. */
  readonly additional: ReadonlyMap<string, JsonObject>
}

export function encodeInput(context: ItemContext): EncodedInput {
  const { call } = context
  const lead = leadOf(call)
  const items: JsonObject[] = []
  const ids = callIds()
  const waiting = [...context.additional]
  for (const message of call.messages.slice(lead.length)) {
    while (waiting[0] && indexOf(waiting[0][0]) < indexOf(message.path)) items.push(...waiting.splice(0, 1).map(([, item]) => item))
    encodeMessage(message, items, ids, context)
  }
  items.push(...waiting.map(([, item]) => item))
  const instructions = lead.length > 0 ? lead.flatMap((message) => textsOf(message, context)).join('\n\n') : undefined
  return { instructions, input: onlyText(call, items) ?? items }
}

/** System turns that can stand in `instructions`: a client's own, else those that open the conversation. */
function leadOf(call: ChatCall): readonly Message[] {
  if (call.wire === WIRE) return call.messages.slice(0, call.messages[0]?.path === 'instructions' ? 1 : 0)
  const first = call.messages.findIndex(({ role }) => role !== 'system')
  const lead = first < 0 ? [] : call.messages.slice(0, first)
  return lead.every(({ parts }) => parts.every(({ type }) => type === 'text')) ? lead : []
}

function textsOf(message: Message, context: ItemContext): readonly string[] {
  dropOutside(message, context)
  return message.parts.flatMap((part) => {
    // There is no place for a mark in a plain text.
    if (part.cache) context.notes.dropped(part.cache.path, 'prompts are cached without marks')
    const encoded = inputPart({ ...part, cache: undefined }, context)
    const text = encoded?.['text']
    return typeof text === 'string' ? [text] : []
  })
}

/** A client that sent a bare text gets a bare text sent. */
function onlyText(call: ChatCall, items: readonly JsonObject[]): string | undefined {
  const [only] = items
  const asked = call.messages.at(-1)?.path === 'input'
  return asked && items.length === 1 && typeof only?.['content'] === 'string' && only['role'] === 'user' ? only['content'] : undefined
}

/** What stands beside a message's content. */
function dropOutside(message: Message, { call, notes }: ItemContext): JsonObject | undefined {
  if (message.name !== undefined) notes.dropped(at(message.path, 'name'), 'turns have no name here')
  return notes.extrasOf(message, call, WIRE)
}

function encodeMessage(message: Message, items: JsonObject[], ids: CallIds, context: ItemContext): void {
  const { call, target } = context
  const own = call.wire === WIRE
  const extras = dropOutside(message, context)
  const role = message.role === 'system' && target.capabilities.developerRole === true ? 'developer' : message.role
  let content: JsonObject[] = []
  /** Pictures of tool results, for a model that takes none there. */
  const later: JsonObject[] = []
  const flush = (): void => {
    if (content.length === 0) return
    const outside = own ? message.own : undefined
    // A client of this wire gets its own form sent.
    const bare = !own || message.parts[0]?.path === at(message.path, 'content') || message.parts[0]?.path === 'input'
    items.push({
      ...(!own && role === 'assistant' && { type: 'message' }),
      role,
      ...outside,
      content: (bare ? plainText(content) : undefined) ?? content,
      ...extras,
    })
    content = []
  }
  for (const group of grouped(message.parts, own)) {
    const [part] = group
    if (!part) continue
    if (part.type === 'text' || part.type === 'refusal' || part.type === 'media' || (part.type === 'foreign' && isInside(part.path))) {
      const encoded = role === 'assistant' ? saidPart(part, context) : inputPart(part, context)
      if (encoded) content.push(encoded)
      continue
    }
    flush()
    const item = itemOf(group, ids, later, context)
    if (item) items.push(item)
  }
  if (own && message.parts.length === 0) items.push({ role, ...message.own, content: [], ...extras })
  content.push(...later)
  flush()
}

function saidPart(part: Part, context: ItemContext): JsonObject | undefined {
  if (part.type === 'text' || part.type === 'refusal') return outputPart(part, context)
  if (part.type === 'foreign') return inputPart(part, context)
  context.notes.dropped(part.path, "the assistant's turns hold texts only")
  return undefined
}

/** One text says the same without its wrapping, and every host takes it. */
function plainText(content: readonly JsonObject[]): string | undefined {
  const [only] = content
  if (content.length !== 1 || !only || Object.keys(only).length !== 2) return undefined
  return (only['type'] === 'input_text' || only['type'] === 'output_text') && typeof only['text'] === 'string' ? only['text'] : undefined
}

/** Parts of one reasoning item of this wire stand together; every other part alone. */
function grouped(parts: readonly Part[], own: boolean): readonly (readonly Part[])[] {
  const groups: Part[][] = []
  for (const part of parts) {
    const last = groups.at(-1)
    const before = last?.at(-1)
    const same = own && part.type === 'reasoning' && before?.type === 'reasoning' && holderOf(part.path) === holderOf(before.path)
    if (same && !before.sealed) last?.push(part)
    else groups.push([part])
  }
  return groups
}

const holderOf = (path: string): string => path.replace(/\.(?:summary|content)(?:\[\d+\])?$/, '')
/** Foreign parts of content, as against whole items. */
const isInside = (path: string): boolean => /\.(?:content|output)(?:\[\d+\])?$/.test(path)
const indexOf = (path: string): number => Number(/^input\[(\d+)\]/.exec(path)?.[1] ?? -1)

function itemOf(group: readonly Part[], ids: CallIds, later: JsonObject[], context: ItemContext): JsonObject | undefined {
  const [part] = group
  switch (part?.type) {
    case 'reasoning':
      return reasoningItem(
        group.filter((one) => one.type === 'reasoning'),
        context,
      )
    case 'tool-call':
      return callItem(part, ids, context)
    case 'tool-result':
      return resultItem(part, ids, later, context)
    default:
      return part ? inputPart(part, context) : undefined
  }
}

/** Thinking goes back to the vendor who sealed it; what others thought is no use to it, and refused. */
function reasoningItem(parts: readonly ReasoningPart[], { call, target, notes }: ItemContext): JsonObject | undefined {
  const [first] = parts
  const last = parts.at(-1)
  if (!first || !last) return undefined
  const own = call.wire === WIRE
  const path = own ? holderOf(first.path) : first.path
  const sealed = parts.flatMap((part) => part.sealed ?? [])
  for (const part of parts) notes.extrasOf(part, call, WIRE)
  const readable = sealed.find((one): one is Sealed => one.vendor === 'openai' && one.kind === 'encrypted')
  const empty = parts.every(({ text }) => text === '')
  const { made, ...bookkeeping } = { ...last.own }
  const stored = own && made !== true && sealed.length === 0
  if (!readable && !stored && (empty || target.quirks.reasoningField === undefined)) {
    if (!empty || sealed.length > 0) notes.dropped(path, 'thinking of another model')
    return undefined
  }
  for (const one of sealed) if (one !== readable) notes.dropped(`${path}.signature`, 'sealed by another vendor')
  const kept = (place: string): JsonObject => (own ? nestedExtras(call.extras, place) : {})
  const said = parts.filter(({ text, path: place }) => text !== '' || place !== path)
  const summaries = said.filter(({ summary }) => summary || (readable && !own))
  const thoughts = said.filter((one) => !summaries.includes(one))
  return compact({
    type: 'reasoning',
    ...(own && bookkeeping),
    id: readable?.id ?? (own ? bookkeeping['id'] : undefined),
    summary: summaries.map(({ text, path: place }) => ({ type: 'summary_text', text, ...kept(place) })),
    content: thoughts.length > 0 ? thoughts.map(({ text, path: place }) => ({ type: 'reasoning_text', text, ...kept(place) })) : undefined,
    encrypted_content: readable?.value,
    ...kept(path),
  })
}

function callItem(part: ToolCallPart, ids: CallIds, { call, names, notes }: ItemContext): JsonObject {
  dropSealed(part, notes)
  if (part.cache) notes.dropped(part.cache.path, 'prompts are cached without marks')
  const extras = notes.extrasOf(part, call, WIRE)
  const common = {
    ...(call.wire === WIRE && part.own),
    call_id: ids.ofCall(part),
    name: names.sent(part.name, part.namespace),
    namespace: part.namespace,
    ...extras,
  }
  return compact(
    part.freeform
      ? { type: 'custom_tool_call', ...common, input: part.arguments }
      : { type: 'function_call', ...common, arguments: part.arguments.trim() === '' ? '{}' : part.arguments },
  )
}

function resultItem(part: ToolResultPart, ids: CallIds, later: JsonObject[], context: ItemContext): JsonObject {
  const { call, target, notes } = context
  const own = call.wire === WIRE
  const id = ids.ofResult(part) ?? (own ? part.id : undefined)
  if (id === undefined) throw untranslatable('A tool result without its call cannot be sent to this provider.', part.path)
  dropSealed(part, notes)
  if (part.cache) notes.dropped(part.cache.path, 'prompts are cached without marks')
  const extras = notes.extrasOf(part, call, WIRE)
  const { type = undefined, ...bookkeeping } = own && part.own ? part.own : {}
  const freeform = type === 'custom_tool_call_output' || (!own && freeformIds(call).has(part.id))
  const parts: JsonObject[] = part.json
    ? [{ type: 'input_text', text: JSON.stringify(part.isError && !saysError(part.json) ? { error: part.json } : part.json) }]
    : []
  for (const one of part.content) {
    const encoded = inputPart(inFile(one), context)
    if (!encoded) continue
    if (one.type === 'media' && target.capabilities.toolResultMedia === false && !own) {
      notes.dropped(one.path, 'behind the results')
      later.push(encoded)
    } else parts.push(encoded)
  }
  if (part.isError && !part.json) markError(parts)
  return compact({
    type: freeform ? 'custom_tool_call_output' : 'function_call_output',
    ...bookkeeping,
    call_id: id,
    output: plainText(parts) ?? (parts.length > 0 ? parts : ''),
    ...extras,
  })
}

/** A text document in a result stays a document, so that it can be told from the tool's own words. */
function inFile(part: Part): Part {
  if (part.type !== 'media' || part.kind !== 'document' || part.source.type !== 'text') return part
  const { text, mime } = part.source
  const bytes = new TextEncoder().encode(text)
  const data = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
  return { ...part, source: { type: 'base64', data, mime } }
}

const saysError = (json: JsonObject): boolean => Object.keys(json).some((key) => /error/i.test(key))

/** There is no member for a failure, so the words say it. */
function markError(parts: JsonObject[]): void {
  const index = parts.findIndex(({ type }) => type === 'input_text')
  const first = parts[index]
  const text = first && typeof first['text'] === 'string' ? first['text'] : ''
  if (first) parts[index] = { ...first, text: `Error: ${text}` }
  else parts.unshift({ type: 'input_text', text: 'Error' })
}

const freeformIds = (call: ChatCall): ReadonlySet<string> =>
  new Set(
    call.messages.flatMap(({ parts }) =>
      parts.filter((part) => part.type === 'tool-call' && part.freeform).map((part) => (part.type === 'tool-call' ? part.id : '')),
    ),
  )

export const saysJson = (call: ChatCall): boolean =>
  call.messages.some(({ parts }) =>
    parts.some((part) => isObject(part) && 'text' in part && typeof part.text === 'string' && /json/i.test(part.text)),
  )
