/** `/reconcile`: how far the ledger and the providers' own statements agree. */
import { z } from 'zod'
import { GatewayError } from '../core/error.ts'
import type { Reconciliation } from './parts.ts'
import { wrong } from './problem.ts'
import { type Context, route } from './route.ts'
import { moment, msOf } from './schema.ts'

const report = z.record(z.string(), z.unknown()).meta({ id: 'ReconciliationReport', description: 'Drift by provider, model and day.' })

function reconciliationOf({ services }: Context): Reconciliation {
  if (!services.reconciliation) throw new GatewayError('not-supported', 'No provider statements are configured: see docs/guide/admin.md.')
  return services.reconciliation
}

const DAY_MS = 86_400_000
const USUAL_DAYS = 7

function periodOf(from: string | undefined, to: string | undefined, now: number): { from: number; to: number } | undefined {
  if (from === undefined && to === undefined) return undefined
  const end = to === undefined ? Math.floor(now / DAY_MS) * DAY_MS : msOf(to)
  const begin = from === undefined ? end - USUAL_DAYS * DAY_MS : msOf(from)
  if (begin >= end) throw wrong('from', 'is not before `to`', 'choose a day or more')
  return { from: begin, to: end }
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
      const last = reconciliationOf(context as unknown as Context).last()
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
        to: moment.optional().describe('Excluded. Default: today.'),
      })
      .meta({ id: 'ReconciliationInput' }),
    bodyOptional: true,
    answer: report,
    async handle(context) {
      const { from, to } = context.body
      const written = await reconciliationOf(context as Context).run(periodOf(from, to, context.now()))
      context.note({ subject: 'reconciliation' })
      return { ...written }
    },
  }),
]
