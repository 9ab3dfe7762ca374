/** The sets of constraints that hold for one call, each with the words for who set it. */

import type { Constraints } from '../../core/constraints.ts'
import { parseRequirements } from '../../core/requirements.ts'
import type { Steering } from '../../core/steering.ts'
import type { RoutingWishes } from '../choose.ts'
import type { Route } from '../routes.ts'

/** A set of constraints with the words for who set it. */
export interface Rule {
  readonly source: string
  readonly constraints: Constraints
}

const NANOS_PER_DOLLAR = 1e9

export function rulesOf(route: Route, wishes: RoutingWishes, steering: Steering | undefined, key?: Constraints): readonly Rule[] {
  const rules: Rule[] = []
  const add = (source: string, constraints: Constraints): unknown => rules.push({ source, constraints })
  if (route.constraints) add('constraints of the route', route.constraints)
  if (key) add('constraints of the key', key)
  if (wishes.require !== undefined) add('x-signalbox-require', { require: parseRequirements(wishes.require) })
  if (wishes.region !== undefined) add('x-signalbox-region', { region: wishes.region.split(/[,|]/).map((region) => region.trim()) })
  if (wishes.maxCost !== undefined) add('x-signalbox-max-cost', { maxCost: Number(wishes.maxCost) / NANOS_PER_DOLLAR })
  if (wishes.maxLatencyMs !== undefined) add('x-signalbox-max-latency', { maxLatencyMs: wishes.maxLatencyMs })
  const asked = steering && steeredConstraints(steering)
  if (asked) add('provider', asked)
  return rules
}

/** OpenRouter's `provider` object. */
function steeredConstraints({ only, ignore, order, allowFallbacks, maxPrice, retention }: Steering): Constraints | undefined {
  const allow = allowFallbacks === false && order ? (only ? order.filter((name) => only.includes(name)) : order) : only
  if (!allow && !ignore && !maxPrice && !retention) return undefined
  return { ...(allow && { allow }), ...(ignore && { deny: ignore }), ...(maxPrice && { maxPrice }), ...(retention && { retention }) }
}
