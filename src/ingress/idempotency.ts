/**
 * The answers of calls with an `Idempotency-Key`, kept so that the same call again gets the same answer and nothing is sent
 * twice. In memory, bounded, and handed over on reload.
 */
import { GatewayError } from '../core/error.ts'
import { bytesOf, type Chunk, type HttpReply } from '../core/http.ts'
import { joinedBytes } from '../core/text.ts'

export interface Once {
  readonly reply: HttpReply
  /** It was answered before; nothing has run. */
  readonly replayed: boolean
}

export interface Running {
  readonly reply: HttpReply
  /** Whether it ended well, asked when its body has ended. What failed may be tried again. */
  good(): boolean
}

export interface Idempotency {
  /**
   * Runs a call once. `scope` holds apart what may not be shared: caller, path. Throws `idempotency-conflict` while the first
   * one runs, and `idempotency-mismatch` when the same key comes with another body.
   */
  once(scope: string, key: string, body: Uint8Array, run: () => Promise<Running>): Promise<Once>
}

export interface IdempotencyOptions {
  /** Default 24 hours. */
  readonly windowMs?: number
  readonly maxEntries?: number
  readonly maxBytes?: number
  readonly now?: () => number
}

interface Entry {
  readonly print: string
  readonly at: number
  /** Undefined while it runs. */
  answer?: { readonly status: number; readonly headers: HttpReply['headers']; readonly body: Uint8Array }
}

const MAX_KEY = 255
/** What runs for longer has been lost sight of. */
const LONGEST_RUN_MS = 3_600_000

export function idempotency({
  windowMs = 24 * 3_600_000,
  maxEntries = 1_000,
  maxBytes = 32 * 1024 * 1024,
  now = Date.now,
}: IdempotencyOptions = {}): Idempotency {
  const entries = new Map<string, Entry>()
  let held = 0

  /** Another entry may have come in its place meanwhile. */
  function drop(id: string, entry = entries.get(id)): void {
    if (entry === undefined || entries.get(id) !== entry) return
    held -= entry.answer?.body.length ?? 0
    entries.delete(id)
  }

  /** Oldest first; what runs is not forgotten. */
  function makeRoom(): void {
    for (const [id, entry] of entries) {
      if (now() - entry.at <= windowMs && held <= maxBytes && entries.size <= maxEntries) return
      if (entry.answer) drop(id, entry)
    }
  }

  function keep(id: string, entry: Entry, { status, headers: { trailer: _, ...headers } }: HttpReply, body: Uint8Array): void {
    if (body.length > maxBytes / 4) {
      drop(id, entry)
      return
    }
    if (entries.get(id) !== entry) return
    entry.answer = { status, headers: { ...headers, 'idempotent-replayed': 'true' }, body }
    held += body.length
    makeRoom()
  }

  async function* watched(id: string, entry: Entry, { reply, good }: Running, body: AsyncIterable<Chunk>): AsyncGenerator<Chunk> {
    const chunks: Uint8Array[] = []
    let size = 0
    let whole = false
    try {
      for await (const chunk of body) {
        if (size <= maxBytes / 4) {
          const bytes = typeof chunk === 'string' ? bytesOf(chunk) : chunk
          chunks.push(bytes)
          size += bytes.length
        }
        yield chunk
      }
      whole = true
    } finally {
      if (whole && good()) keep(id, entry, reply, joinedBytes(chunks, size))
      else drop(id, entry)
    }
  }

  return {
    async once(scope, key, body, run) {
      if (key.length > MAX_KEY)
        throw new GatewayError('invalid-request', `\`Idempotency-Key\` is longer than ${MAX_KEY} characters.`, { shouldRetry: false })
      const id = `${scope}\n${key}`
      const print = printOf(body)
      const known = entries.get(id)
      if (known && now() - known.at <= (known.answer ? windowMs : LONGEST_RUN_MS)) {
        if (known.print !== print)
          throw new GatewayError('idempotency-mismatch', 'This `Idempotency-Key` came with another request before.', { shouldRetry: false })
        if (!known.answer)
          throw new GatewayError('idempotency-conflict', 'The first call with this `Idempotency-Key` is still running.', {
            retryAfterMs: 1_000,
          })
        return { reply: known.answer, replayed: true }
      }
      drop(id)
      const entry: Entry = { print, at: now() }
      entries.set(id, entry)
      try {
        const running = await run()
        const { reply } = running
        if (reply.body instanceof Uint8Array) {
          if (running.good()) keep(id, entry, reply, reply.body)
          else drop(id, entry)
          return { reply, replayed: false }
        }
        return { reply: { ...reply, body: watched(id, entry, running, reply.body) }, replayed: false }
      } catch (error) {
        drop(id, entry)
        throw error
      }
    },
  }
}

/** Tells bodies apart; nobody gains anything by finding two that look alike. */
function printOf(body: Uint8Array): string {
  let one = 0xdeadbeef
  let other = 0x41c6ce57
  for (const byte of body) {
    one = Math.imul(one ^ byte, 2_654_435_761)
    other = Math.imul(other ^ byte, 1_597_334_677)
  }
  return `${body.length} ${one >>> 0} ${other >>> 0}`
}
