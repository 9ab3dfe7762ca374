/** `/usage`: what was used and what it cost, by any dimension; `/usage/entries`: call by call. */
import { z } from 'zod'
import { type LedgerEntry, type UsageDimension, type UsageQuery, usageDimensions } from '../core/ledger.ts'
import type { Principal } from '../core/principal.ts'
import { contentTypeOf, type ExportFormat, exported, exportFormats } from '../store/ledger/export.ts'
import { periodOf } from './credits.ts'
import { wrong } from './problem.ts'
import { type Context, Raw, route } from './route.ts'
import { moment, text, usd } from './schema.ts'
import { csvOf, plainRow } from './usage-formats.ts'

const isDimension = (word: string): word is UsageDimension => usageDimensions.some((dimension) => dimension === word)
const filterable = usageDimensions.filter((dimension) => dimension !== 'day' && dimension !== 'hour')
export const filters = Object.fromEntries(filterable.map((dimension) => [dimension, text().optional().describe(`Only this ${dimension}.`)]))

const period = {
  from: moment.optional().describe('By the time the call began. Default: the beginning of the month, in UTC.'),
  to: moment.optional().describe('Excluded. Default: now.'),
}
const usageQuery = z.strictObject({
  by: text(300)
    .optional()
    .describe(`Separated by commas: ${usageDimensions.join(', ')}. Default: key.`),
  ...period,
  format: z.enum(['json', 'csv', 'jsonl', 'focus']).optional().describe('Default: json. `focus`: every call, in the columns of FOCUS.'),
  ...filters,
})
const usageRow = z
  .object({
    ...Object.fromEntries(usageDimensions.map((dimension) => [dimension, z.string().optional()])),
    requests: z.int().describe('Every admitted call, running, aborted and lost ones included.'),
    inputTokens: z.int(),
    outputTokens: z.int(),
    cacheReadTokens: z.int(),
    cacheWriteTokens: z.int(),
    reasoningTokens: z.int(),
    cost: usd,
    charge: usd.describe('USD that the organisation is charged: cost with its mark-up.'),
    estimated: z.int().describe('Calls whose cost is an estimate.'),
    unpriced: z.int().describe('Calls whose cost nobody knows; they are not in `cost`.'),
  })
  .meta({ id: 'UsageRow' })

export interface Asked extends z.output<z.ZodObject<typeof period>> {
  readonly [name: string]: string | undefined
}

/** Whose calls somebody may see: all, those of one organisation, or their own. */
export const ownView = ({ kind, role, tenant }: Principal): boolean =>
  kind !== 'owner' && (role === 'member' || tenant.organisation !== undefined)

export function whereOf(context: Context, query: Asked): UsageQuery['where'] {
  const where: Partial<Record<UsageDimension, string>> = {}
  for (const dimension of filterable) if (query[dimension] !== undefined) where[dimension] = query[dimension]
  // Nobody widens by a filter what they may see.
  if (context.organisation !== undefined) where.organisation = context.organisation
  if (context.principal.role === 'member') where.key = context.principal.id
  return where
}

/** Filters by what somebody may not see find nothing. */
export const contradicts = ({ organisation, principal }: Context, query: Asked): boolean =>
  (organisation !== undefined && query['organisation'] !== undefined && query['organisation'] !== organisation) ||
  (principal.role === 'member' && query['key'] !== undefined && query['key'] !== principal.id)

function dimensionsOf(by: string | undefined): UsageDimension[] {
  const words = (by ?? 'key')
    .split(',')
    .map((word) => word.trim())
    .filter(Boolean)
  const strange = words.find((word) => !isDimension(word))
  if (strange !== undefined || words.length === 0)
    throw wrong('by', `there is no dimension ${strange ?? ''}`.trim(), `there are ${usageDimensions.join(', ')}`)
  return [...new Set(words.filter(isDimension))]
}

const numbers = [
  'requests',
  'inputTokens',
  'outputTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'reasoningTokens',
  'cost',
  'charge',
  'estimated',
  'unpriced',
]

export const usage = [
  route({
    name: 'usage.get',
    method: 'GET',
    path: '/usage',
    summary: 'Calls, tokens and cost, summed up. A member sees its own only.',
    action: 'usage.read',
    role: 'member',
    right: 'usage.own',
    query: usageQuery,
    answer: z.object({ rows: z.array(usageRow) }),
    types: ['text/csv', 'application/x-ndjson'],
    async handle(context) {
      const plain = context as unknown as Context
      const query = context.query as Asked
      const format = query['format'] ?? 'json'
      const by = dimensionsOf(query['by'])
      const { from, to } = periodOf(query, context.now())
      if (format === 'focus') return entriesAs(plain, query, 'focus', { from, to })
      const found = contradicts(plain, query) ? [] : await context.services.usage.usage({ by, from, to, where: whereOf(plain, query) })
      const own = ownView(context.principal)
      const day = new Date(from).toISOString().slice(0, 10)
      const rows = found.map((row) => plainRow(by, row, own))
      if (format === 'csv')
        return new Raw({ type: 'text/csv; charset=utf-8', fileName: `signalbox-usage-${day}.csv`, body: csvOf([...by, ...numbers], rows) })
      if (format === 'jsonl') return new Raw({ type: 'application/x-ndjson', body: rows.map((row) => `${JSON.stringify(row)}\n`).join('') })
      return { rows: rows as unknown as z.input<typeof usageRow>[] }
    },
  }),
  route({
    name: 'usage.entries',
    method: 'GET',
    path: '/usage/entries',
    summary: 'Every call with what it used, oldest first: JSON Lines, CSV or FOCUS, as a stream. A member sees its own only.',
    action: 'usage.read',
    role: 'member',
    right: 'usage.own',
    query: z.strictObject({ ...period, format: z.enum(exportFormats).optional().describe('Default: jsonl.'), ...filters }),
    types: ['application/x-ndjson', 'text/csv'],
    status: 200,
    async handle(context) {
      const plain = context as unknown as Context
      const query = context.query as Asked
      const { from, to } = periodOf(query, context.now())
      return entriesAs(plain, query, exportFormats.find((one) => one === query['format']) ?? 'jsonl', { from, to })
    },
  }),
]

function entriesAs(context: Context, query: Asked, format: ExportFormat, { from, to }: { from: number; to: number }): Raw {
  const entries = contradicts(context, query) ? none() : context.services.usage.entries({ from, to, where: whereOf(context, query) })
  const day = new Date(from).toISOString().slice(0, 10)
  return new Raw({
    type: contentTypeOf(format),
    ...(format !== 'jsonl' && { fileName: `signalbox-${format === 'focus' ? 'focus' : 'calls'}-${day}.csv` }),
    body: exported(ownView(context.principal) ? asCharged(entries) : entries, format),
  })
}

async function* none(): AsyncIterable<readonly LedgerEntry[]> {}

async function* asCharged(batches: AsyncIterable<readonly LedgerEntry[]>): AsyncIterable<readonly LedgerEntry[]> {
  for await (const batch of batches) yield batch.map(chargedOnly)
}

/** A call as its organisation sees it: what providers charge for it is between them and whoever runs the gateway. */
export function chargedOnly({ estimate: _estimate, markup: _markup, settlement, ...opening }: LedgerEntry): LedgerEntry {
  if (!settlement) return opening
  const { cost: _cost, usage: used, ...ended } = settlement
  const { providerCost: _providerCost, ...usage } = used ?? {}
  return {
    ...opening,
    settlement: { ...ended, ...(used && { usage }), ...(ended.charge !== undefined && { cost: ended.charge }) },
  }
}
