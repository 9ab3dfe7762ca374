/** Which of the provider's headers the caller sees: content type, waiting times, request ids and rate limits. */
import type { Headers } from '../core/http.ts'

const REQUEST_IDS = new Set([
  'x-request-id',
  'request-id',
  'apim-request-id',
  'x-generation-id',
  'cf-ray',
  'x-goog-request-id',
  'x-amzn-requestid',
  'x-ms-region',
  'openai-processing-ms',
  'openai-version',
])

/** Callers read a block of 8 to 16 KB at most: a provider must not make the answer unreadable. */
const MAX_VALUE = 256
const MAX_COUNT = 32

const isPassed = (name: string): boolean =>
  REQUEST_IDS.has(name) || name.startsWith('retry-after') || name.startsWith('x-ratelimit-') || name.startsWith('anthropic-ratelimit-')

/** Providers send the same names again and again. */
const known = new Map<string, boolean>()
const MAX_KNOWN = 1_000

function passes(name: string): boolean {
  let answer = known.get(name)
  if (answer === undefined) {
    answer = isPassed(name)
    if (known.size < MAX_KNOWN) known.set(name, answer)
  }
  return answer
}

export function passedHeaders(headers: Readonly<Headers>): Headers {
  const passed: Headers = {}
  let count = 0
  for (const name in headers) {
    if (!passes(name)) continue
    const value = headers[name]
    if (value !== undefined && value.length <= MAX_VALUE && count++ < MAX_COUNT) passed[name] = value
  }
  return passed
}
