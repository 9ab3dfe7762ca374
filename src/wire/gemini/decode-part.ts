/** Parts of a Gemini turn as parts of a call. */
import type { MediaKind, MediaSource, Part, ReasoningPart, Sealed, ToolResultPart } from '../../core/call.ts'
import { invalid } from '../../core/error.ts'
import { isObject, isString, type Json, type JsonObject } from '../../core/json.ts'
import { kindOfMime, mimeOfName } from '../mimes.ts'
import { type Fields, fieldsOf, type Member, membersOf } from './fields.ts'
import { argumentsOf } from './partial-args.ts'
import { isGoogle, plainBase64, sealedOf } from './sealed.ts'

/** Members that hold what only Google knows: code it ran, tools it called. */
export const FOREIGN = ['executableCode', 'codeExecutionResult', 'toolCall', 'toolResponse'] as const
/** Members that say something about a part's content. */
export const BESIDE: ReadonlySet<string> = new Set([
  'thought',
  'thoughtSignature',
  'mediaResolution',
  'videoMetadata',
  'partMetadata',
  'mediaProcessing',
  'speechMetadata',
])
/** Arguments that came in pieces, as the client echoes them. */
export const PIECES = 'functionCall.partialArgs'
const CONTENT = ['text', 'inlineData', 'fileData', 'functionCall', 'functionResponse', ...FOREIGN]

export const isPart = (fields: Fields): boolean => CONTENT.some((name) => fields.has(name))

/** The part, preceded by the thinking of another vendor that its signature carried. */
export function partsOf(member: Member): readonly Part[] {
  if (isString(member.value)) return [{ type: 'text', path: member.path, text: member.value }]
  const fields = fieldsOf(member)
  const { path } = fields
  const thought = fields.boolean('thought')?.value === true
  const signature = fields.string('thoughtSignature')
  const all = signature ? sealedOf(signature) : []
  const text = fields.string('text')
  if (text !== undefined && thought) return [{ type: 'reasoning', path, text, ...withSealed(all), ...fields.extras() }]
  // On anything but a thought, Google's own signature belongs to the part, and a carried one to a thought not shown.
  const own = all.filter(isGoogle)
  const carried = all.filter((sealed) => !isGoogle(sealed))
  const before = carried.map((hidden): ReasoningPart => {
    const { text: words, ...sealed } = hidden
    return { type: 'reasoning', path, text: isString(words) ? words : '', sealed: [sealed] }
  })
  if (text !== undefined) {
    if (text === '' && before.length > 0 && own.length === 0) return before
    return [...before, { type: 'text', path, text, ...withSealed(own), ...fields.extras() }]
  }
  const part = contentOf(fields, own)
  return part ? [...before, part] : before
}

const withSealed = (sealed: readonly Sealed[]): { sealed?: readonly Sealed[] } => (sealed.length > 0 ? { sealed } : {})

function contentOf(fields: Fields, sealed: readonly Sealed[]): Part | undefined {
  const { path } = fields
  const inline = fields.object('inlineData')
  const file = inline ? undefined : fields.object('fileData')
  if (inline || file) {
    const { extras, ...media } = inline ? inlineOf(inline) : fileOf(file as Fields)
    return { type: 'media', path, ...media, ...withSealed(sealed), ...fields.extras(Object.entries(extras ?? {}) as [string, Json][]) }
  }
  const call = fields.object('functionCall')
  if (call) {
    const id = call.string('id') ?? ''
    const name = call.string('name') ?? ''
    const args = call.take('args')
    if (args && !isObject(args.value)) throw invalid('args must be an object.', args.path)
    const pieces = call.take('partialArgs')
    const whole = argumentsOf(args?.value as JsonObject | undefined, pieces ? membersOf(pieces).map(({ value }) => value) : [])
    const streamed: [string, Json][] = pieces ? [[PIECES, pieces.value]] : []
    return {
      type: 'tool-call',
      path,
      id,
      name,
      arguments: JSON.stringify(whole),
      ...withSealed(sealed),
      ...fields.extras([...streamed, ...call.rest('functionCall.')]),
      ...(pieces && { why: { [PIECES]: 'the arguments are put together' } }),
    }
  }
  const response = fields.object('functionResponse')
  if (response) return resultOf(fields, response)
  // What is not known yet is Google's own as well.
  for (const kind of [...FOREIGN, ...fields.names.filter((name) => !BESIDE.has(name))]) {
    const member = fields.take(kind)
    if (member) return { type: 'foreign', path, wire: 'gemini', kind, value: member.value, ...withSealed(sealed), ...fields.extras() }
  }
  if (fields.names.length === 0 && sealed.length === 0) return undefined
  return { type: 'text', path, text: '', ...withSealed(sealed), ...fields.extras() }
}

function resultOf(fields: Fields, response: Fields): ToolResultPart {
  const id = response.string('id') ?? ''
  const name = response.string('name')
  const member = response.take('response')
  if (member && !isObject(member.value)) throw invalid('response must be an object.', member.path)
  const json = (member?.value ?? {}) as JsonObject
  const content = (response.list('parts') ?? []).flatMap(partsOf)
  const keys = Object.keys(json)
  return {
    type: 'tool-result',
    path: fields.path,
    id,
    ...(name !== undefined && { name }),
    content,
    json,
    ...(keys.length === 1 && keys[0] === 'error' && { isError: true }),
    ...fields.extras(response.rest('functionResponse.')),
  }
}

interface Media {
  readonly kind: MediaKind
  readonly source: MediaSource
  readonly name?: string
  readonly extras?: JsonObject
}

function inlineOf(inline: Fields): Media {
  const mime = inline.string('mimeType') ?? ''
  const data = inline.string('data')
  if (data === undefined) throw invalid('inlineData needs data.', `${inline.path}.data`)
  const name = inline.string('displayName')
  return {
    kind: kindOfMime(mime) ?? 'document',
    source: { type: 'base64', data: plainBase64(data), mime: mime || 'application/octet-stream' },
    ...(name !== undefined && { name }),
    extras: Object.fromEntries(inline.rest('inlineData.')),
  }
}

function fileOf(file: Fields): Media {
  const uri = file.string('fileUri')
  if (uri === undefined) throw invalid('fileData needs fileUri.', `${file.path}.fileUri`)
  const mime = file.string('mimeType')
  const name = file.string('displayName')
  return {
    kind: kindOfMime(mime) ?? kindOfUri(uri),
    source: sourceOfUri(uri, mime),
    ...(name !== undefined && { name }),
    extras: Object.fromEntries(file.rest('fileData.')),
  }
}

/** What stands in Google's own stores is a file of the provider; nobody else can fetch it. */
function sourceOfUri(uri: string, mime: string | undefined): MediaSource {
  const data = /^data:([^;,]*)(?:;[^,]*)?,/i.exec(uri)
  if (data && /;base64,/i.test(data[0]))
    return { type: 'base64', data: plainBase64(uri.slice(data[0].length)), mime: data[1] || mime || 'application/octet-stream' }
  const stored = /generativelanguage\.googleapis\.com\/.*files\//.test(uri) || !/^(https?|data):/i.test(uri)
  return stored ? { type: 'file', id: uri, ...(mime && { mime }) } : { type: 'url', url: uri, ...(mime && { mime }) }
}

function kindOfUri(uri: string): MediaKind {
  if (/^https?:\/\/(www\.|m\.)?(youtube\.com|youtu\.be)\//i.test(uri)) return 'video'
  return kindOfMime(mimeOfName(uri)) ?? 'document'
}
