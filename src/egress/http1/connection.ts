/** One connection to a host, for one request at a time. */
import { connect, type Socket } from 'node:net'
import type { Dispatcher } from 'undici'
import type { Headers } from '../../core/http.ts'
import { ResponseReader } from './read-response.ts'

export interface Origin {
  readonly host: string
  readonly port: number
  /** As requests name it. */
  readonly name: string
}

export interface ConnectionOptions {
  readonly origin: Origin
  readonly connectMs: number
  readonly maxHead: number
  /** Another request may be sent. `keepMs`: for so long, as far as the host says. */
  free(connection: Connection, keepMs: number | undefined): void
  closed(connection: Connection): void
}

/** The `code` of the error of connections that did not stand in time. */
export const CONNECT_TIMEOUT = 'ERR_CONNECT_TIMEOUT'

/** A request as it goes over the socket, and who waits for its answer. */
export interface Outgoing {
  /** Latin-1. */
  readonly head: string
  readonly body: string | Uint8Array
  /** Of the body, in bytes. */
  readonly length: number
  readonly handler: Dispatcher.DispatchHandler
}

/** Whatever is larger is not copied to go out in one piece with its head. Bytes. */
const JOINS = 16 * 1024

export class Connection {
  /** When a kept connection is no longer to be used. By `performance.now()`. */
  until = 0
  readonly #socket: Socket
  readonly #options: ConnectionOptions
  readonly #reader: ResponseReader
  #exchange: Exchange | undefined

  constructor(options: ConnectionOptions) {
    const { origin, connectMs, maxHead } = options
    this.#options = options
    this.#reader = new ResponseReader(this, maxHead)
    const socket = connect({ host: origin.host, port: origin.port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 })
    this.#socket = socket
    const late = setTimeout(() => this.#fail(Object.assign(new Error('no connection in time'), { code: CONNECT_TIMEOUT })), connectMs)
    socket.on('connect', () => clearTimeout(late))
    socket.on('data', (bytes: Buffer) => {
      try {
        this.#reader.push(bytes)
      } catch (error) {
        this.#fail(error as Error)
      }
    })
    socket.on('end', () => {
      if (!this.#reader.close()) this.#fail(new Error('the host closed the connection'))
    })
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => {
      clearTimeout(late)
      this.#fail(new Error('the connection was closed'))
      options.closed(this)
    })
  }

  get alive(): boolean {
    return !this.#socket.destroyed
  }

  /** Once it stands. Nothing else may be under way. */
  send(request: Outgoing): void {
    const exchange = new Exchange(this, request)
    this.#exchange = exchange
    const socket = this.#socket
    if (socket.connecting) socket.once('connect', () => this.#write(exchange))
    else {
      socket.ref()
      this.#write(exchange)
    }
  }

  /** Only for who is being answered: after its end, the connection may be another's. */
  pause(exchange: Exchange): void {
    if (exchange === this.#exchange) this.#socket.pause()
  }

  resume(exchange: Exchange): void {
    if (exchange === this.#exchange) this.#socket.resume()
  }

  abort(exchange: Exchange, reason: Error): void {
    if (exchange === this.#exchange) this.#fail(reason)
  }

  destroy(): void {
    this.#socket.destroy()
  }

  head(status: number, headers: Headers): void {
    const exchange = this.#exchange
    exchange?.request.handler.onResponseStart?.(exchange, status, headers)
  }

  data(bytes: Buffer): void {
    const exchange = this.#exchange
    exchange?.request.handler.onResponseData?.(exchange, bytes)
  }

  end(keepMs: number | undefined): void {
    const exchange = this.#exchange
    const socket = this.#socket
    this.#exchange = undefined
    // A host that answers before it has heard all is in the middle of something.
    if (keepMs === 0 || socket.writableLength > 0) socket.destroy()
    else {
      if (socket.isPaused()) socket.resume()
      // An idle connection keeps no process alive.
      socket.unref()
      this.#options.free(this, keepMs)
    }
    exchange?.request.handler.onResponseEnd?.(exchange, {})
  }

  #write(exchange: Exchange): void {
    const { head, body, length, handler } = exchange.request
    if (exchange !== this.#exchange) return
    handler.onRequestStart?.(exchange, undefined)
    // It may have been called off in that moment.
    if (exchange !== this.#exchange) return
    this.#reader.next()
    const socket = this.#socket
    if (length > JOINS) {
      socket.cork()
      socket.write(head, 'latin1')
      socket.write(body)
      socket.uncork()
      return
    }
    const bytes = Buffer.allocUnsafe(head.length + length)
    bytes.write(head, 'latin1')
    if (typeof body === 'string') bytes.write(body, head.length)
    else bytes.set(body, head.length)
    socket.write(bytes)
  }

  #fail(error: Error): void {
    this.#reader.stop()
    this.#socket.destroy()
    const exchange = this.#exchange
    this.#exchange = undefined
    if (!exchange) return
    exchange.reason = error
    exchange.request.handler.onResponseError?.(exchange, error)
  }
}

/** One request and its answer, as undici's handlers know it. */
export class Exchange implements Dispatcher.DispatchController {
  readonly request: Outgoing
  reason: Error | null = null
  paused = false
  readonly #connection: Connection

  constructor(connection: Connection, request: Outgoing) {
    this.#connection = connection
    this.request = request
  }

  get aborted(): boolean {
    return this.reason !== null
  }

  pause(): void {
    this.paused = true
    this.#connection.pause(this)
  }

  resume(): void {
    this.paused = false
    this.#connection.resume(this)
  }

  abort(reason: Error): void {
    this.#connection.abort(this, reason)
  }
}
