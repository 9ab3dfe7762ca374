/** Watches a stream of this wire that goes to the caller byte for byte. */
import { GatewayError, gatewayErrorOf } from '../../core/error.ts'
import { isObject, parseJson } from '../../core/json.ts'
import { toldError } from '../provider-error.ts'
import type { SseFrame } from '../sse.ts'
import { type FrameNews, SseTap, type TapReader } from '../tap.ts'
import type { ReplySummary, StreamTap, TapOptions } from '../wire.ts'
import { type Framing, framingOf } from './framing.ts'
import { type Searches, searchesIn } from './searches.ts'
import { newsOf, summarize } from './summarize.ts'

/** Counts are in every frame, but what the last one says holds: only frames that end something are read, and those that tell a search. */
class Reader implements TapReader {
  readonly telling = TELLING
  readonly overhead = 250
  #searches: Searches | undefined

  read({ data }: SseFrame): FrameNews {
    const chunk = parseJson(data)
    if (!isObject(chunk)) return { output: true }
    if (chunk['error'] !== undefined && chunk['error'] !== null) return { error: toldError(chunk) }
    this.#searches = searchesIn(chunk, this.#searches)
    return newsOf(chunk, this.#searches)
  }
}

const TELLING = /"(?:finishReason|promptFeedback|error|groundingChunks|webSearchQueries|imageSearchQueries)"/

/** Google answers a refused stream with plain JSON under the stream's content type: such a body is held until it is whole. */
export class GeminiTap implements StreamTap {
  readonly #sse: SseTap
  readonly #maxEvent: number
  #framing: Framing['kind'] | undefined
  #held: Uint8Array[] = []
  #size = 0
  #json: { readonly summary: ReplySummary; readonly error?: GatewayError } | undefined

  constructor(options: TapOptions) {
    this.#sse = new SseTap(new Reader(), options)
    this.#maxEvent = options.maxEvent ?? 16 << 20
  }

  get started(): boolean {
    return this.#sse.started || (this.#json !== undefined && this.#json.error === undefined)
  }
  get finished(): boolean {
    return this.#sse.finished || (this.#json !== undefined && this.#json.error === undefined)
  }
  get error(): GatewayError | undefined {
    return this.#json?.error ?? this.#sse.error
  }
  get summary(): ReplySummary {
    return this.#json?.summary ?? this.#sse.summary
  }

  push(bytes: Uint8Array): Uint8Array | undefined {
    this.#framing ??= framingOf(bytes)?.kind
    if (this.#framing === 'events') return this.#sse.push(bytes)
    if (this.#json) return undefined
    this.#held.push(bytes)
    this.#size += bytes.length
    if (this.#size > this.#maxEvent) this.#fail(new GatewayError('upstream-invalid', 'The provider sent an event that is too large.'))
    return undefined
  }

  end(): Uint8Array | undefined {
    if (this.#framing === 'events') return this.#sse.end()
    if (this.#json) return undefined
    const whole = new Uint8Array(this.#size)
    let position = 0
    for (const piece of this.#held) {
      whole.set(piece, position)
      position += piece.length
    }
    const body = parseJson(new TextDecoder().decode(whole).trim())
    if (body === undefined) {
      this.#fail(new GatewayError('upstream-invalid', "The provider's stream ended before its end."))
      return undefined
    }
    try {
      this.#json = { summary: summarize(body) }
      return whole
    } catch (error) {
      this.#fail(gatewayErrorOf(error))
      return undefined
    }
  }

  #fail(error: GatewayError): void {
    this.#json = { summary: { outputs: 0, characters: 0 }, error }
    this.#held = []
  }
}
