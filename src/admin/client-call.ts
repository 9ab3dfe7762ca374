/** What the generated client stands on: one request, its answer, its error. Runs wherever `fetch` is. */

export interface AdminClientOptions {
  /** Where the gateway listens: `http://127.0.0.1:8484`. */
  readonly url: string
  /** The owner's key, an admin's, or a JWT. */
  readonly key: string
  /** How long one request may take. Default 60 000. */
  readonly timeoutMs?: number
  readonly fetch?: typeof globalThis.fetch
}

/** What the gateway said, or that nobody said anything (`status` 0, `code` `unreachable`). */
export class AdminError extends Error {
  readonly status: number
  readonly code: string
  /** The member at fault. */
  readonly path: string | undefined
  /** The whole answer, where it was JSON. */
  readonly body: unknown

  constructor(
    message: string,
    { status, code, path, body, cause }: { status: number; code: string; path?: string; body?: unknown; cause?: unknown },
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'AdminError'
    this.status = status
    this.code = code
    this.path = path
    this.body = body
  }
}

export interface CallOptions {
  readonly query?: object | undefined
  readonly body?: unknown
  /** The version that is changed. */
  readonly ifMatch?: number | undefined
}

export interface Calls {
  /** The answer is what the route's schema says. */
  json<Answer>(method: string, path: string, options?: CallOptions): Promise<Answer>
  text(method: string, path: string, options?: CallOptions): AsyncIterable<string>
}

/** One segment of a path. */
export const segment = (value: string): string => encodeURIComponent(value)

export function adminCalls({ url, key, timeoutMs = 60_000, fetch = globalThis.fetch }: AdminClientOptions): Calls {
  const base = `${url.replace(/\/+$/, '').replace(/\/(?:admin\/)?v1$/, '')}/admin/v1`

  async function send(method: string, path: string, { query, body, ifMatch }: CallOptions): Promise<Response> {
    const words = new URLSearchParams()
    for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) words.set(name, String(value))
    const headers: Record<string, string> = { authorization: `Bearer ${key}` }
    if (body !== undefined) headers['content-type'] = 'application/json'
    if (ifMatch !== undefined) headers['if-match'] = `"${ifMatch}"`
    const address = `${base}${path}${words.size > 0 ? `?${words}` : ''}`
    let response: Response
    try {
      response = await fetch(address, {
        method,
        headers,
        signal: AbortSignal.timeout(timeoutMs),
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
    } catch (cause) {
      const why = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause)
      throw new AdminError(`no gateway answers at ${url}: ${why}`, { status: 0, code: 'unreachable', cause })
    }
    if (response.ok) return response
    throw errorOf(response.status, await response.text())
  }

  return {
    async json<Answer>(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
      const response = await send(method, path, options)
      const text = await response.text()
      if (text === '') return undefined as Answer
      try {
        return JSON.parse(text) as Answer
      } catch (cause) {
        throw new AdminError(`what answers at ${url} is no gateway's admin API`, { status: response.status, code: 'unreachable', cause })
      }
    },
    async *text(method, path, options = {}) {
      const { body } = await send(method, path, options)
      const decoder = new TextDecoder()
      for await (const piece of body ?? []) yield decoder.decode(piece, { stream: true })
    },
  }
}

function errorOf(status: number, text: string): AdminError {
  try {
    const body = JSON.parse(text) as { error?: { code?: string; message?: string; path?: string } }
    const { code, message, path } = body.error ?? {}
    if (code !== undefined && message !== undefined)
      return new AdminError(message, { status, code, ...(path !== undefined && { path }), body })
  } catch {
    // Something else than a gateway stands there, and its words are as good as any.
  }
  return new AdminError(`the answer was ${status}: ${text.slice(0, 200)}`, { status, code: 'unreachable' })
}
