/** Errors in Google's envelope: `google.rpc.Status` with details. */
import type { GatewayError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import { sseData } from '../sse.ts'

const NAMES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  402: 'RESOURCE_EXHAUSTED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  405: 'UNIMPLEMENTED',
  409: 'ABORTED',
  412: 'FAILED_PRECONDITION',
  426: 'FAILED_PRECONDITION',
  429: 'RESOURCE_EXHAUSTED',
  499: 'CANCELLED',
  500: 'INTERNAL',
  501: 'UNIMPLEMENTED',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}

const nameOf = (status: number): string => NAMES[status] ?? (status < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL')

const TYPE = 'type.googleapis.com/google.rpc.'

export function encodeError(error: GatewayError, requestId: string): JsonObject {
  const { code, message, status, path, retryAfterMs, providerCode } = error
  const details: JsonObject[] = [
    {
      '@type': `${TYPE}ErrorInfo`,
      reason: code,
      domain: 'signalbox',
      ...(providerCode !== undefined && { metadata: { providerCode } }),
    },
  ]
  if (path !== undefined) details.push({ '@type': `${TYPE}BadRequest`, fieldViolations: [{ field: path, description: message }] })
  if (retryAfterMs !== undefined) details.push({ '@type': `${TYPE}RetryInfo`, retryDelay: `${retryAfterMs / 1000}s` })
  details.push({ '@type': `${TYPE}RequestInfo`, requestId })
  return { error: { code: status, message, status: nameOf(status), details } }
}

export const encodeStreamError = (error: GatewayError, requestId: string): string => sseData(JSON.stringify(encodeError(error, requestId)))
