/** The ledger's usage by provider, model and day, as a reconciliation asks for it. */
import type { Ledger } from '../../core/ledger.ts'
import type { LedgerUsage } from './statement.ts'

export const usageOfLedger =
  (ledger: Pick<Ledger, 'flush' | 'usage'>): LedgerUsage =>
  async ({ from, to }) => {
    await ledger.flush()
    const rows = await ledger.usage({ by: ['provider', 'model', 'day'], from, to })
    return rows.flatMap(({ by: { provider, model, day }, charge: _, reasoningTokens: __, ...amounts }) =>
      // What never went anywhere is on no statement.
      provider === undefined || model === undefined || day === undefined ? [] : [{ provider, model, day, ...amounts }],
    )
  }
