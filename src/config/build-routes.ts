/** The routes of a configuration: their candidates with conditions and tiers, nested groups, pools, and what stands behind them. */
import type { Catalog } from '../catalog/catalog.ts'
import { GatewayError } from '../core/error.ts'
import { isObject } from '../core/json.ts'
import type { Candidate, ConditionFacts } from '../core/target.ts'
import { ranked } from '../routing/pools.ts'
import type { Group, Route } from '../routing/routes.ts'
import { strategies } from '../routing/strategies/index.ts'
import { priority } from '../routing/strategies/priority.ts'
import { scored } from '../routing/strategies/score.ts'
import type { RoutingStrategy } from '../routing/strategy.ts'
import { behind, type Tiers, tierOf } from '../routing/tiers.ts'
import { compileCondition } from './conditions.ts'
import type { Config, GroupConfig, PoolConfig, RouteConfig, RouteSettings, TargetConfig } from './config.ts'
import { poolTargets } from './pool-targets.ts'
import type { ScoreConfig } from './schema-routing.ts'
import { compileScore } from './scores.ts'

export type MakeCandidate = (target: TargetConfig, settings: RouteSettings, strategy: RoutingStrategy) => Candidate

export interface RouteParts {
  readonly config: Config
  readonly catalog: Catalog
  readonly candidate: MakeCandidate
}

/** Tiers are routes too, under names that no route has. */
export function buildRoutes(parts: RouteParts): ReadonlyMap<string, Route> {
  const tiers = tiersOf(parts.config)
  const routes = new Map<string, Route>()
  for (const [name, route] of parts.config.models) routes.set(name, routeOf(name, route, tiers, parts))
  for (const [name, tier] of tiers) if (!routes.has(name)) routes.set(name, tierRoute(name, tier.models, tiers, parts))
  return routes
}

export function tiersOf({ later: { tiers } }: Config): Tiers {
  if (!isObject(tiers)) return new Map()
  return new Map(
    Object.entries(tiers).flatMap(([name, tier]) => {
      if (!isObject(tier)) return []
      const models = Array.isArray(tier['models']) ? tier['models'].filter((model) => typeof model === 'string') : []
      return [[name, { models, next: typeof tier['next'] === 'string' ? tier['next'] : undefined }] as const]
    }),
  )
}

function routeOf(name: string, route: RouteConfig, tiers: Tiers, parts: RouteParts): Route {
  const tier = tierOf(tiers, name)
  const own = groupOf(name, route, tier, undefined, parts)
  const fallback = [...fallbackOf(name, route, tiers, parts)]
  const seen = new Set([name])
  for (const next of tier === undefined ? [] : behind(tiers, tier)) {
    if (seen.has(next.route)) continue
    seen.add(next.route)
    fallback.push(...ownOf(next.route, next.tier, parts))
  }
  return { ...own, fallback, ...(route.constraints && { constraints: route.constraints }) }
}

/** A tier asked for by name: its routes in order, each with its own strategy. */
function tierRoute(name: string, models: readonly string[], tiers: Tiers, parts: RouteParts): Route {
  const members = models.flatMap((model): Group[] => {
    const route = parts.config.models.get(model)
    return route ? [{ route: groupOf(model, route, name, route.constraints, parts), weight: 1 }] : []
  })
  const candidates = members.flatMap(({ route }) => route.candidates)
  const fallback = behind(tiers, name).flatMap((next) => ownOf(next.route, next.tier, parts))
  return { name, strategy: priority, candidates, members, fallback, totalMs: totalOf(candidates), turns: { count: 0 } }
}

/** The candidates of the routes behind this one, and of those behind them. */
function* fallbackOf(name: string, { fallback }: RouteConfig, tiers: Tiers, parts: RouteParts): Iterable<Candidate> {
  const seen = new Set([name])
  const pending = [...fallback]
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    const route = parts.config.models.get(next)
    if (!route || seen.has(next)) continue
    seen.add(next)
    yield* ownOf(next, tierOf(tiers, next), parts)
    pending.unshift(...route.fallback)
  }
}

function ownOf(name: string, tier: string | undefined, parts: RouteParts): readonly Candidate[] {
  const route = parts.config.models.get(name)
  // Behind another route they come as they are written, and keep to the constraints of their own.
  return route ? groupOf(name, route, tier, route.constraints, parts).candidates : []
}

/** `constraints` are put on the candidates themselves, where another route than this one is asked for. */
function groupOf(
  name: string,
  route: RouteConfig,
  tier: string | undefined,
  constraints: RouteConfig['constraints'],
  parts: RouteParts,
  outer?: (facts: ConditionFacts) => boolean,
): Route {
  const strategy = strategyOf(route)
  const targets: readonly (TargetConfig | GroupConfig)[] =
    route.members ??
    (route.targets.length > 0 || !route.pool ? route.targets : poolTargets(presetsOf(parts.config), parts.catalog, route.pool))
  const members = targets.map((target): Candidate | Group => {
    const when = both(outer, target.when === undefined ? undefined : conditionOf(target.when))
    if (!('route' in target)) {
      const candidate = parts.candidate(target, route, strategy)
      return { ...candidate, ...(tier !== undefined && { tier }), ...(when && { when }), ...(constraints && { constraints }) }
    }
    const inner = parts.config.models.get(target.route)
    if (!inner) throw new GatewayError('internal', `There is no route ${target.route}.`)
    return { route: groupOf(target.route, inner, tier, inner.constraints ?? constraints, parts, when), weight: target.weight }
  })
  const candidates = members.flatMap((member) => ('route' in member ? member.route.candidates : [member]))
  return {
    name,
    strategy,
    candidates,
    fallback: [],
    totalMs: totalOf(candidates),
    turns: { count: 0 },
    ...(route.members && { members }),
    ...(route.prefer && { prefer: route.prefer }),
    ...(route.hedge && { hedge: true }),
    ...(route.priority !== 'interactive' && { priority: route.priority }),
    ...(route.onBreak !== 'error' && { onBreak: route.onBreak }),
  }
}

const presetsOf = ({ providers }: Config): (readonly [string, string])[] => [...providers].map(([id, { preset }]) => [id, preset])

function strategyOf({
  strategy,
  pool,
}: {
  readonly strategy: RouteConfig['strategy'] | ScoreConfig
  readonly pool?: PoolConfig
}): RoutingStrategy {
  if (typeof strategy === 'object') return 'score' in strategy ? scoreOf(strategy) : strategy
  return pool && strategy === 'priority' ? ranked : (strategies[strategy] ?? priority)
}

/** The cross-check has compiled it before. */
function scoreOf({ score: text, spreads }: ScoreConfig): RoutingStrategy {
  const compiled = compileScore(text)
  if ('score' in compiled) return scored(compiled.score, { spreads })
  throw new GatewayError('internal', `The score \`${text}\` cannot be used: ${compiled.problem}.`)
}

/** The cross-check has compiled it before. */
function conditionOf(text: string): (facts: ConditionFacts) => boolean {
  const compiled = compileCondition(text)
  if ('condition' in compiled) return compiled.condition
  throw new GatewayError('internal', `The condition \`${text}\` cannot be used: ${compiled.problem}.`)
}

type When = ((facts: ConditionFacts) => boolean) | undefined
const both = (one: When, other: When): When => (one && other ? (facts) => one(facts) && other(facts) : (one ?? other))

const totalOf = (candidates: readonly Candidate[]): number => Math.max(1, ...candidates.map(({ timeouts }) => timeouts.totalMs))
