/**
 * A stream that breaks after its first event, kept alive: another target carries the answer on (`continue`), or gives a
 * whole new one behind a mark that voids what came before (`restart`, for callers that know the mark).
 *
 * The first target's bytes go out untouched when the wires are equal; a decoder reads along, so that it is known what the
 * caller has. From a break on, what follows is written by the encoder of the caller's dialect, which takes up the same
 * message: same ids, same indices, same open parts.
 */
import { GatewayError, gatewayErrorOf } from '../../core/error.ts'
import type { Event, Finish, Usage } from '../../core/event.ts'
import type { Exchange } from '../../core/exchange.ts'
import type { Chunk } from '../../core/http.ts'
import type { Inquiry } from '../../core/inquiry.ts'
import { parseJson } from '../../core/json.ts'
import type { Candidate } from '../../core/target.ts'
import { type SseFrame, SseReader } from '../../wire/sse.ts'
import type { ReplyContext, ReplySummary, StreamEncoder, Wire } from '../../wire/wire.ts'
import type { ByteStream, EventStream } from '../answer.ts'
import { attemptAll, type Delivered, type Upstreams } from '../attempts.ts'
import { continuedCall, continuesTurns, isStructured } from './continued-call.ts'
import { anchorOf, Joint } from './joint.ts'
import { Leg } from './leg.ts'
import { mayGoOn, unsafe } from './safety.ts'
import { Told } from './told.ts'

export interface Survival {
  readonly mode: 'restart' | 'continue'
  readonly inquiry: Inquiry
  readonly exchange: Exchange
  /** All targets of the call, best first. */
  readonly candidates: readonly Candidate[]
  readonly upstreams: Upstreams
  /** The caller's. */
  readonly wire: Wire
  context(delivered: Delivered): ReplyContext
  /** The events of an answer that is no byte stream, its pauses followed. */
  eventsOf(delivered: Delivered): EventStream
  /** What a target said, for accounting. */
  note(events: readonly Event[]): void
  noteSummary(summary: ReplySummary): void
  /** What the caller is told, unless it was told in the provider's own bytes. */
  noteTold(events: readonly Event[]): void
  /** A target broke off: what it used is put aside. */
  legEnded(fault: GatewayError): void
  /** Another target goes on. */
  legBegan(delivered: Delivered): void
  /** What all targets used together. */
  usage(): Usage | undefined
}

/** The end of what went out is kept, to see where in its frames the message stands. */
const KEPT_BYTES = 65_536

/** Ends when the answer is whole; throws the fault that ended it otherwise. */
export async function* survive(first: Delivered, survival: Survival): AsyncGenerator<Chunk> {
  const stream = new Survivor(first, survival)
  yield* stream.first(first)
  while (stream.fault) yield* stream.next(stream.fault)
}

class Survivor {
  /** Why the last target broke off; undefined once the answer is whole. */
  fault: GatewayError | undefined
  readonly #survival: Survival
  readonly #context: ReplyContext
  readonly #told = new Told()
  #encoder: StreamEncoder | undefined
  #sent: Uint8Array[] = []
  #sentSize = 0
  /** Read, but in a piece that did not go out. */
  #unsent: readonly Event[] = []
  #broken: Candidate[] = []
  #current: Candidate
  /** Characters of the call as it was asked. */
  readonly #asked: number
  #legs = 0

  constructor(first: Delivered, survival: Survival) {
    this.#survival = survival
    this.#context = survival.context(first)
    this.#current = first.candidate
    this.#asked = survival.exchange.inputCharacters
  }

  async *first(delivered: Delivered): AsyncGenerator<Chunk> {
    const { answer } = delivered
    if (answer.kind === 'byte-stream') return yield* this.#bytes(answer.stream, delivered)
    const { inquiry, wire, note, noteTold } = this.#survival
    const encoder = wire.streamEncoder(inquiry.call(), this.#context)
    this.#encoder = encoder
    try {
      for await (const batch of this.#survival.eventsOf(delivered)) {
        note(batch)
        const { good, fault } = untilFault(batch)
        this.#told.push(good)
        noteTold(good)
        const text = encoder.push(good)
        if (text !== '') yield text
        if (fault) throw fault
      }
      if (!this.#told.end) throw endless()
    } catch (thrown) {
      this.fault = gatewayErrorOf(thrown)
    }
  }

  /** Untouched, but no further than they can be read. */
  async *#bytes(stream: ByteStream, { prepared, wire }: Delivered): AsyncGenerator<Chunk> {
    const { upstreams, note, noteSummary } = this.#survival
    const decoder = wire.replyDecoder({ streamed: true, target: prepared.target, maxEvent: upstreams.limits.event })
    // As far as the caller knows: the tap may have looked further.
    let finish: Finish | undefined
    try {
      for await (const bytes of stream) {
        const events = decoder.push(bytes)
        note(events)
        const { good, fault } = untilFault(events)
        if (fault) {
          this.#unsent = good
          stream.fail(fault)
          throw fault
        }
        this.#told.push(events)
        this.#keep(bytes)
        finish = stream.tap.summary.finish
        yield bytes
      }
      noteSummary(stream.tap.summary)
    } catch (thrown) {
      noteSummary(stream.tap.summary)
      this.fault = gatewayErrorOf(thrown)
      // It had said how it ends: only its last mark is missing.
      if (finish !== undefined && !this.#told.end && mayGoOn(this.fault)) {
        const encoder = this.#takeUp()
        this.fault = undefined
        const usage = this.#survival.usage()
        yield encoder.push([...this.#told.endings(), ...(usage ? [{ type: 'usage', usage } as const] : []), { type: 'reply-end', finish }])
      }
    }
  }

  #keep(bytes: Uint8Array): void {
    this.#sent.push(bytes)
    this.#sentSize += bytes.length
    while (this.#sent.length > 8 && this.#sentSize > KEPT_BYTES) this.#sentSize -= this.#sent.shift()?.length ?? 0
  }

  /** The encoder that goes on where the bytes stopped. */
  #takeUp(): StreamEncoder {
    if (this.#encoder) return this.#encoder
    const { wire, inquiry } = this.#survival
    const reader = new SseReader()
    const frames: SseFrame[] = this.#sent.flatMap((bytes) => reader.push(bytes))
    this.#sent = []
    this.#encoder = wire.streamEncoder(inquiry.call(), this.#context, { events: this.#told.replay(), frames })
    return this.#encoder
  }

  async *next(fault: GatewayError): AsyncGenerator<Chunk> {
    const { mode, inquiry, exchange, candidates, upstreams, legEnded, legBegan } = this.#survival
    const call = inquiry.call()
    if (!mayGoOn(fault) || exchange.cancellation.cancelled) throw fault
    const why = mode === 'continue' ? unsafe(this.#told, call) : undefined
    if (why) throw withWords(fault, `It was not carried on by another target, since ${why}.`)
    if (++this.#legs > Math.max(2, candidates.length)) throw fault
    const encoder = this.#takeUp()
    if (mode === 'continue' && encoder.torn)
      throw withWords(fault, 'It was not carried on by another target, since it stopped inside more than words.')
    if (this.#unsent.length > 0) {
      const unsent = this.#unsent
      this.#unsent = []
      this.#told.push(unsent)
      const text = encoder.push(unsent)
      if (text !== '') yield text
    }
    this.#broken = [...this.#broken.filter((one) => one !== this.#current), this.#current]
    legEnded(fault)
    const text = mode === 'continue' ? this.#told.text : ''
    // It is sent the answer so far as well.
    exchange.inputCharacters = this.#asked + text.length
    let delivered: Delivered
    try {
      delivered = await attemptAll(
        { ...inquiry, callFor: (target) => continuedCall(call, text, target) },
        this.#candidates(),
        exchange,
        upstreams,
      )
    } catch (thrown) {
      if (exchange.cancellation.cancelled) throw thrown
      throw withWords(fault, `No other target could go on with it: ${gatewayErrorOf(thrown).message}`)
    }
    this.#current = delivered.candidate
    legBegan(delivered)
    this.fault = undefined
    if (mode === 'restart') yield* this.#restart(delivered, encoder)
    else yield* this.#carryOn(delivered, encoder, text)
  }

  /** Those that have not broken off yet; when all have, all once more. */
  #candidates(): readonly Candidate[] {
    const fresh = this.#survival.candidates.filter((candidate) => !this.#broken.includes(candidate))
    return fresh.length > 0 ? fresh : this.#broken
  }

  async *#carryOn(delivered: Delivered, encoder: StreamEncoder, text: string): AsyncGenerator<Chunk> {
    const { inquiry } = this.#survival
    const { target } = delivered.prepared
    const call = inquiry.call()
    const joint = new Joint(text, { anchor: anchorOf(text), exact: isStructured(call) && continuesTurns(target) })
    const leg = new Leg({ told: this.#told, joint, hidesThinking: text.trimEnd() !== '' })
    yield `: signalbox {"continued":${this.#legs}}\n\n`
    // Thinking that was not finished, and whatever else is no text, ends where it broke off.
    const rest = this.#tell(this.#told.endings('texts'), encoder)
    if (rest !== '') yield rest
    for await (const frames of this.#run(delivered, leg, encoder)) yield frames
  }

  async *#restart(delivered: Delivered, encoder: StreamEncoder): AsyncGenerator<Chunk> {
    const closing = this.#tell(this.#told.endings(), encoder) + encoder.restart()
    if (closing !== '') yield closing
    this.#told.forget()
    const leg = new Leg({ told: this.#told, joint: undefined })
    let marked = false
    for await (const frames of this.#run(delivered, leg, encoder)) {
      yield marked ? frames : withMark(frames, this.#legs)
      marked = true
    }
  }

  #tell(events: readonly Event[], encoder: StreamEncoder): string {
    if (events.length === 0) return ''
    this.#told.push(events)
    this.#survival.noteTold(events)
    return encoder.push(events)
  }

  async *#run(delivered: Delivered, leg: Leg, encoder: StreamEncoder): AsyncGenerator<string> {
    const { note, usage } = this.#survival
    try {
      for await (const batch of this.#survival.eventsOf(delivered)) {
        note(batch)
        const { good, fault } = untilFault(batch)
        const fresh = leg.push(good)
        if (leg.astray) throw new GatewayError('upstream-invalid', 'The provider began the answer anew instead of carrying it on.')
        const frames = this.#tell(fresh, encoder)
        if (frames !== '') yield frames
        if (fault) throw fault
        const end = good.find((event) => event.type === 'reply-end')
        if (!end) continue
        const last = this.#tell(leg.end(), encoder)
        this.#check()
        const all = usage()
        const out = last + this.#tell([...this.#told.endings(), ...(all ? [{ type: 'usage', usage: all } as const] : []), end], encoder)
        if (out !== '') yield out
      }
      if (!this.#told.end) throw endless()
    } catch (thrown) {
      this.fault = gatewayErrorOf(thrown)
    }
  }

  /** Structured output that was put together from several targets must be what was asked for. */
  #check(): void {
    const { mode, inquiry } = this.#survival
    if (mode !== 'continue' || !isStructured(inquiry.call()) || parseJson(this.#told.text) !== undefined) return
    throw new GatewayError('internal', 'The parts of the answer do not make up valid JSON.')
  }
}

const endless = (): GatewayError => new GatewayError('upstream-invalid', "The provider's stream ended before its end.")

function untilFault(events: readonly Event[]): { readonly good: readonly Event[]; readonly fault?: GatewayError } {
  const place = events.findIndex((event) => event.type === 'error')
  const event = events[place]
  return event?.type === 'error' ? { good: events.slice(0, place), fault: event.error } : { good: events }
}

function withWords(fault: GatewayError, words: string): GatewayError {
  const { id, message, path, status, retryAfterMs, shouldRetry, providerCode } = fault
  return new GatewayError(id, `${message} ${words}`, { path, status, retryAfterMs, shouldRetry, providerCode, cause: fault })
}

/** Marks the first event of these frames: all before it is void. */
const withMark = (frames: string, restart: number): string => frames.replace('data: {', `data: {"signalbox":{"restart":${restart}},`)
