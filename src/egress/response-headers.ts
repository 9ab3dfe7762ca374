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

export function passedHeaders(headers: Readonly<Headers>): Headers {
  const passed: Headers = {}
  for (const name in headers) {
    if (
      REQUEST_IDS.has(name) ||
      name.startsWith('retry-after') ||
      name.startsWith('x-ratelimit-') ||
      name.startsWith('anthropic-ratelimit-')
    ) {
      const value = headers[name]
      if (value !== undefined) passed[name] = value
    }
  }
  return passed
}
