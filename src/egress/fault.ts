/** What a provider's error answer means for the call: the fault table's entry, with the provider's words. */
import type { WireId } from '../core/call.ts'
import { type FaultId, GatewayError } from '../core/error.ts'
import type { Headers } from '../core/http.ts'
import { isFilled, isNumber, isObject, parseJson } from '../core/json.ts'
import type { ProviderError } from '../wire/wire.ts'

const MAX_RETRY_AFTER_MS = 24 * 3_600_000

const KEPT: Readonly<Record<number, FaultId>> = {
  400: 'upstream-rejected',
  413: 'upstream-rejected',
  422: 'upstream-rejected',
  404: 'upstream-not-found',
  429: 'upstream-rate-limited',
}

export function faultOfStatus(status: number, told: ProviderError, headers: Readonly<Headers>): GatewayError {
  const id = faultIdOf(status, told)
  return new GatewayError(id, told.message, {
    status: KEPT[status] === id ? status : undefined,
    path: told.path,
    providerCode: told.code,
    retryAfterMs: retryAfterOf(headers) ?? told.retryAfterMs,
  })
}

function faultIdOf(status: number, told: ProviderError): FaultId {
  // Some hosts answer 400 for a key they do not know.
  if (status === 400 && /api.?key.*(not valid|invalid|incorrect)|(invalid|incorrect).*api.?key/i.test(`${told.code ?? ''} ${told.message}`))
    return 'upstream-credential'
  const kept = KEPT[status]
  if (kept) return kept
  if (status === 401 || status === 402 || status === 403) return 'upstream-credential'
  if (status === 408) return 'upstream-timeout'
  if (status === 503 || status === 529) return 'upstream-overloaded'
  if (status >= 500) return 'upstream-failed'
  return status >= 400 ? 'upstream-rejected' : 'upstream-invalid'
}

/** Milliseconds from `retry-after-ms`, or `retry-after` in seconds or as a date. */
export function retryAfterOf(headers: Readonly<Headers>, now = Date.now()): number | undefined {
  const exact = Number(headers['retry-after-ms'])
  if (headers['retry-after-ms'] !== undefined && exact >= 0) return Math.min(exact, MAX_RETRY_AFTER_MS)
  const value = headers['retry-after']
  if (value === undefined) return undefined
  const seconds = Number(value)
  if (Number.isFinite(seconds)) return seconds >= 0 ? Math.min(seconds * 1000, MAX_RETRY_AFTER_MS) : undefined
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.min(Math.max(0, date - now), MAX_RETRY_AFTER_MS)
}

/** Whether an error body already has its wire's own envelope, so that a caller of that wire may have it as it is. */
export function hasNativeEnvelope(wire: WireId, text: string): boolean {
  const body = parseJson(text)
  if (!isObject(body) || !isObject(body['error'])) return false
  const { error } = body
  switch (wire) {
    case 'openai-chat':
    case 'openai-responses':
      return isFilled(error['message'])
    case 'anthropic-messages':
      return body['type'] === 'error' && isFilled(error['type']) && isFilled(error['message'])
    case 'gemini':
      return isNumber(error['code']) && isFilled(error['message']) && isFilled(error['status'])
    default:
      return false
  }
}

/** What went wrong with an answer. One that makes a codec stumble is the provider's fault, as much as one that is no JSON; its words may quote our key. */
export function cleaned(thrown: unknown, { scrub }: { scrub(text: string): string }): GatewayError {
  const error =
    thrown instanceof GatewayError
      ? thrown
      : new GatewayError('upstream-invalid', "The provider's answer could not be read.", { cause: thrown })
  const { id, message, providerCode, upstreamStatus, path, status, retryAfterMs, shouldRetry, unsent, cause } = error
  const clean = scrub(message)
  const code = providerCode && scrub(providerCode)
  const where = path && scrub(path)
  if (clean === message && code === providerCode && where === path) return error
  return new GatewayError(id, clean, { providerCode: code, upstreamStatus, path: where, status, retryAfterMs, shouldRetry, unsent, cause })
}
