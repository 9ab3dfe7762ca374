import { byScore } from '../scores.ts'
import type { RoutingStrategy } from '../strategy.ts'

/** Lowest expected cost of this very call: its input, the output to expect, the share that a cache serves. Unknown prices last. */
export const cheapest: RoutingStrategy = {
  name: 'cheapest',
  order: (candidates, view) => byScore(candidates, (candidate) => view.cost(candidate) ?? Number.POSITIVE_INFINITY),
}
