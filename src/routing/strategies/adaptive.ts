import type { Candidate } from '../../core/target.ts'
import { sortedBy } from '../scores.ts'
import type { RoutingStrategy, RoutingView } from '../strategy.ts'

/** How much worse than the best a target may look and still be drawn: the spread that keeps a herd apart. */
const PEERS = 1.3
/** Latency of a target that nobody has called yet: quick enough to be tried soon. */
const UNKNOWN_MS = 200
/** A share of failures weighs this often: a tenth of failures doubles the score. */
const FAULT_WEIGHT = 10
/** Below this headroom a target is spared. */
const SCARCE = 0.2

/**
 * Peak latency × calls on their way × cost × failures, divided by headroom; of two drawn among those close to the best,
 * the better one. Drawing keeps calls that decide at the same moment from all choosing the same target.
 */
export const adaptive: RoutingStrategy = {
  name: 'adaptive',
  spreads: true,
  needsLoad: true,
  order(candidates, view) {
    const costs = candidates.map((candidate) => view.cost(candidate))
    const [least, most] = rangeOf(costs)
    const scores = candidates.map((candidate, index) => scoreOf(candidate, relative(costs[index], least, most), view))
    const sorted = sortedBy(candidates, scores)
    let peers = 1
    const limit = (scores[0] ?? 0) * PEERS
    while (peers < scores.length && (scores[peers] ?? 0) <= limit) peers++
    if (peers === 1) return sorted
    // Scores are sorted: of two draws the lower place is the better one.
    const drawn = Math.min(Math.floor(view.random() * peers), Math.floor(view.random() * peers))
    if (drawn === 0) return sorted
    const chosen = sorted[drawn] as Candidate
    return [chosen, ...sorted.filter((candidate) => candidate !== chosen)]
  },
}

function rangeOf(costs: readonly (number | undefined)[]): [number, number] {
  let least = Number.POSITIVE_INFINITY
  let most = 0
  for (const cost of costs) {
    if (cost === undefined) continue
    if (cost < least) least = cost
    if (cost > most) most = cost
  }
  return [least, most]
}

/** Compared with the cheapest. What nobody knows the price of counts as dearer than the dearest. */
function relative(cost: number | undefined, least: number, most: number): number {
  if (most === 0) return 1
  // A free target is not infinitely better than a cheap one.
  const floor = Math.max(least, most / 100)
  return Math.max(cost ?? most * 1.5, floor) / floor
}

function scoreOf(candidate: Candidate, cost: number, view: RoutingView): number {
  const health = view.health(candidate)
  if (!health) return UNKNOWN_MS * cost
  const { now, asked } = view
  const latency = health.latencyMs(asked.inputTokens, asked.streamed, now) ?? UNKNOWN_MS
  const faults = 1 + FAULT_WEIGHT * health.errors(now)
  const room = Math.min(1, health.headroom(now) / SCARCE + 0.02)
  return (latency * (health.inFlight + 1) * cost * faults) / (room * health.share(now))
}
