/** What is written of every call: opened before it goes upstream, settled when it has ended, however that was. */
import type { WireId } from './call.ts'
import type { Usage } from './event.ts'
import type { Nanos } from './money.ts'
import type { Tenant } from './principal.ts'

/** What is known before the call. */
export interface Opening extends Tenant {
  /** The request's id. */
  readonly id: string
  /** Milliseconds since 1970. */
  readonly at: number
  /** The principal's id. */
  readonly key: string
  readonly alias?: string
  readonly user?: string
  readonly tags?: readonly string[]
  readonly tier?: string
  readonly dialect: WireId
  /** As the client named it. */
  readonly requestedModel: string
  readonly route?: string
  readonly streamed: boolean
  /** Where the call is to go first; what a lost call is attributed to. */
  readonly provider?: string
  readonly model?: string
  /** What is charged if nobody ever hears how it ended. Undefined: unknown, which is not zero. */
  readonly estimate?: Nanos
  /** Cost in budgets' eyes is after mark-up: parts in a thousand over cost (1000 = none). */
  readonly markup?: number
}

/** How it ended. */
export interface Settlement {
  readonly id: string
  /** Milliseconds since 1970, of the end. */
  readonly endedAt: number
  /** `lost`: the process ended before the call did; its cost is the estimate. */
  readonly state: 'settled' | 'lost'
  readonly provider?: string
  readonly model?: string
  readonly region?: string
  readonly status: number
  /** Public code. */
  readonly error?: string
  readonly usage?: Usage
  /** What the provider charges. */
  readonly cost?: Nanos
  /** What the tenant is charged. */
  readonly charge?: Nanos
  readonly estimated: boolean
  /** Requests really sent upstream. */
  readonly attempts: number
  readonly cache?: string
  readonly firstMs?: number
  readonly totalMs: number
  /** The decision record: attempts, reason, dropped fields … as JSON. */
  readonly record?: object
}

/** `settlement` is absent while the call runs. */
export interface LedgerEntry extends Opening {
  readonly settlement?: Settlement
}

export const usageDimensions = [
  'key',
  'alias',
  'user',
  'organisation',
  'team',
  'project',
  'tag',
  'tier',
  'route',
  'requestedModel',
  'model',
  'provider',
  'region',
  'status',
  'day',
  'hour',
] as const
export type UsageDimension = (typeof usageDimensions)[number]

export interface UsageQuery {
  readonly by: readonly UsageDimension[]
  /** Milliseconds since 1970, by the time of opening; `to` excluded. */
  readonly from: number
  readonly to: number
  /** Only entries with these values. `organisation` is how one tenant is kept from another's. */
  readonly where?: Readonly<Partial<Record<UsageDimension, string>>>
}

export interface UsageRow {
  readonly by: Readonly<Partial<Record<UsageDimension, string | undefined>>>
  /** Every admitted call, running, aborted and lost ones included. */
  readonly requests: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheReadTokens: number
  readonly cacheWriteTokens: number
  readonly reasoningTokens: number
  readonly cost: Nanos
  readonly charge: Nanos
  /** Calls whose cost is an estimate, and calls whose cost nobody knows. */
  readonly estimated: number
  readonly unpriced: number
}

/** A place in the calls, newest first. Without an id: behind all of that millisecond. */
export interface EntryPlace {
  readonly at: number
  readonly id?: string
}

export interface RecentQuery {
  /** Milliseconds since 1970, by the time of opening; `to` excluded. Absent: from the first, to the last. */
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly where?: UsageQuery['where']
  readonly state?: 'running' | Settlement['state'] | undefined
  /** Of ended calls: the lowest and the highest status. */
  readonly status?: readonly [lowest: number, highest: number] | undefined
  /** It is known, and at least so much. */
  readonly least?: { readonly of: 'cost' | 'charge'; readonly nanos: Nanos } | undefined
  /** `next` of the page before. */
  readonly after?: EntryPlace | undefined
  readonly limit: number
}

export interface EntryPage {
  readonly entries: readonly LedgerEntry[]
  /** Absent: there are no more. */
  readonly next?: EntryPlace
}

export interface Ledger {
  /** It ends with the process: nobody will ever settle an opening at its estimate. */
  readonly forgets?: boolean
  /** Durable against the end of this process when it returns. Never throws. */
  open(entry: Opening): void
  settle(settlement: Settlement): void
  /** Resolves when all that was told so far is where queries look. */
  flush(): Promise<void>
  usage(query: UsageQuery): Promise<readonly UsageRow[]>
  find(id: string): Promise<LedgerEntry | undefined>
  /** Oldest first, in batches, for exports. */
  entries(query: Omit<UsageQuery, 'by'>): AsyncIterable<readonly LedgerEntry[]>
  /**
   * Newest first. What one page looks at is bounded: it may hold fewer than `limit`, or none, and have a `next`. That names none but its own
   * entries.
   */
  recent(query: RecentQuery): Promise<EntryPage>
  close(): Promise<void>
}
