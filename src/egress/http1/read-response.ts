/**
 * Reads the answers of a connection of HTTP/1.1, by the letter: what could be read in two ways is an error, and so is what ends too early.
 */
import type { Headers } from '../../core/http.ts'
import { type NamesBefore, readHeaders } from '../../core/http1-headers.ts'

/** The `code` of errors for answers that break HTTP. */
export const BROKEN_HTTP = 'ERR_BROKEN_HTTP'

export interface ResponseHandler {
  head(status: number, headers: Headers): void
  data(bytes: Buffer): void
  /** `keepMs`: how long the connection may be kept for another request, in milliseconds; 0: it is over; undefined: the host does not say. */
  end(keepMs: number | undefined): void
}

/** What breaks HTTP. */
export class HttpSyntaxError extends Error {
  readonly code = BROKEN_HTTP
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t -~\x80-\xff]*)?$/
const DIGITS = /^\d{1,15}$/
const CHUNK_SIZE = /^([\da-f]{1,12})[\t ]*(?:;[\t -~\x80-\xff]*)?$/i
const KEEP_FOR = /(?:^|[ ,;])timeout=(\d{1,6})/i
const HEAD_END = Buffer.from('\r\n\r\n')
const LINE_END = Buffer.from('\r\n')
/** A host that names its time is asked for a little less, so that no request crosses with the end of the connection. */
const MARGIN_MS = 1_000
const MOST_LINE = 4_096
/** Of heads before that of the answer. */
const MOST_HINTS = 20

/** `idle`: nothing was asked. */
type State = 'idle' | 'head' | 'length' | 'until-close' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailers'

export class ResponseReader {
  readonly #handler: ResponseHandler
  readonly #maxHead: number
  readonly #names: NamesBefore = []
  #rest: Buffer | undefined
  #state: State = 'idle'
  /** Bytes of the body or chunk that have not come yet. */
  #missing = 0
  #keepMs: number | undefined
  #trailerBytes = 0
  #hints = 0
  #stopped = false

  /** `maxHead`: bytes of a head, and of trailers. */
  constructor(handler: ResponseHandler, maxHead: number) {
    this.#handler = handler
    this.#maxHead = maxHead
  }

  /** Throws HttpSyntaxError. What comes after an answer's end is one too: nobody asked for it. */
  push(arrived: Buffer): void {
    let bytes = this.#rest ? Buffer.concat([this.#rest, arrived]) : arrived
    this.#rest = undefined
    while (bytes.length > 0 && !this.#stopped) {
      const used = this.#step(bytes)
      if (used < 0) {
        this.#rest = bytes
        return
      }
      bytes = bytes.subarray(used)
    }
  }

  /** A request has been sent. */
  next(): void {
    this.#state = 'head'
    this.#trailerBytes = 0
    this.#hints = 0
  }

  /** Whatever comes now is not looked at. */
  stop(): void {
    this.#stopped = true
  }

  /** The host has closed the connection. False: in the middle of an answer, or before it. */
  close(): boolean {
    if (this.#state !== 'until-close') return false
    this.#end(0)
    return true
  }

  /** How many bytes were used; -1: more are needed. */
  #step(bytes: Buffer): number {
    switch (this.#state) {
      case 'idle':
        throw new HttpSyntaxError('more than was asked for')
      case 'head': {
        const end = bytes.indexOf(HEAD_END)
        const most = this.#maxHead - HEAD_END.length
        if (end > most || (end < 0 && bytes.length >= this.#maxHead)) throw new HttpSyntaxError('the head is too large')
        if (end < 0) {
          // It would never end.
          if (bytes.includes('\n\n')) throw new HttpSyntaxError('lines without a carriage return')
          return -1
        }
        this.#head(bytes.toString('latin1', 0, end + 2))
        return end + HEAD_END.length
      }
      case 'length':
      case 'chunk': {
        const piece = bytes.length > this.#missing ? bytes.subarray(0, this.#missing) : bytes
        this.#missing -= piece.length
        const last = this.#missing === 0
        this.#handler.data(piece)
        if (last && this.#state === 'length') this.#end(this.#keepMs)
        else if (last) this.#state = 'chunk-end'
        return piece.length
      }
      case 'until-close':
        this.#handler.data(bytes)
        return bytes.length
      case 'chunk-size': {
        const end = this.#lineEnd(bytes)
        if (end < 0) return -1
        const size = CHUNK_SIZE.exec(bytes.toString('latin1', 0, end))
        if (!size) throw new HttpSyntaxError('no size of a chunk')
        this.#missing = Number.parseInt(size[1]!, 16)
        this.#state = this.#missing === 0 ? 'trailers' : 'chunk'
        return end + 2
      }
      case 'chunk-end':
        if (bytes.length < 2) return -1
        if (bytes[0] !== 0x0d || bytes[1] !== 0x0a) throw new HttpSyntaxError('a chunk is longer than it says')
        this.#state = 'chunk-size'
        return 2
      case 'trailers': {
        const end = this.#lineEnd(bytes)
        if (end < 0) return -1
        this.#trailerBytes += end + 2
        if (this.#trailerBytes > this.#maxHead) throw new HttpSyntaxError('the trailers are too large')
        if (end === 0) this.#end(this.#keepMs)
        else if (!readHeaders(bytes.toString('latin1', 0, end + 2), 0, 'join')) throw new HttpSyntaxError('a trailer that is none')
        return end + 2
      }
    }
  }

  #lineEnd(bytes: Buffer): number {
    const end = bytes.indexOf(LINE_END)
    if (end > MOST_LINE || (end < 0 && bytes.length > MOST_LINE + 1)) throw new HttpSyntaxError('a line is too long')
    return end
  }

  #head(text: string): void {
    const first = text.indexOf('\r\n')
    const line = STATUS_LINE.exec(text.slice(0, first))
    if (!line) throw new HttpSyntaxError('no status line')
    const status = Number(line[2])
    const headers = readHeaders(text, first + 2, 'join', this.#names)
    if (!headers) throw new HttpSyntaxError('a header that is none')
    if (status < 200) {
      // Hints that something will come. Switching to another protocol was not offered.
      if (status === 101 || ++this.#hints > MOST_HINTS) throw new HttpSyntaxError('no answer')
      return
    }
    const length = headers['content-length']
    const encoding = headers['transfer-encoding']
    this.#keepMs = keepFor(headers, line[1] === '1')
    if (encoding !== undefined && (length !== undefined || encoding.toLowerCase() !== 'chunked')) throw new HttpSyntaxError('two framings')
    if (length !== undefined && !DIGITS.test(length)) throw new HttpSyntaxError('no length')
    // Older hosts have no chunks: who sends them all the same may mean another end.
    if (encoding !== undefined && line[1] === '0') this.#keepMs = 0
    const empty = status === 204 || status === 304
    // Whoever announces a body for these may send it too.
    if (empty && (encoding !== undefined || Number(length ?? 0) > 0)) this.#keepMs = 0
    this.#missing = empty ? 0 : Number(length ?? 0)
    if (empty || length !== undefined) this.#state = 'length'
    else this.#state = encoding === undefined ? 'until-close' : 'chunk-size'
    this.#handler.head(status, headers)
    if (this.#state === 'length' && this.#missing === 0) this.#end(this.#keepMs)
  }

  #end(keepMs: number | undefined): void {
    this.#state = 'idle'
    if (!this.#stopped) this.#handler.end(keepMs)
  }
}

/** Milliseconds; 0: not at all; undefined: the host does not say. */
function keepFor({ connection = '', 'keep-alive': keepAlive = '' }: Headers, http11: boolean): number | undefined {
  if (/\bclose\b/i.test(connection) || (!http11 && !/\bkeep-alive\b/i.test(connection))) return 0
  const seconds = KEEP_FOR.exec(keepAlive)?.[1]
  return seconds === undefined ? undefined : Math.max(0, Number(seconds) * 1000 - MARGIN_MS)
}
