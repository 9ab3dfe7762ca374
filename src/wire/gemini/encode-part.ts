/** Pieces of an answer as parts of a Gemini candidate. */
import type { ForeignPart, MediaPart } from '../../core/call.ts'
import { isObject, type JsonObject, parseJson } from '../../core/json.ts'
import { isGoogle } from './sealed.ts'

/** A call's arguments as the object that this dialect wants. */
export function argumentsObject(text: string, freeform = false): JsonObject {
  if (freeform) return { input: text }
  if (text.trim() === '') return {}
  const parsed = parseJson(text)
  // Some hosts encode the arguments twice.
  const value = typeof parsed === 'string' ? parseJson(parsed) : parsed
  if (value === null) return {}
  // What the model left broken is shown as it is: the client's own check of its parameters will refuse it.
  return isObject(value) ? value : { arguments: text }
}

export function callPart(
  call: { id?: string; name?: string; arguments: string; freeform?: boolean },
  signature: string | undefined,
): JsonObject {
  const { id, name = '', freeform } = call
  return {
    functionCall: { ...(id && { id }), name, args: argumentsObject(call.arguments, freeform) },
    ...(signature !== undefined && { thoughtSignature: signature }),
  }
}

/** A picture, sound, or one of Google's own items; undefined for another vendor's. */
export function wholePart(part: MediaPart | ForeignPart): JsonObject | undefined {
  const signature = part.sealed?.find(isGoogle)?.value
  const beside = signature === undefined ? {} : { thoughtSignature: signature }
  if (part.type === 'foreign') return part.wire === 'gemini' ? { [part.kind]: part.value, ...beside } : undefined
  const { source } = part
  if (source.type === 'base64') return { inlineData: { mimeType: source.mime, data: source.data }, ...beside }
  if (source.type === 'url') return { fileData: { fileUri: source.url, ...(source.mime && { mimeType: source.mime }) }, ...beside }
  return undefined
}
