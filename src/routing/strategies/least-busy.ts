import { byScore } from '../scores.ts'
import type { RoutingStrategy } from '../strategy.ts'

/** Fewest calls on their way, in proportion to the weights; by chance among equals. */
export const leastBusy: RoutingStrategy = {
  name: 'least-busy',
  spreads: true,
  needsLoad: true,
  order: (candidates, view) =>
    byScore(candidates, (candidate) => {
      const health = view.health(candidate)
      const weight = candidate.weight * (health?.share(view.now) ?? 1)
      return weight > 0 ? ((health?.inFlight ?? 0) + view.random()) / weight : Number.POSITIVE_INFINITY
    }),
}
