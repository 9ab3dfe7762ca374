/**
 * What a call is held for before it goes, and what it came to in the end.
 *
 * Held are `input estimate × margin` tokens of input, and of output what the caller allows (its own maximum, or the usual where it sets
 * none, at most the cap, and no more than the model can write), at the price of the dearest place the call may go to, after mark-up.
 * A call is let in only while spent + held + its own hold stay within the limit, so what is spent never passes the limit by more than
 * running calls exceed their holds by: where estimates hold and callers set a maximum below the cap, by nothing. A call without a maximum may go
 * while there is room for its input: it then holds all that is left.
 */
import type { Nanos } from '../../core/money.ts'
import type { PricedCandidate, SpendingCall } from '../../core/policy.ts'
import { wholeOf } from './meter.ts'
import { mostOf } from './tenants.ts'

/** What holds where nobody knows a price, and how much is held. */
export interface HoldPolicy {
  /** Default: refuse. */
  readonly unknown?: 'refuse' | 'estimate' | 'allow' | undefined
  /** USD per million tokens, for `estimate`. Default: 5 and 25. */
  readonly estimate?: { readonly input: number; readonly output: number } | undefined
  /** Default: 1.25. */
  readonly inputMargin?: number | undefined
  /** Output tokens held where the caller sets no maximum. Default: 4,096. */
  readonly output?: number | undefined
  /** Output tokens held at most. Default: 32,768. */
  readonly outputCap?: number | undefined
  /** Milliseconds that a call waits under a budget with `queue`. Default: 30,000. */
  readonly queueMs?: number | undefined
}

export interface Policy {
  readonly unknown: 'refuse' | 'estimate' | 'allow'
  readonly estimate: { readonly input: number; readonly output: number }
  readonly inputMargin: number
  readonly output: number
  readonly outputCap: number
  readonly queueMs: number
}

export const policyOf = ({
  unknown = 'refuse',
  estimate = { input: 5, output: 25 },
  inputMargin = 1.25,
  output = 4_096,
  outputCap = 32_768,
  queueMs = 30_000,
}: HoldPolicy = {}): Policy => ({ unknown, estimate, inputMargin, output, outputCap, queueMs })

/** At the rates that the operator set for models without a price, in whole nano-dollars, rounded up. */
export const estimatedCost = ({ estimate }: Policy, input: number, output: number): Nanos =>
  BigInt(Math.ceil(Math.round((input * estimate.input + output * estimate.output) * 1e6) / 1e3))

/** What one call is held for, at each place it may go to. Worked out when a rule asks. */
export class Costs {
  readonly #call: Pick<SpendingCall, 'inputTokens' | 'maxOutputTokens' | 'candidates'>
  readonly #policy: Policy
  readonly #markup: number
  #candidates: readonly PricedCandidate[] | undefined
  #input: number | undefined
  readonly #costs: (Nanos | null | undefined)[] = []
  readonly #charges: (number | null | undefined)[] = []

  constructor(policy: Policy, markup: number, call: Pick<SpendingCall, 'inputTokens' | 'maxOutputTokens' | 'candidates'>) {
    this.#call = call
    this.#policy = policy
    this.#markup = markup
  }

  get candidates(): readonly PricedCandidate[] {
    this.#candidates ??= this.#call.candidates()
    return this.#candidates
  }

  get input(): number {
    this.#input ??= Math.ceil(this.#call.inputTokens * this.#policy.inputMargin)
    return this.#input
  }

  output(index: number): number {
    const { output, outputCap } = this.#policy
    const allowed = Math.min(this.#call.maxOutputTokens ?? output, outputCap)
    return Math.min(allowed, this.candidates[index]?.maxOutput ?? Number.POSITIVE_INFINITY)
  }

  /** What the provider may charge. Undefined: nobody knows. */
  cost(index: number): Nanos | undefined {
    const known = this.#costs[index]
    if (known !== undefined) return known ?? undefined
    const output = this.output(index)
    const cost = this.candidates[index]?.worstCost(this.input, output)
    const told = cost ?? (this.#policy.unknown === 'estimate' ? estimatedCost(this.#policy, this.input, output) : undefined)
    this.#costs[index] = told ?? null
    return told
  }

  /** What the tenant is charged for the input alone. Undefined: nobody knows. */
  leastCharge(index: number): number | undefined {
    const cost = this.candidates[index]?.worstCost(this.input, 0)
    const told = cost ?? (this.#policy.unknown === 'estimate' ? estimatedCost(this.#policy, this.input, 0) : undefined)
    return told === undefined ? undefined : wholeOf(mostOf(told, this.#markup))
  }

  /** What the tenant may be charged, as counters count it. */
  charge(index: number): number | undefined {
    const known = this.#charges[index]
    if (known !== undefined) return known ?? undefined
    const cost = this.cost(index)
    const charge = cost === undefined ? undefined : wholeOf(mostOf(cost, this.#markup))
    this.#charges[index] = charge ?? null
    return charge
  }
}
