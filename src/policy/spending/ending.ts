/** How a call ended, as its outcome tells, and what it used: for counters and the ledger. */
import type { Usage } from '../../core/event.ts'
import { type Exchange, sentAttempts } from '../../core/exchange.ts'
import type { Nanos } from '../../core/money.ts'
import type { SpendingCall } from '../../core/policy.ts'
import { type Costs, estimatedCost, type Policy } from './costs.ts'

/** What is read of `Exchange.settled`: the outcome of accounting. */
export interface Ended {
  readonly provider?: string | undefined
  readonly model?: string | undefined
  readonly status: number
  readonly error?: { readonly code: string; readonly message: string } | undefined
  readonly usage?: Usage | undefined
  readonly cost?: Nanos | undefined
  readonly costEstimated?: boolean
  readonly latency?: { readonly total: number; readonly first?: number | undefined }
}

export interface Used {
  readonly usage: Usage | undefined
  /** Undefined: nobody knows the price, and the policy lets that pass. */
  readonly cost: Nanos | undefined
  readonly estimated: boolean
  readonly input: number
  readonly output: number
}

/** Ends at which a provider may have worked on an answer that nobody saw. */
const unseen = new Set(['client_closed', 'upstream_timeout'])

/**
 * What is not known is estimated: a call that was cut off before its provider said anything has used its input. A call that never left, and
 * one that its provider refused, has cost nothing.
 */
export function usedBy(exchange: Exchange, ended: Ended, costs: Costs, policy: Policy, call: Pick<SpendingCall, 'inputTokens'>): Used {
  if (sentAttempts(exchange) === 0) return { usage: undefined, cost: 0n, estimated: false, input: 0, output: 0 }
  const usage = ended.usage ?? unsaid(ended, call)
  if (!usage) return { usage, cost: 0n, estimated: false, input: 0, output: 0 }
  const input = usage.input ?? call.inputTokens
  const output = usage.output ?? 0
  if (ended.cost !== undefined) return { usage, cost: ended.cost, estimated: ended.costEstimated ?? false, input, output }
  const index = costs.candidates.findIndex(({ provider, model }) => provider === ended.provider && model === ended.model)
  const listed = costs.candidates[Math.max(index, 0)]?.worstCost(input, output)
  const cost = listed ?? (policy.unknown === 'estimate' ? estimatedCost(policy, input, output) : undefined)
  return { usage, cost, estimated: cost !== undefined, input, output }
}

function unsaid({ error, status }: Ended, call: Pick<SpendingCall, 'inputTokens'>): Usage | undefined {
  const worked = error === undefined ? status < 400 : unseen.has(error.code)
  return worked ? { input: call.inputTokens, output: 0, estimated: true } : undefined
}
