/** One request in flight: the only shared mutable thing. Made by the trunk, dead when its outcome is settled. */

import type { WireId } from './call.ts'
import type { Cancellation } from './cancellation.ts'
import type { Constraints } from './constraints.ts'
import type { Decision } from './decision.ts'
import type { GatewayError } from './error.ts'
import type { Finish, Usage } from './event.ts'
import type { Headers } from './http.ts'
import type { Drop } from './notes.ts'
import type { Principal } from './principal.ts'
import type { Candidate } from './target.ts'

/** One try at one target. */
export interface Attempt {
  readonly provider: string
  readonly model: string
  readonly wire: WireId
  /** Milliseconds since the exchange began. */
  readonly startedMs: number
  endedMs?: number
  /** False when no connection stood, so that the provider never saw it. */
  sent: boolean
  /** Id of the fault it ended in. */
  fault?: string
  /** The provider's status, where it answered. */
  status?: number
  /** The provider's words, shortened. */
  message?: string
}

/** A part of an answer, and what it used. */
export interface Leg {
  readonly candidate: Candidate | undefined
  readonly usage: Usage
}

export interface Exchange {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly at: number
  /** Of `performance.now()`. */
  readonly startedAt: number
  /** Cancelled when the caller hangs up or the deadline passes. */
  readonly cancellation: Cancellation
  dialect: WireId
  /** As the client named it. */
  requestedModel?: string
  route?: string
  streamed: boolean
  readonly attempts: Attempt[]
  /** Where the answer comes from. */
  candidate?: Candidate
  wire?: WireId
  /** Why it was chosen. */
  reason?: string
  /** What routing had to decide; absent when there was nothing. */
  decision?: Decision
  /** Who calls. */
  principal?: Principal
  /** `internal`, `external` or another class of addresses. */
  ipClass?: string
  /** Of rate limits, for the answer. */
  limitHeaders?: Readonly<Headers>
  /** The tier that it fell to when a budget was used up, and why. */
  tier?: string
  fell?: string
  /** What is known of the caller's key, for conditions and limits. */
  key?: Readonly<Record<string, unknown>>
  /** Limits of the caller's key on where its calls may go. */
  constraints?: Constraints
  /** What classifiers said of the call. */
  labels?: Readonly<Record<string, unknown>>
  drops: readonly Drop[]
  status: number
  error?: GatewayError
  finish?: Finish
  usage?: Usage
  /** Parts of the answer that came before this one, from targets that broke off in the middle of it. */
  legs?: Leg[]
  upstreamModel?: string
  /** Milliseconds of its time that the gateway itself took before the answer went out. */
  overheadMs?: number
  /** Milliseconds until the first event of the answer, or the whole of a plain one. */
  firstMs?: number
  /** Characters of output seen, for an estimate when the provider never says its usage. */
  outputCharacters: number
  /** Its outcome, once there is one. */
  settled?: object
  /** Characters of the request's text, for the same. */
  inputCharacters: number
}

/** Milliseconds since the exchange began. */
export const elapsed = (exchange: Exchange): number => performance.now() - exchange.startedAt

/** Requests that providers really received. */
export function sentAttempts({ attempts }: Exchange): number {
  let count = 0
  for (const { sent } of attempts) if (sent) count++
  return count
}
