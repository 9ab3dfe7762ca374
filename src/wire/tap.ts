/**
 * Watches a stream that goes to the caller byte for byte. Holds back only the beginning of a frame whose end has not
 * come, so that what the caller has is always whole frames, and reads only frames that say something for accounting
 * or safety.
 */

import { GatewayError } from '../core/error.ts'
import type { Finish, Usage } from '../core/event.ts'
import { mergeUsage } from '../core/event.ts'
import { parseJson } from '../core/json.ts'
import { providerErrorOf, readProviderError, toldError } from './provider-error.ts'
import { lastFrameEnd, type SseFrame, SseReader } from './sse.ts'
import type { ReplySummary, StreamTap, TapOptions } from './wire.ts'

/** What one frame says. All members are optional: most frames carry only output. */
export interface FrameNews {
  readonly id?: string
  readonly model?: string
  readonly usage?: Usage
  readonly finish?: Finish
  /** The frame completes the stream: what ends now ended well. */
  readonly finished?: boolean
  readonly error?: GatewayError
  /** The frame carries model output. */
  readonly output?: boolean
  /** The frame is nothing but usage, which may be taken out. */
  readonly onlyUsage?: boolean
}

export interface TapReader {
  /** Frames whose text (as Latin-1) matches are read by `read`; the others are output and nothing more. Matched against raw bytes: a quote inside a JSON string is escaped there, so a pattern with a bare quote finds members only. */
  readonly telling: RegExp
  read(frame: SseFrame): FrameNews
  /** About how many bytes of an output frame are not output: what characters are counted without. */
  readonly overhead: number
  /** True when `read` knows output from openings: then every frame is read until the first output, so that a role alone does not count as the beginning of an answer. */
  readonly peeks?: boolean
}

interface MutableSummary {
  id?: string
  model?: string
  finish?: Finish
  usage?: Usage
  outputs: number
  characters: number
}

const latin1Decoder = new TextDecoder('latin1')
/** Node's own conversion is several times faster than a TextDecoder's; elsewhere there is only the latter. */
const latin1: (bytes: Uint8Array) => string =
  typeof Buffer === 'undefined'
    ? (bytes) => latin1Decoder.decode(bytes)
    : (bytes) => (Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)).toString('latin1')

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0))
  let position = 0
  for (const piece of pieces) {
    whole.set(piece, position)
    position += piece.length
  }
  return whole
}

/** By the first byte that is not white space or a byte order mark; undefined while there is none. `{`, `[` and `<` begin no line of a stream. */
function isPlain(bytes: Uint8Array): boolean | undefined {
  const first = bytes.find((byte) => byte > 32 && byte !== 0xef && byte !== 0xbb && byte !== 0xbf)
  return first === undefined ? undefined : first === 0x7b || first === 0x5b || first === 0x3c
}

/** The words of a body that came in a stream's place. */
function plainError(bytes: Uint8Array | undefined): GatewayError {
  const text = new TextDecoder().decode(bytes).trim()
  const value = parseJson(text)
  if (providerErrorOf(value)) return toldError(value)
  const words = value === undefined ? readProviderError(0, text).message : 'JSON that is no stream'
  return new GatewayError('upstream-invalid', `The provider answered a stream's request with something else: ${words}`)
}

/** The beginning of a frame that no client could read. */
function isTorn(bytes: Uint8Array): boolean {
  const reader = new SseReader()
  const frames = [...reader.push(bytes), ...reader.end()]
  return frames.some(({ data }) => data.trim() !== '[DONE]' && parseJson(data) === undefined)
}

/**
 * Whether a frame in the middle could be read by no client. An event's JSON ends with a bracket, so one look at its last
 * character lets nearly all pass; what looks odd is read.
 */
function holdsTorn(text: string): boolean {
  let start = 0
  for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n', start)) {
    const last = text.charCodeAt(end - 1)
    if (last !== CLOSING_BRACE && last !== CLOSING_BRACKET && end > start && isUnreadable(text.slice(start, end))) return true
    start = end + 2
  }
  return false
}
const CLOSING_BRACE = 0x7d
const CLOSING_BRACKET = 0x5d

/** Bytes that stand for more than one character each do not change where JSON ends. */
function isUnreadable(frame: string): boolean {
  const data = frame
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice(5).trim())
    .join('\n')
  return data.startsWith('{') && parseJson(data) === undefined
}

export class SseTap implements StreamTap {
  started = false
  finished = false
  error: GatewayError | undefined
  readonly summary: ReplySummary & MutableSummary = { outputs: 0, characters: 0 }
  readonly #reader: TapReader
  readonly #hideUsage: boolean
  readonly #maxEvent: number
  /** The beginning of a frame, in the pieces in which it came. */
  #held: Uint8Array[] = []
  #heldSize = 0
  /** The body is no event stream but one JSON text or page, an error mostly. */
  #plain: boolean | undefined

  constructor(reader: TapReader, { hideUsage = false, maxEvent = 16 << 20 }: TapOptions) {
    this.#reader = reader
    this.#hideUsage = hideUsage
    this.#maxEvent = maxEvent
  }

  push(bytes: Uint8Array): Uint8Array | undefined {
    if (this.error) return undefined
    this.#plain ??= isPlain(bytes)
    const tail = this.#plain ? undefined : this.#tail()
    const end = this.#plain ? -1 : tail ? lastFrameEnd(joined([tail, bytes]), tail.length) - tail.length : lastFrameEnd(bytes)
    if (end <= 0) {
      this.#hold(bytes)
      if (this.#heldSize > this.#maxEvent)
        this.error = new GatewayError('upstream-invalid', 'The provider sent an event that is too large.')
      return undefined
    }
    const head = end === bytes.length ? bytes : bytes.subarray(0, end)
    const whole = this.#heldSize > 0 ? joined([...this.#release(), head]) : head
    if (end < bytes.length) this.#hold(bytes.subarray(end))
    return this.#whole(whole)
  }

  end(): Uint8Array | undefined {
    const rest = this.#heldSize > 0 ? joined(this.#release()) : undefined
    if (this.error) return undefined
    if (this.#plain) {
      this.error = plainError(rest)
      return undefined
    }
    // Some providers leave the last blank line out. Only what makes the stream whole may go out.
    const last = rest && !(this.finished && isTorn(rest)) ? this.#whole(rest, true) : undefined
    if (this.error || this.finished) return last
    this.error = new GatewayError('upstream-invalid', "The provider's stream ended before its end.")
    return undefined
  }

  #hold(bytes: Uint8Array): void {
    this.#held.push(bytes)
    this.#heldSize += bytes.length
  }

  #release(): Uint8Array[] {
    const pieces = this.#held
    this.#held = []
    this.#heldSize = 0
    return pieces
  }

  /** The last bytes that are held: an end may be split between them and what comes. */
  #tail(): Uint8Array | undefined {
    if (this.#heldSize === 0) return undefined
    const last = this.#held.at(-1)
    return last && last.length >= 3 ? last.subarray(-3) : joined(this.#held.slice(-3)).subarray(-3)
  }

  #whole(bytes: Uint8Array, atEnd = false): Uint8Array | undefined {
    const { telling, overhead, peeks } = this.#reader
    this.summary.characters += Math.max(0, bytes.length - overhead)
    if (peeks && !this.started) return this.#read(bytes, atEnd)
    const text = latin1(bytes)
    if (holdsTorn(text)) {
      this.error = new GatewayError('upstream-invalid', "The provider's stream holds an event that is not JSON.")
      return undefined
    }
    if (telling.test(text)) return this.#read(bytes, atEnd)
    // Comments and blank lines alone are no output.
    if (text.includes('data:')) {
      this.started = true
      this.summary.outputs++
    }
    return bytes
  }

  #read(bytes: Uint8Array, atEnd: boolean): Uint8Array | undefined {
    const reader = new SseReader()
    const frames = reader.push(bytes)
    if (atEnd) frames.push(...reader.end())
    let hide = false
    for (const frame of frames) {
      const news = this.#reader.read(frame)
      if (news.error) {
        this.error = news.error
        return undefined
      }
      if (news.id) this.summary.id ??= news.id
      if (news.model) this.summary.model ??= news.model
      if (news.usage) this.summary.usage = mergeUsage(this.summary.usage, news.usage)
      if (news.finish) this.summary.finish = news.finish
      if (news.output) {
        this.started = true
        this.summary.outputs++
      }
      if (news.finished) {
        this.started = true
        this.finished = true
      }
      if (news.onlyUsage && this.#hideUsage) hide = true
    }
    return hide ? this.#withoutUsage(bytes) : bytes
  }

  /** The same bytes without the frames that are nothing but usage. */
  #withoutUsage(bytes: Uint8Array): Uint8Array | undefined {
    const kept: Uint8Array[] = []
    let start = 0
    for (let index = 1; index < bytes.length; index++) {
      const end = index + 1
      if (end !== bytes.length && lastFrameEnd(bytes.subarray(Math.max(start, end - 4), end)) !== end - Math.max(start, end - 4)) continue
      // CRLF ends: the frame is not over between CR and LF.
      if (bytes[index] === 13 && bytes[end] === 10) continue
      const piece = bytes.subarray(start, end)
      const reader = new SseReader()
      const [frame] = [...reader.push(piece), ...reader.end()]
      if (!frame || !this.#reader.read(frame).onlyUsage) kept.push(piece)
      start = end
    }
    return kept.length === 0 ? undefined : joined(kept)
  }
}
