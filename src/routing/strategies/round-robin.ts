import type { RoutingStrategy } from '../strategy.ts'

/** One after the other. */
export const roundRobin: RoutingStrategy = {
  name: 'round-robin',
  spreads: true,
  order(candidates, view) {
    const from = view.turn() % Math.max(1, candidates.length)
    return from === 0 ? candidates : [...candidates.slice(from), ...candidates.slice(0, from)]
  },
}
