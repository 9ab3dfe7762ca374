/**
 * The plan of one call: the route's targets that may be called now, as its strategy orders them, those of the fallback
 * routes behind them, and last the ones that rest.
 */
import type { HealthView, Plan, Standing, TargetHealth } from '../core/health.ts'
import { type Candidate, wireFor } from '../core/target.ts'
import type { Asked } from './asked.ts'
import { expectedCost, type RatesOf } from './expected-cost.ts'
import type { Route } from './routes.ts'
import type { RoutingStrategy, RoutingView } from './strategy.ts'

export interface World {
  readonly health?: HealthView | undefined
  readonly ratesOf?: RatesOf | undefined
  now(): number
  random(): number
}

export type Choosing = Pick<Route, 'strategy' | 'candidates' | 'fallback' | 'turns'>

export function planOf({ strategy, candidates, fallback, turns }: Choosing, asked: Asked, world: World): Plan {
  if (candidates.length === 1 && fallback.length === 0 && isReady(candidates[0], asked, world)) return planned(candidates, [], undefined)
  const view = new View(asked, world, turns)
  const own = arranged(candidates, strategy, view)
  if (fallback.length === 0) return planned(own.ready, own.resting, own.why)
  const behind = arranged(fallback, inOrder, view)
  const resting = view.leastRecentlyFailed([...own.resting, ...behind.resting])
  const why = own.ready.length === 0 && behind.ready.length > 0 ? 'fallback route, since every target of the first rests' : own.why
  return planned([...own.ready, ...behind.ready], resting, why)
}

/** The short way of the most frequent route: one target, and it is well. */
const isReady = (only: Candidate | undefined, { wire }: Asked, { health, now }: World): boolean =>
  only !== undefined && (health?.of(only, wireFor(only, wire))?.standing(now()) ?? 'ready') === 'ready'

/** Targets of fallback routes come as they are written. */
const inOrder: RoutingStrategy = { name: 'priority', order: (candidates) => candidates }

const planned = (ready: readonly Candidate[], resting: readonly Candidate[], why: string | undefined): Plan => ({
  candidates: resting.length === 0 ? ready : [...ready, ...resting],
  ready: ready.length,
  why,
})

interface Arranged {
  readonly ready: readonly Candidate[]
  /** Those to try first when nothing else is left, first. */
  readonly resting: readonly Candidate[]
  readonly why?: string | undefined
}

/** Splits off what rests, then asks the strategy. */
function arranged(candidates: readonly Candidate[], strategy: RoutingStrategy, view: View): Arranged {
  if (candidates.every((candidate) => view.sound(candidate)))
    return { ready: candidates.length > 1 ? strategy.order(candidates, view) : candidates, resting: [] }

  const of = (standing: Standing): readonly Candidate[] => candidates.filter((candidate) => view.standing(candidate) === standing)
  const { kept, ejected } = withinCap(of('outlier'), of('resting').length, candidates.length, view)
  const resting = [...of('resting'), ...ejected]
  // Where all get calls, the first that may be probed gets this one; else a probe waits until its place comes.
  const probe = strategy.spreads ? of('probe')[0] : undefined
  const out = new Set([...resting, probe])
  const usable = candidates.filter((candidate) => !out.has(candidate))
  const ordered = usable.length > 1 ? strategy.order(usable, view) : usable
  const eased = strategy.spreads ? ordered : easedIn(ordered, view)
  const ready = probe ? [probe, ...eased] : eased
  return { ready, resting: view.leastRecentlyFailed(resting), why: whyFirst(ready[0], { probe, kept, view }) }
}

function whyFirst(
  first: Candidate | undefined,
  { probe, kept, view }: { probe: Candidate | undefined; kept: readonly Candidate[]; view: View },
): string | undefined {
  if (!first) return undefined
  if (first === probe || view.standing(first) === 'probe') return 'probe'
  return kept.includes(first) ? 'too many targets fail to leave it out' : undefined
}

/**
 * A low rate of success alone may take out half of a group at most: beyond that, those that fail least stay in use, since
 * the fault then lies elsewhere or the rest could not carry the load.
 */
function withinCap(outliers: readonly Candidate[], resting: number, all: number, view: View): { kept: Candidate[]; ejected: Candidate[] } {
  const room = Math.max(0, Math.floor(all / 2) - resting)
  if (outliers.length <= room) return { kept: [], ejected: [...outliers] }
  const worstFirst = outliers.toSorted((a, b) => view.errors(b) - view.errors(a))
  return { kept: worstFirst.slice(room), ejected: worstFirst.slice(0, room) }
}

/** Where the first target would get every call, one that has just recovered gets its share, and the next one the others. */
function easedIn(ready: readonly Candidate[], view: View): readonly Candidate[] {
  const later = ready.filter((candidate) => {
    const share = view.health(candidate)?.share(view.now) ?? 1
    return share < 1 && view.random() >= share
  })
  return later.length === 0 ? ready : [...ready.filter((candidate) => !later.includes(candidate)), ...later]
}

class View implements RoutingView {
  readonly now: number
  readonly asked: Asked
  readonly #world: World
  readonly #turns: { count: number } | undefined

  constructor(asked: Asked, world: World, turns: { count: number } | undefined) {
    this.now = world.now()
    this.asked = asked
    this.#world = world
    this.#turns = turns
  }

  random(): number {
    return this.#world.random()
  }
  turn(): number {
    return this.#turns ? this.#turns.count++ : 0
  }
  health(candidate: Candidate): TargetHealth | undefined {
    return this.#world.health?.of(candidate, wireFor(candidate, this.asked.wire))
  }
  cost(candidate: Candidate): number | undefined {
    const rates = this.#world.ratesOf?.(candidate, this.asked.inputTokens, this.now)
    return rates && expectedCost(rates, this.asked, this.health(candidate))
  }

  standing(candidate: Candidate): Standing {
    return this.health(candidate)?.standing(this.now) ?? 'ready'
  }
  /** It may be called, and is not being eased in. */
  sound(candidate: Candidate): boolean {
    const health = this.health(candidate)
    return health === undefined || (health.standing(this.now) === 'ready' && health.share(this.now) === 1)
  }
  errors(candidate: Candidate): number {
    return this.health(candidate)?.errors(this.now) ?? 0
  }
  /** Who waits for a rate limit goes by when it is free; the others by how long ago they failed. */
  leastRecentlyFailed(resting: readonly Candidate[]): readonly Candidate[] {
    const limited = (candidate: Candidate): number | undefined => this.health(candidate)?.limitedMs(this.now)
    if (resting.length < 2) return resting
    return resting.toSorted((a, b) => {
      const [one, other] = [limited(a), limited(b)]
      if (one !== undefined && other !== undefined) return one - other
      if (one !== undefined || other !== undefined) return one === undefined ? -1 : 1
      return (this.health(a)?.lastFailedAt ?? 0) - (this.health(b)?.lastFailedAt ?? 0)
    })
  }
}
