/** An error in the caller's dialect. */
import type { GatewayError } from '../core/error.ts'
import { bytesOf, type Headers, type HttpReply } from '../core/http.ts'
import type { Wire } from '../wire/wire.ts'

export function errorHeaders(error: GatewayError): Headers {
  const headers: Headers = { 'x-signalbox-error': error.code }
  if (error.retryAfterMs !== undefined) headers['retry-after'] = String(Math.ceil(error.retryAfterMs / 1000))
  if (error.shouldRetry !== undefined) headers['x-should-retry'] = String(error.shouldRetry)
  return headers
}

export function refuse(error: GatewayError, wire: Wire, requestId: string): HttpReply {
  const body = bytesOf(JSON.stringify(wire.encodeError(error, requestId)))
  return { status: error.status, headers: { 'content-type': 'application/json', ...errorHeaders(error) }, body }
}
