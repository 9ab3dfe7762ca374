/** What is kept and told of one call: everything that was decided, nothing of the content. */
import { dollarsOf } from '../core/money.ts'
import type { Outcome } from './outcome.ts'

const rounded = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : Math.round(ms * 100) / 100)

/** JSON. Money is a decimal string in USD, times are milliseconds. */
export function decisionRecord(outcome: Outcome): object {
  const { at, cost, costEstimated, tenant, ...rest } = outcome
  return {
    at: new Date(at).toISOString(),
    ...rest,
    ...tenant,
    cost: cost === undefined ? undefined : dollarsOf(cost),
    costEstimated: costEstimated || undefined,
    ...courseOf(outcome),
  }
}

/** How it went there: the part of the record that an entry of the ledger, which has columns for the rest, keeps as JSON. */
export function courseOf({ reason, fell, decision, attempts, dropped, finish, wire, upstreamModel, error, latency }: Outcome): object {
  return {
    reason,
    fell,
    decision,
    attempts: attempts.map(({ startedMs, endedMs, ...attempt }) => ({
      ...attempt,
      startedMs: rounded(startedMs),
      endedMs: rounded(endedMs),
    })),
    dropped: dropped.length > 0 ? dropped.map(({ path, reason }) => `${path};${reason}`) : undefined,
    finish,
    wire,
    upstreamModel,
    error,
    latency: { total: rounded(latency.total), first: rounded(latency.first), overhead: rounded(latency.overhead) },
  }
}
