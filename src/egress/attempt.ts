/** One request to one target: sent, timed, and what came of it noted. */
import type { WireId } from '../core/call.ts'
import type { Cancellation } from '../core/cancellation.ts'
import { GatewayError, gatewayErrorOf } from '../core/error.ts'
import { type Attempt, type Exchange, elapsed } from '../core/exchange.ts'
import type { HealthView, TargetHealth } from '../core/health.ts'
import type { Headers, Transport } from '../core/http.ts'
import type { Inquiry } from '../core/inquiry.ts'
import { type Candidate, wireFor } from '../core/target.ts'
import type { Wire } from '../wire/wire.ts'
import { timeoutsFor } from './adaptive-timeouts.ts'
import { type Answer, type AnswerLimits, answerOf, ProviderFault } from './answer.ts'
import { lostRace } from './hedge.ts'
import { type Prepared, prepare } from './prepare.ts'
import type { Provider } from './provider.ts'
import type { CallBudget, RetryBudgets } from './retry-budget.ts'

export interface Upstreams {
  readonly providers: ReadonlyMap<string, Provider>
  readonly wires: ReadonlyMap<WireId, Wire>
  readonly limits: AnswerLimits
  transportOf(provider: string): Transport
  /** Absent: nothing is remembered of any target. */
  readonly health?: HealthView & { now(): number; random(): number }
  /** Absent: every call may be retried. */
  readonly budgets?: RetryBudgets
}

export interface Delivered {
  readonly answer: Answer
  readonly candidate: Candidate
  readonly wire: Wire
  readonly prepared: Prepared
  /** Why this target was called, where that is not its place in the route. */
  readonly why?: string | undefined
}

/** One call on its way through its candidates. */
export interface Run {
  readonly inquiry: Inquiry
  readonly exchange: Exchange
  readonly upstreams: Upstreams
  readonly budget: CallBudget | undefined
  readonly limitMs: number
  readonly inputTokens: number
  /** Of the exchange, or of one side of a race. */
  readonly cancellation: Cancellation
  last: GatewayError | undefined
  /** Attempts of this call so far. */
  attempts: number
  /** The input did not fit into this candidate. */
  tooLongFor: Candidate | undefined
}

export const healthOf = (candidate: Candidate, { upstreams, inquiry }: Run): TargetHealth | undefined =>
  upstreams.health?.of(candidate, wireFor(candidate, inquiry.wire))

export const nowOf = ({ health }: Upstreams): number => health?.now() ?? Date.now()

/** Throws the fault it ended in. */
export async function attempt(
  candidate: Candidate,
  wire: Wire,
  provider: Provider,
  key: number,
  health: TargetHealth | undefined,
  run: Run,
): Promise<Delivered> {
  const { inquiry, exchange, upstreams, inputTokens } = run
  const { keysVersion } = provider
  const prepared = prepare(inquiry, candidate, wire, provider, key)
  const startedMs = elapsed(exchange)
  const attempt: Attempt = { provider: candidate.provider, model: candidate.model, wire: wire.id, startedMs, sent: true }
  exchange.attempts.push(attempt)
  run.attempts++
  const visit = health?.enter(provider.ownKeys ? NO_PLACE : key, inputTokens, inquiry.streamed)
  try {
    const answer = await answerOf({
      transport: upstreams.transportOf(candidate.provider),
      wire,
      prepared,
      streamed: inquiry.streamed,
      count: inquiry.op === 'count',
      timeouts: timeoutsFor(candidate.timeouts, health, inputTokens, inquiry.streamed, nowOf(upstreams)),
      limits: upstreams.limits,
      cancellation: run.cancellation,
      scrub: provider.scrubbed,
      ended: visit && ((fault) => visit.ended(fault)),
    })
    attempt.endedMs = elapsed(exchange)
    provider.worked(key, keysVersion)
    if (visit) {
      visit.began(attempt.endedMs - startedMs, answer.headers)
      if (answer.kind !== 'byte-stream' && answer.kind !== 'event-stream') visit.ended()
      // A stream that nobody begins to read does not end by itself.
      else run.cancellation.onCancel(() => visit.ended(hungUp))
    }
    return { answer, candidate, wire, prepared }
  } catch (error) {
    const fault = gatewayErrorOf(error)
    attempt.endedMs = elapsed(exchange)
    if (run.cancellation.reason !== lostRace) attempt.fault = fault.id
    attempt.sent = !fault.unsent
    attempt.status = fault.upstreamStatus
    attempt.message = fault.message.slice(0, 300)
    // What stands at this place by now was not refused.
    if (outdated(fault, provider, keysVersion)) visit?.ended()
    else visit?.ended(fault, fault instanceof ProviderFault ? fault.headers : NO_HEADERS)
    throw fault
  }
}

/** Of a key that the health of the provider's keys is not about. */
const NO_PLACE = -1

/** The provider with the keys that this call may use: those of the caller's organisation, where it has some. */
export function providerFor({ provider: id }: Candidate, { principal }: Exchange, { providers }: Upstreams): Provider | undefined {
  const provider = providers.get(id)
  const organisation = principal?.tenant.organisation
  return organisation === undefined ? provider : provider?.for(organisation)
}

/** A key was refused that has been replaced while the call was on its way. */
export const outdated = (fault: GatewayError, provider: Provider, keysVersion: number): boolean =>
  fault.id === 'upstream-credential' && provider.keysVersion !== keysVersion

const hungUp = new GatewayError('client-closed', 'The caller hung up.')
const NO_HEADERS: Readonly<Headers> = {}
