import type { RoutingStrategy } from '../strategy.ts'

/** As the operator wrote them: the first one that works. */
export const priority: RoutingStrategy = { name: 'priority', order: (candidates) => candidates }
