/** Content parts of messages and of tool outputs, for a provider. */
import type { ChatCall, MediaPart, Part, RefusalPart, TextPart } from '../../core/call.ts'
import { at, compact, isObject, type JsonObject } from '../../core/json.ts'
import type { Notes } from '../../core/notes.ts'
import type { Target } from '../../core/target.ts'
import { untranslatable } from '../stored.ts'

export interface PartContext {
  readonly call: ChatCall
  readonly target: Target
  readonly notes: Notes
}

const WIRE = 'openai-responses'
/** Vendors whose file ids this wire's provider may know. */
const SAME_FILES = new Set(['openai-chat', 'openai-responses'])

/** A part of what the user or the system says, or of a tool's output; undefined when it says nothing. */
export function inputPart(part: Part, context: PartContext): JsonObject | undefined {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return textPart(part, context)
    case 'media':
      return mediaPart(part, context)
    case 'foreign':
      if (part.wire === WIRE && isObject(part.value)) return part.value
      context.notes.dropped(part.path, `${part.kind} is known to its own vendor only`)
      return undefined
    case 'reasoning':
    case 'tool-call':
    case 'tool-result':
      context.notes.dropped(part.path, 'has no place in this turn')
      return undefined
    default:
      return part satisfies never
  }
}

/** An empty text is refused, but what stands beside it is still named. */
function textPart(part: TextPart | RefusalPart, context: PartContext): JsonObject | undefined {
  const common = commonOf(part, context)
  return part.text === '' && context.call.wire !== WIRE ? undefined : { type: 'input_text', text: part.text, ...common }
}

/** A part of what the assistant said. */
export function outputPart(part: TextPart | RefusalPart, context: PartContext): JsonObject | undefined {
  const { own } = context.call.wire === WIRE ? part : {}
  const common = commonOf(part, context)
  if (part.text === '' && context.call.wire !== WIRE) return undefined
  return part.type === 'refusal'
    ? { type: 'refusal', refusal: part.text, ...common }
    : { type: 'output_text', text: part.text, ...own, ...common }
}

/** Cache mark, foreign seals and extras of a part. */
function commonOf(part: TextPart | RefusalPart | MediaPart, { call, target, notes }: PartContext): JsonObject {
  dropSealed(part, notes)
  const extras = notes.extrasOf(part, call, WIRE)
  return compact({ ...extras, prompt_cache_breakpoint: breakpointOf(part, { call, target, notes }) })
}

/** Signatures that another vendor put on words or on a call: nobody here could read them. */
export function dropSealed(part: Part, notes: Notes): void {
  for (const { kind } of part.sealed ?? [])
    notes.dropped(`${part.path}.${kind === 'thought-signature' ? 'thought_signature' : 'signature'}`, 'sealed by another vendor')
}

/**
 * Marks are sent where they were said in OpenAI's own words, or the target is known to take them: elsewhere the field is
 * refused, while prompts are cached all the same.
 */
function breakpointOf(part: Part, { call, target, notes }: PartContext): JsonObject | undefined {
  if (!part.cache) return undefined
  const { ttl } = part.cache
  if (call.wire === WIRE || (call.wire === 'openai-chat' && part.cache.path.includes('prompt_cache_breakpoint')))
    return { mode: 'explicit', ...(ttl !== undefined && { ttl }) }
  if (target.quirks.cacheControl === true) return { mode: 'explicit', ttl: ttl === '12h' || ttl === '24h' ? '12h' : '30m' }
  notes.dropped(part.cache.path, 'prompts are cached without marks')
  return undefined
}

function mediaPart(part: MediaPart, context: PartContext): JsonObject | undefined {
  const { call, notes } = context
  const own = call.wire === WIRE
  const { source, kind } = part
  if (source.type === 'file' && !SAME_FILES.has(call.wire))
    throw untranslatable('A file that another vendor stores cannot be sent to this one; send its bytes or its address.', part.path)
  const common = commonOf(part, context)
  switch (kind) {
    case 'image': {
      if (part.name !== undefined && !own) notes.dropped(at(part.path, 'name'), 'pictures have no name here')
      const { detail } = part
      return compact({
        type: 'input_image',
        ...(source.type === 'file' ? { file_id: source.id } : { image_url: urlOf(source) }),
        detail,
        ...common,
      })
    }
    case 'document':
      return documentPart(part, common, context)
    case 'audio':
      if (own && source.type === 'base64')
        return { type: 'input_audio', input_audio: { data: source.data, format: source.mime.replace(/^audio\//, '') }, ...common }
      throw untranslatable('This wire takes no sound.', part.path)
    case 'video':
      throw untranslatable('This wire takes no video.', part.path)
    default:
      return kind satisfies never
  }
}

function documentPart(part: MediaPart, common: JsonObject, { call }: PartContext): JsonObject {
  const { source, name } = part
  if (source.type === 'text' && call.wire !== WIRE)
    return { type: 'input_text', text: name ? `${name}:\n\n${source.text}` : source.text, ...common }
  const file =
    source.type === 'file'
      ? { file_id: source.id }
      : source.type === 'url'
        ? { file_url: source.url }
        : { file_data: urlOf(source), ...(name === undefined && call.wire !== WIRE && { filename: nameOfMime(source.mime) }) }
  return compact({ type: 'input_file', ...file, ...(name !== undefined && { filename: name }), detail: part.detail, ...common })
}

function urlOf(source: Exclude<MediaPart['source'], { type: 'file' }>): string {
  if (source.type === 'url') return source.url
  if (source.type === 'text') return `data:${source.mime},${encodeURIComponent(source.text)}`
  return `data:${source.mime};base64,${source.data}`
}

/** Bytes without a name are refused. */
const nameOfMime = (mime: string): string =>
  mime === 'text/plain' ? 'document.txt' : `document.${/^[a-z]+\/([a-z0-9]{1,8})$/i.exec(mime)?.[1] ?? 'pdf'}`
