import { byScore } from '../scores.ts'
import type { RoutingStrategy } from '../strategy.ts'

/**
 * Shortest time to the first token (plain answers: to the whole) for inputs of this size. Those that nobody has measured
 * yet come first, so that they are.
 */
export const leastLatency: RoutingStrategy = {
  name: 'least-latency',
  spreads: true,
  needsLoad: true,
  order: (candidates, view) =>
    byScore(candidates, (candidate) => {
      const health = view.health(candidate)
      if (!health) return 0
      const latency = health.latencyMs(view.asked.inputTokens, view.asked.streamed, view.now)
      // One call is enough to find out.
      if (latency === undefined) return health.inFlight === 0 ? 0 : 60_000 * health.inFlight
      return latency / health.share(view.now)
    }),
}
