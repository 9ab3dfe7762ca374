/** One turn of the assistant as one Chat message: thinking, words, then calls. */
import type { Message, Part, ReasoningPart, Sealed, TextPart, ToolCallPart } from '../../core/call.ts'
import { at, isFilled, isObject, type Json, type JsonObject } from '../../core/json.ts'
import { cacheMarkOf, type Encoding, ownOf, withExtras } from './encode-messages.ts'
import { detailsOf } from './reasoning-details.ts'

/** Accepted by Gemini in place of a signature that is lost. */
const NO_SIGNATURE = 'skip_thought_signature_validator'

/** Undefined when nothing of the turn can be said. */
export function assistantMessage(
  messages: readonly Message[],
  idOf: (part: ToolCallPart) => string,
  encoding: Encoding,
): JsonObject | undefined {
  const { call, notes, same } = encoding
  const parts = messages.flatMap((message) => message.parts)
  const extras = messages.map((message) => notes.extrasOf(message, call, 'openai-chat'))
  const own = messages.map((message) => ownOf(message, same))
  const name = messages.map((message) => message.name).find((one) => one !== undefined)
  const thinking = thoughts(parts, encoding)
  const { content, refusal } = words(parts, encoding)
  const calls = toolCalls(parts, idOf, encoding)
  const legacy = same ? parts.find((part): part is ToolCallPart => part.type === 'tool-call' && part.own?.['legacy'] === true) : undefined
  if (content === undefined && refusal === undefined && calls.length === 0 && Object.keys(thinking).length === 0 && !same) return undefined
  const silent = calls.length > 0 || legacy || refusal !== undefined || extras.some((one) => one?.['audio'] !== undefined)
  return {
    role: 'assistant',
    content: content ?? (silent ? null : ''),
    ...(name !== undefined && { name }),
    ...(refusal !== undefined && { refusal }),
    ...Object.assign({}, ...own),
    ...thinking,
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(legacy && { function_call: { name: legacy.name, arguments: legacy.arguments } }),
    ...Object.assign({}, ...extras),
  }
}

function words(parts: readonly Part[], encoding: Encoding): { content: Json | undefined; refusal: string | undefined } {
  const { call, notes, same } = encoding
  const said: ({ readonly part: TextPart } & { readonly value: JsonObject })[] = []
  const other: JsonObject[] = []
  const refusals: string[] = []
  for (const part of parts) {
    switch (part.type) {
      case 'text': {
        const value = { type: 'text', text: part.text, ...cacheMarkOf(part.cache, encoding), ...notes.extrasOf(part, call, 'openai-chat') }
        said.push({ part, value })
        dropSeals(part, encoding, (sealed) => same && sealed.vendor === 'google')
        break
      }
      case 'refusal':
        refusals.push(part.text)
        notes.extrasOf(part, call, 'openai-chat')
        break
      case 'reasoning':
        // Mistral keeps thinking among the content.
        if (same && part.path.includes('.content')) other.push({ type: 'thinking', thinking: [{ type: 'text', text: part.text }] })
        break
      case 'foreign':
        if (part.wire === 'openai-chat' && same && typeof part.value === 'object') other.push(part.value as JsonObject)
        else notes.dropped(part.path, `${part.kind} is not known to the target`)
        break
      case 'media':
      case 'tool-result':
        notes.dropped(part.path, 'has no place in a turn of the assistant')
        break
      case 'tool-call':
        break
      default:
        part satisfies never
    }
  }
  const refusal = refusals.length > 0 ? refusals.join('') : undefined
  if (said.length === 0 && other.length === 0) return { content: undefined, refusal }
  const listed = same && said.some(({ part }) => part.path.endsWith(']'))
  const plain = !listed && other.length === 0 && said.every(({ value }) => Object.keys(value).length === 2)
  if (plain && (said.length === 1 || !same)) return { content: joined(said.map(({ part }) => part.text)), refusal }
  return { content: [...other, ...said.map(({ value }) => value)], refusal }
}

const WORD = /[\p{L}\p{N}]/u

/** Pieces of one text stay one; where two words would run together they are kept apart. */
export function joined(texts: readonly string[]): string {
  let whole = ''
  for (const text of texts) {
    const touches = WORD.test(whole.at(-1) ?? ' ') && WORD.test(text[0] ?? ' ')
    whole += touches ? `\n\n${text}` : text
  }
  return whole
}

function toolCalls(parts: readonly Part[], idOf: (part: ToolCallPart) => string, encoding: Encoding): JsonObject[] {
  const { call, names, notes, same, target } = encoding
  const calls = parts.filter((part): part is ToolCallPart => part.type === 'tool-call' && !(same && part.own?.['legacy'] === true))
  const google = target.capabilities.needsThoughtSignature === true
  return calls.map((part, index) => {
    const signature = part.sealed?.find((sealed) => sealed.vendor === 'google' && (google || same))?.value
    dropSeals(part, encoding, (sealed) => sealed.vendor === 'google' && (google || same))
    const value = signature ?? (google && index === 0 ? NO_SIGNATURE : undefined)
    const name = names.sent(part.name, part.namespace)
    const native = part.freeform && same
    return withExtras(
      {
        id: idOf(part),
        ...(native
          ? { type: 'custom', custom: { name, input: part.arguments } }
          : {
              type: 'function',
              function: { name, arguments: part.freeform ? JSON.stringify({ input: part.arguments }) : argumentText(part.arguments) },
            }),
        ...(value !== undefined && { extra_content: { google: { thought_signature: value } } }),
        ...cacheMarkOf(part.cache, encoding),
      },
      notes.extrasOf(part, call, 'openai-chat'),
    )
  })
}

/** A call without arguments is one with none. */
const argumentText = (text: string): string => (text.trim() === '' ? '{}' : text)

/** Names the sealed state that this target cannot read. */
function dropSeals(part: Part, { notes, call }: Encoding, readable: (sealed: Sealed) => boolean): void {
  for (const sealed of part.sealed ?? [])
    if (!readable(sealed)) notes.dropped(sealPath(part, call.wire), `only ${sealed.vendor} can read it`)
}

function sealPath(part: Part, wire: string): string {
  switch (wire) {
    case 'gemini':
      return at(part.path, 'thoughtSignature')
    case 'openai-responses':
      return at(part.path, 'encrypted_content')
    case 'openai-chat':
      return part.type === 'tool-call' ? at(part.path, 'extra_content') : part.path
    default:
      return at(part.path, 'signature')
  }
}

/** Thinking under the names that this host reads. */
function thoughts(parts: readonly Part[], encoding: Encoding): JsonObject {
  const { call, notes, same, target } = encoding
  const { reasoningField, reasoningRequired, reasoningStyle } = target.quirks
  const given = parts.filter((part): part is ReasoningPart => part.type === 'reasoning')
  const all = given.filter((part) => part.text !== '' || (part.sealed?.length ?? 0) > 0)
  for (const part of all) {
    notes.extrasOf(part, call, 'openai-chat')
    cacheMarkOf(part.cache, { ...encoding, same: false })
  }
  const empty: JsonObject = reasoningRequired && reasoningField !== undefined ? { [reasoningField]: '' } : {}
  if (same && reasoningField === undefined && given.length > 0) return echoed(given)
  if (all.length === 0) return empty
  const text = joined(all.map((part) => part.text))
  const details = reasoningStyle === 'openrouter' || same ? all.flatMap((part, index) => detailsOf(thoughtOf(part), index)) : []
  if (details.length === 0) for (const part of all) dropSeals(part, encoding, () => false)
  if (reasoningField !== undefined) return { [reasoningField]: text, ...(details.length > 0 && { reasoning_details: details }) }
  if (details.length > 0) return { reasoning: text, reasoning_details: details }
  for (const part of all) if (part.text !== '') notes.dropped(part.path, 'thinking is not sent back to this provider')
  return empty
}

const thoughtOf = ({ text, summary, sealed }: ReasoningPart): Parameters<typeof detailsOf>[0] => ({
  text,
  summary: summary === true,
  sealed: sealed ?? [],
})

/** As the client of this wire said it. */
function echoed(parts: readonly ReasoningPart[]): JsonObject {
  const outside = parts.filter((part) => !part.path.includes('.content'))
  const fields = new Map<string, string>()
  for (const { own, text } of outside)
    for (const field of Array.isArray(own?.['fields']) ? own['fields'] : [])
      if (typeof field === 'string') fields.set(field, (fields.get(field) ?? '') + text)
  const listed = outside.filter((part) => part.path.endsWith('reasoning_details'))
  const details = listed.flatMap(({ own, text }) => (isObject(own?.['detail']) ? [worded(own['detail'], text)] : []))
  const blocks = outside.filter((part) => part.path.endsWith('thinking_blocks')).map(blockOf)
  return {
    ...Object.fromEntries(fields),
    ...(details.length > 0 && { reasoning_details: details }),
    ...(blocks.length > 0 && { thinking_blocks: blocks }),
  }
}

/** The entry as it stood, with the words of the part, which may have been edited. */
function worded(detail: JsonObject, text: string): JsonObject {
  const key = ['text', 'summary'].find((name) => isFilled(detail[name]))
  return key === undefined || detail[key] === text ? detail : { ...detail, [key]: text }
}

function blockOf({ text, sealed }: ReasoningPart): JsonObject {
  const [seal] = sealed ?? []
  if (seal?.kind === 'redacted') return { type: 'redacted_thinking', data: seal.value }
  return { type: 'thinking', thinking: text, ...(seal && { signature: seal.value }) }
}
