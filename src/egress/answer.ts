/** Reads one provider's answer up to the point where it is known to be good. Whatever is wrong before that is thrown, so that another attempt can follow unseen. */
import { Cancellation } from '../core/cancellation.ts'
import { type FaultId, GatewayError } from '../core/error.ts'
import type { Event } from '../core/event.ts'
import { Fold, type FoldedReply } from '../core/fold.ts'
import type { Headers, Transport, UpstreamResponse } from '../core/http.ts'
import { type Json, parseJson } from '../core/json.ts'
import type { Timeouts } from '../core/target.ts'
import { joinedBytes, textOf } from '../core/text.ts'
import { restorer } from '../wire/restore.ts'
import type { ReplyDecoder, ReplySummary, StreamTap, Wire } from '../wire/wire.ts'
import { type Arrival, byteStream, eventStream, type Source } from './arrival.ts'
import { cleaned, faultOfStatus, hasNativeEnvelope } from './fault.ts'
import type { Prepared } from './prepare.ts'
import { Watchdog } from './watchdog.ts'

export interface AnswerLimits {
  /** Largest plain answer, in bytes. */
  readonly answer: number
  /** Largest event of a stream, in bytes. */
  readonly event: number
}

/** The provider's own error body, which a caller of the same wire may have as it is. */
export class ProviderFault extends GatewayError {
  body: Uint8Array | undefined
  headers: Readonly<Headers> = {}
}

export type Answer =
  | { readonly kind: 'bytes'; readonly headers: Readonly<Headers>; readonly bytes: Uint8Array; readonly summary: ReplySummary }
  | { readonly kind: 'reply'; readonly headers: Readonly<Headers>; readonly reply: FoldedReply }
  | { readonly kind: 'json'; readonly headers: Readonly<Headers>; readonly json: Json; readonly bytes: Uint8Array }
  | { readonly kind: 'byte-stream'; readonly headers: Readonly<Headers>; readonly stream: ByteStream }
  | { readonly kind: 'event-stream'; readonly headers: Readonly<Headers>; readonly stream: EventStream }

/** A same-wire stream past its first good event. */
export interface ByteStream extends AsyncIterable<Uint8Array> {
  readonly tap: StreamTap
  /** Blames the provider for what its bytes turned out to hold. */
  fail(fault: GatewayError): void
}
/** A decoded stream past its first good event. Ends with `reply-end` or `error`, and never throws. */
export type EventStream = AsyncIterable<readonly Event[]>

export interface Sending {
  readonly transport: Transport
  readonly wire: Wire
  readonly prepared: Prepared
  readonly streamed: boolean
  /** A token count, not an answer. */
  readonly count: boolean
  readonly timeouts: Timeouts
  readonly limits: AnswerLimits
  /** The caller is gone, or the call's deadline has passed. */
  readonly cancellation: Cancellation
  scrub(text: string): string
  /** Told once how a stream went that has begun well. Without a fault: to its natural end. */
  ended?(fault?: GatewayError): void
}

const MAX_ERROR_BODY = 1 << 20

/** Sends, and waits until the answer is whole (plain) or has begun well (streamed). */
export async function answerOf(sending: Sending): Promise<Answer> {
  const { streamed, timeouts, cancellation } = sending
  const attempt = new Cancellation()
  const unlink = cancellation.onCancel((reason) => attempt.cancel(reason))
  const limitMs = streamed ? timeouts.firstTokenMs : timeouts.answerMs
  const watchdog = new Watchdog(limitMs, () => attempt.cancel(timeout(streamed ? 'did not begin to answer' : 'did not answer', limitMs)))
  let streaming = false
  try {
    const response = await sending.transport.send(sending.prepared.request, attempt)
    if (response.status !== 200) throw await faultOf(response, sending)
    if (!streamed) return await plainAnswer(response, sending)
    const answer = await streamAnswer(response, sending, watchdog, unlink)
    streaming = answer.kind === 'byte-stream' || answer.kind === 'event-stream'
    return answer
  } catch (error) {
    throw cleaned(error, sending)
  } finally {
    if (!streaming) {
      watchdog.stop()
      unlink()
    }
  }
}

const timeout = (what: string, limitMs: number): GatewayError =>
  new GatewayError('upstream-timeout', `The provider ${what} within ${limitMs / 1000} s.`)

async function faultOf(response: UpstreamResponse, { wire, scrub }: Sending): Promise<ProviderFault> {
  const bytes = await collect(response, MAX_ERROR_BODY, true)
  const text = textOf(bytes)
  const told = wire.decodeError(response.status, text)
  const code = told.code && scrub(told.code)
  const fault = faultOfStatus(
    response.status,
    {
      ...told,
      code,
      path: told.path && scrub(told.path),
      message: scrub(told.message) || `The provider answered with status ${response.status}.`,
    },
    response.headers,
  )
  const { id, message, path, status, retryAfterMs, providerCode } = fault
  const provider = new ProviderFault(id, message, { path, status, retryAfterMs, providerCode, upstreamStatus: response.status })
  provider.headers = scrubbedHeaders(response.headers, scrub)
  // Kept statuses only: a body that speaks of the gateway's own credential is not for the caller.
  if (status === response.status && hasNativeEnvelope(wire.id, text)) provider.body = new TextEncoder().encode(scrub(text))
  return provider
}

/** Whoever repeats our key in its words may do so in headers too. */
function scrubbedHeaders(headers: Readonly<Headers>, scrub: (text: string) => string): Readonly<Headers> {
  const clean: Headers = {}
  for (const name in headers) clean[name] = scrub(headers[name] ?? '')
  return clean
}

const brokeOff: ReadonlySet<FaultId> = new Set(['upstream-unreachable', 'upstream-invalid'])

const tooLarge = (limit: number): GatewayError =>
  new GatewayError('upstream-invalid', `The provider's answer is larger than ${limit} bytes.`)

async function collect(response: UpstreamResponse, limit: number, cut = false): Promise<Uint8Array> {
  if (response.whole && !cut) {
    const bytes = await response.whole(limit)
    if (!bytes) throw tooLarge(limit)
    return bytes
  }
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of response.body) {
      size += chunk.length
      if (size > limit) {
        if (cut) break
        throw tooLarge(limit)
      }
      chunks.push(chunk)
    }
  } catch (error) {
    // The status of an error answer says more than that its words broke off.
    if (!cut || !(error instanceof GatewayError && brokeOff.has(error.id))) throw error
  }
  return joinedBytes(chunks, size)
}

async function plainAnswer(response: UpstreamResponse, sending: Sending): Promise<Answer> {
  const bytes = await collect(response, sending.limits.answer)
  if (!sending.count) return wholeAnswer(bytes, response.headers, sending)
  const json = parseJson(textOf(bytes))
  if (json === undefined) throw new GatewayError('upstream-invalid', "The provider's answer is not JSON.")
  return { kind: 'json', headers: response.headers, json, bytes }
}

/** An answer in one piece: parsed, its shape checked, and handed on as bytes or as a reply. */
function wholeAnswer(bytes: Uint8Array, headers: Readonly<Headers>, { wire, prepared, limits }: Sending): Answer {
  if (prepared.same) {
    const json = parseJson(textOf(bytes))
    if (json === undefined) throw new GatewayError('upstream-invalid', "The provider's answer is not JSON.")
    return { kind: 'bytes', headers, bytes, summary: wire.summarize(json, prepared.target) }
  }
  const decoder = wire.replyDecoder({ streamed: false, target: prepared.target, maxEvent: limits.answer })
  return { kind: 'reply', headers, reply: foldWhole(decoder, bytes, prepared) }
}

function foldWhole(decoder: ReplyDecoder, bytes: Uint8Array, { restore }: Prepared): FoldedReply {
  const undo = restore ? restorer(restore) : undefined
  const folding = new Fold()
  for (const events of [decoder.push(bytes), decoder.end()]) folding.push(undo ? undo.push(events) : events)
  const { reply } = folding
  if (reply.error) throw reply.error
  if (!reply.end) throw new GatewayError('upstream-invalid', "The provider's answer has no ending.")
  return reply
}

/** Waits for the first event that carries model output; a fault before it is thrown. */
async function streamAnswer(response: UpstreamResponse, sending: Sending, watchdog: Watchdog, unlink: () => void): Promise<Answer> {
  const { wire, prepared, limits } = sending
  const source = response.body[Symbol.asyncIterator]()
  const done = (): void => {
    watchdog.stop()
    unlink()
    source.return?.().catch(() => {})
  }
  try {
    const first = await firstBytes(source)
    if (first && startsJson(first)) {
      // Some hosts answer a stream request with a whole answer: an error, mostly.
      const rest = await collect({ ...response, body: joined(first, source), whole: undefined }, limits.answer)
      const answer = wholeAnswer(rest, response.headers, { ...sending, prepared: { ...prepared, same: false } })
      done()
      return answer
    }
    const arrival: Arrival = { first, source, sending, watchdog, done }
    if (prepared.same) {
      const tap = wire.streamTap(prepared.target, { hideUsage: prepared.hideUsage, maxEvent: limits.event })
      return { kind: 'byte-stream', headers: response.headers, stream: await byteStream(arrival, tap) }
    }
    const decoder = wire.replyDecoder({ streamed: true, target: prepared.target, maxEvent: limits.event })
    return { kind: 'event-stream', headers: response.headers, stream: await eventStream(arrival, decoder) }
  } catch (error) {
    done()
    throw error
  }
}

async function firstBytes(source: Source): Promise<Uint8Array | undefined> {
  for (;;) {
    const { done, value } = await source.next()
    if (done) return undefined
    if (value.length > 0) return value
  }
}

/** `{` or `[` behind nothing but white space: no event stream begins so. */
function startsJson(bytes: Uint8Array): boolean {
  for (const byte of bytes) {
    if (byte === 123 || byte === 91) return true
    if (byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9) return false
  }
  return false
}

async function* joined(first: Uint8Array, source: Source): AsyncGenerator<Uint8Array> {
  yield first
  for (;;) {
    const { done, value } = await source.next()
    if (done) return
    yield value
  }
}
