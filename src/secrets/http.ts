/** Requests to stores of secrets: timed, tried again, and with nothing secret in their errors. */
import type { Dispatcher } from 'undici'
import { SecretError } from './source.ts'

export interface Ask {
  /** Who is asked, for messages: `Vault`. */
  readonly who: string
  readonly url: string
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Certificate authorities to trust in place of the usual ones, as PEM. */
  readonly ca?: string | undefined
  /** What may be told of an error's body: the store's own code for it. */
  readonly codeOf?: (body: unknown) => unknown
  /** An answer that says what others say with 429: it is asked again. */
  readonly busy?: (told: Told) => boolean
  /** Default: the asker's own. */
  readonly attempts?: number
  readonly timeoutMs?: number
}

export interface Told {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

export interface AskerOptions {
  /** Milliseconds for one attempt. Default 5,000. */
  readonly timeoutMs?: number
  /** Default 3. */
  readonly attempts?: number
  /** Wait before the second attempt; doubles, with jitter. Milliseconds. Default 200. */
  readonly backoffMs?: number
}

export interface Asker {
  /** Whatever the status. Rejects with a SecretError `unreachable` when no answer could be had, 429 and 5xx included. */
  ask(request: Ask): Promise<Told>
  /** The JSON of a 2xx answer; other statuses reject: 401 and 403 with `refused`, 404 with `unset`. */
  json(request: Ask): Promise<unknown>
  close(): Promise<void>
}

const MAX_BYTES = 1024 * 1024

/** undici is loaded with the first request: who has no such store does not pay for it. */
export function createAsker({ timeoutMs = 5_000, attempts = 3, backoffMs = 200 }: AskerOptions = {}): Asker {
  const agents = new Map<string, Dispatcher>()

  async function agentOf(ca: string | undefined): Promise<Dispatcher> {
    const { Agent } = await import('undici')
    const key = ca ?? ''
    let agent = agents.get(key)
    if (!agent) {
      agent = new Agent({ connect: { timeout: 2_000, ...(ca !== undefined && { ca }) }, keepAliveTimeout: 10_000, connections: 4 })
      agents.set(key, agent)
    }
    return agent
  }

  async function once({ url, method = 'GET', headers, body, ca, timeoutMs: own = timeoutMs }: Ask): Promise<Told> {
    const dispatcher = await agentOf(ca)
    const { request } = await import('undici')
    // Redirects are not followed: credentials go where the configuration says, and nowhere else.
    const answer = await request(url, {
      method,
      headers: { accept: 'application/json', ...headers },
      body: body ?? null,
      dispatcher,
      signal: AbortSignal.timeout(own),
    })
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > MAX_BYTES) throw new Error('too large')
      chunks.push(chunk)
    }
    return { status: answer.statusCode, headers: answer.headers, text: Buffer.concat(chunks).toString('utf8') }
  }

  async function ask(request: Ask): Promise<Told> {
    const most = request.attempts ?? attempts
    for (let attempt = 1; ; attempt++) {
      let problem: SecretError
      try {
        const told = await once(request)
        const busy = request.busy?.(told) === true
        if (!busy && told.status !== 429 && told.status < 500) return told
        problem = failed(request, told)
        if (busy) problem = new SecretError('unreachable', problem.message, 'look at the state of that service')
      } catch (error) {
        problem = new SecretError(
          'unreachable',
          `${request.who} at ${hostOf(request.url)} cannot be reached (${reasonOf(error)})`,
          'check its address, and that the network leads there',
        )
      }
      if (attempt >= most) throw problem
      await pause(backoffMs * 2 ** (attempt - 1) * (0.5 + Math.random()))
    }
  }

  return {
    ask,
    async json(request) {
      const told = await ask(request)
      if (told.status < 200 || told.status > 299) throw failed(request, told)
      return parsed(request, told.text)
    },
    async close() {
      await Promise.all([...agents.values()].map((agent) => agent.destroy()))
      agents.clear()
    },
  }
}

export function failed({ who, url, codeOf, headers = {}, body = '' }: Ask, { status, text }: Told): SecretError {
  let code: unknown
  try {
    code = codeOf?.(JSON.parse(text))
  } catch {
    // No JSON: the status has to do.
  }
  const sent = [...Object.values(headers), body]
    .flatMap((text) => text.split(/[\s"'&=,:;]+/))
    .filter((word) => word.length >= 6 && !/^[A-Z][a-z]+$/.test(word))
  // A store may repeat what it was sent: a code that stands in there is not told.
  const told = typeof code === 'string' && /^[\w .:/-]{1,80}$/.test(code) && !sent.some((word) => code.includes(word)) ? `, ${code}` : ''
  const answer = `${who} at ${hostOf(url)} answered ${status}${told}`
  if (status === 401 || status === 403) return new SecretError('refused', answer, 'check the credentials and what they may read')
  if (status === 404) return new SecretError('unset', answer, 'check the name, and that the secret exists there')
  if (status === 429 || status >= 500) return new SecretError('unreachable', answer, 'look at the state of that service')
  if (status >= 300 && status < 400) return new SecretError('unreachable', answer, 'give its final address: redirects are not followed')
  return new SecretError('refused', answer, 'check the reference and the settings of this source')
}

export function parsed({ who, url }: Pick<Ask, 'who' | 'url'>, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new SecretError('unreachable', `${who} at ${hostOf(url)} answered something that is not JSON`, 'check its address')
  }
}

const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : 'its address')

/** Only codes: messages of errors may hold anything. */
function reasonOf(error: unknown): string {
  const { code, name, message } = error as { code?: unknown; name?: string; message?: string }
  if (name === 'TimeoutError') return 'no answer in time'
  if (message === 'too large') return 'its answer is too large'
  return typeof code === 'string' && /^[A-Z0-9_]+$/.test(code) ? code : 'the connection failed'
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** A member of parsed JSON, by path; undefined where there is none. */
export function at(json: unknown, ...path: readonly string[]): unknown {
  let current = json
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined
    current = (current as Record<string, unknown>)[key]
  }
  return current
}

export const textAt = (json: unknown, ...path: readonly string[]): string | undefined => {
  const found = at(json, ...path)
  return typeof found === 'string' && found !== '' ? found : undefined
}
