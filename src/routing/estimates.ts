/** What can be said of one call at each candidate before it is sent. Worked out when it is asked for. */
import type { Exchange } from '../core/exchange.ts'
import type { HealthView, TargetHealth } from '../core/health.ts'
import type { Inquiry } from '../core/inquiry.ts'
import type { JsonObject } from '../core/json.ts'
import type { Drop } from '../core/notes.ts'
import { type Candidate, wireFor } from '../core/target.ts'
import { expectedCost, type RateCard, type RatesOf } from './expected-cost.ts'
import type { Needs } from './needs/needs.ts'

/** What is known of prices and sizes. Undefined: nobody knows. */
export interface RoutingFacts {
  estimateTokens(json: JsonObject): number
  readonly ratesOf: RatesOf
  readonly health?: HealthView | undefined
  /** Milliseconds of a round trip to where the candidate runs. */
  roundTripMs?(candidate: Candidate): number | undefined
  /** What a translation to this target would lose. Throws when there is none. */
  losses?(inquiry: Inquiry, candidate: Candidate): readonly Drop[]
}

/** The most tokens of an answer that are reckoned with where the caller sets no limit. */
const USUAL_OUTPUT = 1_000

export class Estimates {
  readonly #inquiry: Inquiry
  readonly #at: number
  readonly #facts: RoutingFacts
  readonly #needs: Needs
  #tokens: number | undefined

  constructor(inquiry: Inquiry, { at }: Exchange, facts: RoutingFacts, needs: Needs) {
    this.#inquiry = inquiry
    this.#at = at
    this.#facts = facts
    this.#needs = needs
  }

  /** Of the whole request, with its system prompt, tools and history. */
  inputTokens(): number {
    this.#tokens ??= this.#facts.estimateTokens(this.#inquiry.json)
    return this.#tokens
  }
  /** The same, if somebody had to know. */
  get counted(): number | undefined {
    return this.#tokens
  }
  rates(candidate: Candidate): RateCard | undefined {
    return this.#facts.ratesOf(candidate, 0, this.#at)
  }
  /** USD that it will probably cost. */
  cost(candidate: Candidate): number | undefined {
    const { wire, streamed } = this.#inquiry
    const inputTokens = this.inputTokens()
    const rates = this.#facts.ratesOf(candidate, inputTokens, this.#at)
    return (
      rates &&
      expectedCost(rates, { wire, streamed, inputTokens, maxOutput: this.#needs.output, session: undefined }, this.#health(candidate))
    )
  }
  /** USD that it costs when the answer is as long as the caller allows. */
  mostCost(candidate: Candidate): number | undefined {
    const tokens = this.inputTokens()
    const { input, output } = this.#facts.ratesOf(candidate, tokens, this.#at) ?? {}
    if (input === undefined || output === undefined) return undefined
    const limit = candidate.on(wireFor(candidate, this.#inquiry.wire)).capabilities.maxOutput ?? Number.POSITIVE_INFINITY
    const answer = this.#needs.output ?? Math.max(USUAL_OUTPUT, 2 * (this.#health(candidate)?.meanOutput ?? 0))
    return (tokens * input + Math.min(answer, limit) * output) / 1e6
  }
  /** Until the first token of a stream, or a plain answer, as measured lately. */
  latencyMs(candidate: Candidate): number | undefined {
    return this.#health(candidate)?.latencyMs(this.inputTokens(), this.#inquiry.streamed, this.#at)
  }
  tokensPerSecond(candidate: Candidate): number | undefined {
    return this.#health(candidate)?.tokensPerSecond
  }
  /** Share of recent calls that failed. */
  errors(candidate: Candidate): number | undefined {
    return this.#health(candidate)?.errors(this.#at)
  }
  roundTripMs(candidate: Candidate): number | undefined {
    return this.#facts.roundTripMs?.(candidate)
  }

  #health(candidate: Candidate): TargetHealth | undefined {
    return this.#facts.health?.of(candidate, wireFor(candidate, this.#inquiry.wire))
  }
}
