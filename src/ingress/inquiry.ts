/** From a matched endpoint and a body to what is asked. */
import { alterations } from '../core/altered.ts'
import type { ChatCall } from '../core/call.ts'
import { invalid } from '../core/error.ts'
import type { HttpRequest } from '../core/http.ts'
import { digestWord } from '../core/id.ts'
import type { Inquiry } from '../core/inquiry.ts'
import type { JsonObject } from '../core/json.ts'
import type { Drop } from '../core/notes.ts'
import type { Wire } from '../wire/wire.ts'
import { impliedModel } from './compat/steering.ts'
import type { Controls } from './controls.ts'
import { credentialOf } from './credential.ts'
import type { Endpoint } from './endpoints.ts'
import type { Incoming } from './read-body.ts'
import { type ResponseStore, withEarlier } from './response-store.ts'

/** Longer names are no names; they would not fit into headers. */
const MAX_MODEL = 512
/** All that a digest has: 64 bits in base 36. */
const SCOPE_LENGTH = 14

export interface InquiryParts {
  readonly endpoint: Endpoint
  readonly request: HttpRequest
  readonly incoming: Incoming
  /** The caller's dialect. */
  readonly wire: Wire
  readonly controls: Controls
  /** Puts back what the client left out of its history. */
  recall(call: ChatCall, scope: string): ChatCall
  readonly store: ResponseStore
}

export function inquiryOf({ endpoint, request, incoming: { json, text, scan }, wire, controls, recall, store }: InquiryParts): Inquiry {
  const model = endpoint.model ?? modelOf(json['model'] ?? impliedModel(wire.id, json, request.headers))
  if (model.length > MAX_MODEL) throw invalid(`\`model\` is longer than ${MAX_MODEL} characters.`, 'model')
  // Half a character has no place in a path, where Gemini's names go.
  if (!model.isWellFormed()) throw invalid('`model` is not Unicode text.', 'model')
  const streamed = endpoint.op === 'count' ? false : (endpoint.stream ?? streamOf(json['stream']))
  const rounded: Drop[] = []
  let call: ChatCall | undefined
  const scope = (): string => digestWord(credentialOf(request) ?? '', SCOPE_LENGTH)
  const decoded = (): ChatCall => {
    const context = { model, stream: streamed, version: request.headers['anthropic-version'] }
    if (wire.id !== 'openai-responses') return wire.decodeCall(json, context)
    const { request: whole, earlier } = store.expand(scope(), json)
    const own = wire.decodeCall(whole, context)
    return earlier.length === 0 ? own : withEarlier(own, wire.decodeCall({ model, input: earlier }, context).messages)
  }
  return {
    wire: wire.id,
    op: endpoint.op === 'count' ? 'count' : 'chat',
    model,
    streamed,
    json,
    text,
    scan,
    headers: request.headers,
    scope,
    query: request.query === '' ? '' : vendorQuery(request.query),
    strict: controls.strict ?? false,
    inlineCost: controls.inlineCost ?? false,
    call() {
      if (!call) {
        checkKept(text, json, scan.keys, rounded)
        call = recall(decoded(), scope())
      }
      return call
    },
    rounded,
  }
}

/**
 * A body on its way to another wire is written anew, from what the parser kept of it. What the parser lost is refused or
 * named. Bodies that stay on their wire are never looked at: they are forwarded as text.
 */
function checkKept(text: string, json: JsonObject, keys: number, rounded: Drop[]): void {
  for (const { path, kind, text: written } of alterations(text, json, keys)) {
    if (kind === 'repeated') throw invalid(`The key ${JSON.stringify(written.slice(0, 200))} stands twice in \`${path}\`.`, path)
    if (kind === 'beyond') throw invalid(`\`${path}\`: the number ${written.slice(0, 40)} is beyond what can be translated.`, path)
    rounded.push({ path, reason: `rounded to ${Number(written)}` })
  }
}

function modelOf(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value
  throw invalid(value === undefined || value === null ? '`model` is missing.' : '`model` must be a non-empty string.', 'model')
}

function streamOf(value: unknown): boolean {
  if (value === undefined || value === null) return false
  if (typeof value === 'boolean') return value
  throw invalid('`stream` must be true or false.', 'stream')
}

/** What the client says to the vendor in the query; its key and the framing are the gateway's business. */
function vendorQuery(query: string): string {
  const kept = query.split('&').filter((pair) => pair !== '' && !OURS.has(nameOf(pair)))
  return kept.join('&')
}

const OURS = new Set(['key', 'alt', '$alt', 'api-version', 'access_token', 'callback', '$callback'])

function nameOf(pair: string): string {
  const name = pair.split('=', 1)[0] ?? ''
  try {
    return decodeURIComponent(name).toLowerCase()
  } catch {
    return name
  }
}
