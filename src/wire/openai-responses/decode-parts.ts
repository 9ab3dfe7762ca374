/** Content parts of messages and of tool outputs. */
import type { CacheMark, MediaPart, MediaSource, Part } from '../../core/call.ts'
import { invalid } from '../../core/error.ts'
import { at, isFilled, isObject, type Json, type JsonObject } from '../../core/json.ts'
import { kindOfMime, mimeOfName } from '../mimes.ts'
import { asObject, listAt, objectAt, others, pick, stringAt } from './read.ts'

const TEXT = new Set(['type', 'text', 'prompt_cache_breakpoint', 'logprobs', 'annotations'])
const REFUSAL = new Set(['type', 'refusal', 'prompt_cache_breakpoint'])
const IMAGE = new Set(['type', 'image_url', 'file_id', 'detail', 'prompt_cache_breakpoint'])
const FILE = new Set(['type', 'file_id', 'file_data', 'file_url', 'filename', 'detail', 'prompt_cache_breakpoint'])
const AUDIO = new Set(['type', 'input_audio', 'prompt_cache_breakpoint'])

/** `content` or `output` of an item: a text, or a list of parts. */
export function decodeContent(item: JsonObject, key: string, path: string): readonly Part[] {
  const value = item[key]
  if (typeof value === 'string') return [{ type: 'text', text: value, path: at(path, key) }]
  return listAt(item, key, path).map((entry) =>
    typeof entry.value === 'string' ? { type: 'text', text: entry.value, path: entry.path } : decodePart(entry.value, entry.path),
  )
}

function decodePart(value: Json, path: string): Part {
  const part = asObject(value, path)
  const type = stringAt(part, 'type', path)
  const base = { path, cache: markOf(part, path) }
  switch (type) {
    case 'input_text':
    case 'output_text':
    case 'text': {
      const cited = Array.isArray(part['annotations']) && part['annotations'].length > 0
      const annotations = cited ? { annotations: part['annotations'] } : undefined
      const own = pick(part, cited ? ['logprobs'] : ['logprobs', 'annotations'])
      const extras = others(part, TEXT)
      return {
        ...base,
        type: 'text',
        text: stringAt(part, 'text', path) ?? '',
        ...(annotations || extras ? { extras: { ...extras, ...annotations } } : {}),
        ...(own && { own }),
      }
    }
    case 'refusal':
      return { ...base, type: 'refusal', text: stringAt(part, 'refusal', path) ?? '', extras: others(part, REFUSAL) }
    case 'input_image':
      return { ...base, ...imageOf(part, path), type: 'media', extras: others(part, IMAGE) }
    case 'input_file':
      return { ...base, ...fileOf(part, path), type: 'media', extras: others(part, FILE) }
    case 'input_audio':
      return { ...base, type: 'media', kind: 'audio', source: soundOf(part, path), extras: others(part, AUDIO) }
    default:
      return { path, type: 'foreign', wire: 'openai-responses', kind: type ?? 'part', value: part }
  }
}

function markOf(part: JsonObject, path: string): CacheMark | undefined {
  const mark = part['prompt_cache_breakpoint']
  if (mark === undefined || mark === null) return undefined
  const ttl = isObject(mark) && isFilled(mark['ttl']) ? mark['ttl'] : undefined
  return { path: at(path, 'prompt_cache_breakpoint'), ...(ttl && { ttl }) }
}

type Media = Pick<MediaPart, 'kind' | 'source' | 'detail' | 'name'>

function imageOf(part: JsonObject, path: string): Media {
  const detail = stringAt(part, 'detail', path)
  const id = stringAt(part, 'file_id', path)
  // Some clients write the address as Chat does: `{ url }`.
  const holder = isObject(part['image_url']) ? objectAt(part, 'image_url', path) : undefined
  const url = holder ? stringAt(holder, 'url', at(path, 'image_url')) : stringAt(part, 'image_url', path)
  if (id === undefined && url === undefined) throw invalid(`${at(path, 'image_url')} is missing.`, at(path, 'image_url'))
  const source: MediaSource = id !== undefined ? { type: 'file', id } : byUrl(url ?? '')
  return { kind: 'image', source, ...(detail !== undefined && { detail }) }
}

function fileOf(part: JsonObject, path: string): Media {
  const id = stringAt(part, 'file_id', path)
  const url = stringAt(part, 'file_url', path)
  const data = stringAt(part, 'file_data', path)
  if (id === undefined && url === undefined && data === undefined)
    throw invalid(`${at(path, 'file_data')} is missing.`, at(path, 'file_data'))
  const name = stringAt(part, 'filename', path)
  const detail = stringAt(part, 'detail', path)
  const source: MediaSource =
    id !== undefined
      ? { type: 'file', id }
      : url !== undefined
        ? byUrl(url)
        : data?.startsWith('data:')
          ? byUrl(data)
          : { type: 'base64', data: data ?? '', mime: mimeOfName(name ?? '') ?? 'application/pdf' }
  return {
    kind: kindOfMime(source.type === 'file' ? undefined : source.mime) ?? 'document',
    source,
    ...(name !== undefined && { name }),
    ...(detail !== undefined && { detail }),
  }
}

function soundOf(part: JsonObject, path: string): MediaSource {
  const audio = objectAt(part, 'input_audio', path) ?? {}
  const data = stringAt(audio, 'data', at(path, 'input_audio'))
  if (data === undefined) throw invalid(`${at(path, 'input_audio.data')} is missing.`, at(path, 'input_audio.data'))
  const format = stringAt(audio, 'format', at(path, 'input_audio')) ?? 'wav'
  return data.startsWith('data:') ? byUrl(data) : { type: 'base64', data, mime: `audio/${format}` }
}

/** A `data:` URL opened; any other address as it is. */
function byUrl(url: string): MediaSource {
  const match = /^data:([^;,]*)((?:;[^;,]*)*),/i.exec(url)
  if (!match) return { type: 'url', url }
  const [head, mime = '', parameters = ''] = match
  const payload = url.slice(head.length)
  if (/;base64$/i.test(parameters)) return { type: 'base64', data: payload, mime: mime || 'application/octet-stream' }
  return { type: 'text', text: unescaped(payload), mime: mime || 'text/plain' }
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
