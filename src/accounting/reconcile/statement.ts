/** What a provider says was used and what it charges: the form that all its statements are brought into. */
import type { Nanos } from '../../core/money.ts'

/** Whole days in UTC, in milliseconds since 1970; `to` excluded. */
export interface Period {
  readonly from: number
  readonly to: number
}

/** Absent: the statement does not say, which is not zero. */
export interface Amounts {
  readonly requests?: number
  /** With what was read from and written to a cache. */
  readonly inputTokens?: number
  readonly outputTokens?: number
  readonly cacheReadTokens?: number
  readonly cacheWriteTokens?: number
  readonly cost?: Nanos
}

export interface StatementRow extends Amounts {
  /** Absent: the provider bills it apart from any model. */
  readonly model?: string
  /** What it is, where it is billed apart: `web search tool calls`. */
  readonly item?: string
  /** `2026-11-21`, UTC. */
  readonly day: string
  /** How far the cost may be off because the statement rounds it. */
  readonly rounding?: Nanos
}

export interface Statement {
  readonly rows: readonly StatementRow[]
  /** What whoever reads the report should know of it. */
  readonly notes?: readonly string[]
}

export interface StatementSource {
  readonly name: string
  /** Ids of the configured providers whose calls the statement bills, all together. */
  readonly providers: readonly string[]
  read(period: Period): Promise<Statement>
}

/** Calls of one model on one day, as the ledger has them. */
export interface LedgerDay {
  readonly provider: string
  readonly model: string
  readonly day: string
  readonly requests: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheReadTokens: number
  readonly cacheWriteTokens: number
  readonly cost: Nanos
  /** Calls whose tokens or cost are estimates, those that were lost included. */
  readonly estimated: number
  /** Calls whose cost nobody knows. */
  readonly unpriced: number
}

export type LedgerUsage = (period: Period) => Promise<readonly LedgerDay[]>

export const DAY_MS = 86_400_000

export const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10)

export const startOfDay = (at: number): number => Math.floor(at / DAY_MS) * DAY_MS

/** Together; what neither says stays unsaid, and what only one says is what both say. */
export function sumOf(one: Amounts, other: Amounts): Amounts {
  const sum: Record<string, number | bigint> = {}
  for (const name of ['requests', 'inputTokens', 'outputTokens', 'cacheReadTokens', 'cacheWriteTokens'] as const) {
    const [a, b] = [one[name], other[name]]
    if (a !== undefined || b !== undefined) sum[name] = (a ?? 0) + (b ?? 0)
  }
  if (one.cost !== undefined || other.cost !== undefined) sum['cost'] = (one.cost ?? 0n) + (other.cost ?? 0n)
  return sum
}
