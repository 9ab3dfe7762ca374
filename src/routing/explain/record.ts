/** The decision of one call, put into words only when somebody reads it: most calls are never asked why. */
import type { Decision, Judged } from '../../core/decision.ts'
import type { Plan } from '../../core/health.ts'
import { compact } from '../../core/json.ts'
import type { Candidate } from '../../core/target.ts'
import type { Estimates } from '../estimates.ts'
import type { Verdict } from '../judge.ts'
import type { Needs } from '../needs/needs.ts'
import { contextOf } from '../profile.ts'
import type { Route } from '../routes.ts'

export interface Grounds {
  readonly route: Route
  /** Best first. */
  readonly order: readonly Candidate[]
  /** Of candidates there is something to say of. */
  readonly verdicts: ReadonlyMap<Candidate, Verdict>
  readonly needs: Needs
  readonly inputTokens: number | undefined
  readonly scores: ReadonlyMap<Candidate, Readonly<Record<string, number>>> | undefined
  readonly notes: readonly string[]
  readonly reason: string
  /** What was known of each, for explain. */
  readonly estimates?: Estimates | undefined
}

export class DecisionRecord implements Decision {
  readonly route: string
  readonly strategy: string
  readonly reason: string
  readonly notes: readonly string[]
  readonly #grounds: Grounds
  #candidates: readonly Judged[] | undefined

  constructor(grounds: Grounds) {
    this.route = grounds.route.name
    this.strategy = grounds.route.strategy.name
    this.reason = grounds.reason
    this.notes = grounds.notes
    this.#grounds = grounds
  }

  get needs(): Decision['needs'] {
    const { needs, inputTokens } = this.#grounds
    return {
      features: [...needs.features],
      wishes: [...needs.wishes],
      ...(inputTokens !== undefined && { inputTokens }),
      ...(needs.output !== undefined && { outputTokens: needs.output }),
    }
  }
  get order(): readonly string[] {
    return this.#grounds.order.map(nameOf)
  }
  get candidates(): readonly Judged[] {
    const { route } = this.#grounds
    this.#candidates ??= [
      ...route.candidates.map((candidate) => judged(candidate, 'route', this.#grounds)),
      ...route.fallback.map((candidate) => judged(candidate, 'fallback', this.#grounds)),
    ]
    return this.#candidates
  }
  /** A sentence about the target that answers, if there is something to warn of. Cheap: nothing is put into words for it. */
  warningOf(candidate: Candidate): string | undefined {
    return this.#grounds.verdicts.get(candidate)?.warning
  }

  toJSON(): Decision {
    const { route, strategy, needs, candidates, order, reason, notes } = this
    return { route, strategy, needs, candidates, order, reason, notes }
  }
}

export const nameOf = ({ provider, model }: Candidate): string => `${provider}/${model}`

function judged(candidate: Candidate, place: Judged['place'], { verdicts, scores, estimates }: Grounds): Judged {
  const { provider, model, tier } = candidate
  const { removed, lacking = [], warning } = verdicts.get(candidate) ?? {}
  const score = scores?.get(candidate)
  return {
    provider,
    model,
    ...(tier !== undefined && { tier }),
    place,
    ...(removed !== undefined && { removed }),
    ...(lacking.length > 0 && { lacks: lacking }),
    ...(score && { scores: score }),
    ...(warning !== undefined && { warning }),
    ...(estimates && { known: knownOf(candidate, estimates) }),
  }
}

function knownOf(candidate: Candidate, estimates: Estimates): Readonly<Record<string, number>> {
  const { input, output } = estimates.rates(candidate) ?? {}
  return compact({
    expectedCost: estimates.cost(candidate),
    inputPrice: input,
    outputPrice: output,
    latencyMs: estimates.latencyMs(candidate),
    tokensPerSecond: estimates.tokensPerSecond(candidate),
    errors: estimates.errors(candidate),
    roundTripMs: estimates.roundTripMs(candidate),
    contextWindow: contextOf(candidate),
  } as Record<string, number>)
}

/** Where nothing was to be judged: the strategy's word alone. */
export const plainRecord = (route: Route, { candidates, why }: Plan, needs: Needs): DecisionRecord =>
  new DecisionRecord({
    route,
    order: candidates,
    verdicts: none,
    needs,
    inputTokens: undefined,
    scores: undefined,
    notes: [],
    reason: why ?? 'first-choice',
  })

const none: ReadonlyMap<Candidate, Verdict> = new Map()
