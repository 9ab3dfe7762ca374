/** What outlives a call, at the moment of a scrape: the ledger, the database, the counters, keys, secrets and what limits refuse. */
import type { Gauge, LabelValues } from './registry.ts'

type Counts = Iterable<readonly [labels: LabelValues, count: number]>

/** The parts of others' reports that are told here. */
export interface KeptSources {
  ledger(): {
    readonly waiting: number
    readonly behind: boolean
    readonly unwritten: number
    readonly refused: number
    readonly dropped: number
  }
  /** Whether its last calls were answered. Undefined: there is no database. */
  database(): boolean | undefined
  /** Undefined: they are not in Redis. */
  counters(): { readonly mode: 'redis' | 'local' | 'refusing'; readonly untold: number } | undefined
  access(): { readonly keys: number; readonly loaded: boolean }
  /** Calls with a credential that nobody knows: refused as `unknown`, or told to wait since their address was `guessing`. */
  strangers(): Counts
  spending(): {
    /** Calls that wait for room under a budget. */
    readonly waiting: number
    /** By kind of rule, what it counts, for whom, and what became of the call. */
    readonly refusals: Counts
  }
  /** Secrets that could not be read lately. */
  secretsWithProblem(): number
  /** By the name of the operation and the status. */
  adminRequests(): Counts
  /** By type and what became of it. */
  events(): { readonly waiting: number; readonly ended: Counts }
}

const MODES = ['redis', 'local', 'refusing'] as const

export function keptMetrics({
  ledger,
  database,
  counters,
  access,
  strangers,
  spending,
  secretsWithProblem,
  adminRequests,
  events,
}: KeptSources): readonly Gauge[] {
  const metric = (type: Gauge['type'], name: string, help: string, read: Gauge['read'], ...labels: readonly string[]): Gauge => ({
    name,
    help,
    type,
    labels,
    read,
  })
  const one = (name: string, help: string, read: () => number, type: Gauge['type'] = 'gauge'): Gauge =>
    metric(type, name, help, () => [[[], read()]])
  return [
    one('signalbox_ledger_waiting', 'Entries of the ledger in memory, on their way to the database.', () => ledger().waiting),
    one('signalbox_ledger_behind', '1: more entries wait in the journal than fit in memory; the database is away or slow.', () =>
      ledger().behind ? 1 : 0,
    ),
    one('signalbox_ledger_unwritten_total', 'Records that the journal could not take.', () => ledger().unwritten, 'counter'),
    one(
      'signalbox_ledger_refused_total',
      'Entries that the database will not take; they stay in the journal.',
      () => ledger().refused,
      'counter',
    ),
    one(
      'signalbox_ledger_dropped_total',
      'Entries that are lost: neither journal nor database took them.',
      () => ledger().dropped,
      'counter',
    ),
    metric('gauge', 'signalbox_database_up', '1: the last calls to the database were answered. Absent without a database.', () => {
      const up = database()
      return up === undefined ? [] : [[[], up ? 1 : 0]]
    }),
    metric(
      'gauge',
      'signalbox_counters_mode',
      '1 for where limits are counted at present: in Redis, locally while it is away, or nowhere (`refusing`). Absent without Redis.',
      () => {
        const now = counters()
        return now ? MODES.map((mode) => [[mode], mode === now.mode ? 1 : 0] as const) : []
      },
      'mode',
    ),
    metric('gauge', 'signalbox_counters_untold', 'Settlements that Redis has not been told of. Absent without Redis.', () => {
      const now = counters()
      return now ? [[[], now.untold]] : []
    }),
    one('signalbox_keys', 'Keys and tokens in memory.', () => access().keys),
    one('signalbox_access_loaded', '1: all keys of the store are in memory.', () => (access().loaded ? 1 : 0)),
    metric(
      'counter',
      'signalbox_strangers_total',
      'Calls with a credential that nobody knows: `unknown` ones were refused; `guessing`, their address had too many and was told to wait.',
      strangers,
      'why',
    ),
    one('signalbox_secrets_with_problem', 'Secrets that could not be read lately.', secretsWithProblem),
    one('signalbox_budget_waiting', 'Calls that wait for room under a budget.', () => spending().waiting),
    metric(
      'counter',
      'signalbox_spending_refusals_total',
      'Calls that a budget, credit or limit had no room for, by what it counts and for whom; `outcome`: refused, or on to the next tier.',
      () => spending().refusals,
      'rule',
      'what',
      'by',
      'outcome',
    ),
    metric(
      'counter',
      'signalbox_admin_requests_total',
      'Requests to the admin API, by operation (empty: none was found, or who asked is not known) and status.',
      adminRequests,
      'operation',
      'status',
    ),
    one('signalbox_events_waiting', 'Events that wait for the webhook.', () => events().waiting),
    metric(
      'counter',
      'signalbox_events_total',
      'Events for the webhook, by what became of them: taken, refused, given up, or dropped since too many waited.',
      () => events().ended,
      'type',
      'outcome',
    ),
  ]
}
