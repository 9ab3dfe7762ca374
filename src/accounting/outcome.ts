/** The ledger entry and the decision record of one call. Made once, when its exchange ends; never changed. */
import type { WireId } from '../core/call.ts'
import type { Decision } from '../core/decision.ts'
import { type Finish, sumUsage, type Usage } from '../core/event.ts'
import { type Attempt, type Exchange, elapsed } from '../core/exchange.ts'
import type { Nanos } from '../core/money.ts'
import type { Drop } from '../core/notes.ts'
import type { Tenant } from '../core/principal.ts'

export interface Outcome {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly at: number
  readonly dialect: WireId
  /** Id of whoever called; undefined where anyone may. */
  readonly key: string | undefined
  readonly tenant: Tenant | undefined
  readonly requestedModel: string | undefined
  readonly route: string | undefined
  readonly provider: string | undefined
  readonly model: string | undefined
  /** The model that the provider says answered. */
  readonly upstreamModel: string | undefined
  readonly wire: WireId | undefined
  readonly streamed: boolean
  readonly status: number
  readonly error: { readonly code: string; readonly message: string } | undefined
  readonly finish: Finish | undefined
  readonly usage: Usage | undefined
  readonly cost: Nanos | undefined
  /** The cost rests on an estimate of tokens or price. */
  readonly costEstimated: boolean
  readonly attempts: readonly Attempt[]
  readonly reason: string | undefined
  /** The tier that a budget made it fall to, and why. */
  readonly fell: { readonly tier: string | undefined; readonly why: string } | undefined
  /** What routing had to decide; undefined when there was nothing. */
  readonly decision: Decision | undefined
  readonly dropped: readonly Drop[]
  /** Milliseconds. */
  readonly latency: { readonly total: number; readonly first: number | undefined; readonly overhead: number | undefined }
}

export interface Sink {
  readonly name: string
  record(outcome: Outcome): void
}

export type CostOf = (usage: Usage, exchange: Exchange) => { readonly nanos: Nanos; readonly estimated: boolean } | undefined

/** About four characters make a token, in the languages and code that models see most. */
const CHARACTERS_PER_TOKEN = 4

/** What the provider said, or an estimate marked as such when it said nothing and something was answered. */
export function usageOf(exchange: Exchange): Usage | undefined {
  const own = lastUsageOf(exchange)
  return exchange.legs ? exchange.legs.reduceRight<Usage | undefined>((sum, { usage }) => sumUsage(usage, sum), own) : own
}

/** The same for the last part of an answer that came from several targets. */
export function lastUsageOf(exchange: Exchange): Usage | undefined {
  const { usage } = exchange
  if (usage?.input !== undefined && usage.output !== undefined) return usage
  const sent = exchange.attempts.at(-1)
  if (!sent?.sent || (exchange.outputCharacters === 0 && usage === undefined)) return usage
  return {
    ...usage,
    input: usage?.input ?? Math.ceil(exchange.inputCharacters / CHARACTERS_PER_TOKEN),
    output: usage?.output ?? Math.ceil(exchange.outputCharacters / CHARACTERS_PER_TOKEN),
    estimated: true,
  }
}

/** What the whole answer cost, each part of it at its own target's price; undefined when one of them has none. */
export function costOfAll(exchange: Exchange, costOf: CostOf): ReturnType<CostOf> {
  const own = lastUsageOf(exchange)
  const last = own && costOf(own, exchange)
  if (!exchange.legs) return last
  let nanos = last?.nanos ?? 0n
  let estimated = last?.estimated ?? false
  if (own && !last) return undefined
  for (const { usage, candidate } of exchange.legs) {
    const cost = costOf(usage, { ...exchange, candidate })
    if (!cost) return undefined
    nanos += cost.nanos
    estimated ||= cost.estimated
  }
  return { nanos, estimated }
}

export function outcomeOf(exchange: Exchange, costOf: CostOf): Outcome {
  const usage = usageOf(exchange)
  const cost = costOfAll(exchange, costOf)
  return {
    id: exchange.id,
    at: exchange.at,
    dialect: exchange.dialect,
    key: exchange.principal?.id,
    tenant: exchange.principal?.tenant,
    requestedModel: exchange.requestedModel,
    route: exchange.route,
    provider: exchange.candidate?.provider,
    model: exchange.candidate?.model,
    upstreamModel: exchange.upstreamModel,
    wire: exchange.wire,
    streamed: exchange.streamed,
    status: exchange.status,
    error: exchange.error && { code: exchange.error.code, message: exchange.error.message },
    finish: exchange.finish,
    usage,
    cost: cost?.nanos,
    costEstimated: cost?.estimated ?? false,
    attempts: exchange.attempts,
    reason: exchange.reason,
    fell: exchange.fell === undefined ? undefined : { tier: exchange.tier, why: exchange.fell },
    decision: exchange.decision,
    dropped: exchange.drops,
    latency: { total: elapsed(exchange), first: exchange.firstMs, overhead: exchange.overheadMs },
  }
}
