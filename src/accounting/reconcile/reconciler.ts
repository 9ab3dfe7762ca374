/** Holds the ledger against the providers' statements, now and every so often, and keeps the last report. */
import { compare } from './compare.ts'
import { type ReconcileReport, reportJson, type SourceReport } from './report.ts'
import { DAY_MS, type LedgerDay, type LedgerUsage, type Period, type StatementSource, startOfDay } from './statement.ts'
import { type Tolerance, usualTolerance } from './tolerance.ts'

export interface ReconcilerOptions {
  /** Milliseconds between runs. Default an hour. */
  readonly every?: number
  readonly sources: readonly StatementSource[]
  /** The ledger's usage by provider, model and day. */
  readonly usage: LedgerUsage
  /** Told of each report: log, metrics, webhook. What it throws is told to `failed`. */
  report?(report: ReconcileReport): void | Promise<void>
  /** Told of what kept a report from being handed on. */
  failed?(error: unknown): void
  /** Whole days that are looked at, up to yesterday. Default 7. */
  readonly days?: number
  /** So long after midnight the day before is not yet looked at: statements come late. Default two hours, in milliseconds. */
  readonly lag?: number
  readonly tolerance?: Partial<Tolerance>
  now?(): number
}

/** What one run is to look at. Absent: all sources, the last days. */
export interface Ask {
  /** Milliseconds since 1970; the days they fall on are looked at whole. */
  readonly from?: number | undefined
  /** Excluded. */
  readonly to?: number | undefined
  /** Only statements that bill this provider. */
  readonly provider?: string | undefined
}

export interface Reconciler {
  /** Runs one now. One that is under way is waited for, and is the answer if it looks at the same. */
  run(ask?: Ask): Promise<ReconcileReport>
  /** Of the last run over all sources. */
  last(): ReconcileReport | undefined
  /** Runs one soon, and then one every so often. The timer keeps no process alive. */
  start(): void
  /** Ends the schedule and waits for a run that is under way. */
  stop(): Promise<void>
}

const SOON_MS = 30_000
/** A tenth more or less, so that replicas do not ask all at once. */
const JITTER = 0.1

export function createReconciler(options: ReconcilerOptions): Reconciler {
  const { every = 3_600_000, sources, usage, days = 7, lag = 7_200_000, now = Date.now } = options
  const tolerance: Tolerance = { ...usualTolerance, ...options.tolerance }
  let last: ReconcileReport | undefined
  let running: { readonly key: string; readonly report: Promise<ReconcileReport> } | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let started = false

  function periodOf(ask: Ask): Period {
    const to = ask.to === undefined ? startOfDay(now() - lag) : startOfDay(ask.to - 1) + DAY_MS
    return { from: ask.from === undefined ? to - days * DAY_MS : startOfDay(ask.from), to }
  }

  async function reconcile(period: Period, provider: string | undefined): Promise<ReconcileReport> {
    // A day more at either end, for calls around midnight.
    const wide: Period = { from: period.from - DAY_MS, to: Math.min(period.to + DAY_MS, startOfDay(now()) + DAY_MS) }
    const ledger = await settled(usage(wide))
    const asked = sources.filter(({ providers }) => provider === undefined || providers.includes(provider))
    const found = await Promise.all(asked.map((source) => compared(source, ledger, period, wide)))
    const clean = found.every(({ failed, drifts }) => failed === undefined && drifts?.length === 0)
    const report: ReconcileReport = { at: now(), period, tolerance, clean, sources: found }
    if (provider === undefined) last = report
    try {
      await options.report?.(report)
    } catch (error) {
      options.failed?.(error)
    }
    return report
  }

  async function compared(
    source: StatementSource,
    ledger: Settled<readonly LedgerDay[]>,
    period: Period,
    wide: Period,
  ): Promise<SourceReport> {
    const { name, providers } = source
    if ('failed' in ledger) return { name, providers, notes: [], failed: `the ledger: ${ledger.failed}` }
    const statement = await settled(source.read(wide))
    if ('failed' in statement) return { name, providers, notes: [], failed: statement.failed }
    const own = ledger.value.filter(({ provider }) => providers.includes(provider))
    return { name, providers, notes: statement.value.notes ?? [], ...compare(statement.value, own, period, tolerance) }
  }

  async function run(ask: Ask = {}): Promise<ReconcileReport> {
    const period = periodOf(ask)
    const key = `${period.from} ${period.to} ${ask.provider ?? ''}`
    // One at a time: providers allow few of these calls.
    while (running) {
      if (running.key === key) return await running.report
      await running.report.catch(() => undefined)
    }
    const report = reconcile(period, ask.provider)
    running = { key, report }
    try {
      return await report
    } finally {
      running = undefined
    }
  }

  function arm(ms: number): void {
    timer = setTimeout(
      () => {
        void run()
          .catch((error: unknown) => options.failed?.(error))
          .finally(() => {
            if (started) arm(every)
          })
      },
      ms * (1 + JITTER * (2 * Math.random() - 1)),
    )
    timer.unref()
  }

  return {
    run,
    last: () => last,
    start() {
      if (started) return
      started = true
      arm(Math.min(SOON_MS, every))
    },
    async stop() {
      started = false
      clearTimeout(timer)
      await running?.report.catch(() => undefined)
    },
  }
}

/** The same in JSON, as the admin API answers. */
export const inJson = ({ run, last }: Reconciler) => ({
  last(): object | undefined {
    const report = last()
    return report && reportJson(report)
  },
  run: async (ask?: Ask): Promise<object> => reportJson(await run(ask)),
})

type Settled<T> = { readonly value: T } | { readonly failed: string }

const settled = async <T>(promise: Promise<T>): Promise<Settled<T>> => {
  try {
    return { value: await promise }
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) }
  }
}
