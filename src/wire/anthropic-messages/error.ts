/** Errors in this dialect's envelope. */
import type { GatewayError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import { sseEvent } from '../sse.ts'

const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  409: 'conflict_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}

function typeOf({ id, status }: GatewayError): string {
  if (id === 'budget-exceeded') return 'billing_error'
  return TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error')
}

/** The path of the fault stands at the start of the message, as the API itself puts it. */
function messageOf({ message, path }: GatewayError): string {
  const words = message || 'The request failed.'
  return path && !words.startsWith(path) ? `${path}: ${words}` : words
}

export const encodeError = (error: GatewayError, requestId: string): JsonObject => ({
  type: 'error',
  error: { type: typeOf(error), message: messageOf(error), details: { error_code: error.code, ...error.details } },
  request_id: requestId,
})

export const encodeStreamError = (error: GatewayError, requestId: string): string =>
  sseEvent('error', JSON.stringify(encodeError(error, requestId)))
