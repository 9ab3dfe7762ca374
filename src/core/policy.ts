/** What the trunk asks of policy: who calls, what they may, and what the call may cost. Implemented in `policy/`. */
import type { GatewayError } from './error.ts'
import type { Exchange } from './exchange.ts'
import type { ClientCertificate, Headers } from './http.ts'
import type { JsonObject } from './json.ts'
import type { Nanos } from './money.ts'
import type { Principal } from './principal.ts'

export interface Caller {
  readonly credential: string | undefined
  /** Address of the socket's other end; undefined where there is no socket. */
  readonly ip: string | undefined
  readonly headers: Readonly<Headers>
  /** What they showed in the TLS handshake, if it was found good. */
  readonly certificate?: ClientCertificate | undefined
}

/** What a caller wants to do, as far as it is known. */
export interface Wanted {
  /** An operation of `ingress/endpoints.ts`. */
  readonly op: string
  readonly requestedModel?: string
  readonly tier?: string | undefined
  readonly caller: Caller
}

export interface Access {
  /**
   * Rejects with `unauthenticated`, or with `store-unavailable` when nobody can tell. What is known is answered without a promise.
   */
  authenticate(caller: Caller): Principal | Promise<Principal>
  /** Whether they would be let in, told at once from memory. */
  known(caller: Caller): boolean
  /** Throws `forbidden`. */
  authorize(principal: Principal, wanted: Wanted): void
  visibleModel(principal: Principal, model: string): boolean
  /** `internal`, `external` or another class of the configuration. */
  ipClass(caller: Caller): string
}

/** A place that a call may go to, with what it may cost there at worst. */
export interface PricedCandidate {
  readonly provider: string
  readonly model: string
  readonly region?: string | undefined
  readonly maxOutput?: number | undefined
  /** Undefined: nobody knows. */
  worstCost(inputTokens: number, outputTokens: number): Nanos | undefined
}

export interface SpendingCall {
  readonly exchange: Exchange
  readonly principal: Principal
  readonly ipClass: string
  /** `x-signalbox-metadata`. */
  readonly metadata: JsonObject | undefined
  readonly tier: string | undefined
  /** Estimated. */
  readonly inputTokens: number
  /** As the caller asks. */
  readonly maxOutputTokens: number | undefined
  /** Milliseconds that it may take in all. Absent: 10 minutes. */
  readonly limitMs?: number | undefined
  /** Where it may go, best first. Worked out when it is asked for: calls under no budget need none. */
  candidates(): readonly PricedCandidate[]
}

export interface Admitted {
  /** Of rate limits, for the answer; in the caller's dialect. */
  readonly headers?: Readonly<Headers>
  /** Places in `candidates()` that it must not go to, each with the reason: a limit of that provider or model is reached. Never all of them. */
  readonly without?: ReadonlyMap<number, string>
  /** Exactly once, with what `Exchange.settled` holds by then: however the call ended. */
  settle(): void
  /** Resolves when the end is on disk. Absent: the answer need not wait for that. */
  readonly durable?: (() => Promise<void>) | undefined
}

/** The budget is used up, and its rule says that a cheaper tier is to serve. */
export interface FallTo {
  readonly fallTo: 'next-tier'
  /** For the record: which budget, until when. */
  readonly why: string
  /** What to throw where there is no such tier: it has the budget's status, and when to come back. */
  readonly refusal: GatewayError
}

export interface Spending {
  /** No rule holds for this caller's calls and nothing of them is kept: they need not be admitted. */
  needless?(principal: Principal): boolean
  /** Throws `budget-exceeded`, `rate-limited`, `store-unavailable`. Without a promise where the counters answer at once. */
  admit(call: SpendingCall): Admitted | FallTo | Promise<Admitted | FallTo>
}
