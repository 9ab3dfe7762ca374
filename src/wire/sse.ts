/** Server-sent events: bytes to frames and back. Follows the WHATWG rules for line ends, comments, BOM and fields. */

export interface SseFrame {
  /** Undefined when the frame names no event. */
  readonly event?: string
  readonly data: string
}

export class SseTooLarge extends Error {}

/** Turns bytes into frames; any splitting of the bytes gives the same frames. A frame without its blank line is not one. */
export class SseReader {
  // Decoders differ in whether a second byte order mark survives, so the first one is taken off here.
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  #begun = false
  readonly #maxFrame: number
  #pending = ''
  #event: string | undefined
  #data: string[] = []
  #dataSize = 0
  #skipLineFeed = false

  constructor(maxFrame: number = Number.POSITIVE_INFINITY) {
    this.#maxFrame = maxFrame
  }

  push(bytes: Uint8Array): SseFrame[] {
    return this.#take(this.#decoder.decode(bytes, { stream: true }))
  }

  /** True when the bytes ended inside a frame. */
  get torn(): boolean {
    return this.#pending !== '' || this.#data.length > 0
  }

  /** A last frame whose blank line is missing, as some providers end their streams. */
  end(): SseFrame[] {
    const frames = this.#take(`${this.#decoder.decode()}\n`)
    const last = this.#dispatch()
    return last ? [...frames, last] : frames
  }

  #take(text: string): SseFrame[] {
    const frames: SseFrame[] = []
    let chunk = text
    if (!this.#begun && chunk !== '') {
      this.#begun = true
      if (chunk.charCodeAt(0) === 0xfeff) chunk = chunk.slice(1)
    }
    if (this.#skipLineFeed && chunk !== '') {
      if (chunk.charCodeAt(0) === 10) chunk = chunk.slice(1)
      this.#skipLineFeed = false
    }
    let start = 0
    for (;;) {
      const end = lineEnd(chunk, start)
      if (end < 0) break
      const line = this.#pending === '' ? chunk.slice(start, end) : this.#pending + chunk.slice(start, end)
      this.#pending = ''
      start = end + 1
      if (chunk.charCodeAt(end) === 13) {
        if (start === chunk.length) this.#skipLineFeed = true
        else if (chunk.charCodeAt(start) === 10) start++
      }
      if (line === '') {
        const frame = this.#dispatch()
        if (frame) frames.push(frame)
      } else this.#line(line)
    }
    if (start < chunk.length) this.#pending += start === 0 ? chunk : chunk.slice(start)
    if (this.#pending.length + this.#dataSize > this.#maxFrame) throw new SseTooLarge(`an event is larger than ${this.#maxFrame} bytes`)
    return frames
  }

  #line(line: string): void {
    if (line.startsWith('data:')) {
      const value = line.charCodeAt(5) === 32 ? line.slice(6) : line.slice(5)
      this.#data.push(value)
      this.#dataSize += value.length
      if (this.#dataSize > this.#maxFrame) throw new SseTooLarge(`an event is larger than ${this.#maxFrame} bytes`)
    } else if (line.startsWith('event:')) this.#event = line.charCodeAt(6) === 32 ? line.slice(7) : line.slice(6)
    else if (line === 'data') this.#data.push('')
    else if (line === 'event') this.#event = undefined
  }

  #dispatch(): SseFrame | undefined {
    const event = this.#event === '' ? undefined : this.#event
    this.#event = undefined
    if (this.#data.length === 0) return undefined
    const data = this.#data.length === 1 ? (this.#data[0] ?? '') : this.#data.join('\n')
    this.#data = []
    this.#dataSize = 0
    return { event, data }
  }
}

function lineEnd(text: string, from: number): number {
  const lineFeed = text.indexOf('\n', from)
  const carriage = text.indexOf('\r', from)
  if (carriage < 0) return lineFeed
  return lineFeed < 0 ? carriage : Math.min(lineFeed, carriage)
}

/** One frame. `data` is JSON text, so it holds no line ends. */
export const sseData = (data: string): string => `data: ${data}\n\n`
export const sseEvent = (event: string, data: string): string => `event: ${event}\ndata: ${data}\n\n`

/**
 * Where the last whole frame of these bytes ends (the index after its blank line), or −1. Knows LF, CRLF and CR ends.
 * `from` is where bytes not seen before begin: the search goes a few bytes back, for an end split between two chunks.
 */
export function lastFrameEnd(bytes: Uint8Array, from = 0): number {
  const floor = Math.max(0, from - 3)
  for (let index = bytes.length - 1; index >= floor; index--) {
    const byte = bytes[index]
    if (byte === 10) {
      const before = bytes[index - 1]
      if (before === 10) return index + 1
      if (before === 13 && (bytes[index - 2] === 10 || bytes[index - 2] === 13)) return index + 1
    } else if (byte === 13 && bytes[index - 1] === 13) return index + 1
  }
  return -1
}
