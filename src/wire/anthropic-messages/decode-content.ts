/** Content blocks of a client's messages. */
import type { ForeignPart, MediaKind, MediaSource, Message, Part, Sealed, TextPart } from '../../core/call.ts'
import { invalid } from '../../core/error.ts'
import { at, compact, isFilled, isObject, type Json, type JsonObject } from '../../core/json.ts'
import { uncarry } from '../carrier.ts'
import { booleanAt, cacheOf, isAbsent, joined, listAt, objectAt, requiredString, stringAt, unread } from './read.ts'

export const WIRE = 'anthropic-messages'

interface Where {
  readonly role: Message['role']
  /** The API version with fewer liberties (2026-10-21). */
  readonly narrow: boolean
}

/** A text, or a list of blocks. */
export function decodeContent(content: Json | undefined, path: string, where: Where): readonly Part[] {
  if (isAbsent(content)) return []
  if (typeof content === 'string') return [{ type: 'text', text: content, path }]
  if (!Array.isArray(content)) throw invalid('Input should be a valid string or a list of content blocks', path)
  return settled(content.map((block, index) => decodeBlock(block, at(path, index), where)))
}

function decodeBlock(block: Json, path: string, where: Where): Part {
  if (typeof block === 'string') return { type: 'text', text: block, path }
  if (!isObject(block)) throw invalid('Input should be an object', path)
  switch (block['type']) {
    case 'text':
      return textBlock(block, path, where)
    case 'image':
    case 'document':
      return mediaBlock(block, path, where)
    case 'search_result':
      return searchResult(block, path)
    case 'compaction':
      return compaction(block, path)
    case 'thinking':
      return thinkingBlock(block, path)
    case 'redacted_thinking': {
      const data = requiredString(block['data'], at(path, 'data'))
      const sealed = uncarry(data) ?? [{ vendor: 'anthropic', kind: 'redacted', value: data }]
      return compact({ type: 'reasoning', text: '', path, sealed, extras: unread(block, 'type', 'data') })
    }
    case 'tool_use':
      return toolUse(block, path)
    case 'tool_result':
      return toolResult(block, path, where)
    default:
      requiredString(block['type'], at(path, 'type'))
      return foreign(block, path)
  }
}

const foreign = (block: JsonObject, path: string): ForeignPart => ({
  type: 'foreign',
  wire: WIRE,
  kind: String(block['type']),
  value: block,
  path,
})

function textBlock(block: JsonObject, path: string, { role, narrow }: Where): TextPart {
  const text = requiredString(block['text'], at(path, 'text'))
  const citations = listAt(block['citations'], at(path, 'citations')) ?? []
  if (narrow && role === 'user' && citations.length > 0) throw invalid('Extra inputs are not permitted', at(path, 'citations'))
  const { cache, more } = cacheOf(block, path)
  const extras = joined(citations.length > 0 ? { citations } : undefined, unread(block, 'type', 'text', 'citations', 'cache_control'), more)
  return compact({ type: 'text', text, path, cache, extras })
}

function thinkingBlock(block: JsonObject, path: string): Part {
  const text = stringAt(block['thinking'], at(path, 'thinking')) ?? ''
  const signature = stringAt(block['signature'], at(path, 'signature'))
  const own: readonly Sealed[] | undefined = signature ? [{ vendor: 'anthropic', kind: 'signature', value: signature }] : undefined
  const sealed = (signature && uncarry(signature)) || own
  return compact({ type: 'reasoning', text, path, sealed, extras: unread(block, 'type', 'thinking', 'signature') })
}

/**
 * Google's signatures belong to texts and calls, which have no place for them here: they travel as thinking without
 * words before the block they belong to, and are put back on it.
 */
function settled(parts: readonly Part[]): readonly Part[] {
  const bearer = (part: Part): boolean =>
    part.type === 'reasoning' &&
    part.text === '' &&
    (part.sealed ?? []).length > 0 &&
    (part.sealed ?? []).every(({ vendor, kind }) => vendor === 'google' && kind === 'thought-signature')
  if (!parts.some(bearer)) return parts
  const result: Part[] = []
  let held: Sealed[] = []
  for (const part of parts) {
    if (bearer(part)) held.push(...(part.sealed ?? []))
    else if (held.length > 0 && (part.type === 'text' || part.type === 'tool-call')) {
      result.push({ ...part, sealed: held })
      held = []
    } else result.push(part)
  }
  const last = result.at(-1)
  if (held.length > 0 && last) result[result.length - 1] = { ...last, sealed: [...(last.sealed ?? []), ...held] }
  return held.length > 0 && !last ? parts : result
}

function toolUse(block: JsonObject, path: string): Part {
  const input = objectAt(block['input'], at(path, 'input')) ?? {}
  const { cache, more } = cacheOf(block, path)
  const { caller } = block
  // What every call of the model itself says.
  const direct = isObject(caller) && caller['type'] === 'direct' && Object.keys(caller).length === 1
  return compact({
    type: 'tool-call',
    id: requiredString(block['id'], at(path, 'id')),
    name: requiredString(block['name'], at(path, 'name')),
    arguments: JSON.stringify(input),
    path,
    cache,
    own: direct ? { caller } : undefined,
    extras: joined(unread(block, 'type', 'id', 'name', 'input', 'cache_control', ...(direct ? ['caller'] : [])), more),
  })
}

function toolResult(block: JsonObject, path: string, where: Where): Part {
  const isError = booleanAt(block['is_error'], at(path, 'is_error'))
  const { cache, more } = cacheOf(block, path)
  return compact({
    type: 'tool-result',
    id: requiredString(block['tool_use_id'], at(path, 'tool_use_id')),
    content: decodeContent(block['content'], at(path, 'content'), { ...where, role: 'assistant', narrow: false }),
    isError: isError || undefined,
    path,
    cache,
    own: isError === false ? { is_error: false } : undefined,
    extras: joined(unread(block, 'type', 'tool_use_id', 'content', 'is_error', 'cache_control'), more),
  })
}

// ---- media -----------------------------------------------------------------------------------------------------

function mediaBlock(block: JsonObject, path: string, { role, narrow }: Where): Part {
  const isImage = block['type'] === 'image'
  if (narrow && !isImage && role === 'assistant') throw invalid('`document` blocks are not permitted in assistant messages', path)
  const from = objectAt(block['source'], at(path, 'source'))
  if (!from) throw invalid('Field required', at(path, 'source'))
  if (from['type'] === 'content' && !isImage) return contentDocument(block, from['content'], path)
  const source = sourceOf(from, at(path, 'source'), isImage)
  if (!source) return foreign(block, path)
  const { cache, more } = cacheOf(block, path)
  const title = isImage ? undefined : stringAt(block['title'], at(path, 'title'))
  const citations = objectAt(block['citations'], at(path, 'citations'))
  const known = isImage ? ['type', 'source', 'cache_control'] : ['type', 'source', 'title', 'citations', 'cache_control']
  return compact({
    type: 'media',
    kind: kindOf(isImage, source),
    source: source.source,
    name: title,
    path,
    cache,
    // Off is what silence means elsewhere.
    own: citations?.['enabled'] === false ? { citations } : undefined,
    extras: joined(
      unread(block, ...known),
      citations && citations['enabled'] !== false ? { citations } : undefined,
      source.more && { source: source.more },
      more,
    ),
  })
}

const kindOf = (isImage: boolean, { source }: Source): MediaKind =>
  isImage ? 'image' : source.mime?.startsWith('image/') ? 'image' : 'document'

interface Source {
  readonly source: MediaSource
  /** What the source says beyond it. */
  readonly more?: JsonObject
}

function sourceOf(from: JsonObject, path: string, isImage: boolean): Source | undefined {
  const mime = stringAt(from['media_type'], at(path, 'media_type'))
  switch (from['type']) {
    case 'base64': {
      const data = requiredString(from['data'], at(path, 'data'))
      const source: MediaSource = { type: 'base64', data, mime: mime ?? (isImage ? 'image/png' : 'application/pdf') }
      return { source, more: unread(from, 'type', 'data', 'media_type') }
    }
    case 'text':
      return {
        source: { type: 'text', text: requiredString(from['data'], at(path, 'data')), mime: mime ?? 'text/plain' },
        more: unread(from, 'type', 'data', 'media_type'),
      }
    case 'url': {
      const url = requiredString(from['url'], at(path, 'url'))
      const source: MediaSource = isImage ? { type: 'url', url } : { type: 'url', url, mime: 'application/pdf' }
      return { source, more: unread(from, 'type', 'url') }
    }
    case 'file':
      return {
        source: { type: 'file', id: requiredString(from['file_id'], at(path, 'file_id')) },
        more: unread(from, 'type', 'file_id'),
      }
    default:
      requiredString(from['type'], at(path, 'type'))
      return undefined
  }
}

/** The words of a document made of blocks. */
function wordsOf(content: Json | undefined): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((block) => (isObject(block) && typeof block['text'] === 'string' ? block['text'] : '')).join('\n')
}

/** Nothing but plain texts. */
const onlyWords = (content: Json | undefined): boolean =>
  !Array.isArray(content) ||
  content.every((block) => isObject(block) && block['type'] === 'text' && unread(block, 'type', 'text', 'citations') === undefined)

/**
 * What is made of texts is a text to other vendors, with the names it goes by in front. `own` holds what it was; nothing
 * but the mark and what could not be said so is left for `extras`.
 */
function asText(
  block: JsonObject,
  path: string,
  heading: readonly (string | undefined)[],
  text: string,
  lost: JsonObject | undefined,
): TextPart {
  const { cache, more } = cacheOf(block, path)
  const strange = joined(unread(block, 'type', 'title', 'source', 'context', 'content', 'citations', 'cache_control'), lost)
  const own = Object.fromEntries(Object.entries(block).filter(([name]) => name !== 'cache_control' && !Object.hasOwn(strange ?? {}, name)))
  const names = heading.filter(isFilled).join('\n')
  return compact({ type: 'text', text: names ? `${names}\n\n${text}` : text, path, cache, own, extras: joined(strange, more) })
}

function searchResult(block: JsonObject, path: string): TextPart {
  const title = stringAt(block['title'], at(path, 'title'))
  const source = stringAt(block['source'], at(path, 'source'))
  const lost = joined(citing(block), onlyWords(block['content']) ? undefined : { content: block['content'] })
  return asText(block, path, [title, source], wordsOf(block['content']), lost)
}

function contentDocument(block: JsonObject, content: Json | undefined, path: string): TextPart {
  const title = stringAt(block['title'], at(path, 'title'))
  const context = stringAt(block['context'], at(path, 'context'))
  const lost = joined(citing(block), onlyWords(content) ? undefined : { source: block['source'] })
  return asText(block, path, [title, context], wordsOf(content), lost)
}

/** Citations are lost elsewhere, but only when they are on. */
const citing = ({ citations }: JsonObject): JsonObject | undefined =>
  isObject(citations) && citations['enabled'] === true ? { citations } : undefined

/** The summary that stands for what came before it. */
function compaction(block: JsonObject, path: string): Part {
  const { content } = block
  return isFilled(content) ? asText(block, path, [], content, undefined) : foreign(block, path)
}
