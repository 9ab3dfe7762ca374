/**
 * Connections to one host over plain HTTP/1.1: gateways in the same cluster, models on the same machine. It stands where undici's pool
 * stands for TLS, and does of it what calls need (docs/decisions/0012).
 */
import type { Dispatcher } from 'undici'
import type { Headers } from '../../core/http.ts'
import { headerLines } from '../../core/http1-headers.ts'
import { Connection, type Origin } from './connection.ts'

export interface PoolRequest {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Headers>
  readonly body?: string | Uint8Array
}

export interface Http1PoolOptions {
  readonly connectMs: number
  /** How long a connection is kept for the next request where the host does not say, and at most. Milliseconds. */
  readonly keepMs: number
  readonly keepAtMostMs: number
  /** Bytes. */
  readonly maxHead: number
}

const SWEEP_MS = 5_000

export class Http1Pool {
  readonly #origin: Origin
  readonly #options: Http1PoolOptions
  readonly #open = new Set<Connection>()
  /** The one that was used last goes first: what is not needed gets old. */
  readonly #idle: Connection[] = []
  #resting: Connection[] = []
  #sweep: NodeJS.Timeout | undefined
  #closing = false

  constructor(origin: string, options: Http1PoolOptions) {
    const { hostname, port, host } = new URL(origin)
    this.#origin = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80), name: host }
    this.#options = options
  }

  /** Throws TypeError for headers that cannot be sent. */
  dispatch({ method, path, headers = {}, body = '' }: PoolRequest, handler: Dispatcher.DispatchHandler): void {
    const length = Buffer.byteLength(body)
    const framing = length === 0 && method !== 'POST' ? '' : `content-length: ${length}\r\n`
    const head = `${method} ${path} HTTP/1.1\r\nhost: ${this.#origin.name}\r\nconnection: keep-alive\r\n${headerLines(headers)}${framing}\r\n`
    this.#connection().send({ head, body, length, handler })
  }

  /** What runs may end. */
  async close(): Promise<void> {
    this.#closing = true
    for (const connection of this.#idle.splice(0)) connection.destroy()
  }

  async destroy(): Promise<void> {
    await this.close()
    for (const connection of this.#open) connection.destroy()
  }

  #connection(): Connection {
    const now = performance.now()
    for (let kept = this.#idle.pop(); kept; kept = this.#idle.pop()) {
      if (kept.alive && kept.until > now) return kept
      kept.destroy()
    }
    const { connectMs, maxHead } = this.#options
    const connection = new Connection({ origin: this.#origin, connectMs, maxHead, free: this.#free, closed: this.#closed })
    this.#open.add(connection)
    return connection
  }

  readonly #free = (connection: Connection, saidMs: number | undefined): void => {
    if (this.#closing) return void connection.destroy()
    connection.until = performance.now() + Math.min(saidMs ?? this.#options.keepMs, this.#options.keepAtMostMs)
    if (this.#resting.push(connection) === 1) setImmediate(this.#rest).unref()
  }

  /**
   * Not before the loop has looked at its socket once more: hosts that close without a word, and what nobody asked for, are seen before
   * another call is sent there.
   */
  readonly #rest = (): void => {
    const rested = this.#resting
    this.#resting = []
    // It does not make the loop turn: whoever wants a connection does, and comes after this.
    setImmediate(() => {
      for (const connection of rested) {
        if (this.#closing) connection.destroy()
        else if (connection.alive) this.#idle.push(connection)
      }
      if (this.#idle.length > 0) this.#sweep ??= setInterval(this.#closeOld, SWEEP_MS).unref()
    }).unref()
  }

  readonly #closed = (connection: Connection): void => {
    this.#open.delete(connection)
    const at = this.#idle.indexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
    if (this.#open.size > 0) return
    clearInterval(this.#sweep)
    this.#sweep = undefined
  }

  readonly #closeOld = (): void => {
    const now = performance.now()
    for (const connection of this.#idle.filter(({ until }) => until <= now)) connection.destroy()
  }
}
