/**
 * The conversation as Chat messages. Results stand right behind the calls they answer, whatever the client's order;
 * turns of the assistant that another wire keeps apart become one.
 */
import type { CacheMark, ChatCall, Message, Part, ToolCallPart, ToolResultPart } from '../../core/call.ts'
import { digestWord } from '../../core/id.ts'
import { arrayOf, type Json, type JsonObject } from '../../core/json.ts'
import type { Notes } from '../../core/notes.ts'
import type { Target } from '../../core/target.ts'
import type { ToolNames } from '../tool-names.ts'
import { assistantMessage } from './encode-assistant.ts'
import { type ContentPart, mediaPart } from './encode-media.ts'

export interface Encoding {
  readonly call: ChatCall
  readonly target: Target
  readonly names: ToolNames
  readonly notes: Notes
  /** The client speaks this wire too: what it said goes back as it said it. */
  readonly same: boolean
}

/** A turn of the assistant, with the answers to its calls. */
interface Turn {
  readonly type: 'assistant'
  readonly messages: Message[]
  readonly calls: { readonly part: ToolCallPart; readonly id: string; answered: boolean }[]
  readonly results: JsonObject[]
  /** Pictures of the results, for which results have no place. */
  readonly media: ContentPart[]
}
/** `folded`: system text in the user's place. */
type Segment = Turn | { readonly type: 'message'; readonly message: JsonObject; readonly system?: boolean; readonly folded?: boolean }

export function encodeMessages(encoding: Encoding): JsonObject[] {
  const segments: Segment[] = []
  for (const message of encoding.call.messages) {
    if (message.role === 'assistant') addAssistant(message, segments, encoding)
    else if (message.role === 'system') addSystem(message, segments, encoding)
    else addUser(message, segments, encoding)
  }
  joinFolded(segments)
  const last = segments.at(-1)
  return segments.flatMap((segment): JsonObject[] => {
    if (segment.type === 'message') return [segment.message]
    const idOf = new Map(segment.calls.map(({ part, id }) => [part, id]))
    const message = assistantMessage(segment.messages, (part) => idOf.get(part) ?? part.id, encoding)
    const flag = segment === last && segment.calls.length === 0 ? encoding.target.quirks.prefixFlag : undefined
    const spoken = message && flag !== undefined ? { ...message, [flag]: true } : message
    return [
      ...(spoken ? [spoken] : []),
      ...segment.results,
      ...(segment.media.length > 0 ? [{ role: 'user', content: segment.media }] : []),
    ]
  })
}

/** System text in the user's place joins the turn that follows it: some templates want the sides to alternate. */
function joinFolded(segments: Segment[]): void {
  for (let index = segments.length - 2; index >= 0; index--) {
    const [segment, next] = [segments[index], segments[index + 1]]
    if (segment?.type !== 'message' || !segment.folded || next?.type !== 'message' || next.message['role'] !== 'user') continue
    const [before, content] = [segment.message['content'], next.message['content']]
    const both: Json =
      typeof before === 'string' && typeof content === 'string' ? `${before}\n\n${content}` : [...partsOf(before), ...partsOf(content)]
    segments.splice(index, 2, { ...next, message: { ...next.message, content: both } })
  }
}

const partsOf = (content: Json | undefined): readonly Json[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : arrayOf(content)

function addAssistant(message: Message, segments: Segment[], encoding: Encoding): void {
  const last = segments.at(-1)
  const merges = !encoding.same && last?.type === 'assistant' && last.results.length === 0
  const turn: Turn = merges ? last : { type: 'assistant', messages: [], calls: [], results: [], media: [] }
  if (!merges) segments.push(turn)
  turn.messages.push(message)
  for (const part of message.parts)
    if (part.type === 'tool-call') {
      const taken = turn.calls.map(({ id }) => id)
      turn.calls.push({ part, id: sentId(part, taken, encoding), answered: false })
    }
}

/** Longest id that OpenAI takes. */
const MAX_ID = 40

/** The client's id where the host takes it, else one made from it that is the same each time. */
function sentId(part: ToolCallPart, taken: readonly string[], { same, target }: Encoding): string {
  const length = target.quirks.toolIdLength
  let id = part.id
  if (length !== undefined) {
    if (id.length !== length || !/^[a-zA-Z0-9]+$/.test(id)) id = digestWord(id || `${part.path} ${part.name}`, length)
  } else if (id === '' || (!same && id.length > MAX_ID)) id = `call_${digestWord(id || `${part.path} ${part.name} ${part.arguments}`)}`
  for (let copy = 2; taken.includes(id); copy++)
    id = length === undefined ? `${part.id || id}_${copy}`.slice(-MAX_ID) : digestWord(`${part.id}${copy}`, length)
  return id
}

function addSystem(message: Message, segments: Segment[], encoding: Encoding): void {
  const { call, target, notes, same } = encoding
  const extras = notes.extrasOf(message, call, 'openai-chat')
  const content = textContent(message.parts, encoding, '\n\n')
  if (content === undefined && !same) return
  const { developerRole, midSystem, systemPrompt } = target.capabilities
  const leading = segments.every((segment) => segment.type === 'message' && segment.system)
  if ((!leading && midSystem === false) || systemPrompt === false) {
    // Marked, so that it is not taken for the user's words.
    const wrapped = typeof content === 'string' ? `<system-reminder>\n${content}\n</system-reminder>` : (content ?? '')
    segments.push({ type: 'message', folded: true, message: { role: 'user', content: wrapped } })
    return
  }
  const own = message.own?.['role']
  const role = developerRole ? 'developer' : same && developerRole === undefined && typeof own === 'string' ? own : 'system'
  const last = segments.at(-1)
  // Chat templates of open models know one system message only.
  if (!same && leading && last?.type === 'message' && typeof content === 'string' && typeof last.message['content'] === 'string') {
    segments[segments.length - 1] = { ...last, message: { ...last.message, content: `${last.message['content']}\n\n${content}` } }
    return
  }
  segments.push({
    type: 'message',
    system: true,
    message: {
      role,
      content: content ?? '',
      ...(message.name !== undefined && { name: message.name }),
      ...ownOf(message, same),
      ...extras,
    },
  })
}

/** What a client of this wire said of the message beside its meaning. */
export function ownOf({ own }: Message, same: boolean): JsonObject {
  if (!same || !own) return {}
  const { role: _, ...rest } = own
  return rest
}

function addUser(message: Message, segments: Segment[], encoding: Encoding): void {
  const { call, notes, same } = encoding
  const extras = notes.extrasOf(message, call, 'openai-chat')
  const rest: Part[] = []
  for (const part of message.parts)
    if (part.type === 'tool-result') rest.push(...addResult(part, message, segments, encoding, extras))
    else rest.push(part)
  const onlyResults = message.parts.length > 0 && rest.length === 0
  if (onlyResults) return
  const parts = rest.map((part) => userPart(part, encoding)).filter((part) => part !== undefined)
  if (parts.length === 0 && !same) return
  const [only] = parts
  const listed = same && rest[0]?.path.endsWith(']')
  const bare =
    parts.length === 1 && only && !listed && Object.keys(only).every((key) => key === 'type' || key === 'text') && only['type'] === 'text'
  const content: Json = parts.length === 0 ? '' : bare ? (only['text'] ?? '') : parts
  segments.push({
    type: 'message',
    message: { role: 'user', content, ...(message.name !== undefined && { name: message.name }), ...ownOf(message, same), ...extras },
  })
}

function userPart(part: Part, encoding: Encoding): ContentPart | undefined {
  const { call, notes, same } = encoding
  const extras = notes.extrasOf(part, call, 'openai-chat')
  const mark = cacheMarkOf(part.cache, encoding)
  switch (part.type) {
    case 'text':
    case 'refusal':
      return { type: 'text', text: part.text, ...mark, ...extras }
    case 'media': {
      const media = mediaPart(part, encoding)
      return media && withExtras({ ...media, ...mark }, extras)
    }
    case 'reasoning':
    case 'tool-call':
      notes.dropped(part.path, 'has no place in a turn of the user')
      return undefined
    case 'foreign':
      if (part.wire === 'openai-chat' && same && typeof part.value === 'object' && part.value !== null) return part.value as ContentPart
      notes.dropped(part.path, `${part.kind} is not known to the target`)
      return undefined
    case 'tool-result':
      return undefined
    default:
      return part satisfies never
  }
}

/** Members of members come back to where they stood. */
export function withExtras<Whole extends JsonObject>(part: Whole, extras: JsonObject | undefined): Whole {
  if (!extras) return part
  const merged = Object.entries(extras).map(([key, value]) => {
    const known = part[key]
    const both = typeof known === 'object' && known !== null && typeof value === 'object' && value !== null && !Array.isArray(known)
    return [key, both ? { ...known, ...value } : value]
  })
  return { ...part, ...Object.fromEntries(merged) }
}

/** The mark as this host writes it, or nothing: then it is named as dropped. */
export function cacheMarkOf(cache: CacheMark | undefined, { target, same, notes }: Encoding): JsonObject | undefined {
  if (!cache) return undefined
  const { path, ttl } = cache
  const withTtl = ttl === undefined ? {} : { ttl }
  if (same && path.endsWith('prompt_cache_breakpoint')) return { prompt_cache_breakpoint: { mode: 'explicit', ...withTtl } }
  if (same || target.quirks.cacheControl) return { cache_control: { type: 'ephemeral', ...withTtl } }
  notes.dropped(path, 'not supported by the target')
  return undefined
}

/** Texts where nothing else may stand: one string, or parts where the client or a mark wants them. */
export function textContent(parts: readonly Part[], encoding: Encoding, between: string): Json | undefined {
  const { call, notes, same } = encoding
  const texts: ContentPart[] = []
  for (const part of parts) {
    const mark = cacheMarkOf(part.cache, encoding)
    const extras = notes.extrasOf(part, call, 'openai-chat')
    if (part.type === 'text' || part.type === 'refusal') texts.push({ type: 'text', text: part.text, ...mark, ...extras })
    else if (part.type === 'foreign' && part.wire === 'openai-chat' && same) texts.push(part.value as ContentPart)
    else if (part.type === 'media' && same) texts.push(mediaPart(part, encoding) ?? { type: 'text', text: '' })
    else if (part.type === 'media' && part.source.type === 'text') texts.push({ type: 'text', text: part.source.text, ...mark, ...extras })
    else notes.dropped(part.path, 'only text has a place here')
  }
  if (texts.length === 0) return undefined
  const listed = same && parts[0]?.path.endsWith(']')
  const plain = !listed && texts.every((text) => Object.keys(text).length === 2 && text['type'] === 'text')
  if (plain && (texts.length === 1 || !same)) return texts.map((text) => text['text']).join(between)
  return texts
}

/** Adds a result to the turn whose call it answers. What has no place there is returned, for a turn of the user. */
function addResult(
  part: ToolResultPart,
  message: Message,
  segments: Segment[],
  encoding: Encoding,
  extras: JsonObject | undefined,
): Part[] {
  const { call, notes, same } = encoding
  const own = notes.extrasOf(part, call, 'openai-chat')
  const turns = segments.filter((segment): segment is Turn => segment.type === 'assistant')
  const found = findCall(part, turns)
  if (!found && !same) {
    notes.dropped(part.path, 'its call is not in the conversation, so it is sent as text')
    return [{ type: 'text', path: part.path, text: resultText(part) }, ...part.content.filter((one) => one.type === 'media')]
  }
  const media = same ? [] : part.content.filter((one) => one.type === 'media')
  const pictures = media.map((one) => (one.type === 'media' ? mediaPart(one, encoding) : undefined)).filter((one) => one !== undefined)
  const content = resultContent(part, pictures.length, encoding)
  const legacy = same && message.own?.['role'] === 'function'
  const name = part.name === undefined ? {} : { name: encoding.names.sent(part.name) }
  const result: JsonObject = legacy
    ? { role: 'function', ...name, content, ...extras, ...own }
    : { role: 'tool', tool_call_id: found?.call.id ?? part.id, content, ...(same && name), ...ownOf(message, same), ...extras, ...own }
  const turn = found?.turn ?? turns.at(-1)
  if (!turn) {
    segments.push({ type: 'message', message: result })
    return []
  }
  if (found) found.call.answered = true
  turn.results.push(result)
  turn.media.push(...pictures)
  return []
}

/** The latest turn with an open call of this id; without an id the first open one of that name, or of any. */
function findCall(part: ToolResultPart, turns: readonly Turn[]): { turn: Turn; call: Turn['calls'][number] } | undefined {
  for (const turn of turns.toReversed()) {
    const open = turn.calls.filter(({ answered }) => !answered)
    const call = part.id
      ? (open.find((one) => one.part.id === part.id) ?? open.find((one) => one.part.id === '' && one.part.name === part.name))
      : (open.find((one) => one.part.name === part.name) ?? (part.name === undefined ? open[0] : undefined))
    if (call) return { turn, call }
  }
  return undefined
}

function resultContent(part: ToolResultPart, pictures: number, encoding: Encoding): Json {
  const texts = part.content.filter((one) => encoding.same || one.type !== 'media')
  const marked = texts.length > 0 && part.cache ? texts.with(-1, { ...texts.at(-1), cache: part.cache } as Part) : texts
  if (texts.length === 0 && part.cache) cacheMarkOf(part.cache, { ...encoding, same: false })
  const own = part.json === undefined ? textContent(marked, encoding, '\n') : jsonText(part.json)
  const note = pictures > 0 ? `[${pictures === 1 ? 'The file' : `The ${pictures} files`} of this result: see the next message.]` : ''
  const content = own === undefined ? note : typeof own === 'string' && note ? `${own}\n${note}` : own
  // The dialect has no field for it, so it is said in words.
  return part.isError && typeof content === 'string' && !/error/i.test(content) ? `Error: ${content}` : content
}

const jsonText = (json: JsonObject): string => {
  const [[key, value] = ['', undefined], ...others] = Object.entries(json)
  return others.length === 0 && (key === 'output' || key === 'result') && typeof value === 'string' ? value : JSON.stringify(json)
}

const resultText = (part: ToolResultPart): string =>
  part.json === undefined ? part.content.flatMap((one) => (one.type === 'text' ? [one.text] : [])).join('\n') : jsonText(part.json)
