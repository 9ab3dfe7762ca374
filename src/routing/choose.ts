/**
 * Which candidates a call may go to, and in which order: what cannot serve it is left out with a reason, the route's
 * strategy orders the rest, and wishes of the caller move them. Where there is nothing to decide, nothing is looked at.
 */
import type { Decision, Judged } from '../core/decision.ts'
import { GatewayError } from '../core/error.ts'
import type { Exchange } from '../core/exchange.ts'
import type { HealthView, Plan } from '../core/health.ts'
import type { Inquiry, SteeredMembers } from '../core/inquiry.ts'
import { compact, type JsonObject } from '../core/json.ts'
import type { Drop } from '../core/notes.ts'
import type { Preference } from '../core/preferences.ts'
import { parsePreferences } from '../core/preferences.ts'
import type { Steering } from '../core/steering.ts'
import { type Candidate, type ConditionFacts, wireFor } from '../core/target.ts'
import { rulesOf } from './constraints/rules.ts'
import { expectedCost, type RateCard, type RatesOf } from './expected-cost.ts'
import { createJudge, type Verdict } from './judge.ts'
import { type Needs, needsOf, noNeeds } from './needs/needs.ts'
import { contextOf, profileOf } from './profile.ts'
import { rank, scoresOf } from './rank.ts'
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
  if (plan.candidates.length > 1) exchange.decision = plainDecision(route, plan)
  return { route, plan }
}

function deliberates(route: Route, { wishes }: Ask): boolean {
  return (
    profileOf(route).decides ||
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
  const estimates = createEstimates(ask, needs)
  const judge = createJudge({
    route,
    rules: rulesOf(route, wishes, steering),
    // One target is not chosen: what it cannot do, its provider says.
    needs: profile.choice ? needs : noNeeds,
    estimates,
    facts: () => conditionFacts(ask, needs, estimates.inputTokens),
    now: exchange.at,
    losses: steering?.requireParameters && facts.losses ? (candidate) => facts.losses?.(inquiry, candidate) ?? [] : undefined,
  })
  const verdicts = new Map<Candidate, Verdict>()
  for (const candidate of [...route.candidates, ...route.fallback]) verdicts.set(candidate, judge(candidate))
  const kept = eligible(route, verdicts)
  const preferences = wishes.prefer === undefined ? (route.prefer ?? []) : parsePreferences(wishes.prefer)
  if (kept.candidates.length + kept.fallback.length === 0) throw noneLeft(route, ask, verdicts, needs, estimates, steered?.notes)
  const own = ask.order(kept)
  const lost = kept.candidates.length === 0 && route.candidates.length > 0
  const ordered = lost ? { ...own, why: 'fallback route' } : own
  const scores = preferences.length === 0 ? undefined : scoresOf(kept.candidates, preferences, estimates)
  const plan = rank({ plan: ordered, route: kept, verdicts, scores, steering, estimates })
  const reason = reasonOf({ ordered, plan, preferences, steering, verdicts, byRoute: wishes.prefer === undefined })
  const known = explain ? (candidate: Candidate) => knownOf(candidate, estimates) : undefined
  const decision = decisionOf(route, plan.candidates, { verdicts, needs, estimates, scores, notes: steered?.notes, reason, known })
  exchange.decision = decision
  return { route: kept, plan, decision }
}

/** The route without the candidates that are not to be tried. The same object where all of them are. */
function eligible(route: Route, verdicts: ReadonlyMap<Candidate, Verdict>): Route {
  const keep = (candidate: Candidate): boolean => verdicts.get(candidate)?.removed === undefined
  if ([...verdicts.values()].every(({ removed }) => removed === undefined)) return route
  return { ...route, candidates: route.candidates.filter(keep), fallback: route.fallback.filter(keep) }
}

export interface RoutingEstimates {
  /** Of the whole request, with its system prompt, tools and history. */
  inputTokens(): number
  /** Whether the count was needed, and so is known. */
  readonly counted: () => number | undefined
  rates(candidate: Candidate): RateCard | undefined
  /** USD that it will probably cost. */
  cost(candidate: Candidate): number | undefined
  /** USD that it costs when the answer is as long as the caller allows. */
  mostCost(candidate: Candidate): number | undefined
  latencyMs(candidate: Candidate): number | undefined
  tokensPerSecond(candidate: Candidate): number | undefined
  errors(candidate: Candidate): number | undefined
  roundTripMs(candidate: Candidate): number | undefined
}

/** The most tokens of an answer that are reckoned with where the caller sets no limit. */
const USUAL_OUTPUT = 1_000

function createEstimates({ inquiry, exchange, facts }: Ask, needs: Needs): RoutingEstimates {
  let tokens: number | undefined
  const inputTokens = (): number => {
    tokens ??= facts.estimateTokens(inquiry.json)
    return tokens
  }
  const healthOf = (candidate: Candidate) => facts.health?.of(candidate, wireFor(candidate, inquiry.wire))
  return {
    inputTokens,
    counted: () => tokens,
    rates: (candidate) => facts.ratesOf(candidate, 0, exchange.at),
    cost(candidate) {
      const rates = facts.ratesOf(candidate, inputTokens(), exchange.at)
      const asked = {
        wire: inquiry.wire,
        streamed: inquiry.streamed,
        inputTokens: inputTokens(),
        maxOutput: needs.output,
        session: undefined,
      }
      return rates && expectedCost(rates, asked, healthOf(candidate))
    },
    mostCost(candidate) {
      const { input, output } = facts.ratesOf(candidate, inputTokens(), exchange.at) ?? {}
      if (input === undefined || output === undefined) return undefined
      const limit = candidate.on(wireFor(candidate, inquiry.wire)).capabilities.maxOutput ?? Number.POSITIVE_INFINITY
      const tokens = needs.output ?? Math.max(USUAL_OUTPUT, 2 * (healthOf(candidate)?.meanOutput ?? 0))
      return (inputTokens() * input + Math.min(tokens, limit) * output) / 1e6
    },
    latencyMs: (candidate) => healthOf(candidate)?.latencyMs(inputTokens(), inquiry.streamed, exchange.at),
    tokensPerSecond: (candidate) => healthOf(candidate)?.tokensPerSecond,
    errors: (candidate) => healthOf(candidate)?.errors(exchange.at),
    roundTripMs: (candidate) => facts.roundTripMs?.(candidate),
  }
}

function conditionFacts({ inquiry, wishes, steering, exchange }: Ask, needs: Needs, inputTokens: () => number): ConditionFacts {
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
      tokens: inputTokens(),
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

const nameOf = ({ provider, model }: Candidate): string => `${provider}/${model}`
const LISTED = 20

function noneLeft(
  route: Route,
  { exchange }: Ask,
  verdicts: ReadonlyMap<Candidate, Verdict>,
  needs: Needs,
  estimates: RoutingEstimates,
  notes: readonly string[] = [],
): GatewayError {
  const reason = 'no target can serve this request'
  exchange.decision = decisionOf(route, [], { verdicts, needs, estimates, notes, reason })
  const reasons = [...new Set([...verdicts].map(([candidate, { removed }]) => `${nameOf(candidate)}: ${removed}`))]
  const told = reasons.slice(0, LISTED).join('; ')
  const more = reasons.length > LISTED ? `; and ${reasons.length - LISTED} more` : ''
  const whose = route.name === 'direct' ? 'The target cannot' : `No target of \`${route.name.slice(0, 200)}\` can`
  return new GatewayError('no-eligible-target', `${whose} serve this request. ${told}${more}.`, { shouldRetry: false })
}

interface Grounds {
  readonly verdicts: ReadonlyMap<Candidate, Verdict>
  readonly needs: Needs
  readonly estimates: RoutingEstimates
  readonly scores?: ReadonlyMap<Candidate, Readonly<Record<string, number>>>
  readonly notes?: readonly string[]
  readonly reason: string
  readonly known?: ((candidate: Candidate) => Readonly<Record<string, number>>) | undefined
}

/** Where nothing was to be judged: the strategy's word alone. */
const plainDecision = (route: Route, { candidates, why }: Plan): Decision => ({
  route: route.name,
  strategy: route.strategy.name,
  needs: { features: [], wishes: [] },
  candidates: profileOf(route).plain,
  order: candidates.map(nameOf),
  reason: why ?? 'first-choice',
  notes: [],
})

/** What explain tells of a candidate, as far as it is known. */
function knownOf(candidate: Candidate, estimates: RoutingEstimates): Readonly<Record<string, number>> {
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

function decisionOf(
  route: Route,
  order: readonly Candidate[],
  { verdicts, needs, estimates, scores, notes = [], reason, known }: Grounds,
): Decision {
  const own = new Set(route.candidates)
  const tokens = estimates.counted()
  return {
    route: route.name,
    strategy: route.strategy.name,
    needs: {
      features: [...needs.features],
      wishes: [...needs.wishes],
      ...(tokens !== undefined && { inputTokens: tokens }),
      ...(needs.output !== undefined && { outputTokens: needs.output }),
    },
    candidates: [...verdicts].map(([candidate, { removed, lacking, warning }]): Judged => {
      const score = scores?.get(candidate)
      return {
        provider: candidate.provider,
        model: candidate.model,
        ...(candidate.tier !== undefined && { tier: candidate.tier }),
        place: own.has(candidate) ? 'route' : 'fallback',
        ...(removed !== undefined && { removed }),
        ...(lacking.length > 0 && { lacks: lacking }),
        ...(score && { scores: score }),
        ...(warning !== undefined && { warning }),
        ...(known && { known: known(candidate) }),
      }
    }),
    order: order.map(nameOf),
    reason,
    notes,
  }
}

interface Why {
  readonly ordered: Plan
  readonly plan: Plan
  readonly preferences: readonly Preference[]
  readonly steering: Steering | undefined
  readonly verdicts: ReadonlyMap<Candidate, Verdict>
  /** The preferences are the route's, not the caller's. */
  readonly byRoute: boolean
}

function reasonOf({ ordered, plan, preferences, steering, verdicts, byRoute }: Why): string {
  const removed = [...verdicts.values()].filter((verdict) => verdict.removed !== undefined).length
  const words: string[] = []
  if (plan.candidates[0] === ordered.candidates[0]) words.push(ordered.why ?? 'first-choice')
  else if (steering?.order) words.push('provider.order')
  else if (steering?.sort) words.push(`sorted by ${steering.sort}`)
  else if (preferences.length > 0) words.push(byRoute ? 'preferences of the route' : 'x-signalbox-prefer')
  else words.push('others lack what is asked for')
  if (removed > 0) words.push(`${removed} of ${verdicts.size} left out`)
  return words.join('; ')
}
