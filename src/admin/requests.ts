/** `/requests/{id}`: the decision record of one call: where it went and why, what it used and cost. */
import { z } from 'zod'
import { dollarsOf } from '../core/money.ts'
import { notFound, sees } from './access.ts'
import { route } from './route.ts'
import { time, timeOf, usd } from './schema.ts'
import { chargedOnly, ownView } from './usage.ts'

const record = z
  .object({
    id: z.string(),
    state: z.enum(['running', 'settled', 'lost']).describe('`lost`: the process ended before the call did; its cost is the estimate.'),
    at: time,
    endedAt: time.optional(),
    key: z.string(),
    alias: z.string().optional(),
    user: z.string().optional(),
    organisation: z.string().optional(),
    team: z.string().optional(),
    project: z.string().optional(),
    tags: z.array(z.string()),
    tier: z.string().optional(),
    dialect: z.string(),
    requestedModel: z.string(),
    route: z.string().optional(),
    streamed: z.boolean(),
    provider: z.string().optional(),
    model: z.string().optional(),
    region: z.string().optional(),
    status: z.int().optional(),
    error: z.string().optional().describe('The public code.'),
    usage: z.record(z.string(), z.unknown()).optional(),
    cost: usd.optional().describe('USD. Absent: nobody knows.'),
    charge: usd.optional(),
    estimated: z.boolean().optional().describe('The cost is an estimate.'),
    attempts: z.int().optional().describe('Requests really sent upstream.'),
    cache: z.string().optional(),
    firstMs: z.number().optional(),
    totalMs: z.number().optional(),
    decision: z.record(z.string(), z.unknown()).optional().describe('Candidates and what removed each, attempts, reason, dropped fields.'),
  })
  .meta({ id: 'DecisionRecord' })

export const requests = [
  route({
    name: 'requests.get',
    method: 'GET',
    path: '/requests/{id}',
    summary: 'The decision record of a call, by the id in `x-signalbox-request-id`. A member sees its own only.',
    action: 'request.read',
    role: 'member',
    right: 'usage.own',
    answer: record,
    async handle({ services, organisation, principal, param }) {
      const entry = await services.usage.find(param('id'))
      const theirs = entry && sees(organisation, entry.organisation) && (principal.role !== 'member' || entry.key === principal.id)
      if (!theirs) throw notFound('request')
      const { settlement, estimate, markup: _markup, tags = [], at, ...opening } = ownView(principal) ? chargedOnly(entry) : entry
      const { cost } = settlement ?? {}
      const told: z.input<typeof record> = {
        ...opening,
        state: settlement?.state ?? 'running',
        at: timeOf(at),
        endedAt: settlement && timeOf(settlement.endedAt),
        tags: [...tags],
        provider: settlement?.provider ?? opening.provider,
        model: settlement?.model ?? opening.model,
        region: settlement?.region,
        status: settlement?.status,
        error: settlement?.error,
        usage: settlement?.usage && { ...settlement.usage },
        cost: cost === undefined ? undefined : dollarsOf(cost),
        charge: settlement?.charge === undefined ? undefined : dollarsOf(settlement.charge),
        estimated: settlement?.estimated ?? (estimate === undefined ? undefined : true),
        attempts: settlement?.attempts,
        cache: settlement?.cache,
        firstMs: settlement?.firstMs,
        totalMs: settlement?.totalMs,
        decision: settlement?.record as Record<string, unknown> | undefined,
      }
      return told
    },
  }),
]
