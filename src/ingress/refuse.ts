/** What every answer carries beside its body, and an error in the caller's dialect. */
import type { GatewayError } from '../core/error.ts'
import { type Exchange, sentAttempts } from '../core/exchange.ts'
import { bytesOf, type Headers, type HttpReply } from '../core/http.ts'
import { droppedHeader } from '../core/notes.ts'
import type { Wire } from '../wire/wire.ts'

/** The gateway's own headers, as far as the exchange has come, added to those that are there. */
export function ownHeaders(exchange: Exchange, headers: Headers = {}): Headers {
  headers['x-signalbox-request-id'] = exchange.id
  if (exchange.route !== undefined) headers['x-signalbox-route'] = headerText(exchange.route)
  if (exchange.candidate) {
    headers['x-signalbox-provider'] = exchange.candidate.provider
    headers['x-signalbox-model'] = headerText(exchange.candidate.model)
    const tier = exchange.candidate.tier ?? exchange.tier
    if (tier !== undefined) headers['x-signalbox-tier'] = headerText(tier)
    const warning = exchange.decision?.warningOf?.(exchange.candidate)
    if (warning !== undefined) headers['x-signalbox-warning'] = headerText(warning)
  }
  if (exchange.reason !== undefined) headers['x-signalbox-reason'] = exchange.reason
  headers['x-signalbox-attempts'] = String(sentAttempts(exchange))
  headers['x-signalbox-cache'] = 'off'
  if (exchange.overheadMs !== undefined) headers['x-signalbox-overhead-ms'] = String(Math.round(exchange.overheadMs * 100) / 100)
  if (exchange.limitHeaders) Object.assign(headers, exchange.limitHeaders)
  if (exchange.drops.length > 0) headers['x-signalbox-dropped'] = droppedHeader(exchange.drops)
  return headers
}

/** Header values are printable ASCII. */
function headerText(text: string): string {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code < 32 || code > 126) return encodeURI(text.toWellFormed())
  }
  return text
}

export function refuse(
  error: GatewayError,
  wire: Wire,
  exchange: Exchange,
  provider?: { readonly body?: Uint8Array; readonly headers?: Headers },
): HttpReply {
  const headers: Headers = {
    ...provider?.headers,
    ...ownHeaders(exchange),
    'content-type': 'application/json',
    'x-signalbox-error': error.code,
  }
  if (error.retryAfterMs !== undefined) headers['retry-after'] = String(Math.ceil(error.retryAfterMs / 1000))
  if (error.shouldRetry !== undefined) headers['x-should-retry'] = String(error.shouldRetry)
  if (error.allow !== undefined) headers['allow'] = error.allow
  return { status: error.status, headers, body: provider?.body ?? bytesOf(JSON.stringify(wire.encodeError(error, exchange.id))) }
}
