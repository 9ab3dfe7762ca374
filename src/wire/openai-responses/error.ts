/** Errors inside a stream: once as an `error` event, which SDKs throw on, and once as the response's own failure, which Codex reads. */
import type { GatewayError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import { encodeError } from '../openai-chat/error.ts'
import { sseEvent } from '../sse.ts'

/** Codes that clients of this wire act on. */
const KNOWN = new Set([
  ...['server_error', 'rate_limit_exceeded', 'context_length_exceeded', 'insufficient_quota', 'invalid_prompt', 'server_is_overloaded'],
  ...['usage_not_included', 'vector_store_timeout', 'invalid_image', 'image_content_policy_violation'],
])

export interface Failure {
  /** The `error` event, without its number. */
  readonly event: JsonObject
  /** `response.error`. */
  readonly failure: JsonObject
}

export function failureOf(error: GatewayError): Failure {
  const message = withWait(error)
  const body = encodeError(error)['error'] as JsonObject
  const { code = null, param = null } = body
  return {
    event: { type: 'error', code, message, param, error: { ...body, message } },
    failure: { code: failureCode(error), message },
  }
}

function failureCode({ id, code, status, message, providerCode = '' }: GatewayError): string {
  if (KNOWN.has(providerCode)) return providerCode
  if (/context.?(length|window)|too long/i.test(`${providerCode} ${message}`)) return 'context_length_exceeded'
  if (code === 'budget_exceeded' || /quota|billing/i.test(providerCode)) return 'insufficient_quota'
  if (status === 429) return 'rate_limit_exceeded'
  if (id === 'upstream-overloaded' || id === 'overloaded') return 'server_is_overloaded'
  // Nothing would change by asking again.
  return status < 500 && status !== 499 ? 'invalid_prompt' : 'server_error'
}

/** Codex learns from the words when to come back. */
const withWait = ({ message, retryAfterMs }: GatewayError): string =>
  retryAfterMs === undefined || /try again in/i.test(message)
    ? message
    : `${message} Please try again in ${Math.ceil(retryAfterMs / 100) / 10}s.`

/** How far numbers of an untouched stream may have come: those of the gateway's own frames lie beyond. */
const BEYOND = 1_000_000_000

/** For a stream whose frames were not the gateway's, so that its ids and numbers are not known. */
export function encodeStreamError(error: GatewayError, requestId: string): string {
  const { event, failure } = failureOf(error)
  const response = {
    id: `resp_${requestId}`,
    object: 'response',
    status: 'failed',
    error: failure,
    incomplete_details: null,
    output: [],
    usage: null,
  }
  return (
    sseEvent('error', JSON.stringify({ ...event, sequence_number: BEYOND })) +
    sseEvent('response.failed', JSON.stringify({ type: 'response.failed', response, sequence_number: BEYOND + 1 }))
  )
}
