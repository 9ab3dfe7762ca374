/** The client's body: bytes to an object, with limits and clear faults. */
import { GatewayError, invalid } from '../core/error.ts'
import { isObject, type JsonObject } from '../core/json.ts'
import { type Scan, scanMembers } from '../core/members.ts'
import { strictTextOf } from '../core/text.ts'

export interface Incoming {
  readonly json: JsonObject
  /** The client's own text. */
  readonly text: string
  readonly scan: Scan
}

export interface BodyLimits {
  readonly bytes: number
  readonly depth: number
}

/** Members at all depths. A conversation as long as the largest context has a fifth of that. */
const MAX_KEYS = 250_000

export function readBody(body: Uint8Array, { bytes, depth }: BodyLimits): Incoming {
  if (body.length > bytes) throw new GatewayError('too-large', `The request body is larger than ${bytes} bytes.`, { shouldRetry: false })
  if (body.length === 0) throw invalid('The request has no body; it must be a JSON object.')
  const text = strictTextOf(body)
  if (text === undefined) throw invalid('The request body is not UTF-8 text.')
  // Before parsing: a parser that follows millions of brackets or keys stands still for seconds.
  const scan = scanMembers(text, depth, MAX_KEYS)
  if (scan.depth > depth) throw invalid(`The request body is nested more than ${depth} levels deep.`)
  if (scan.keys > MAX_KEYS) throw invalid(`The request body has more than ${MAX_KEYS} members.`)
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw invalid(`The request body is not valid JSON: ${(error as Error).message.slice(0, 200)}`)
  }
  if (!isObject(json))
    throw invalid(
      `The request body must be a JSON object, not ${Array.isArray(json) ? 'an array' : json === null ? 'null' : `a ${typeof json}`}.`,
    )
  // Two readers of a doubled key may see different values: what is checked here would not be what is sent.
  if (scan.duplicate !== undefined)
    throw invalid(`The key ${JSON.stringify(scan.duplicate)} stands twice in the request body.`, scan.duplicate)
  return { json, text, scan }
}
