/** The strategies that ship. */
import type { RoutingStrategy } from '../strategy.ts'
import { priority } from './priority.ts'

export const strategies: Readonly<Record<string, RoutingStrategy>> = { priority }
