/** `/requests`: calls, newest first. `/requests/{id}`: the decision record of one: where it went and why, what it used and cost. */
import { z } from 'zod'
import type { EntryPlace, LedgerEntry, RecentQuery } from '../core/ledger.ts'
import { dollarsOf, nanosOf } from '../core/money.ts'
import type { Principal } from '../core/principal.ts'
import { notFound, sees } from './access.ts'
import { wrong } from './problem.ts'
import { type Context, route } from './route.ts'
import { moment, msOf, pageQuery, time, timeOf, usd } from './schema.ts'
import { type Asked, chargedOnly, contradicts, filters, ownView, whereOf } from './usage.ts'

const call = z
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
  })
  .meta({ id: 'Call' })
const record = call
  .extend({
    decision: z.record(z.string(), z.unknown()).optional().describe('Candidates and what removed each, attempts, reason, dropped fields.'),
  })
  .meta({ id: 'DecisionRecord' })

const statusHelp = 'not a status\nwrite one (429) or a class of them (4xx)'
const amountHelp = 'not an amount in USD\nwrite "0.50"'
const listQuery = z.strictObject({
  ...filters,
  status: z
    .string()
    .regex(/^[1-5](\d\d|xx)$/, { error: statusHelp })
    .optional()
    .describe('Only calls that ended with it: `429`, or a class, `4xx`.'),
  state: z.enum(['running', 'settled', 'lost']).optional().describe('Only calls in this state.'),
  minCost: z
    .string()
    .regex(/^\d{1,9}(\.\d{1,9})?$/, { error: amountHelp })
    .optional()
    .describe('Only calls that are known to have cost so much, in USD; of an organisation: that it was charged so much for.'),
  from: moment.optional().describe('By the time the call began. Default: the first.'),
  to: moment.optional().describe('Excluded. Default: now.'),
  ...pageQuery.shape,
})

export const requests = [
  route({
    name: 'requests.list',
    method: 'GET',
    path: '/requests',
    summary: 'Calls, newest first, running ones among them. A member sees its own only.',
    action: 'request.read',
    role: 'member',
    right: 'usage.own',
    query: listQuery,
    answer: z.object({
      data: z.array(call),
      next: z
        .string()
        .optional()
        .describe(
          'Give it as `after` to go on; a page may hold fewer than `limit`, or none, and have one. Absent: this was the last page.',
        ),
    }),
    async handle(context) {
      const plain = context as unknown as Context
      const asked = context.query as unknown as Asked
      const { limit } = context.query as unknown as { readonly limit: number }
      const query = queryOf(plain, asked, limit)
      if (contradicts(plain, asked)) return { data: [] }
      const { entries, next } = await context.services.usage.recent(query)
      return { data: entries.map((entry) => callOf(entry, context.principal)), next: next && writtenPlace(next) }
    },
  }),
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
      return recordOf(entry, principal)
    },
  }),
]

function queryOf(context: Context, asked: Asked, limit: number): RecentQuery {
  const { status, minCost, state, after } = asked
  const from = asked.from === undefined ? undefined : msOf(asked.from)
  const to = asked.to === undefined ? undefined : msOf(asked.to)
  if (from !== undefined && to !== undefined && from > to) throw wrong('from', 'is after `to`', 'swap them')
  return {
    ...{ limit, from, to, where: whereOf(context, { ...asked, status: undefined }), state: state as RecentQuery['state'] },
    status: status === undefined ? undefined : statusesOf(status),
    least: minCost === undefined ? undefined : { of: ownView(context.principal) ? 'charge' : 'cost', nanos: nanosOf(minCost) ?? 0n },
    after: after === undefined ? undefined : placeOf(after),
  }
}

/** `429`; `4xx` is 400 to 499. */
function statusesOf(written: string): readonly [number, number] {
  if (!written.endsWith('xx')) return [Number(written), Number(written)]
  const first = Number(written[0]) * 100
  return [first, first + 99]
}

const writtenPlace = ({ at, id }: EntryPlace): string => (id === undefined ? `${at}` : `${at}-${id}`)

function placeOf(written: string): EntryPlace {
  const [, at, id] = /^(\d{1,15})(?:-([\x21-\x7e]{1,128}))?$/.exec(written) ?? []
  if (at === undefined) throw wrong('after', 'is no place in this list', 'give it as `next` of the page before said it')
  return { at: Number(at), ...(id !== undefined && { id }) }
}

function recordOf(entry: LedgerEntry, principal: Principal): z.input<typeof record> {
  return { ...callOf(entry, principal), decision: entry.settlement?.record as Record<string, unknown> | undefined }
}

function callOf(entry: LedgerEntry, principal: Principal): z.input<typeof call> {
  const { settlement, estimate, markup: _markup, tags = [], at, ...opening } = ownView(principal) ? chargedOnly(entry) : entry
  const { cost } = settlement ?? {}
  return {
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
  }
}
