/** `POST /v1/route/explain`: the body of a call, plain or as `{ "dialect"?, "request": {…} }`, and where it would go. */
import type { WireId } from '../core/call.ts'
import { invalid } from '../core/error.ts'
import type { HttpRequest } from '../core/http.ts'
import { bytesOf } from '../core/http.ts'
import { isObject, type JsonObject } from '../core/json.ts'
import type { Endpoint } from './endpoints.ts'
import { type BodyLimits, type Incoming, readBody } from './read-body.ts'

const dialects: readonly WireId[] = ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini']

export interface Explained {
  readonly endpoint: Endpoint
  readonly incoming: Incoming
}

/** Throws `invalid-request` for what is no body of a call. */
export function explainedCall({ body, headers }: HttpRequest, limits: BodyLimits): Explained {
  const outer = readBody(body, limits)
  const wrapped = outer.json['request']
  if (wrapped !== undefined && !isObject(wrapped)) throw invalid('`request` must be the body of a call.', 'request')
  const dialect =
    wrapped && outer.json['dialect'] !== undefined && outer.json['dialect'] !== null ? dialectNamed(outer.json['dialect']) : undefined
  const incoming = wrapped ? readBody(bytesOf(JSON.stringify(wrapped)), limits) : outer
  const known = dialect ?? dialectOf(incoming.json, headers)
  return { incoming, endpoint: { op: 'chat', dialect: known, ...(known === 'gemini' && geminiModel(incoming.json)) } }
}

function dialectNamed(value: unknown): WireId {
  const found = dialects.find((one) => one === value)
  if (found) return found
  throw invalid(`\`dialect\` must be one of ${dialects.join(', ')}.`, 'dialect')
}

/** Only Google's calls have `contents`, only Responses an `input`; Anthropic's SDKs say so in a header. */
function dialectOf(json: JsonObject, headers: HttpRequest['headers']): WireId {
  if (json['contents'] !== undefined) return 'gemini'
  if (json['input'] !== undefined && json['messages'] === undefined) return 'openai-responses'
  return headers['anthropic-version'] !== undefined ? 'anthropic-messages' : 'openai-chat'
}

/** Gemini's clients name model and streaming in the path; here they stand in the body. */
function geminiModel(json: JsonObject): Pick<Endpoint, 'model' | 'stream'> {
  const model = json['model']
  if (typeof model !== 'string' || model === '') throw invalid('`model` is missing.', 'model')
  return { model, stream: json['stream'] === true }
}
