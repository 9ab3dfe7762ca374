/** Output items, as the client gets them. */
import type { ForeignPart, MediaPart, Sealed } from '../../core/call.ts'
import type { Citation, Logprob } from '../../core/event.ts'
import { compact, isFilled, isObject, type Json, type JsonObject, stringOf } from '../../core/json.ts'
import { carry, carryAll } from '../carrier.ts'
import { newItemId } from './ids.ts'

const ANNOTATIONS = new Set(['file_citation', 'container_file_citation', 'file_path'])

/** A citation as an annotation: this wire's own, else where it can be found. Undefined when it has no address. */
export function annotationOf({ url, title, start, end, raw }: Citation, length: number): JsonObject | undefined {
  if (isObject(raw) && ((raw['type'] === 'url_citation' && isFilled(raw['url'])) || ANNOTATIONS.has(stringOf(raw['type']) ?? '')))
    return raw
  if (url === undefined) return undefined
  return { type: 'url_citation', url, title: title ?? '', start_index: start ?? 0, end_index: end ?? length }
}

export const textContent = (text: string, annotations: readonly Json[], logprobs: readonly Logprob[]): JsonObject => ({
  type: 'output_text',
  text,
  annotations,
  logprobs,
})

export const refusalContent = (refusal: string): JsonObject => ({ type: 'refusal', refusal })

export const messageItem = (id: string, status: string, phase: string | undefined, content: readonly Json[]): JsonObject =>
  compact({ id, type: 'message', role: 'assistant', status, phase, content })

export interface Thought {
  readonly text: string
  readonly summary: boolean
  readonly sealed: readonly Sealed[]
}

export function reasoningItem(id: string, { text, summary, sealed }: Thought): JsonObject {
  const sealing = sealedText(sealed)
  return {
    id: sealed.length === 1 && sealed[0]?.vendor === 'openai' ? (sealed[0].id ?? id) : id,
    type: 'reasoning',
    summary: summary && text !== '' ? [{ type: 'summary_text', text }] : [],
    ...(!summary && text !== '' && { content: [{ type: 'reasoning_text', text }] }),
    ...(sealing !== undefined && { encrypted_content: sealing }),
  }
}

/**
 * What another vendor put on words or on a call, in an item of its own behind them. It names the call, since calls may
 * be told side by side.
 */
export const carrierItem = (sealed: readonly Sealed[], callId?: string): JsonObject =>
  reasoningItem(newItemId('rs'), {
    text: '',
    summary: true,
    sealed: callId === undefined ? sealed : sealed.map((one) => ({ ...one, id: callId })),
  })

/** OpenAI's own goes as it is; what others sealed in a carrier, which comes back with the next turn. */
function sealedText(sealed: readonly Sealed[]): string | undefined {
  const [only] = sealed
  if (!only) return undefined
  if (sealed.length > 1) return carryAll(sealed)
  return only.vendor === 'openai' && only.kind === 'encrypted' ? only.value : carry(only)
}

export interface CallItem {
  readonly id: string
  readonly callId: string
  readonly name: string
  readonly namespace?: string
  readonly freeform?: boolean
}

export const callItem = ({ id, callId, name, namespace, freeform }: CallItem, status: string, text: string): JsonObject =>
  freeform
    ? compact({ id, type: 'custom_tool_call', status, call_id: callId, name, namespace, input: text })
    : compact({ id, type: 'function_call', status, call_id: callId, name, namespace, arguments: text })

/** What came whole, where this wire has an item for it. */
export function wholeItem(part: MediaPart | ForeignPart): JsonObject | undefined {
  if (part.type === 'foreign') {
    if (part.wire !== 'openai-responses' || !isObject(part.value)) return undefined
    return isFilled(part.value['id']) ? part.value : { ...part.value, id: newItemId('item') }
  }
  const { source } = part
  if (part.kind !== 'image' || source.type === 'file' || source.type === 'text') return undefined
  const result = source.type === 'url' ? source.url : source.data
  const format = /^image\/([a-z]+)/.exec(source.mime ?? '')?.[1]
  return {
    type: 'image_generation_call',
    status: 'completed',
    ...(format && { output_format: format }),
    ...part.own,
    id: stringOf(part.own?.['id']) ?? newItemId('ig'),
    result,
  }
}

/** Ids of calls: the provider's, unless it gave none or gave one twice. */
export class CallIds {
  readonly #used = new Set<string>()

  of(id: string | undefined): string {
    const free = id !== undefined && id !== '' && !this.#used.has(id) ? id : newItemId('call')
    this.#used.add(free)
    return free
  }
}

/** An id of this wire's kind is kept: the client may hand it back to who gave it. */
export const itemId = (prefix: string, id: string | undefined): string => (id?.startsWith(`${prefix}_`) ? id : newItemId(prefix))

/** A call without arguments still says an object. */
export const NO_ARGUMENTS = '{}'
