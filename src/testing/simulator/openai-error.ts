/** The error envelope of OpenAI's two formats. */
import type { JsonObject } from '../../core/json.ts'
import type { ErrorDetails } from './types.ts'

const types: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'invalid_request_error',
  429: 'rate_limit_error',
}

const codes: Readonly<Record<number, string>> = { 401: 'invalid_api_key', 404: 'model_not_found', 429: 'rate_limit_exceeded' }

export function openaiError({ status, message, path, code }: ErrorDetails): JsonObject {
  const type = types[status] ?? (status >= 500 ? 'server_error' : 'invalid_request_error')
  return { error: { message, type, param: path ?? null, code: code ?? codes[status] ?? null } }
}
