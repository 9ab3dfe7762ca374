/** `/reconcile`: how far the ledger and the providers' own statements agree. */
import { z } from 'zod'
import { GatewayError } from '../core/error.ts'
import { compact } from '../core/json.ts'
import type { Reconciliation } from './parts.ts'
import { wrong } from './problem.ts'
import { type Context, route } from './route.ts'
import { moment, msOf, text } from './schema.ts'

const report = z.record(z.string(), z.unknown()).meta({ id: 'ReconciliationReport', description: 'Drift by provider, model and day.' })

function reconciliationOf({ services }: Context): Reconciliation {
  if (!services.reconciliation)
    throw new GatewayError('not-supported', 'No provider statements are configured: see docs/guide/reconciliation.md.')
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
      return { ...last }
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
        from: moment.optional().describe('Whole days, in UTC. Default: as configured.'),
        to: moment.optional().describe('Excluded. Default: as configured.'),
        provider: text().optional().describe('Only the statements of this one.'),
      })
      .meta({ id: 'ReconciliationInput' }),
    bodyOptional: true,
    answer: report,
    async handle(context) {
      const { from, to, provider } = context.body
      const ask = compact({ from: from === undefined ? undefined : msOf(from), to: to === undefined ? undefined : msOf(to), provider })
      if (ask.from !== undefined && ask.to !== undefined && ask.from >= ask.to)
        throw wrong('from', 'is not before `to`', 'choose a day or more')
      const written = await reconciliationOf(context as Context).run(ask as { from?: number; to?: number; provider?: string })
      context.note({ subject: 'reconciliation' })
      return { ...written }
    },
  }),
]
