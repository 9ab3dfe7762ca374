/** What a provider's error says, in any of the envelopes that vendors and proxies use, and what fault that is. */
import { type FaultId, GatewayError } from '../core/error.ts'
import { isFilled, isNumber, isObject, type Json, type JsonObject, parseJson } from '../core/json.ts'
import type { ProviderError } from './wire.ts'

/** Longest text that is taken from a body which is no JSON. */
const MAX_TEXT = 500
/** How deep envelopes are opened: proxies wrap the error of the one behind them. */
const MAX_DEPTH = 5

/** Reads an error answer. `status` 0 means that there is none of its own (an event in a stream). */
export function readProviderError(status: number, body: string): ProviderError {
  const trimmed = body.replace(/^\uFEFF/, '').trim()
  const value = parseJson(trimmed) ?? parseJson(firstData(trimmed))
  const told = value === undefined ? undefined : providerErrorOf(value)
  if (told) return told
  const text = value === undefined ? plainText(trimmed) : undefined
  return { message: text || (status ? `The provider answered with status ${status}.` : 'The provider reported an error without words.') }
}

/** The error that a parsed value tells; undefined when it tells none. */
export function providerErrorOf(value: Json | undefined): ProviderError | undefined {
  const found = search(value, 0)
  if (!found) return undefined
  const { message, code, path, retryAfterMs } = found
  return {
    message,
    ...(code !== undefined && { code }),
    ...(path !== undefined && { path }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
}

/** The error told inside an answer of status 200, or by an event of a stream, as the gateway's own. */
export function toldError(value: Json | undefined): GatewayError {
  const told = search(value, 0) ?? { message: 'The provider reported an error without words.' }
  return new GatewayError(faultOfWords(told), told.message, {
    retryAfterMs: told.retryAfterMs,
    providerCode: told.code,
    path: told.path,
  })
}

interface Told extends ProviderError {
  /** A number in the envelope that reads like an HTTP status. */
  readonly status?: number
  readonly type?: string
}

function search(value: Json | undefined, depth: number): Told | undefined {
  if (depth > MAX_DEPTH) return undefined
  if (Array.isArray(value)) return search(value[0], depth + 1)
  if (isFilled(value)) return { message: value }
  if (!isObject(value)) return undefined
  const outer = ownWords(value)
  for (const name of ['error', 'errors', 'message', 'detail', 'response']) {
    const inner = value[name]
    if (name === 'message' && !isObject(inner)) continue
    if (name === 'response' && !(isObject(inner) && isObject(inner['error']))) continue
    const found = name === 'detail' && Array.isArray(inner) ? complaints(inner) : search(inner, depth + 1)
    // The inner words are the provider's; what stands around them may add the code, and a status.
    if (found)
      return {
        ...found,
        message:
          isFilled(value['message']) && !found.message.includes(value['message']) && name !== 'error'
            ? `${value['message']}: ${found.message}`
            : found.message,
        code: found.code ?? outer.code,
        type: found.type ?? outer.type,
        path: found.path ?? outer.path,
        status: found.status ?? outer.status,
        retryAfterMs: found.retryAfterMs ?? outer.retryAfterMs,
      }
  }
  const message = [
    value['message'],
    value['error_message'],
    value['msg'],
    value['detail'],
    value['error_description'],
    value['title'],
  ].find(isFilled)
  const wrapped = wrappedWords(value['metadata'], depth)
  if (message === undefined && !wrapped) return outer.code === undefined ? undefined : { ...outer, message: outer.code }
  const words = [message, wrapped?.message].filter(isFilled)
  return {
    ...outer,
    message: words[1] !== undefined && words[0]?.includes(words[1]) ? (words[0] ?? '') : words.join(': '),
    retryAfterMs: outer.retryAfterMs ?? wrapped?.retryAfterMs,
  }
}

/** What one object says beside its message. */
function ownWords(value: JsonObject): { code?: string; type?: string; path?: string; status?: number; retryAfterMs?: number } {
  const { code, type, status, param } = value
  const numbers = [status, code, value['status_code'], value['raw_status_code'], Number(isFilled(code) ? code : Number.NaN)]
  const http = numbers.find((number): number is number => isNumber(number) && number >= 400 && number <= 599)
  const word = [code, status, type].find(isFilled) ?? (isNumber(code) ? String(code) : undefined)
  const details = Array.isArray(value['details']) ? value['details'] : []
  return {
    code: word,
    type: isFilled(type) ? type : isFilled(status) ? status : undefined,
    path: isFilled(param) ? param : fieldOf(details),
    status: http,
    retryAfterMs: retryDelay(details) ?? retryIn(value['message']),
  }
}

/** OpenRouter keeps the words of the provider behind it in `metadata.raw`, as text or as JSON text. */
function wrappedWords(metadata: Json | undefined, depth: number): Told | undefined {
  if (!isObject(metadata)) return undefined
  const { raw } = metadata
  if (!isFilled(raw)) return search(raw, depth + 1)
  return search(parseJson(raw), depth + 1) ?? { message: plainText(raw) }
}

/** FastAPI's list of complaints: `[{ loc: ['body', 'messages', 0], msg }]`. */
function complaints(list: readonly Json[]): Told | undefined {
  const first = list.find((entry): entry is JsonObject => isObject(entry) && isFilled(entry['msg']))
  if (!first) return undefined
  const place = Array.isArray(first['loc']) ? first['loc'].filter((step) => step !== 'body') : []
  const path = place.map((step, index) => (isNumber(step) ? `[${step}]` : `${index ? '.' : ''}${step}`)).join('')
  return { message: path ? `${path}: ${first['msg']}` : String(first['msg']), ...(path && { path }) }
}

const fieldOf = (details: readonly Json[]): string | undefined => {
  for (const detail of details) {
    const violations = isObject(detail) && Array.isArray(detail['fieldViolations']) ? detail['fieldViolations'] : []
    for (const violation of violations) if (isObject(violation) && isFilled(violation['field'])) return violation['field']
  }
  return undefined
}

/** Google's RetryInfo: `retryDelay: '34.07s'`. */
function retryDelay(details: readonly Json[]): number | undefined {
  for (const detail of details) {
    const delay = isObject(detail) ? detail['retryDelay'] : undefined
    const seconds = isFilled(delay) ? Number.parseFloat(delay) : isObject(delay) ? Number(delay['seconds']) : Number.NaN
    if (Number.isFinite(seconds) && seconds >= 0) return Math.ceil(seconds * 1000)
  }
  return undefined
}

/** OpenAI's words: `Please try again in 6.2s`, `in 350ms`, `in 1m12s`. */
function retryIn(message: Json | undefined): number | undefined {
  const found = isFilled(message) ? /(?:try again|retry) in (?:(\d+)m(?!s))?(?:([\d.]+)(ms|s))?/i.exec(message) : null
  if (!found || (found[1] === undefined && found[2] === undefined)) return undefined
  const rest = found[2] === undefined ? 0 : Number(found[2]) * (found[3]?.toLowerCase() === 'ms' ? 1 : 1000)
  return Number.isFinite(rest) ? Math.ceil(Number(found[1] ?? 0) * 60_000 + rest) : undefined
}

const byStatus = (status: number): FaultId => {
  if (status === 429) return 'upstream-rate-limited'
  if (status === 503 || status === 529) return 'upstream-overloaded'
  if (status === 401 || status === 402 || status === 403) return 'upstream-credential'
  if (status === 404) return 'upstream-not-found'
  if (status === 408 || status === 504) return 'upstream-timeout'
  return status < 500 ? 'upstream-rejected' : 'upstream-failed'
}

/** A fault by what the provider says, where no HTTP status of its own tells it. */
function faultOfWords({ status, type = '', code = '' }: Told): FaultId {
  const words = `${type} ${code}`.toLowerCase()
  if (/rate.?limit|too.?many|resource.?exhausted|throttl|quota/.test(words)) return 'upstream-rate-limited'
  if (/overload|unavailable|capacity/.test(words)) return 'upstream-overloaded'
  if (/time.?d?.?out|deadline/.test(words)) return 'upstream-timeout'
  if (/authenticat|permission|api.?key|billing|unauthorized|forbidden/.test(words)) return 'upstream-credential'
  if (/not.?found/.test(words)) return 'upstream-not-found'
  if (status !== undefined) return byStatus(status)
  return /invalid|validation|unsupported|context.?length|too.?large|bad.?request|tool_use_failed/.test(words)
    ? 'upstream-rejected'
    : 'upstream-failed'
}

/** The JSON of a first `data:` line: some providers frame a plain error as an event. */
const firstData = (text: string): string => /^(?:event:[^\n]*\n)?data:([^\n]*)/.exec(text)?.[1] ?? ''

/** Words of a page or a line of text, without tags and scripts. */
function plainText(text: string): string {
  const words = /<[a-z!][^>]*>/i.test(text)
    ? (/<title[^>]*>([^<]*)<\/title>/i.exec(text)?.[1] ?? text.replace(/<(script|style)[\s\S]*?<\/\1\s*>/gi, ' ').replace(/<[^>]*>/g, ' '))
    : text
  const short = words.replace(/\s+/g, ' ').trim()
  return short.length > MAX_TEXT ? `${short.slice(0, MAX_TEXT)}…` : short
}
