/** Reconciliation as the configuration has it: another one after each reload, the last report kept. */

import { usageOfLedger } from '../../accounting/reconcile/ledger-usage.ts'
import { createReconciler, inJson, type Reconciler } from '../../accounting/reconcile/reconciler.ts'
import { type ReconcileReport, reportJson } from '../../accounting/reconcile/report.ts'
import { sourcesOf } from '../../accounting/reconcile/sources.ts'
import type { Reconciliation } from '../../admin/parts.ts'
import type { Config } from '../../config/config.ts'
import { GatewayError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Ledger } from '../../core/ledger.ts'
import { postSigned } from '../../drills/notify.ts'

export interface ReconcilerParts {
  readonly ledger: Ledger
  secret(reference: string): Promise<string>
  readonly readFile: (path: string) => string
  tell(line: string): void
  /** The schedule runs in one thread only. */
  readonly scheduled: boolean
}

export interface OpenReconciler {
  readonly admin: Reconciliation
  configure(config: Config): Promise<void>
  close(): Promise<void>
}

export function openReconciler({ ledger, secret, readFile, tell, scheduled }: ReconcilerParts): OpenReconciler {
  let reconciler: Reconciler | undefined
  let last: JsonObject | undefined

  async function configure({ reconcile }: Config): Promise<void> {
    await reconciler?.stop()
    reconciler = undefined
    if (!reconcile) return
    const { everyMs, days, lagMs, tolerance, sources, webhook } = reconcile
    reconciler = createReconciler({
      every: everyMs,
      days,
      lag: lagMs,
      tolerance,
      sources: sourcesOf(sources, { secret, readText: async (file) => readFile(file) }),
      usage: usageOfLedger(ledger),
      async report(report) {
        last = reportJson(report) as JsonObject
        tellDrift(report)
        if (webhook && (webhook.when === 'always' || !report.clean)) {
          const key = webhook.secret === undefined ? undefined : await secret(webhook.secret)
          const problem = await postSigned({ url: webhook.url, secret: key }, { type: 'reconcile.report', ...last })
          if (problem !== undefined) tell(`reconcile.webhook: ${problem}`)
        }
      },
      failed: (error) => tell(`reconcile: ${error instanceof Error ? error.message : String(error)}`),
    })
    if (scheduled) reconciler.start()
  }

  function tellDrift({ clean, sources }: ReconcileReport): void {
    if (clean) return
    for (const { name, failed, drifts } of sources) {
      if (failed !== undefined) tell(`reconcile ${name}: ${failed}`)
      else if (drifts && drifts.length > 0) tell(`reconcile ${name}: ${drifts.length} drifts; \`signalbox reconcile\` shows them`)
    }
  }

  return {
    admin: {
      last: async () => last,
      async run(ask) {
        if (!reconciler) throw new GatewayError('not-supported', 'Nothing is reconciled: name statements under `reconcile.sources`.')
        return (await inJson(reconciler).run(ask)) as JsonObject
      },
    },
    configure,
    close: async () => reconciler?.stop(),
  }
}
