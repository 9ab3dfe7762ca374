/** Content of a message: Chat's own parts, those of its relatives, and blocks of Anthropic and Responses that clients put there. */
import type { CacheMark, MediaKind, MediaPart, MediaSource, Node, Part, ReasoningPart, ToolResultPart } from '../../core/call.ts'
import { invalid } from '../../core/error.ts'
import { at, isFilled, isObject, isString, type Json, type JsonObject } from '../../core/json.ts'
import { uncarry } from '../carrier.ts'
import { asObject, names, restOf, textAt } from './read.ts'

/** A mark on a part, a message or a tool, under either of its names. */
export function cacheMark(owner: JsonObject, path: string): CacheMark | undefined {
  for (const key of ['cache_control', 'prompt_cache_breakpoint']) {
    const mark = owner[key]
    if (!isObject(mark)) continue
    const { ttl } = mark
    return { path: at(path, key), ...(isFilled(ttl) && { ttl }) }
  }
  return undefined
}

/** The member that a mark was read from; the other one, if there is one as well, is what it is. */
export const markKey = (cache: CacheMark | undefined): string => cache?.path.replace(/^.*\./, '') ?? ''

/** A string, a list of parts, or one part alone. */
export function contentParts(content: Json | undefined, path: string): Part[] {
  if (content === undefined || content === null) return []
  if (isString(content)) return [{ type: 'text', text: content, path }]
  if (!Array.isArray(content)) return [partOf(asObject(content, path), path)]
  return content.map((part, index) =>
    isString(part) ? { type: 'text', text: part, path: at(path, index) } : partOf(asObject(part, at(path, index)), at(path, index)),
  )
}

function partOf(part: JsonObject, path: string): Part {
  const cache = cacheMark(part, path)
  const type = textAt(part, 'type', path) ?? (isString(part['text']) ? 'text' : '')
  const node = (known: string): Node & { cache?: CacheMark } => {
    const extras = restOf(part, names(`type ${known}`), markKey(cache))
    return { path, ...(cache && { cache }), ...(extras && { extras }) }
  }
  switch (type) {
    case 'text':
    case 'input_text':
    case 'output_text':
      return { ...node('text'), type: 'text', text: textAt(part, 'text', path) ?? '' }
    case 'refusal':
      return { ...node('refusal'), type: 'refusal', text: textAt(part, 'refusal', path) ?? '' }
    case 'thinking':
      return { ...node('thinking signature closed'), ...thinkingOf(part, path) }
    case 'redacted_thinking':
      return { ...node('data'), ...thinkingOf(part, path) }
    case 'image_url':
    case 'input_image':
      return imagePart(part, node('image_url detail file_id'), path)
    case 'video_url':
    case 'document_url':
    case 'file_url':
      return { ...node(type), type: 'media', ...linkedMedia(part, type, path), own: { form: type } }
    case 'input_audio':
      return { ...node('input_audio'), type: 'media', kind: 'audio', source: audioSource(part, path), ...bareForm(part['input_audio']) }
    case 'file':
      return filePart(objectIn(part, 'file', path), node('file'), at(path, 'file'))
    case 'input_file':
      return filePart(part, node('file_id file_data file_url filename'), path)
    case 'image':
    case 'document':
      return isObject(part['source']) ? blockMedia(part, node('source title'), type) : foreign(part, type, path)
    case 'tool_use':
      return {
        ...node('id name input'),
        type: 'tool-call',
        id: textAt(part, 'id', path) ?? '',
        name: textAt(part, 'name', path) ?? '',
        arguments: isString(part['input']) ? part['input'] : JSON.stringify(part['input'] ?? {}),
      }
    case 'tool_result':
      return resultBlock(part, node('tool_use_id content is_error'), path)
    default:
      return foreign(part, type, path)
  }
}

const foreign = (value: JsonObject, kind: string, path: string): Part => ({ type: 'foreign', wire: 'openai-chat', kind, value, path })

const objectIn = (owner: JsonObject, key: string, path: string): JsonObject => asObject(owner[key], at(path, key))

/** Mistral's `thinking` is a list of texts, Anthropic's a text with a signature. */
function thinkingOf({ thinking, signature, data }: JsonObject, path: string): ReasoningPart {
  const pieces: readonly Json[] = Array.isArray(thinking) ? thinking : [thinking ?? '']
  const text = pieces.map((piece) => (isString(piece) ? piece : isObject(piece) && isString(piece['text']) ? piece['text'] : '')).join('')
  const value = [signature, data].find(isFilled)
  const kind = value === signature ? 'signature' : 'redacted'
  return {
    type: 'reasoning',
    path,
    text,
    ...(value !== undefined && { sealed: uncarry(value) ?? [{ vendor: 'anthropic', kind, value }] }),
  }
}

const kindOf = (mime: string | undefined): MediaKind => {
  const type = mime?.split('/')[0]?.toLowerCase()
  return type === 'image' || type === 'audio' || type === 'video' ? type : 'document'
}

/** A `data:` URL opened, or an address. */
export function sourceOf(url: string): MediaSource {
  const data = /^data:([^;,]*)((?:;[^;,]*)*),/i.exec(url)
  if (!data) return { type: 'url', url }
  const mime = data[1] || 'text/plain'
  const payload = url.slice(data[0].length)
  return /;base64$/i.test(data[2] ?? '') ? { type: 'base64', data: payload, mime } : { type: 'text', text: unescaped(payload), mime }
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function imagePart(part: JsonObject, node: Node, path: string): MediaPart {
  const image = part['image_url']
  const holder = isObject(image) ? image : part
  const place = isObject(image) ? at(path, 'image_url') : path
  const url = isString(image) ? image : isObject(image) ? textAt(image, 'url', place) : undefined
  const detail = textAt(holder, 'detail', place)
  const file = textAt(part, 'file_id', path)
  if (url === undefined && file === undefined) {
    const missing = at(place, isObject(image) ? 'url' : 'image_url')
    throw invalid(`${missing} is missing.`, missing)
  }
  const inner = isObject(image) ? restOf(image, names('url detail')) : undefined
  return {
    ...node,
    ...(inner && { extras: { ...node.extras, image_url: inner } }),
    type: 'media',
    kind: 'image',
    source: url === undefined && file !== undefined ? { type: 'file', id: file } : sourceOf(url ?? ''),
    ...(detail !== undefined && { detail }),
    ...bareForm(image),
  }
}

/** Some relatives have a bare string where OpenAI has an object. */
const bareForm = (value: Json | undefined): { own?: JsonObject } => (isString(value) ? { own: { form: 'bare' } } : {})

function linkedMedia(part: JsonObject, type: string, path: string): { kind: MediaKind; source: MediaSource } {
  const given = part[type]
  const url = (isObject(given) ? textAt(given, 'url', at(path, type)) : textAt(part, type, path)) ?? ''
  const kind = type === 'video_url' ? 'video' : 'document'
  // Perplexity takes bare base64 where others have an address.
  const bare = type === 'file_url' && !/^[a-z][a-z0-9+.-]*:/i.test(url)
  return { kind, source: bare ? { type: 'base64', data: url, mime: 'application/pdf' } : sourceOf(url) }
}

function audioSource(part: JsonObject, path: string): MediaSource {
  const given = part['input_audio']
  const data = (isObject(given) ? textAt(given, 'data', at(path, 'input_audio')) : textAt(part, 'input_audio', path)) ?? ''
  if (/^(data:|https?:)/i.test(data)) return sourceOf(data)
  const format = isObject(given) ? textAt(given, 'format', at(path, 'input_audio')) : undefined
  return { type: 'base64', data, mime: `audio/${format === 'mp3' ? 'mpeg' : (format ?? 'wav')}` }
}

/** `{ file_data, filename }`, `{ file_id }`, or Responses' `{ file_url }`. */
function filePart(file: JsonObject, node: Node, path: string): MediaPart {
  const data = textAt(file, 'file_data', path) ?? textAt(file, 'file_url', path)
  const name = textAt(file, 'filename', path)
  const bare = data !== undefined && !/^[a-z][a-z0-9+.-]*:/i.test(data)
  const source: MediaSource =
    data === undefined
      ? { type: 'file', id: textAt(file, 'file_id', path) ?? '' }
      : bare
        ? { type: 'base64', data, mime: 'application/pdf' }
        : sourceOf(data)
  const kind = source.type === 'base64' || source.type === 'text' ? kindOf(source.mime) : 'document'
  return { ...node, type: 'media', kind, source, ...(name !== undefined && { name }), path: node.path }
}

/** Anthropic's picture or document, in the middle of a Chat message. */
function blockMedia(block: JsonObject, node: Node, kind: 'image' | 'document'): MediaPart {
  const place = at(node.path, 'source')
  const source = objectIn(block, 'source', node.path)
  const mime = textAt(source, 'media_type', place)
  const data = textAt(source, 'data', place) ?? ''
  const name = textAt(block, 'title', node.path)
  const from: MediaSource =
    source['type'] === 'url'
      ? { type: 'url', url: textAt(source, 'url', place) ?? '' }
      : source['type'] === 'file'
        ? { type: 'file', id: textAt(source, 'file_id', place) ?? '' }
        : source['type'] === 'text'
          ? { type: 'text', text: data, mime: mime ?? 'text/plain' }
          : { type: 'base64', data, mime: mime ?? (kind === 'image' ? 'image/png' : 'application/pdf') }
  return { ...node, type: 'media', kind, source: from, ...(name !== undefined && { name }) }
}

function resultBlock(block: JsonObject, node: Node, path: string): ToolResultPart {
  return {
    ...node,
    type: 'tool-result',
    id: textAt(block, 'tool_use_id', path) ?? '',
    content: contentParts(block['content'], at(path, 'content')),
    ...(block['is_error'] === true && { isError: true }),
  }
}
