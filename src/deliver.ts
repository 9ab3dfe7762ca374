/**
 * The way out: from what the attempts brought to what the caller reads. The second half of the trunk, and the point of
 * no return: once the first byte of a stream has gone out, a failure is told inside it.
 */
import type { CostOf, Outcome } from './accounting/outcome.ts'
import { costOfAll, lastUsageOf, usageOf } from './accounting/outcome.ts'
import { GatewayError as Fault, type GatewayError, gatewayErrorOf } from './core/error.ts'
import type { Event } from './core/event.ts'
import type { Exchange } from './core/exchange.ts'
import { bytesOf, type Chunk, type Headers, type HttpReply } from './core/http.ts'
import type { Inquiry } from './core/inquiry.ts'
import { isObject, parseJson } from './core/json.ts'
import { dollarsOf } from './core/money.ts'
import type { Candidate } from './core/target.ts'
import { type Answer, type ByteStream, type EventStream, ProviderFault } from './egress/answer.ts'
import { type Delivered, sendAgain, type Upstreams } from './egress/attempts.ts'
import { type Survival, survive } from './egress/continuation/survive.ts'
import { eventsOf, followReply, followStream, type Legs } from './egress/follow.ts'
import { chosen, noteEvents, noteSummary } from './egress/noted.ts'
import type { ReasoningMemory } from './egress/reasoning-memory.ts'
import { passedHeaders } from './egress/response-headers.ts'
import type { Endpoint } from './ingress/endpoints.ts'
import { arrayOfFrames } from './ingress/json-array.ts'
import { withKeepAlive } from './ingress/keep-alive.ts'
import { ownHeaders, refuse } from './ingress/refuse.ts'
import type { ResponseStore } from './ingress/response-store.ts'
import { SseReader } from './wire/sse.ts'
import type { ReplyContext, Wire } from './wire/wire.ts'

export interface Deliveries {
  readonly upstreams: Upstreams
  readonly memory: ReasoningMemory
  readonly store: ResponseStore
  readonly costOf: CostOf
  /** Silence after which a streaming caller gets a sign of life. */
  readonly keepAliveMs: number
}

export interface Delivery {
  readonly answering: Promise<Delivered>
  readonly inquiry: Inquiry
  readonly exchange: Exchange
  /** The caller's. */
  readonly wire: Wire
  readonly endpoint: Endpoint
  readonly parts: Deliveries
  /** Where a stream that breaks goes on elsewhere: how, and the call's targets. Undefined: it ends with an error. */
  readonly survival?: { readonly mode: 'restart' | 'continue'; readonly candidates: readonly Candidate[] }
  /** Ends the exchange; the first call counts. */
  settle(error?: GatewayError): Outcome
  /** The last byte waits for this, once the exchange has ended. Absent: for nothing. */
  readonly kept?: (() => Promise<void>) | undefined
}

export async function deliver(delivery: Delivery): Promise<HttpReply> {
  const { answering, inquiry, exchange, wire, parts, settle } = delivery
  try {
    if (!inquiry.streamed) return await plainReply(await answering, delivery)
    const delivered = await within(answering, parts.keepAliveMs)
    return streamReply(delivered, delivery)
  } catch (thrown) {
    const error = gatewayErrorOf(thrown)
    settle(error)
    return refuse(error, wire, exchange, thrown instanceof ProviderFault ? nativeError(thrown, inquiry, exchange) : undefined)
  }
}

/** The provider's own error body, for a caller of the same wire. */
function nativeError(fault: ProviderFault, inquiry: Inquiry, exchange: Exchange): { body?: Uint8Array; headers: Headers } {
  const same = exchange.attempts.at(-1)?.wire === inquiry.wire
  return { headers: passedHeaders(fault.headers), body: same ? fault.body : undefined }
}

// ---- plain ---------------------------------------------------------------------------------------------------------

async function plainReply(delivered: Delivered, delivery: Delivery): Promise<HttpReply> {
  const { inquiry, exchange, wire, settle } = delivery
  const { answer } = delivered
  chosen(delivered, exchange)
  let body: Uint8Array
  switch (answer.kind) {
    case 'bytes':
      noteSummary(answer.summary, exchange)
      body = answer.bytes
      break
    case 'json':
      body = countBody(delivered, delivery)
      break
    case 'reply': {
      const reply = await followReply(answer.reply, legsOf(delivered, delivery))
      if (reply.error) throw reply.error
      const events = [...eventsOf(reply)]
      noteEvents(events, exchange)
      delivery.parts.memory.watch(inquiry.scope())(events)
      const encoded = wire.encodeReply(reply, inquiry.call(), contextOf(delivered, delivery))
      if (keepsAnswers(inquiry)) delivery.parts.store.keep(inquiry.scope(), inquiry.json, encoded)
      body = bytesOf(JSON.stringify(encoded))
      break
    }
    default:
      throw new Fault('internal', 'A plain call was answered with a stream.')
  }
  exchange.status = 200
  const outcome = settle()
  if (delivery.kept) await delivery.kept()
  const headers = ownHeaders(exchange, passedHeaders(answer.headers))
  headers['content-type'] = 'application/json'
  if (outcome.cost !== undefined) headers['x-signalbox-cost'] = dollarsOf(outcome.cost)
  return { status: 200, headers, body }
}

function countBody({ answer, wire, prepared }: Delivered, delivery: Delivery): Uint8Array {
  if (answer.kind !== 'json') throw new Fault('internal', 'A token count was not answered as one.')
  const tokens = wire.count?.read(answer.json)
  if (tokens === undefined) throw new Fault('upstream-invalid', "The provider's answer holds no token count.")
  if (prepared.same) return answer.bytes
  const written = delivery.wire.count?.write(tokens)
  if (!written) throw new Fault('not-supported', 'This dialect has no token count.')
  return bytesOf(JSON.stringify(written))
}

// ---- streams -------------------------------------------------------------------------------------------------------

const SILENT = Symbol('no answer yet')

/** The answer, or `SILENT` when it takes longer than a streaming caller should wait without a sign of life. */
async function within(answering: Promise<Delivered>, ms: number): Promise<Delivered | typeof SILENT> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const silence = new Promise<typeof SILENT>((resolve) => {
    timer = setTimeout(resolve, ms, SILENT)
  })
  try {
    return await Promise.race([answering, silence])
  } finally {
    clearTimeout(timer)
  }
}

function streamReply(delivered: Delivered | typeof SILENT, delivery: Delivery): HttpReply {
  const { exchange, endpoint } = delivery
  if (delivered !== SILENT) chosen(delivered, exchange)
  exchange.status = 200
  const headers = ownHeaders(exchange, delivered === SILENT ? {} : passedHeaders(delivered.answer.headers))
  headers['content-type'] = endpoint.array ? 'application/json' : 'text/event-stream; charset=utf-8'
  headers['cache-control'] = 'no-cache'
  headers['trailer'] = 'x-signalbox-cost'
  let outcome: Outcome | undefined
  const ending: Delivery = { ...delivery, settle: (error) => (outcome = delivery.settle(error)) }
  const frames = keptFirst(delivered === SILENT ? lateFrames(ending) : framesOf(delivered, ending), delivery.kept)
  return {
    status: 200,
    headers,
    body: endpoint.array ? arrayOfFrames(frames) : frames,
    trailers: () => (outcome?.cost === undefined ? undefined : { 'x-signalbox-cost': dollarsOf(outcome.cost) }),
  }
}

/** The end of a stream waits until its settlement is on disk, where that is asked for. */
function keptFirst(frames: AsyncIterable<Chunk>, kept: Delivery['kept']): AsyncIterable<Chunk> {
  if (!kept) return frames
  return (async function* () {
    yield* frames
    await kept()
  })()
}

/** The status is out, the target is not yet: signs of life until there is one. */
async function* lateFrames(delivery: Delivery): AsyncGenerator<Chunk> {
  const { answering, exchange, wire, parts, settle } = delivery
  try {
    for (;;) {
      yield wire.keepAlive
      const delivered = await within(answering, parts.keepAliveMs)
      if (delivered === SILENT) continue
      chosen(delivered, exchange)
      yield* framesOf(delivered, delivery)
      return
    }
  } catch (thrown) {
    const error = gatewayErrorOf(thrown)
    settle(error)
    yield wire.encodeStreamError(error, exchange.id)
  } finally {
    settle(hungUp(exchange))
  }
}

function framesOf(delivered: Delivered, delivery: Delivery): AsyncIterable<Chunk> {
  const { answer } = delivered
  if (delivery.survival)
    return withKeepAlive(survivingFrames(delivered, delivery, delivery.survival), delivery.wire.keepAlive, delivery.parts.keepAliveMs)
  switch (answer.kind) {
    case 'byte-stream':
      return byteFrames(answer.stream, delivery)
    case 'event-stream':
      return withKeepAlive(eventFrames(answer.stream, delivered, delivery), delivery.wire.keepAlive, delivery.parts.keepAliveMs)
    default:
      return eventFrames(wholeStream(answer), delivered, delivery)
  }
}

async function* wholeStream(answer: Answer): AsyncGenerator<readonly Event[]> {
  if (answer.kind !== 'reply') throw new Fault('internal', 'A streamed call was answered with something else.')
  yield [...eventsOf(answer.reply)]
}

async function* byteFrames(stream: ByteStream, { exchange, wire, settle }: Delivery): AsyncGenerator<Chunk> {
  const { tap } = stream
  try {
    yield* stream
    noteSummary(tap.summary, exchange)
    settle()
  } catch (thrown) {
    noteSummary(tap.summary, exchange)
    const error = gatewayErrorOf(thrown)
    settle(error)
    yield wire.encodeStreamError(error, exchange.id)
  } finally {
    // Not settled yet: the caller left in the middle.
    noteSummary(tap.summary, exchange)
    settle(hungUp(exchange))
  }
}

async function* eventFrames(stream: EventStream, delivered: Delivered, delivery: Delivery): AsyncGenerator<Chunk> {
  const { exchange, inquiry, wire, parts, settle } = delivery
  const encoder = wire.streamEncoder(inquiry.call(), contextOf(delivered, delivery))
  const remember = parts.memory.watch(inquiry.scope())
  const keeps = keepsAnswers(inquiry)
  const events = delivered.prepared.body ? followStream(stream, legsOf(delivered, delivery)) : stream
  try {
    for await (const batch of events) {
      noteEvents(batch, exchange)
      remember(batch)
      const text = encoder.push(batch)
      if (keeps) keepLast(text, delivery)
      if (text !== '') yield text
    }
    settle(exchange.error)
  } catch (thrown) {
    const error = gatewayErrorOf(thrown)
    settle(error)
    yield wire.encodeStreamError(error, exchange.id)
  } finally {
    settle(hungUp(exchange))
  }
}

/** The same for a stream that goes on elsewhere when it breaks. */
async function* survivingFrames(delivered: Delivered, delivery: Delivery, how: NonNullable<Delivery['survival']>): AsyncGenerator<Chunk> {
  const { exchange, wire, settle } = delivery
  const keeps = keepsAnswers(delivery.inquiry)
  try {
    for await (const chunk of survive(delivered, survivalOf(delivery, how))) {
      if (keeps && typeof chunk === 'string') keepLast(chunk, delivery)
      yield chunk
    }
    settle()
  } catch (thrown) {
    const error = gatewayErrorOf(thrown)
    settle(error)
    yield wire.encodeStreamError(error, exchange.id)
  } finally {
    settle(hungUp(exchange))
  }
}

function survivalOf(delivery: Delivery, { mode, candidates }: NonNullable<Delivery['survival']>): Survival {
  const { inquiry, exchange, wire, parts } = delivery
  return {
    mode,
    inquiry,
    exchange,
    candidates,
    upstreams: parts.upstreams,
    wire,
    context: (delivered) => contextOf(delivered, delivery),
    eventsOf(delivered) {
      const { answer, prepared } = delivered
      const events = answer.kind === 'event-stream' ? answer.stream : wholeStream(answer)
      return prepared.body ? followStream(events, legsOf(delivered, delivery)) : events
    },
    note: (events) => noteEvents(events, exchange),
    noteSummary(summary) {
      // The events have been noted one by one, which says more than the tap's glance.
      const { usage, outputCharacters } = exchange
      noteSummary(summary, exchange)
      exchange.usage = summary.usage ?? usage
      exchange.outputCharacters = outputCharacters
    },
    noteTold: parts.memory.watch(inquiry.scope()),
    legEnded(fault) {
      const attempt = exchange.attempts.findLast(({ sent }) => sent)
      if (attempt) {
        attempt.fault ??= fault.id
        attempt.message ??= fault.message.slice(0, 300)
      }
      // A count from before the words came is none of them.
      if (exchange.usage?.output === 0 && exchange.outputCharacters > 0) exchange.usage = { ...exchange.usage, output: undefined }
      const usage = lastUsageOf(exchange)
      exchange.legs ??= []
      if (usage) exchange.legs.push({ candidate: exchange.candidate, usage })
      exchange.reason = `${exchange.reason ?? ''}; ${exchange.candidate?.provider} ${fault.id} in mid-stream`
      exchange.usage = undefined
      exchange.error = undefined
      exchange.outputCharacters = 0
    },
    legBegan({ candidate, wire: { id }, prepared }) {
      exchange.reason = `${exchange.reason}, ${mode === 'continue' ? 'continued' : 'restarted'} by ${candidate.provider}`
      exchange.candidate = candidate
      exchange.wire = id
      exchange.drops = [...exchange.drops, ...prepared.drops]
    },
    usage: () => usageOf(exchange),
  }
}

/** A Responses client may refer to this answer later, unless it said that nothing is to be kept. */
const keepsAnswers = ({ wire, json }: Inquiry): boolean => wire === 'openai-responses' && json['store'] !== false

/** The last event of a Responses stream repeats the whole answer. */
function keepLast(text: string, { inquiry, parts }: Delivery): void {
  if (!text.includes('"type":"response.completed"')) return
  for (const { data } of new SseReader().push(bytesOf(text))) {
    const event = parseJson(data)
    if (isObject(event) && event['type'] === 'response.completed' && isObject(event['response']))
      parts.store.keep(inquiry.scope(), inquiry.json, event['response'])
  }
}

const hungUp = ({ cancellation }: Exchange): GatewayError =>
  cancellation.cancelled
    ? gatewayErrorOf(cancellation.reason)
    : new Fault('client-closed', 'The caller hung up before the answer was complete.')

// ---- what encoders and legs need -----------------------------------------------------------------------------------

const bareContext = ({ id, at }: Exchange, model: string): ReplyContext => ({ id: id.slice(4), model, created: Math.floor(at / 1000) })

function contextOf({ candidate }: Delivered, { exchange, parts }: Delivery): ReplyContext {
  return {
    ...bareContext(exchange, candidate.model),
    cost() {
      const cost = costOfAll(exchange, parts.costOf)
      return cost && dollarsOf(cost.nanos)
    },
  }
}

function legsOf(delivered: Delivered, { inquiry, exchange, parts }: Delivery): Legs {
  return {
    wire: delivered.wire,
    body: delivered.prepared.body ?? {},
    again: (body) => sendAgain(delivered, body, inquiry, exchange, parts.upstreams),
  }
}
