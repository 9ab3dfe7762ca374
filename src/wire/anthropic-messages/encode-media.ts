/** Pictures and documents as the API takes them; bytes are believed over labels. */
import type { MediaPart } from '../../core/call.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Notes } from '../../core/notes.ts'
import { untranslatable } from '../stored.ts'

const IMAGES: readonly (readonly [string, RegExp])[] = [
  ['image/png', /^iVBORw0KGgo/],
  ['image/jpeg', /^\/9j\//],
  ['image/gif', /^R0lGOD/],
  ['image/webp', /^UklGR/],
]
const TEXTUAL = /^text\/|^application\/(?:.+\+)?(?:json|xml|csv|yaml|x-yaml|javascript|x-ndjson)$|^image\/svg\+xml$/i

/** A block, or undefined when the wire has no place for it, which is then named. */
export function mediaBlock(part: MediaPart, own: boolean, notes: Notes): JsonObject | undefined {
  if (part.detail !== undefined && part.detail !== 'auto') notes.dropped(`${part.path}.detail`, 'not supported by the target')
  if (part.kind === 'audio' || part.kind === 'video') throw untranslatable(`This provider takes no ${part.kind}.`, part.path)
  const source =
    part.source.type === 'url' && part.source.url.startsWith('data:') ? ofDataUrl(part.source.url, part.source.mime) : part.source
  switch (source.type) {
    case 'base64':
      return ofBytes(part, source.data, source.mime, notes)
    case 'text':
      return source.text.trim() === '' ? undefined : document(part, { type: 'text', media_type: 'text/plain', data: source.text })
    case 'url':
      return ofUrl(part, source.url, source.mime)
    case 'file':
      if (!own) throw untranslatable('The file is stored by another provider; send its content instead.', part.path)
      return block(part, { type: 'file', file_id: source.id })
    default:
      return source satisfies never
  }
}

const block = (part: MediaPart, source: JsonObject): JsonObject =>
  part.kind === 'image' ? { type: 'image', source } : document(part, source)

const document = ({ name }: MediaPart, source: JsonObject): JsonObject => ({
  type: 'document',
  source,
  ...(name !== undefined && name !== '' && { title: name }),
})

function ofBytes(part: MediaPart, data: string, mime: string, notes: Notes): JsonObject | undefined {
  const real = IMAGES.find(([, magic]) => magic.test(data))?.[0]
  const type = mime.toLowerCase().split(';')[0]?.trim() ?? ''
  const named = type === 'image/jpg' ? 'image/jpeg' : type
  if (real && (part.kind === 'image' || named.startsWith('image/') || named === ''))
    return { type: 'image', source: { type: 'base64', media_type: real, data } }
  if (part.kind === 'image' && IMAGES.some(([known]) => known === named))
    return { type: 'image', source: { type: 'base64', media_type: named, data } }
  if (named === 'application/pdf' || data.startsWith('JVBERi'))
    return document(part, { type: 'base64', media_type: 'application/pdf', data })
  const text = TEXTUAL.test(named) || named === '' || named === 'application/octet-stream' ? textOf(data) : undefined
  if (text !== undefined && text.trim() !== '') return document(part, { type: 'text', media_type: 'text/plain', data: text })
  notes.dropped(part.path, `${named || 'unknown media'} is not supported by the target`)
  return undefined
}

function ofUrl(part: MediaPart, url: string, mime: string | undefined): JsonObject {
  const pdf = mime === undefined || mime === 'application/pdf' || mime === 'application/octet-stream'
  if (!/^https?:\/\//i.test(url) || (part.kind === 'document' && !pdf && !mime?.startsWith('image/')))
    throw untranslatable('This provider cannot fetch that address; send the content instead.', part.path)
  return block(mime?.startsWith('image/') ? { ...part, kind: 'image' } : part, { type: 'url', url })
}

function ofDataUrl(url: string, mime: string | undefined): MediaPart['source'] {
  const comma = url.indexOf(',')
  const head = url.slice(5, Math.max(5, comma))
  const type = head.split(';')[0] || mime || ''
  const payload = url.slice(comma + 1)
  if (/;base64$/i.test(head)) return { type: 'base64', data: payload, mime: type }
  return { type: 'text', text: decoded(payload), mime: type }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Bytes as text, when they are text to the last byte. */
function textOf(base64: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
