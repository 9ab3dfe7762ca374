/** Which paths mean what: where the vendors' SDKs look, with lenient joins of base URL and path. */
import type { WireId } from '../core/call.ts'
import type { HttpRequest } from '../core/http.ts'

export type Operation = 'chat' | 'count' | 'models' | 'model' | 'hello' | 'upgrade' | 'explain'

export interface Endpoint {
  readonly op: Operation
  readonly dialect: WireId
  /** From the path: the model of a Gemini call, an Azure client's deployment, or the one asked about. */
  readonly model?: string
  /** From the path, where it says so (Gemini). */
  readonly stream?: boolean
  /** A Gemini stream without `alt=sse` is a JSON array. */
  readonly array?: boolean
}

export type Match = Endpoint | { readonly op: 'unknown' | 'wrong-method'; readonly dialect: WireId; readonly allow?: string }

const PREFIX_DIALECT: Readonly<Record<string, WireId>> = { openai: 'openai-chat', anthropic: 'anthropic-messages', gemini: 'gemini' }

const plainPosts: Readonly<Record<string, Endpoint>> = {
  '/chat/completions': { op: 'chat', dialect: 'openai-chat' },
  '/responses': { op: 'chat', dialect: 'openai-responses' },
  '/responses/input_tokens': { op: 'count', dialect: 'openai-responses' },
  '/messages': { op: 'chat', dialect: 'anthropic-messages' },
  '/messages/count_tokens': { op: 'count', dialect: 'anthropic-messages' },
  '/route/explain': { op: 'explain', dialect: 'openai-chat' },
}

const geminiVerbs = new Map<string, { readonly op: Operation; readonly stream?: boolean }>([
  ['generateContent', { op: 'chat', stream: false }],
  ['streamGenerateContent', { op: 'chat', stream: true }],
  ['countTokens', { op: 'count' }],
])

const commonPaths = new Map<string, Endpoint>(Object.entries(plainPosts).map(([path, endpoint]) => [`/v1${path}`, endpoint]))

export function matchEndpoint(request: HttpRequest): Match {
  const { method } = request
  if (method === 'POST') {
    const common = commonPaths.get(request.path)
    if (common) return common
  }
  const { path, prefix } = normalized(request.path)
  const dialect = prefix ?? dialectOf(path, request)
  if (path === '/' || path === '/api/hello')
    return method === 'GET' || method === 'HEAD' ? { op: 'hello', dialect } : { op: 'wrong-method', dialect, allow: 'GET, HEAD' }
  const post = plainPosts[path]
  if (post) {
    if (method === 'POST') return post
    if (path === '/responses' && method === 'GET' && isUpgrade(request)) return { op: 'upgrade', dialect: 'openai-responses' }
    return { op: 'wrong-method', dialect: post.dialect, allow: 'POST' }
  }
  const azure = path.startsWith('/deployments/') ? /^\/deployments\/([^/]+)(\/.+)$/.exec(path) : undefined
  const deployed = azure?.[1] && plainPosts[azure[2] ?? '']
  if (deployed) {
    if (method !== 'POST') return { op: 'wrong-method', dialect: deployed.dialect, allow: 'POST' }
    return { ...deployed, model: decoded(azure[1] ?? '') }
  }
  if (path === '/models' || path.startsWith('/models/')) return models(path, method, dialect, request)
  // Some SDKs leave `models/` out when the model's name has a slash.
  if (/:(?:generateContent|streamGenerateContent|countTokens)$/.test(path)) return models(`/models${path}`, method, dialect, request)
  return { op: 'unknown', dialect }
}

function models(path: string, method: string, dialect: WireId, { query }: HttpRequest): Match {
  if (path === '/models' || path === '/models/')
    return method === 'GET' || method === 'HEAD' ? { op: 'models', dialect } : { op: 'wrong-method', dialect, allow: 'GET' }
  const rest = path.slice('/models/'.length)
  const colon = rest.lastIndexOf(':')
  // Model names may hold slashes and colons: the verb is what stands behind the last colon.
  const verb = colon > 0 ? geminiVerbs.get(rest.slice(colon + 1)) : undefined
  if (verb) {
    if (method !== 'POST') return { op: 'wrong-method', dialect: 'gemini', allow: 'POST' }
    const array = verb.stream === true && !/(?:^|&)alt=sse(?:&|$)/.test(query)
    return { ...verb, dialect: 'gemini', model: decoded(rest.slice(0, colon)), array }
  }
  if (method !== 'GET' && method !== 'HEAD') return { op: 'unknown', dialect: colon > 0 ? 'gemini' : dialect }
  return { op: 'model', dialect, model: decoded(rest) }
}

/** Doubled slashes and version segments gone, a dialect's prefix read: `/openai/v1/v1//chat/completions` → `/chat/completions`. */
function normalized(raw: string): { path: string; prefix?: WireId } {
  let path = raw.includes('//') ? raw.replace(/\/{2,}/g, '/') : raw
  let prefix: WireId | undefined
  const first = /^\/(openai|anthropic|gemini)(?=\/|$)/.exec(path)
  if (first?.[1]) {
    prefix = PREFIX_DIALECT[first[1]]
    path = path.slice(first[0].length) || '/'
  }
  for (;;) {
    const version = /^\/v1(?:beta\d?|alpha)?(?=\/|$)/.exec(path)
    if (!version) break
    path = path.slice(version[0].length) || '/'
  }
  if (path.length > 1 && path.endsWith('/')) path = path.slice(0, -1)
  return { path, prefix }
}

/** On paths that several vendors share, the headers tell who asks. */
export function dialectOf(path: string, { headers, query, path: whole }: HttpRequest): WireId {
  if (path.startsWith('/messages')) return 'anthropic-messages'
  if (path.startsWith('/responses')) return 'openai-responses'
  if (path.startsWith('/chat')) return 'openai-chat'
  if (headers['anthropic-version'] !== undefined) return 'anthropic-messages'
  if (headers['x-goog-api-key'] !== undefined || headers['x-goog-api-client'] !== undefined || /(?:^|&)key=/.test(query)) return 'gemini'
  return /^\/v1beta/.test(whole) ? 'gemini' : 'openai-chat'
}

const isUpgrade = ({ headers }: HttpRequest): boolean => headers['upgrade']?.toLowerCase() === 'websocket'

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
