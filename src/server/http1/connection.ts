/** One caller's connection, read by the short way while its requests are those of SDKs; then, and for good, by Node's server. */
import type { Socket } from 'node:net'
import { emptyBody, type HttpRequest } from '../../core/http.ts'
import type { NamesBefore } from '../../core/http1-headers.ts'
import { joinedBytes } from '../../core/text.ts'
import { endOfHead, type RequestHead, readHead } from './read-head.ts'
import { Http1Response } from './response.ts'

export interface ConnectionOptions {
  /** How long the first bytes of a connection may take, a whole request, and the next one. Milliseconds. */
  readonly firstMs: number
  readonly uploadMs: number
  readonly idleMs: number
  /** A request that has not come in time: tells the caller, and closes. */
  late(socket: Socket): void
  /** Whether a request of this target and body length takes the short way. */
  takes(head: RequestHead): boolean
  /** Refuses the call before its body is there; false: it may come. */
  turnsAway(request: () => HttpRequest, response: Http1Response): boolean
  /** The call is there in whole. */
  call(request: HttpRequest, response: Http1Response): void
  /** A request that ended before it was whole: tells the caller, and closes. */
  broken(socket: Socket): void
  /** Node's server takes over, from these bytes on. */
  handOver(socket: Socket, bytes: Buffer): void
  /** It is Node's now, or closed. */
  gone(connection: Connection): void
}

/** What a caller may send ahead while its call is running. Bytes. */
const MOST_AHEAD = 64 * 1024

export class Connection {
  readonly socket: Socket
  readonly #options: ConnectionOptions
  readonly #ip: string | undefined
  readonly #names: NamesBefore = []
  #head: RequestHead | undefined
  #response: Http1Response | undefined
  #pieces: Buffer[] = []
  /** Bytes of the body that have not come yet. */
  #missing = 0
  #ahead: Buffer | undefined
  #stopped = false
  #fresh = true
  /** Since when it waits for its caller. By `performance.now()`. */
  #since = performance.now()

  constructor(socket: Socket, options: ConnectionOptions) {
    this.socket = socket
    this.#options = options
    this.#ip = socket.remoteAddress
    socket.on('data', this.#onData).on('drain', this.#onDrain).on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onClose)
  }

  readonly #onData = (bytes: Buffer): void => {
    if (this.#ahead) {
      bytes = Buffer.concat([this.#ahead, bytes])
      this.#ahead = undefined
    }
    this.#take(bytes)
  }
  readonly #onDrain = (): void => void this.#response?.emit('drain')
  /** Who has hung up and who has merely said all cannot be told apart; the first is what callers do. */
  readonly #onEnd = (): void => {
    if (this.#head) this.#options.broken(this.socket)
    else this.socket.end()
  }
  /** `close` follows. */
  readonly #onError = (): void => {}
  readonly #onClose = (): void => {
    this.#options.gone(this)
    const response = this.#response
    this.#response = undefined
    response?.emit('close')
  }

  /** Nothing is under way. */
  get idle(): boolean {
    return !this.#response && this.#missing === 0
  }

  /** Whether its caller still has time; who has not is told where that says something, and the connection ends. */
  check(now: number): void {
    const { firstMs, uploadMs, idleMs, late } = this.#options
    const waited = now - this.#since
    if (this.#head ? waited > uploadMs : this.#fresh && waited > firstMs) {
      this.#stopped = true
      late(this.socket)
    } else if (this.#missing > 0 ? waited > uploadMs : !this.#response && waited > idleMs) this.socket.destroy()
  }

  #take(arrived: Buffer): void {
    let bytes = arrived
    while (bytes.length > 0 && !this.#stopped) {
      if (this.#missing > 0) {
        const piece = bytes.length > this.#missing ? bytes.subarray(0, this.#missing) : bytes
        this.#missing -= piece.length
        if (this.#head) this.#pieces.push(piece)
        bytes = bytes.subarray(piece.length)
        if (this.#missing > 0) return
        if (this.#head) this.#whole(this.#head)
      } else if (this.#response) {
        this.#ahead = bytes
        if (bytes.length > MOST_AHEAD) this.socket.pause()
        return
      } else {
        const end = endOfHead(bytes)
        const head = end < 0 ? undefined : readHead(bytes.toString('latin1', 0, end), this.#names)
        if (!head || !this.#options.takes(head)) return void this.#leave(bytes)
        bytes = bytes.subarray(end)
        this.#begin(head)
      }
    }
  }

  #begin(head: RequestHead): void {
    const response = new Http1Response(this.socket, { closes: head.closes, ended: this.#ended })
    this.#response = response
    this.#fresh = false
    this.#missing = head.length
    if (head.length > 0) this.#since = performance.now()
    if (this.#options.turnsAway(() => this.#requestOf(head, emptyBody), response)) return
    this.#head = head
    if (head.length === 0) this.#whole(head)
  }

  #whole(head: RequestHead): void {
    const pieces = this.#pieces
    this.#pieces = []
    this.#head = undefined
    if (this.#response)
      this.#options.call(this.#requestOf(head, head.length === 0 ? emptyBody : joinedBytes(pieces, head.length)), this.#response)
  }

  #requestOf({ method, target, headers }: RequestHead, body: Uint8Array): HttpRequest {
    const mark = target.indexOf('?')
    return {
      method,
      path: mark < 0 ? target : target.slice(0, mark),
      query: mark < 0 ? '' : target.slice(mark + 1),
      headers,
      body,
      ip: this.#ip,
    }
  }

  readonly #ended = (last: boolean): void => {
    this.#response = undefined
    this.#since = performance.now()
    if (last) {
      this.#stopped = true
      return void this.socket.destroySoon()
    }
    const ahead = this.#ahead
    if (!ahead) return
    this.#ahead = undefined
    this.socket.resume()
    this.#take(ahead)
  }

  #leave(bytes: Buffer): void {
    const { socket } = this
    socket
      .off('data', this.#onData)
      .off('drain', this.#onDrain)
      .off('end', this.#onEnd)
      .off('error', this.#onError)
      .off('close', this.#onClose)
    this.#options.gone(this)
    this.#options.handOver(socket, bytes)
  }
}
