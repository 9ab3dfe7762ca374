/** The strategies that ship. */
import type { RoutingStrategy } from '../strategy.ts'
import { adaptive } from './adaptive.ts'
import { cheapest } from './cheapest.ts'
import { leastBusy } from './least-busy.ts'
import { leastLatency } from './least-latency.ts'
import { priority } from './priority.ts'
import { roundRobin } from './round-robin.ts'
import { sticky } from './sticky.ts'
import { weighted } from './weighted.ts'

export const strategies: Readonly<Record<string, RoutingStrategy>> = Object.fromEntries(
  [priority, weighted, roundRobin, leastLatency, cheapest, leastBusy, adaptive, sticky].map((strategy) => [strategy.name, strategy]),
)
