/** The candidates for one call, best first, with those of the fallback routes behind them. */
import type { Exchange } from '../core/exchange.ts'
import type { Candidate } from '../core/target.ts'
import type { Route } from './routes.ts'

export function orderOf({ strategy, candidates, fallback }: Route, { at }: Exchange): readonly Candidate[] {
  const first = candidates.length > 1 ? strategy.order(candidates, { now: at }) : candidates
  return fallback.length === 0 ? first : [...first, ...fallback]
}
