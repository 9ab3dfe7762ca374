/** The caller's key, wherever its SDK puts it: every header on every route. */
import type { HttpRequest } from '../core/http.ts'
import type { Caller } from '../core/policy.ts'

export const callerOf = (request: HttpRequest): Caller => {
  const { ip, headers, certificate } = request
  return { credential: credentialOf(request), ip, headers, certificate }
}

export function credentialOf({ headers, query }: HttpRequest): string | undefined {
  const bearer = /^Bearer\s+(.+)$/i.exec(headers['authorization'] ?? '')
  return bearer?.[1] ?? headers['x-api-key'] ?? headers['api-key'] ?? headers['x-goog-api-key'] ?? queryKey(query)
}

function queryKey(query: string): string | undefined {
  if (!query.includes('key=')) return undefined
  return new URLSearchParams(query).get('key') ?? undefined
}
