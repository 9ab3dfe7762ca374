/** Moves what a strategy has ordered: those that lack something come behind, and what the caller prefers comes first. */
import type { Plan } from '../core/health.ts'
import type { Metric, Preference } from '../core/preferences.ts'
import type { Steering } from '../core/steering.ts'
import type { Candidate } from '../core/target.ts'
import { inRegion } from './constraints/objection.ts'
import type { Estimates } from './estimates.ts'
import type { Verdict } from './judge.ts'
import { lacks } from './needs/features.ts'
import { contextOf } from './profile.ts'
import type { Route } from './routes.ts'

export type Scores = ReadonlyMap<Candidate, Readonly<Record<string, number>>>

export interface RankParts {
  readonly plan: Plan
  /** Without what was left out. */
  readonly route: Route
  readonly verdicts: ReadonlyMap<Candidate, Verdict>
  readonly scores: Scores | undefined
  readonly steering: Steering | undefined
  readonly estimates: Estimates
}

/** Resting targets stay behind those that are ready, and fallback routes behind the route itself. */
export function rank({ plan, route, verdicts, scores, steering, estimates }: RankParts): Plan {
  const keyOf = sortKey(steering, scores, estimates)
  const places = steering?.order
  const placeOf = (candidate: Candidate): number => {
    const place = places ? places.indexOf(candidate.provider) : -1
    return place < 0 ? Number.MAX_SAFE_INTEGER : place
  }
  const lacking = (candidate: Candidate): number => verdicts.get(candidate)?.lacking.length ?? 0
  if (!keyOf && !places && (verdicts.size === 0 || plan.candidates.every((candidate) => lacking(candidate) === 0))) return plan
  const behind = new Set(route.fallback)
  const keyed = plan.candidates.map((candidate, index) => {
    const own = !behind.has(candidate)
    return {
      candidate,
      index,
      resting: index >= plan.ready,
      own,
      place: placeOf(candidate),
      lacking: lacking(candidate),
      key: own ? (keyOf?.(candidate) ?? 0) : 0,
    }
  })
  keyed.sort(
    (one, other) =>
      Number(one.resting) - Number(other.resting) ||
      Number(other.own) - Number(one.own) ||
      one.place - other.place ||
      one.lacking - other.lacking ||
      one.key - other.key ||
      one.index - other.index,
  )
  const candidates = keyed.map(({ candidate }) => candidate)
  // What the plan said of its first one is not true of another.
  return { candidates, ready: plan.ready, why: candidates[0] === plan.candidates[0] ? plan.why : undefined }
}

/** Smaller comes first. Undefined: the strategy's order stays. */
function sortKey(
  steering: Steering | undefined,
  scores: Scores | undefined,
  estimates: Estimates,
): ((candidate: Candidate) => number) | undefined {
  const metric = steering?.sort && sortBy(steering.sort, estimates)
  if (!metric && !scores) return undefined
  const memo = new Map<Candidate, number>()
  return (candidate) => {
    let key = memo.get(candidate)
    if (key === undefined) {
      key = metric ? metric(candidate) : 1 - (scores?.get(candidate)?.['total'] ?? 0)
      memo.set(candidate, key)
    }
    return key
  }
}

/** What nobody knows comes last. */
const LAST = 1e15

function sortBy(by: NonNullable<Steering['sort']>, estimates: Estimates): (candidate: Candidate) => number {
  switch (by) {
    case 'price':
      return (candidate) => estimates.cost(candidate) ?? LAST
    case 'latency':
      return (candidate) => estimates.latencyMs(candidate) ?? LAST
    case 'throughput':
      return (candidate) => {
        const speed = estimates.tokensPerSecond(candidate)
        return speed === undefined ? LAST : 1 / Math.max(speed, 1e-6)
      }
    default:
      return by satisfies never
  }
}

/** 0 to 1 for each preference, relative to the best candidate, and their weighted mean. */
export function scoresOf(candidates: readonly Candidate[], preferences: readonly Preference[], estimates: Estimates): Scores {
  const weight = preferences.reduce((sum, { q }) => sum + q, 0)
  const columns = preferences.map(({ on }) => {
    switch (on.kind) {
      case 'metric':
        return metricScores(candidates, on.metric, estimates)
      case 'feature':
        return candidates.map((candidate) => (lacks(candidate, on.feature) ? 0 : 1))
      case 'word':
        return candidates.map((candidate) =>
          (on.subject === 'region' ? inRegion(candidate.region, [on.value]) : candidate[on.subject]?.toLowerCase() === on.value) ? 1 : 0,
        )
      default:
        return on satisfies never
    }
  })
  return new Map(
    candidates.map((candidate, row) => {
      const scores: Record<string, number> = {}
      let total = 0
      preferences.forEach(({ q, text }, column) => {
        const score = columns[column]?.[row] ?? 0
        scores[text] = rounded(score)
        total += q * score
      })
      scores['total'] = weight === 0 ? 0 : rounded(total / weight)
      return [candidate, scores]
    }),
  )
}

const rounded = (value: number): number => Math.round(value * 1e4) / 1e4
/** What nobody has measured yet may be good: neither best nor worst. */
const UNMEASURED = 0.5

function metricScores(candidates: readonly Candidate[], metric: Metric, estimates: Estimates): readonly number[] {
  switch (metric) {
    // An unknown price is not a low one.
    case 'cost':
      return smallestFirst(
        candidates.map((candidate) => estimates.cost(candidate)),
        0,
      )
    case 'latency':
      return smallestFirst(
        candidates.map((candidate) => estimates.latencyMs(candidate)),
        UNMEASURED,
      )
    case 'nearby':
      return smallestFirst(
        candidates.map((candidate) => estimates.roundTripMs(candidate)),
        UNMEASURED,
      )
    case 'throughput':
      return largestFirst(
        candidates.map((candidate) => estimates.tokensPerSecond(candidate)),
        UNMEASURED,
      )
    case 'context':
      return largestFirst(candidates.map(contextOf), UNMEASURED)
    case 'reliability':
      return candidates.map((candidate) => 1 - (estimates.errors(candidate) ?? 0))
    default:
      return metric satisfies never
  }
}

function smallestFirst(values: readonly (number | undefined)[], unknown: number): readonly number[] {
  const best = Math.min(...values.filter((value) => value !== undefined))
  return values.map((value) => (value === undefined ? unknown : value <= best ? 1 : best / value))
}

function largestFirst(values: readonly (number | undefined)[], unknown: number): readonly number[] {
  const best = Math.max(...values.filter((value) => value !== undefined))
  return values.map((value) => (value === undefined ? unknown : value >= best ? 1 : value / best))
}
