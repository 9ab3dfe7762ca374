import type { Candidate, ConditionFacts } from '../../core/target.ts'
import { byScore } from '../scores.ts'
import type { RoutingStrategy, RoutingView } from '../strategy.ts'

/** What a score may ask about: the call as conditions see it, the target, and how it does. Plain numbers. */
export interface ScoreFacts extends ConditionFacts {
  readonly target: {
    readonly provider: string
    readonly model: string
    readonly region: string
    readonly trust: string
    readonly tier: string
    readonly weight: number
  }
  /** Expected USD of this call there; infinite where nobody knows. */
  readonly cost: number
  /** Milliseconds to the first token (plain calls: to the whole answer); 0 where nobody has measured it yet. */
  readonly latency: number
  /** Share of recent calls that failed. */
  readonly errors: number
  /** What is left of its rate limits, 0 to 1; 1 where nobody knows. */
  readonly headroom: number
  /** Calls on their way there. */
  readonly inFlight: number
  /** What it is trusted with since it recovered, 0 to 1. */
  readonly share: number
  /** Hour of the day, UTC, with its fraction. */
  readonly hour: number
  /** 0 to 1, another for each target. */
  readonly random: number
}

export type Score = (facts: ScoreFacts) => number

export interface ScoreOptions {
  /** All targets are to get calls. Default false. */
  readonly spreads?: boolean | undefined
}

const nothing: ConditionFacts = { request: {}, key: {}, metadata: {}, labels: {}, tags: [] }

/** Lowest score first; equal ones stay as they are written, and those without one come last. */
export function scored(score: Score, { spreads = false }: ScoreOptions = {}): RoutingStrategy {
  const about = (facts: (() => ConditionFacts) | undefined): RoutingStrategy => ({
    name: 'score',
    spreads,
    needsLoad: true,
    order(candidates, view) {
      const call = facts?.() ?? nothing
      return byScore(candidates, (candidate) => {
        const value = score(factsOf(candidate, call, view))
        return Number.isNaN(value) ? Number.POSITIVE_INFINITY : value
      })
    },
    about,
  })
  return about(undefined)
}

const MS_PER_HOUR = 3_600_000

function factsOf(candidate: Candidate, call: ConditionFacts, view: RoutingView): ScoreFacts {
  const { now, asked } = view
  const health = view.health(candidate)
  const { provider, model, region = '', trust = '', tier = '', weight } = candidate
  return {
    ...call,
    target: { provider, model, region, trust, tier, weight },
    cost: view.cost(candidate) ?? Number.POSITIVE_INFINITY,
    latency: health?.latencyMs(asked.inputTokens, asked.streamed, now) ?? 0,
    errors: health?.errors(now) ?? 0,
    headroom: health?.headroom(now) ?? 1,
    inFlight: health?.inFlight ?? 0,
    share: health?.share(now) ?? 1,
    hour: (now / MS_PER_HOUR) % 24,
    random: view.random(),
  }
}
