/** A week of made-up usage, the ways in which a statement of it may drift, and a run over it. */
import { costOfUsed, ledgerDay, type Used } from './fake-providers.fixtures.ts'
import { createReconciler } from './reconciler.ts'
import type { ReconcileReport } from './report.ts'
import { DAY_MS, type LedgerDay, type Period, type StatementRow, type StatementSource } from './statement.ts'

export const now = Date.parse('2026-11-21T15:00:00Z')
export const from = Date.parse('2026-11-13T00:00:00Z')
/** The week that is compared, in a world with a day more at either end. */
export const week: Period = { from: from + DAY_MS, to: from + 8 * DAY_MS }
export const DAYS = 9

export const gpts = {
  'gpt-5-2025-08-07': { input: 1.25, cacheRead: 0.125, cacheWrite: 1.25, output: 10 },
  'gpt-5-mini-2025-08-07': { input: 0.25, cacheRead: 0.025, cacheWrite: 0.25, output: 2 },
  'gpt-4o-2024-08-06': { input: 2.5, cacheRead: 1.25, cacheWrite: 2.5, output: 10 },
  'gpt-4o-2024-05-13': { input: 5, cacheRead: 5, cacheWrite: 5, output: 15 },
  'o3-2025-04-16': { input: 2, cacheRead: 0.5, cacheWrite: 2, output: 8 },
}
export const claudes = {
  'claude-sonnet-4-5-20250929': { input: 3, cacheRead: 0.3, cacheWrite: 3.75, output: 15 },
  'claude-haiku-4-5-20251001': { input: 1, cacheRead: 0.1, cacheWrite: 1.25, output: 5 },
  'claude-opus-4-5-20251101': { input: 5, cacheRead: 0.5, cacheWrite: 6.25, output: 25 },
}

export type Drifted = (used: Used) => Used
export const moreOutput: Drifted = (used) => ({ ...used, output: Math.round(used.output * 1.005) })
export const moreOfAll: Drifted = (used) => ({
  ...used,
  plain: Math.round(used.plain * 1.005),
  cached: Math.round(used.cached * 1.005),
  written: Math.round(used.written * 1.005),
  output: Math.round(used.output * 1.005),
})
export const dearer: Drifted = ({ rates, ...used }) => ({
  ...used,
  rates: Object.fromEntries(Object.entries(rates).map(([kind, rate]) => [kind, rate * 1.005])) as Used['rates'],
})
export const cheaper: Drifted = ({ rates, ...used }) => ({
  ...used,
  rates: Object.fromEntries(Object.entries(rates).map(([kind, rate]) => [kind, rate * 0.995])) as Used['rates'],
})

export const planted = (used: readonly Used[], model: string, day: string, drift: Drifted): Used[] =>
  used.map((one) => (one.model === model && one.day === day ? drift(one) : one))

export const ledgerOf = (provider: string, used: readonly Used[], name?: (model: string) => string): LedgerDay[] =>
  used.map((one) => ledgerDay(provider, one, name))

export const reconcile = async (
  sources: readonly StatementSource[],
  ledger: readonly LedgerDay[],
  tolerance = {},
): Promise<ReconcileReport> => await createReconciler({ sources, usage: async () => ledger, now: () => now, tolerance }).run()

export const found = ({ sources }: ReconcileReport) =>
  sources.flatMap(({ drifts = [] }) => drifts.map(({ model, day, kind }) => `${day} ${model} ${kind}`))

/** A statement of the rows themselves. */
export const rowsOf = (used: readonly Used[]): StatementRow[] =>
  used.map((one) => ({ ...ledgerDay('x', one), model: one.model, requests: one.requests, cost: costOfUsed(one) }))
