import { byScore } from '../scores.ts'
import type { RoutingStrategy } from '../strategy.ts'

/** By chance, in proportion to the weights. What comes behind the first one is drawn the same way. Weight 0: last. */
export const weighted: RoutingStrategy = {
  name: 'weighted',
  spreads: true,
  // A race of exponential waiting times: the shortest is drawn first, with the chance that its weight gives it.
  order: (candidates, view) =>
    byScore(candidates, (candidate) => {
      const weight = candidate.weight * (view.health(candidate)?.share(view.now) ?? 1)
      return weight > 0 ? -Math.log(1 - view.random()) / weight : Number.POSITIVE_INFINITY
    }),
}
