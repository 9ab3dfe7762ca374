/** `/reconcile`: how far the ledger and the providers' own statements agree. */
import { z } from 'zod'
import { GatewayError } from '../core/error.ts'
import type { Reconciliation } from './parts.ts'
import { wrong } from './problem.ts'
import { type Context, route } from './route.ts'
import { moment, msOf, text } from './schema.ts'

const report = z.record(z.string(), z.unknown()).meta({ id: 'ReconciliationReport', description: 'Drift by provider, model and day.' })

function reconciliationOf({ services }: Context): Reconciliation {
  if (!services.reconciliation) throw new GatewayError('not-supported', 'No provider statements are configured: see docs/guide/admin.md.')
  return services.reconciliation
}

export const reconcile = [
  route({
    name: 'reconcile.get',
    method: 'GET',
    path: '/reconcile',
    summary: 'The report of the last run.',
    action: 'reconcile.read',
    role: 'operator',
    right: 'reconcile.run',
    wide: true,
    answer: report,
    async handle(context) {
      const last = await reconciliationOf(context as unknown as Context).last()
      if (!last) throw new GatewayError('not-found', 'Nothing was reconciled yet: run it with POST.')
      return last
    },
  }),
  route({
    name: 'reconcile.run',
    method: 'POST',
    path: '/reconcile',
    summary: 'Compares the ledger with the providers’ statements now.',
    action: 'reconcile.run',
    role: 'operator',
    right: 'reconcile.run',
    wide: true,
    status: 200,
    body: z
      .strictObject({
        from: moment.optional().describe('Default: as configured.'),
        to: moment.optional().describe('Excluded. Default: as configured.'),
        provider: text().optional().describe('Only this one. Absent: every one that has statements.'),
      })
      .meta({ id: 'ReconciliationInput' }),
    bodyOptional: true,
    answer: report,
    async handle(context) {
      const { from, to, provider } = context.body
      const period = { from: from === undefined ? undefined : msOf(from), to: to === undefined ? undefined : msOf(to) }
      if (period.from !== undefined && period.to !== undefined && period.from > period.to) throw wrong('from', 'is after `to`', 'swap them')
      const written = await reconciliationOf(context as Context).run({ ...period, provider })
      context.note({ subject: 'reconciliation' })
      return written
    },
  }),
]
