/** From a matched endpoint and a body to what is asked. */
import type { ChatCall } from '../core/call.ts'
import { invalid } from '../core/error.ts'
import type { HttpRequest } from '../core/http.ts'
import type { Inquiry } from '../core/inquiry.ts'
import type { Wire } from '../wire/wire.ts'
import type { Controls } from './controls.ts'
import type { Endpoint } from './endpoints.ts'
import type { Incoming } from './read-body.ts'

export interface InquiryParts {
  readonly endpoint: Endpoint
  readonly request: HttpRequest
  readonly incoming: Incoming
  /** The caller's dialect. */
  readonly wire: Wire
  readonly controls: Controls
  /** Puts back what the client left out of its history. */
  recall(call: ChatCall): ChatCall
}

export function inquiryOf({ endpoint, request, incoming: { json, text, scan }, wire, controls, recall }: InquiryParts): Inquiry {
  const model = endpoint.model ?? modelOf(json['model'])
  const streamed = endpoint.op === 'count' ? false : (endpoint.stream ?? streamOf(json['stream']))
  let call: ChatCall | undefined
  return {
    wire: wire.id,
    op: endpoint.op === 'count' ? 'count' : 'chat',
    model,
    streamed,
    json,
    text,
    scan,
    headers: request.headers,
    query: request.query === '' ? '' : vendorQuery(request.query),
    strict: controls.strict ?? false,
    inlineCost: controls.inlineCost ?? false,
    call() {
      call ??= recall(wire.decodeCall(json, { model, stream: streamed, version: request.headers['anthropic-version'] }))
      return call
    },
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
  const kept = query.split('&').filter((pair) => pair !== '' && !/^(key|alt|api-version|access_token)=/.test(pair))
  return kept.join('&')
}
