/** Callers that want nothing but an answer: one call, many at once, or a steady stream of them. */
import { Agent, request } from 'node:http'

export interface Answer {
  /** The name by which the provider and the ledger know the call. */
  readonly name: string
  readonly gateway: string
  /** 0: no answer came. */
  readonly status: number
  /** Of a refusal. */
  readonly code: string
  readonly text: string
  /** Milliseconds since 1970. */
  readonly at: number
  readonly ms: number
}

export interface Load {
  /** Answers so far, in the order in which they came. */
  readonly answers: readonly Answer[]
  /** Resolves with all of them, when the last call has ended. */
  stop(): Promise<readonly Answer[]>
}

export interface LoadOptions {
  readonly urls: readonly string[]
  /** Asked for each call. */
  readonly key: () => string
  readonly everyMs: number
}

let count = 0

export class Caller {
  readonly #agent = new Agent({ keepAlive: true })
  readonly #timers = new Set<NodeJS.Timeout>()

  /** Never rejects. */
  call(
    url: string,
    key: string,
    { more = {}, limitMs = 20_000 }: { readonly more?: object; readonly limitMs?: number } = {},
  ): Promise<Answer> {
    const name = `c${++count}`
    const at = Date.now()
    const began = performance.now()
    const body = JSON.stringify({ model: 'work', max_tokens: 8, messages: [{ role: 'user', content: `call ${name} please` }], ...more })
    return new Promise((resolve) => {
      const done = (status: number, text: string): void => {
        clearTimeout(limit)
        resolve({ name, gateway: url, status, code: status < 400 ? '' : codeOf(text), text, at, ms: performance.now() - began })
      }
      const sent = request(`${url}/v1/chat/completions`, {
        method: 'POST',
        agent: this.#agent,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          authorization: `Bearer ${key}`,
          'x-signalbox-metadata': JSON.stringify({ tags: [name] }),
        },
      })
      const limit = setTimeout(() => sent.destroy(new Error('no answer in time')), limitMs)
      sent.on('error', (error) => done(0, error.message))
      sent.on('response', (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (piece: string) => {
          text += piece
        })
        response.on('error', (error) => done(0, error.message))
        response.on('end', () => done(response.statusCode ?? 0, text))
      })
      sent.end(body)
    })
  }

  /** One call each `everyMs`, to the gateways in turn, whether those before have ended or not. */
  load({ urls, key, everyMs }: LoadOptions): Load {
    const answers: Answer[] = []
    const running = new Set<Promise<unknown>>()
    let turn = 0
    const timer = setInterval(() => {
      const call = this.call(urls[turn++ % urls.length] ?? '', key()).then((answer) => {
        answers.push(answer)
        running.delete(call)
      })
      running.add(call)
    }, everyMs)
    this.#timers.add(timer)
    return {
      answers,
      async stop() {
        clearInterval(timer)
        await Promise.all(running)
        return answers
      },
    }
  }

  /** Ends all load. */
  close(): void {
    for (const timer of this.#timers) clearInterval(timer)
    this.#agent.destroy()
  }
}

function codeOf(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown } }
    return String(error?.code)
  } catch {
    return text.slice(0, 100)
  }
}

/** How many answers of each kind there were: `200`, `402 budget_exceeded` … */
export function kindsOf(answers: readonly Answer[]): Readonly<Record<string, number>> {
  const kinds: Record<string, number> = {}
  for (const { status, code } of answers) {
    const kind = `${status} ${code}`.trim()
    kinds[kind] = (kinds[kind] ?? 0) + 1
  }
  return kinds
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Rejects with what it saw last, when it does not hold in time. */
export async function eventually<T>(look: () => Promise<T>, holds: (seen: T) => boolean, { ms = 15_000, everyMs = 25 } = {}): Promise<T> {
  for (const until = Date.now() + ms; ; await sleep(everyMs)) {
    const seen = await look()
    if (holds(seen)) return seen
    if (Date.now() > until) throw new Error(`not within ${ms} ms: ${JSON.stringify(seen)?.slice(0, 2_000)}`)
  }
}

/** Half of them are as fast as this, and the slowest. */
export function spreadOf(times: readonly number[]): { readonly p50: number; readonly max: number } {
  const sorted = times.toSorted((a, b) => a - b)
  return { p50: Math.round(sorted[sorted.length >> 1] ?? 0), max: Math.round(sorted.at(-1) ?? 0) }
}
