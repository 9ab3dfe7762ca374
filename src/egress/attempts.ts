/**
 * The attempt loop: candidates in order, each with its keys and retries, until one answers well. It owns what is tried
 * again and where; everything before the first event of an answer happens here, unseen by the caller.
 */

import type { WireId } from '../core/call.ts'
import { GatewayError, gatewayErrorOf } from '../core/error.ts'
import { type Attempt, type Exchange, elapsed } from '../core/exchange.ts'
import type { Transport } from '../core/http.ts'
import type { Inquiry } from '../core/inquiry.ts'
import type { JsonObject } from '../core/json.ts'
import { type Candidate, wireFor } from '../core/target.ts'
import type { Wire } from '../wire/wire.ts'
import { type Answer, type AnswerLimits, answerOf, type EventStream } from './answer.ts'
import { replay } from './follow.ts'
import { type Prepared, prepare } from './prepare.ts'
import type { Provider } from './provider.ts'

export interface Upstreams {
  readonly providers: ReadonlyMap<string, Provider>
  readonly wires: ReadonlyMap<WireId, Wire>
  readonly limits: AnswerLimits
  transportOf(provider: string): Transport
}

export interface Delivered {
  readonly answer: Answer
  readonly candidate: Candidate
  readonly wire: Wire
  readonly prepared: Prepared
}

/** First pause before trying the same target again. */
const BACKOFF_MS = 100
const MAX_BACKOFF_MS = 5_000

/** Throws the last fault when every candidate has failed. */
export async function attemptAll(
  inquiry: Inquiry,
  candidates: readonly Candidate[],
  exchange: Exchange,
  upstreams: Upstreams,
): Promise<Delivered> {
  let last: GatewayError | undefined
  for (const candidate of candidates) {
    try {
      return await attemptOn(candidate, inquiry, exchange, upstreams)
    } catch (error) {
      last = moreTelling(last, gatewayErrorOf(error))
      if (exchange.cancellation.cancelled) throw gatewayErrorOf(exchange.cancellation.reason)
      if (last.fault.retry === 'never') throw last
    }
  }
  throw last ?? new GatewayError('no-eligible-target', 'The route has no target.', { shouldRetry: false })
}

/** A target that never got the call says less than one that answered. */
const moreTelling = (earlier: GatewayError | undefined, later: GatewayError): GatewayError =>
  earlier && (later.id === 'untranslatable' || later.id === 'lossy-translation') ? earlier : later

async function attemptOn(candidate: Candidate, inquiry: Inquiry, exchange: Exchange, upstreams: Upstreams): Promise<Delivered> {
  const provider = upstreams.providers.get(candidate.provider)
  const wire = upstreams.wires.get(wireFor(candidate, inquiry.wire))
  if (!provider || !wire)
    throw new GatewayError('no-eligible-target', `The provider \`${candidate.provider}\` cannot be called: its wire is not spoken yet.`)
  let tries = 0
  let keys = 0
  for (;;) {
    const prepared = prepare(inquiry, candidate, wire, provider, keys)
    const attempt: Attempt = {
      provider: candidate.provider,
      model: candidate.model,
      wire: wire.id,
      startedMs: elapsed(exchange),
      sent: true,
    }
    exchange.attempts.push(attempt)
    try {
      const answer = await answerOf({
        transport: upstreams.transportOf(candidate.provider),
        wire,
        prepared,
        streamed: inquiry.streamed,
        count: inquiry.op === 'count',
        timeouts: candidate.timeouts,
        limits: upstreams.limits,
        cancellation: exchange.cancellation,
        scrub: provider.scrubbed,
      })
      attempt.endedMs = elapsed(exchange)
      return { answer, candidate, wire, prepared }
    } catch (error) {
      const fault = gatewayErrorOf(error)
      attempt.endedMs = elapsed(exchange)
      attempt.fault = fault.id
      attempt.sent = !fault.unsent
      attempt.message = fault.message.slice(0, 300)
      if (exchange.cancellation.cancelled) throw fault
      // A key that is refused or used up says nothing of the next one.
      if ((fault.id === 'upstream-credential' || fault.id === 'upstream-rate-limited') && keys + 1 < provider.keyCount) {
        keys++
        continue
      }
      tries++
      if (fault.fault.retry !== 'same' || tries >= candidate.attempts) throw fault
      await pause(backoff(tries, fault.retryAfterMs), exchange)
    }
  }
}

/** Full jitter, so that callers who failed together do not come back together. */
const backoff = (tries: number, retryAfterMs = 0): number =>
  Math.min(MAX_BACKOFF_MS, Math.max(retryAfterMs, Math.random() * BACKOFF_MS * 2 ** (tries - 1)))

function pause(ms: number, { cancellation }: Exchange): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      forget()
      resolve()
    }, ms)
    const forget = cancellation.onCancel(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** Another request to the target that answered, for a reply that has to be continued. Its answer is read as events. */
export async function sendAgain(
  { candidate, wire, prepared }: Delivered,
  body: JsonObject,
  inquiry: Inquiry,
  exchange: Exchange,
  upstreams: Upstreams,
): Promise<EventStream> {
  const provider = upstreams.providers.get(candidate.provider)
  const attempt: Attempt = { provider: candidate.provider, model: candidate.model, wire: wire.id, startedMs: elapsed(exchange), sent: true }
  exchange.attempts.push(attempt)
  const answer = await answerOf({
    transport: upstreams.transportOf(candidate.provider),
    wire,
    prepared: { ...prepared, request: { ...prepared.request, body: JSON.stringify(body) } },
    streamed: inquiry.streamed,
    count: false,
    timeouts: candidate.timeouts,
    limits: upstreams.limits,
    cancellation: exchange.cancellation,
    scrub: provider?.scrubbed ?? ((text) => text),
  })
  attempt.endedMs = elapsed(exchange)
  if (answer.kind === 'event-stream') return answer.stream
  if (answer.kind === 'reply') return replay(answer.reply)
  throw new GatewayError('internal', 'A continued reply came back in another form.')
}
