/**
 * One connection to Redis or Valkey with a deadline for every command. When nothing is answered any more it is given up, and a new one is
 * tried until Redis is back; meanwhile commands fail at once. Reading it starts nothing: `connectRedis` does.
 */
import { GatewayError } from '../../core/error.ts'

/** What is used of a client. */
export interface RedisClient {
  sendCommand(args: string[]): Promise<unknown>
  destroy(): void
}

export interface RedisLinkOptions {
  /** Makes a connected client; rejects when it cannot. `lost`: to be called when the connection breaks. */
  readonly connect: (lost: () => void) => Promise<RedisClient>
  /**
   * For every command, from when it was sent or Redis last answered another one: those are answered in their order. One more for each that is
   * under way. Default 25.
   */
  readonly deadlineMs?: number
  /** For every command, however much Redis has to do before it. Default 1,000. */
  readonly queueMs?: number
  /** Without any answer for so long the connection is given up. Default 250. */
  readonly silenceMs?: number
  /** Told when Redis is gone, with the reason, and when it is back; once each. */
  readonly onChange?: (up: boolean, why: string) => void
}

export interface RedisLink {
  readonly up: boolean
  /** Rejects with `store-unavailable` when Redis does not answer in time; what it refuses is rejected as it is. */
  command(args: string[], deadlineMs?: number): Promise<unknown>
  /** Called whenever Redis is there (again). */
  onUp(listener: () => void): void
  close(): void
}

export const redisDown = (message = 'The shared counters do not answer.', cause?: unknown): GatewayError =>
  new GatewayError('store-unavailable', message, { retryAfterMs: 1_000, ...(cause !== undefined && { cause }) })

const CONNECT_MS = 1_000
/** A timer that comes so much too late says that this process is short of time, and not that Redis is. */
const LATE_MS = 5
/** What Redis takes for one command at most, when it is well. */
const EACH_MS = 1
const [FIRST_WAIT_MS, LONGEST_WAIT_MS] = [50, 1_000]

/** A client of the `redis` package, loaded when it is needed. The address may hold a password: it appears in no error. */
export const redisConnector =
  (url: string): RedisLinkOptions['connect'] =>
  async (lost) => {
    const { createClient } = await import('redis')
    const client = createClient({
      // The same protocol; the package knows only the older name.
      url: url.replace(/^valkey(s?):/, 'redis$1:'),
      disableOfflineQueue: true,
      // Every command has a deadline below; the package's own would cost more than all else of a command.
      commandOptions: { timeout: 0 },
      socket: { connectTimeout: CONNECT_MS, reconnectStrategy: false, noDelay: true },
    })
    client.on('error', lost)
    client.on('end', lost)
    // A frozen server accepts connections and says nothing.
    const late = setTimeout(() => client.destroy(), CONNECT_MS)
    try {
      await client.connect()
      await client.ping()
    } catch (error) {
      if (client.isOpen) client.destroy()
      throw error
    } finally {
      clearTimeout(late)
    }
    return { sendCommand: (args) => client.sendCommand(args), destroy: () => void (client.isOpen && client.destroy()) }
  }

export function createRedisLink({
  connect,
  deadlineMs = 25,
  queueMs = 1_000,
  silenceMs = 250,
  onChange = () => {},
}: RedisLinkOptions): RedisLink {
  const listeners: (() => void)[] = []
  let client: RedisClient | undefined
  let closed = false
  let waitMs = FIRST_WAIT_MS
  let toldDown = false
  let timer: NodeJS.Timeout | undefined
  /** Commands without an answer, and since when nothing has come. */
  let waiting = 0
  let silentSince = 0
  /** Of the silence, what was this process's own: it did not listen. The last of it ended then. */
  let deafMs = 0
  let deafUntil = 0

  function dial(): void {
    if (closed) return
    // Two ends of one connection may both tell that it is lost; and one that broke while it was made is no use.
    let broken = false
    let mine: RedisClient | undefined
    const lost = () => {
      broken = true
      if (mine && client === mine) drop('the connection broke')
    }
    connect(lost).then(
      (made) => {
        if (closed || broken) {
          made.destroy()
          return broken ? later() : undefined
        }
        mine = made
        client = made
        waitMs = FIRST_WAIT_MS
        waiting = 0
        if (toldDown) onChange(true, '')
        toldDown = false
        for (const listener of listeners) listener()
      },
      (error: unknown) => {
        tellDown(whyOf(error))
        later()
      },
    )
  }

  function heard(): void {
    silentSince = performance.now()
    deafMs = 0
  }

  function later(): void {
    if (closed) return
    timer = setTimeout(dial, waitMs * (0.5 + Math.random() / 2))
    timer.unref()
    waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2)
  }

  function tellDown(why: string): void {
    if (!toldDown && !closed) onChange(false, why)
    toldDown = true
  }

  function drop(why: string): void {
    tellDown(why)
    const dropped = client
    client = undefined
    waiting = 0
    dropped?.destroy()
    later()
  }

  dial()
  return {
    get up() {
      return client !== undefined
    },
    command(args, withinMs = deadlineMs) {
      const used = client
      if (!used) return Promise.reject(redisDown())
      if (waiting++ === 0) heard()
      return new Promise((resolve, reject) => {
        const sentAt = performance.now()
        const last = sentAt + Math.max(queueMs, withinMs)
        let since = sentAt
        let deadline: NodeJS.Timeout
        const arm = (ms: number): void => {
          const due = performance.now() + ms
          // One more turn of the loop: when this process was late itself, the answer is there to be read.
          deadline = setTimeout(() => setImmediate(() => tooLate(performance.now() - due)), ms)
        }
        const tooLate = (lateMs: number): void => {
          if (client !== used) {
            reject(redisDown())
            return
          }
          const now = performance.now()
          // Late itself, this process may have sent it only now.
          if (lateMs > LATE_MS) {
            since = now
            deafMs += Math.min(lateMs, now - deafUntil)
            deafUntil = now
          }
          const silent = now - silentSince - deafMs > silenceMs || (now >= last && silentSince <= sentAt)
          // Given up while Redis works on it, a call would be counted there and here.
          const left = Math.min(Math.max(silentSince, since) + withinMs + waiting * EACH_MS, last) - now
          if (left > 0 && !silent) {
            arm(Math.min(left, silenceMs / 2))
            return
          }
          reject(redisDown())
          if (silent && waiting > 0) drop('it does not answer')
        }
        arm(withinMs)
        const answered = () => {
          clearTimeout(deadline)
          if (client !== used) return
          waiting = Math.max(0, waiting - 1)
          heard()
        }
        used.sendCommand(args).then(
          (answer) => {
            answered()
            resolve(answer)
          },
          (error: unknown) => {
            answered()
            reject(isReply(error) ? error : redisDown(undefined, error))
          },
        )
      })
    },
    onUp(listener) {
      listeners.push(listener)
      if (client) listener()
    },
    close() {
      closed = true
      clearTimeout(timer)
      client?.destroy()
      client = undefined
    },
  }
}

/** The address may hold a password. */
const whyOf = (error: unknown): string => (error instanceof Error ? error.message.replaceAll(/\/\/[^@/\s]*@/g, '//') : 'no connection')

/** Redis answered, with an error of its own: `NOSCRIPT …`, `OOM …`. Everything else is a matter of the connection. */
const isReply = (error: unknown): boolean => error instanceof Error && /^[A-Z]{2,} /.test(error.message)

export const isNoScript = (error: unknown): boolean => error instanceof Error && error.message.startsWith('NOSCRIPT')
