/** Pictures, files and sound as Chat content parts. */
import type { MediaPart } from '../../core/call.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { untranslatable } from '../stored.ts'
import type { Encoding } from './encode-messages.ts'

export type ContentPart = { readonly type: string } & JsonObject

const AUDIO_FORMATS: Readonly<Record<string, string>> = {
  'audio/wav': 'wav',
  'audio/x-wav': 'wav',
  'audio/wave': 'wav',
  'audio/vnd.wave': 'wav',
  'audio/mpeg': 'mp3',
  'audio/mp3': 'mp3',
  'audio/mpeg3': 'mp3',
}

/** Undefined, and named as dropped, when the wire has no place for it. Throws when the whole question hangs on it. */
export function mediaPart(part: MediaPart, encoding: Encoding): ContentPart | undefined {
  switch (part.kind) {
    case 'image':
      return imagePart(part, encoding)
    case 'audio':
      return audioPart(part, encoding)
    case 'document':
      return documentPart(part, encoding)
    case 'video':
      if (encoding.same && part.source.type !== 'file') return { type: 'video_url', video_url: { url: urlOf(part) } }
      throw untranslatable('This provider takes no video.', part.path)
    default:
      return part.kind satisfies never
  }
}

function urlOf({ source }: MediaPart): string {
  switch (source.type) {
    case 'base64':
      return `data:${source.mime};base64,${source.data}`
    case 'text':
      return `data:${source.mime},${encodeURIComponent(source.text)}`
    case 'url':
      return source.url
    case 'file':
      return source.id
    default:
      return source satisfies never
  }
}

function imagePart(part: MediaPart, { target, notes, same }: Encoding): ContentPart {
  if (part.source.type === 'file') throw untranslatable('A picture by file id can only be read by the provider who stores it.', part.path)
  const url = urlOf(part)
  const detail = part.detail === 'auto' && !same ? undefined : part.detail
  if (!target.quirks.imageUrlString && !(same && part.own?.['form'] === 'bare'))
    return { type: 'image_url', image_url: { url, ...(detail !== undefined && { detail }) } }
  if (detail !== undefined && detail !== 'auto') notes.dropped(`${part.path}.detail`, 'not supported by the target')
  return { type: 'image_url', image_url: url }
}

function audioPart(part: MediaPart, { notes, same }: Encoding): ContentPart | undefined {
  const { source } = part
  if (same && part.own?.['form'] === 'bare')
    return { type: 'input_audio', input_audio: source.type === 'base64' ? source.data : urlOf(part) }
  if (source.type === 'file') throw untranslatable('Sound by file id can only be read by the provider who stores it.', part.path)
  if (source.type === 'url' && !same) throw untranslatable('This provider takes sound inside the request only, not by URL.', part.path)
  if (source.type !== 'base64') return { type: 'input_audio', input_audio: { data: urlOf(part) } }
  const mime = source.mime.toLowerCase().split(';')[0] ?? ''
  const format = Object.hasOwn(AUDIO_FORMATS, mime) ? AUDIO_FORMATS[mime] : undefined
  if (format === undefined && !same) {
    notes.dropped(part.path, `${mime} is not supported by the target`)
    return undefined
  }
  return { type: 'input_audio', input_audio: { data: source.data, format: format ?? mime.replace('audio/', '') } }
}

function documentPart(part: MediaPart, { call, same }: Encoding): ContentPart {
  const { source, name } = part
  if (same && typeof part.own?.['form'] === 'string') return linked(part, part.own['form'])
  // Text needs no file: hosts that take no files take it, too.
  if (source.type === 'text' && !same) return { type: 'text', text: name ? `${name}\n\n${source.text}` : source.text }
  if (source.type === 'file') {
    if (call.wire !== 'openai-chat' && call.wire !== 'openai-responses')
      throw untranslatable('A document by file id can only be read by the provider who stores it.', part.path)
    return { type: 'file', file: { file_id: source.id } }
  }
  if (source.type === 'url' && !same) throw untranslatable('This provider takes documents inside the request only, not by URL.', part.path)
  const about: { [name: string]: Json } = name === undefined ? {} : { filename: name }
  return { type: 'file', file: { ...about, file_data: urlOf(part) } }
}

/** A document as Mistral (`document_url`) and Perplexity (`file_url`) take it. */
function linked(part: MediaPart, form: string): ContentPart {
  if (form !== 'file_url') return { type: form, [form]: urlOf(part) }
  return { type: form, file_url: { url: part.source.type === 'base64' ? part.source.data : urlOf(part) } }
}
