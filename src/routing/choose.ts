/**
 * Which candidates a call may go to, and in which order: what cannot serve it is left out with a reason, the route's
 * strategy orders the rest, and wishes of the caller move them. Where there is nothing to decide, nothing is looked at.
 */
import type { Decision } from '../core/decision.ts'
import { GatewayError } from '../core/error.ts'
import type { Exchange } from '../core/exchange.ts'
import type { Plan } from '../core/health.ts'
import type { Inquiry, SteeredMembers } from '../core/inquiry.ts'
import type { JsonObject } from '../core/json.ts'
import { type Preference, parsePreferences } from '../core/preferences.ts'
import type { Steering } from '../core/steering.ts'
import type { Candidate, ConditionFacts } from '../core/target.ts'
import { rulesOf } from './constraints/rules.ts'
import { Estimates, type RoutingFacts } from './estimates.ts'
import { DecisionRecord, nameOf, plainRecord } from './explain/record.ts'
import { createJudge, type Verdict } from './judge.ts'
import { type Needs, needsOf, noNeeds } from './needs/needs.ts'
import { asksAbout, profileOf } from './profile.ts'
import { rank, type Scores, scoresOf } from './rank.ts'
import type { Route, Routes } from './routes.ts'
import { type SteeredRoute, steer } from './steer.ts'

/** What a caller wishes of routing: the request controls that it reads. */
export interface RoutingWishes {
  readonly require?: string
  readonly prefer?: string
  /** Nano-dollars. */
  readonly maxCost?: bigint
  readonly maxLatencyMs?: number
  readonly region?: string
  readonly metadata?: JsonObject
}

export interface Ask {
  readonly inquiry: Inquiry
  readonly wishes: RoutingWishes
  readonly steering: Steering | undefined
  readonly exchange: Exchange
  readonly routes: Routes
  readonly facts: RoutingFacts
  /** Orders the candidates of a route, best first, with those of the fallback behind them. */
  order(route: Route): Plan
  /** Decide in full, even where there is nothing to choose. */
  readonly explain?: boolean
}

export interface Choice {
  readonly route: Route
  readonly plan: Plan
  readonly decision?: Decision
  /** What was given effect here of another gateway's fields. */
  readonly steered?: SteeredMembers
}

/** Throws `unknown-model`, `no-eligible-target` (with each target's reason), and `invalid-request` for a wish that is none. */
export function choose(ask: Ask): Choice {
  const { inquiry, steering, routes, exchange } = ask
  if (steering) {
    const steered = steer(steering, inquiry.model, routes)
    const { fields, taggedMetadata = false } = steering
    const members = { fields, ours: steered.ours, taggedMetadata }
    return { ...deliberate(steered.route, { ...ask, inquiry: { ...inquiry, steered: members } }, steered), steered: members }
  }
  const route = routes.resolve(inquiry.model)
  if (ask.explain || deliberates(route, ask)) return deliberate(route, ask)
  exchange.route = route.name
  const plan = ask.order(route)
  if (plan.candidates.length > 1) exchange.decision = plainRecord(route, plan, noNeeds)
  return { route, plan }
}

function deliberates(route: Route, { wishes, exchange }: Ask): boolean {
  return (
    profileOf(route).decides ||
    exchange.constraints !== undefined ||
    wishes.require !== undefined ||
    wishes.prefer !== undefined ||
    wishes.maxCost !== undefined ||
    wishes.maxLatencyMs !== undefined ||
    wishes.region !== undefined
  )
}

function deliberate(route: Route, ask: Ask, steered?: SteeredRoute): Choice {
  const { inquiry, wishes, exchange, facts, explain } = ask
  exchange.route = route.name
  const steering = steered?.steering
  const profile = profileOf(route)
  const needs = inquiry.op === 'chat' ? needsOf(inquiry, explain || profile.conditions ? undefined : profile.lacking) : noNeeds
  const estimates = new Estimates(inquiry, exchange, facts, needs)
  let told: ConditionFacts | undefined
  const known = (): ConditionFacts => {
    told ??= conditionFacts(ask, needs, estimates)
    return told
  }
  const judge = createJudge({
    route,
    rules: rulesOf(route, wishes, steering, exchange.constraints),
    // One target is not chosen: what it cannot do, its provider says.
    needs: profile.choice ? needs : noNeeds,
    estimates,
    facts: known,
    now: exchange.at,
    losses: steering?.requireParameters && facts.losses ? (candidate) => facts.losses?.(inquiry, candidate) ?? [] : undefined,
  })
  const verdicts = new Map<Candidate, Verdict>()
  let removed = 0
  for (const list of [route.candidates, route.fallback])
    for (const candidate of list) {
      const verdict = judge(candidate)
      if (!verdict) continue
      verdicts.set(candidate, verdict)
      if (verdict.removed !== undefined) removed++
    }
  const record = (order: readonly Candidate[], reason: string, scores?: Scores): DecisionRecord => {
    const known = explain ? estimates : undefined
    const { counted } = estimates
    return new DecisionRecord({
      route,
      order,
      verdicts,
      needs,
      inputTokens: counted,
      scores,
      notes: steered?.notes ?? [],
      reason,
      estimates: known,
    })
  }
  const kept = removed === 0 ? route : eligible(route, verdicts)
  if (kept.candidates.length + kept.fallback.length === 0) {
    exchange.decision = record([], 'no target can serve this request')
    throw noneLeft(route, verdicts)
  }
  const preferences = wishes.prefer === undefined ? (route.prefer ?? []) : parsePreferences(wishes.prefer)
  const own = ask.order(asksAbout(kept) ? informed(kept, known) : kept)
  const lost = kept.candidates.length === 0 && route.candidates.length > 0
  const ordered = lost ? { ...own, why: 'fallback route' } : own
  const scores = preferences.length === 0 ? undefined : scoresOf(kept.candidates, preferences, estimates)
  const plan = rank({ plan: ordered, route: kept, verdicts, scores, steering, estimates })
  const first = reasonOf({ ordered, plan, preferences, steering, byRoute: wishes.prefer === undefined })
  const all = route.candidates.length + route.fallback.length
  const decision = record(plan.candidates, removed > 0 ? `${first}; ${removed} of ${all} left out` : first, scores)
  exchange.decision = decision
  return { route: kept, plan, decision }
}

/** The route without the candidates that are not to be tried. */
function eligible(route: Route, verdicts: ReadonlyMap<Candidate, Verdict>): Route {
  const keep = (candidate: Candidate): boolean => verdicts.get(candidate)?.removed === undefined
  return { ...route, candidates: route.candidates.filter(keep), fallback: route.fallback.filter(keep) }
}

/** The route with strategies that know of this call what they want to know. */
function informed(route: Route, facts: () => ConditionFacts): Route {
  const { strategy, members } = route
  return {
    ...route,
    strategy: strategy.about?.(facts) ?? strategy,
    ...(members && {
      members: members.map((member) =>
        'route' in member && asksAbout(member.route) ? { ...member, route: informed(member.route, facts) } : member,
      ),
    }),
  }
}

function conditionFacts({ inquiry, wishes, steering, exchange }: Ask, needs: Needs, estimates: Estimates): ConditionFacts {
  const body = inquiry.json['metadata']
  const metadata = {
    ...(typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as JsonObject) : {}),
    ...wishes.metadata,
  }
  const tags = [...(Array.isArray(wishes.metadata?.['tags']) ? wishes.metadata['tags'].map(String) : []), ...(steering?.tags ?? [])]
  return {
    request: {
      model: inquiry.model,
      dialect: inquiry.wire,
      stream: inquiry.streamed,
      tokens: estimates.inputTokens(),
      maxTokens: needs.output ?? 0,
      tools: needs.features.has('tools'),
      schema: needs.wishes.has('json_schema') || needs.wishes.has('json_schema_with_tools'),
      reasoning: needs.wishes.has('reasoning'),
      images: needs.features.has('image'),
      region: wishes.region ?? '',
    },
    key: exchange.key ?? {},
    metadata,
    labels: exchange.labels ?? {},
    tags,
  }
}

const LISTED = 20

function noneLeft(route: Route, verdicts: ReadonlyMap<Candidate, Verdict>): GatewayError {
  const reasons = [...new Set([...verdicts].map(([candidate, { removed }]) => `${nameOf(candidate)}: ${removed}`))]
  const told = reasons.slice(0, LISTED).join('; ')
  const more = reasons.length > LISTED ? `; and ${reasons.length - LISTED} more` : ''
  const whose = route.name === 'direct' ? 'The target cannot' : `No target of \`${route.name.slice(0, 200)}\` can`
  return new GatewayError('no-eligible-target', `${whose} serve this request. ${told}${more}.`, { shouldRetry: false })
}

interface Why {
  readonly ordered: Plan
  readonly plan: Plan
  readonly preferences: readonly Preference[]
  readonly steering: Steering | undefined
  /** The preferences are the route's, not the caller's. */
  readonly byRoute: boolean
}

function reasonOf({ ordered, plan, preferences, steering, byRoute }: Why): string {
  if (plan.candidates[0] === ordered.candidates[0]) return ordered.why ?? 'first-choice'
  if (steering?.order) return 'provider.order'
  if (steering?.sort) return `sorted by ${steering.sort}`
  if (preferences.length > 0) return byRoute ? 'preferences of the route' : 'x-signalbox-prefer'
  return 'others lack what is asked for'
}
