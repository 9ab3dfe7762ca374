/** What a fault says of the target that it came from. */
import type { FaultId, GatewayError } from '../../core/error.ts'

/**
 * `hard`: the target fails. `limited`: this key is over its limit for this model. `refused`: this key is not accepted.
 * `unpaid`: its account has no money left. `none`: the fault says nothing of the target.
 */
export type Verdict = 'hard' | 'limited' | 'refused' | 'unpaid' | 'none'

const HARD: ReadonlySet<FaultId> = new Set([
  'upstream-failed',
  'upstream-unreachable',
  'upstream-invalid',
  'upstream-overloaded',
  'upstream-timeout',
  // A model that is not there will not be there for the next call either.
  'upstream-not-found',
])

export function verdictOf({ id }: GatewayError, status?: number): Verdict {
  if (HARD.has(id)) return 'hard'
  if (id === 'upstream-rate-limited') return 'limited'
  if (id === 'upstream-credential') return status === 402 ? 'unpaid' : 'refused'
  return 'none'
}
