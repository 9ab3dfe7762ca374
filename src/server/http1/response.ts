/** An answer on a connection of HTTP/1.1. What is written in one turn of the loop leaves in one piece. */
import { EventEmitter } from 'node:events'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Headers } from '../../core/http.ts'
import { headerLines } from '../../core/http1-headers.ts'
import type { Answering } from '../answering.ts'

/** Seconds, as answers tell it. */
export const KEEP_ALIVE_S = 75

/** Whatever is larger is not copied to join it with others. Bytes. */
const JOINS = 16 * 1024
/** Not more than this waits for the end of a turn. */
const MOST_WAITING = 64 * 1024

export interface ResponseOptions {
  /** The caller asked for the connection to end with this answer. */
  readonly closes: boolean
  /** Called once it has all left; `last`: nothing may follow it on this connection. */
  ended(last: boolean): void
}

type Piece = string | Buffer

export class Http1Response extends EventEmitter implements Answering {
  writableFinished = false
  readonly #socket: Socket
  readonly #options: ResponseOptions
  #last: boolean
  #chunked = false
  /** Until the first bytes go. */
  #head = ''
  /** Strings are Latin-1. */
  #waiting: Piece[] = []
  #size = 0
  #trailers = ''

  constructor(socket: Socket, options: ResponseOptions) {
    super()
    this.#socket = socket
    this.#options = options
    this.#last = options.closes
  }

  get destroyed(): boolean {
    return this.#socket.destroyed
  }

  get writableNeedDrain(): boolean {
    return this.#socket.writableNeedDrain
  }

  writeHead(status: number, headers: Headers): void {
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n${headerLines(headers)}date: ${date()}\r\n`
    this.#last ||= headers['connection'] === 'close'
    this.#chunked = headers['content-length'] === undefined
    if (!this.#last) head += `connection: keep-alive\r\nkeep-alive: timeout=${KEEP_ALIVE_S}\r\n`
    else if (headers['connection'] === undefined) head += 'connection: close\r\n'
    this.#head = this.#chunked ? `${head}transfer-encoding: chunked\r\n\r\n` : `${head}\r\n`
  }

  flushHeaders(): void {
    if (this.#head !== '') this.#later(this.#takeHead())
  }

  write(chunk: Uint8Array | string): void {
    if (chunk.length === 0) return
    const piece = pieceOf(chunk)
    if (this.#chunked) {
      this.#later(`${this.#takeHead()}${piece.length.toString(16)}\r\n`)
      this.#later(piece)
      this.#later('\r\n')
    } else {
      this.flushHeaders()
      this.#later(piece)
    }
  }

  addTrailers(trailers: Headers): void {
    this.#trailers = headerLines(trailers)
  }

  end(chunk?: Uint8Array | string): void {
    if (this.#chunked) {
      if (chunk !== undefined) this.write(chunk)
      this.#add(`${this.#takeHead()}0\r\n${this.#trailers}\r\n`)
    } else {
      this.#add(this.#takeHead())
      if (chunk !== undefined) this.#add(pieceOf(chunk))
    }
    this.#flush(true)
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #takeHead(): string {
    const head = this.#head
    this.#head = ''
    return head
  }

  #add(piece: Piece): void {
    if (piece.length === 0) return
    this.#waiting.push(piece)
    this.#size += piece.length
  }

  #later(piece: Piece): void {
    if (this.#waiting.length === 0) process.nextTick(flushed, this)
    this.#add(piece)
    if (this.#size > MOST_WAITING) this.#flush(false)
  }

  /** For the end of the turn: what was written until then. */
  flushSoon(): void {
    if (this.#size > 0) this.#flush(false)
  }

  #flush(whole: boolean): void {
    const pieces = this.#waiting
    const size = this.#size
    const socket = this.#socket
    this.#waiting = []
    this.#size = 0
    if (socket.destroyed || (size === 0 && !whole)) return
    if (size <= JOINS) this.#send(joined(pieces), whole)
    else {
      socket.cork()
      for (const piece of pieces.slice(0, -1)) socket.write(piece, 'latin1')
      this.#send(pieces.at(-1)!, whole)
      socket.uncork()
    }
  }

  #send(piece: Piece, whole: boolean): void {
    const socket = this.#socket
    if (!whole) socket.write(piece, 'latin1')
    else socket.write(piece, 'latin1', (error) => error || this.#finished())
  }

  #finished(): void {
    this.writableFinished = true
    this.emit('close')
    this.#options.ended(this.#last)
  }
}

const flushed = (response: Http1Response): void => response.flushSoon()

function joined(pieces: readonly Piece[]): Piece {
  let text = ''
  for (const piece of pieces) text += typeof piece === 'string' ? piece : piece.toString('latin1')
  return text
}

/** Strings that are ASCII stay so: as Latin-1 they are the same bytes. */
function pieceOf(chunk: Uint8Array | string): Piece {
  if (typeof chunk === 'string') return Buffer.byteLength(chunk) === chunk.length ? chunk : Buffer.from(chunk)
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
}

let second = 0
let text = ''

function date(): string {
  const now = Math.floor(Date.now() / 1000)
  if (now !== second) {
    second = now
    text = new Date(now * 1000).toUTCString()
  }
  return text
}
