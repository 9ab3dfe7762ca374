/** Errors in OpenAI's envelope. */
import type { GatewayError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'

const typeOf = ({ status, code }: GatewayError): string => {
  if (code === 'budget_exceeded') return 'insufficient_quota'
  switch (status) {
    case 401:
      return 'authentication_error'
    case 403:
      return 'permission_error'
    case 404:
      return 'not_found_error'
    case 429:
      return 'rate_limit_error'
    default:
      return status < 500 ? 'invalid_request_error' : 'server_error'
  }
}

/** The body of an answer that is an error. The request id travels in a header, as this dialect's clients expect. */
export const encodeError = (error: GatewayError): JsonObject => ({
  error: { message: error.message, type: typeOf(error), param: error.path ?? null, code: error.code },
})

/** An error after the first byte: the SDKs throw on it. Nothing may follow, `[DONE]` least of all. */
export const encodeStreamError = (error: GatewayError): string => `data: ${JSON.stringify(encodeError(error))}\n\n`
