/** Limits on rates and on spending, as config or the admin API states them and policy enforces them. */
import type { Nanos } from './money.ts'

export type CalendarWindow = 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year' | 'total'

/** What has a count of its own. `all`: one count for everybody. */
export type Dimension = 'all' | 'key' | 'user' | 'organisation' | 'team' | 'project' | 'tag' | 'route' | 'model' | 'provider' | 'ip-class'

export interface BudgetRule {
  /** Opaque; the same rule keeps its id over reloads, so that what was spent stays spent. */
  readonly id: string
  readonly name?: string
  readonly limit: Nanos
  /** A calendar window in `timeZone`, or the last so many milliseconds. */
  readonly window: CalendarWindow | { readonly rollingMs: number }
  /** IANA name; default UTC. */
  readonly timeZone?: string
  readonly by: Dimension
  /** Only this key, user, team …; absent: each. */
  readonly value?: string
  /** Only calls for these names (model class). Absent: all. */
  readonly models?: readonly string[]
  /** Only calls at these tiers. Absent: all. */
  readonly tiers?: readonly string[]
  /** Whose rule it is: it holds for calls of this organisation only. Absent: the operator's own. */
  readonly organisation?: string
  readonly onBreach: 'refuse' | 'next-tier' | 'queue'
  /** Of a refusal. */
  readonly status: number
  /** Shares of the limit at which to warn. */
  readonly warnAt: readonly number[]
}

export interface RateRule {
  readonly id: string
  readonly name?: string
  readonly what: 'requests' | 'input-tokens' | 'output-tokens' | 'tokens' | 'concurrent'
  /** Whole number. */
  readonly limit: number
  /** Rolling window; without meaning for `concurrent`. */
  readonly windowMs: number
  readonly by: Dimension
  readonly value?: string
  readonly models?: readonly string[]
  readonly tiers?: readonly string[]
  readonly organisation?: string
}
