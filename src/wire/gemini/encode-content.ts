/** Parts of a call as parts of a Gemini turn. */
import type { MediaPart, Part, Sealed, TextPart, ToolCallPart, ToolResultPart } from '../../core/call.ts'
import { at, type Json, type JsonObject } from '../../core/json.ts'
import { mimeOfName } from '../mimes.ts'
import { untranslatable } from '../stored.ts'
import { PIECES } from './decode-part.ts'
import { argumentsObject } from './encode-part.ts'
import type { EncodeContext } from './encode-turns.ts'
import { base64Of, isGoogle } from './sealed.ts'

/** The parts that stand for one part of the call; calls and results are made by their turns. */
export function contentParts(part: Exclude<Part, ToolCallPart | ToolResultPart>, context: EncodeContext): JsonObject[] {
  const extras = nested(extrasOf(part, context))
  const signature = signatureMember(part, context)
  const bare = !context.own && signature.thoughtSignature === undefined
  const whole = (content: JsonObject): JsonObject[] => [{ ...merged(content, extras), ...signature }]
  switch (part.type) {
    case 'text':
    case 'refusal':
      return part.text === '' && bare ? [] : whole({ text: part.text })
    case 'reasoning':
      // Sealed state that Google cannot read has been named; without words nothing is left of it.
      return part.text === '' && bare ? [] : whole({ text: part.text, thought: true })
    case 'media':
      return whole(mediaPart(part, context))
    case 'foreign':
      if (part.wire === 'gemini') return whole({ [part.kind]: part.value })
      context.notes.dropped(part.path, `${part.kind} is another vendor's`)
      return []
    default:
      return part satisfies never
  }
}

type Beside = { thoughtSignature?: string }

/** Google's own signature; what other vendors sealed stays away, by name. */
export function signatureMember(part: Part, { notes }: EncodeContext): Beside {
  let signature: string | undefined
  for (const sealed of part.sealed ?? []) {
    if (isGoogle(sealed)) signature ??= sealed.value
    else if (part.type === 'reasoning' && part.text === '') notes.dropped(part.path, `thinking sealed by ${sealed.vendor}`)
    else notes.dropped(at(part.path, MEMBERS[sealed.kind]), `thinking signature of ${sealed.vendor}`)
  }
  return signature === undefined ? {} : { thoughtSignature: signature }
}

const MEMBERS = {
  signature: 'signature',
  redacted: 'redacted_thinking',
  encrypted: 'encrypted_content',
  'thought-signature': 'thought_signature',
  details: 'reasoning_details',
} as const satisfies Record<Sealed['kind'], string>

export function extrasOf(part: Part | TextPart, { notes, call }: EncodeContext): JsonObject {
  if (part.cache) notes.dropped(part.cache.path, 'Gemini caches prompts by itself')
  return notes.extrasOf(part, call, 'gemini') ?? {}
}

/** `{ 'functionCall.x': 1 }` as `{ functionCall: { x: 1 } }`: members of a part's own object were kept by their path. */
export function nested(extras: JsonObject): { [key: string]: Json | undefined } {
  const entries = new Map<string, Json | undefined>()
  for (const [key, value] of Object.entries(extras)) {
    const [, holder, name] = /^(functionCall|functionResponse|inlineData|fileData)\.(.+)$/s.exec(key) ?? []
    if (holder === undefined || name === undefined) entries.set(key, value)
    else entries.set(holder, Object.fromEntries([...Object.entries((entries.get(holder) as JsonObject | undefined) ?? {}), [name, value]]))
  }
  return Object.fromEntries(entries)
}

/** A part whose own object has members of the client's that have no meaning here. */
export const merged = (part: JsonObject, extras: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries({ ...extras, ...part }).map(([key, value]) => [
      key,
      part[key] !== undefined && extras[key] !== undefined ? { ...(extras[key] as JsonObject), ...(part[key] as JsonObject) } : value,
    ]),
  )

const DEFAULT_MIMES = { image: 'image/jpeg', document: 'application/pdf', audio: 'audio/mpeg', video: 'video/mp4' }

export function mediaPart({ path, kind, source, name, detail }: MediaPart, { notes, own }: EncodeContext): JsonObject {
  if (detail !== undefined && detail !== 'auto') notes.dropped(at(path, 'detail'), 'not supported by the target')
  const display = own && name !== undefined ? { displayName: name } : {}
  if (name !== undefined && !own) notes.dropped(at(path, 'filename'), 'no place for a file name, title or document_name')
  switch (source.type) {
    case 'base64':
      return { inlineData: { mimeType: source.mime, data: source.data, ...display } }
    case 'text':
      return { inlineData: { mimeType: source.mime, data: base64Of(source.text) } }
    case 'url': {
      const data = /^data:([^;,]*)((?:;[^,;]*)*),/i.exec(source.url)
      if (data) {
        const mimeType = data[1] || source.mime || 'text/plain'
        const payload = source.url.slice(data[0].length)
        return { inlineData: { mimeType, data: /;base64$/i.test(data[2] ?? '') ? payload : base64Of(decoded(payload)) } }
      }
      const mimeType = source.mime ?? mimeOfName(source.url) ?? (own ? undefined : DEFAULT_MIMES[kind])
      return { fileData: { ...(mimeType && { mimeType }), fileUri: source.url, ...display } }
    }
    case 'file':
      if (!own) throw untranslatable('A file that another provider stores cannot be sent: send its content or its address.', path)
      return { fileData: { ...(source.mime && { mimeType: source.mime }), fileUri: source.id, ...display } }
    default:
      return source satisfies never
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** A result as the object that this dialect wants, and its pictures. */
export function resultParts(
  result: ToolResultPart,
  id: string | undefined,
  name: string,
  context: EncodeContext,
): { response: JsonObject; after: JsonObject[] } {
  const { notes, target } = context
  const media: MediaPart[] = []
  const words: string[] = []
  for (const part of result.content) {
    extrasOf(part, context)
    signatureMember(part, context)
    if (part.type === 'media') media.push(part)
    else if (part.type === 'text' || part.type === 'refusal' || part.type === 'reasoning') words.push(part.text)
    else notes.dropped(part.path, `${part.type === 'foreign' ? part.kind : part.type} in a result`)
  }
  const extras = nested(extrasOf(result, context))
  const text = words.join('\n')
  const response = result.json ?? (result.isError ? { error: text } : { output: text })
  const inside = target.capabilities.toolResultMedia !== false
  const parts = media.map((part) => mediaPart(part, context))
  const functionResponse = { ...(id && { id }), name, response, ...(inside && parts.length > 0 && { parts }) }
  return { response: merged({ functionResponse }, extras), after: inside ? [] : parts }
}

export function callPartOf(call: ToolCallPart, id: string | undefined, name: string, context: EncodeContext): JsonObject {
  const extras = extrasOf(call, context)
  // Pieces that go back as they came are the arguments already.
  const args = extras[PIECES] === undefined ? { args: argumentsObject(call.arguments, call.freeform) } : {}
  return { ...merged({ functionCall: { ...(id && { id }), name, ...args } }, nested(extras)), ...signatureMember(call, context) }
}
