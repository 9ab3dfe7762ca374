/** Holding the ledger against what providers say and charge. */
import { z } from 'zod'
import { amount, optionalDuration, secret } from './schema-parts.ts'

const names = z.array(z.string().min(1)).min(1)
const column = z.string().min(1).optional()

const columns = z
  .strictObject({
    day: z.string().min(1).describe('A date, a time, or seconds since 1970. UTC where it names no zone.'),
    model: column.describe("The model's name."),
    requests: column.describe('Calls.'),
    inputTokens: column.describe('Input tokens.'),
    outputTokens: column.describe('Output tokens.'),
    cacheReadTokens: column.describe('Input tokens read from a cache.'),
    cacheWriteTokens: column.describe('Input tokens written to a cache.'),
    cost: column.describe('What is charged.'),
  })
  .describe('Names of the columns, for the kind `csv`.')

interface Written {
  readonly kind: string
  readonly key?: string | undefined
  readonly file?: string | undefined
  readonly url?: string | undefined
  readonly columns?: object | undefined
}

const complete = z.superRefine(({ kind, key, file, url, columns: named }: Written, { addIssue }) => {
  const issue = (path: string[], message: string): void => addIssue({ code: 'custom', path, message })
  if (kind === 'openai' || kind === 'anthropic') {
    if (key === undefined) issue(['key'], 'missing\nname an admin key of the organisation: `env:OPENAI_ADMIN_KEY`')
    for (const [name, value] of Object.entries({ file, url, columns: named }))
      if (value !== undefined) issue([name], `of no use for the kind \`${kind}\`\ntake it out`)
    return
  }
  if ((file === undefined) === (url === undefined)) issue(['file'], 'a statement is read from a file or a URL\nwrite `file`, or `url`')
  if (kind === 'csv' && named === undefined)
    issue(['columns'], 'missing\nwrite which column is which: `columns: { day: Date, model: Model, cost: Cost }`')
  if (kind === 'focus' && named !== undefined)
    issue(['columns'], 'of no use for the kind `focus`\nits columns have fixed names: take it out')
})

const source = z
  .strictObject({
    kind: z
      .enum(['openai', 'anthropic', 'csv', 'focus'])
      .describe("OpenAI's organization reports, Anthropic's usage and cost reports, a table in CSV, or one in FOCUS."),
    providers: names
      .optional()
      .meta({ description: 'Ids of the providers that it bills, all together.', implied: "the source's own name" }),
    key: secret.optional().describe('An admin key of the organisation; for `url`, a bearer token.'),
    baseUrl: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('Where the reports are, version segment included. Absent: where the vendor has them.'),
    projects: names.optional().describe('Only these projects, by id (`openai`).'),
    workspaces: names.optional().describe('Only these workspaces, by id; `default` for the one without (`anthropic`).'),
    apiKeys: names.optional().describe('Only these keys, by id.'),
    file: z.string().min(1).optional().describe('The statement (`csv`, `focus`). Read anew each time.'),
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('Where it is downloaded instead.'),
    columns: columns.optional(),
    unit: z.enum(['usd', 'cents']).optional().describe('What amounts are in (`csv`). Absent: `usd`.'),
    cacheApart: z.boolean().optional().describe('Input tokens leave out those read from or written to a cache (`csv`).'),
    modelColumn: column.describe("Where the model's name stands (`focus`). Absent: `x_Model`, `ResourceName`, `ResourceId` or `SkuId`."),
    costColumn: column.describe('What is compared (`focus`). Absent: `BilledCost`.'),
    where: z.record(z.string(), z.string()).optional().describe('Only lines with these values in these columns (`focus`).'),
  })
  .check(complete)
  .describe('One statement.')

export const reconcile = z
  .strictObject({
    every: optionalDuration('1h').describe('How often.'),
    days: z.int().min(1).max(90).default(7).describe('Whole days that are looked at, up to yesterday, in UTC.'),
    lag: optionalDuration('2h').describe('So long after midnight yesterday is not yet looked at: statements come late.'),
    tolerance: z
      .strictObject({
        relative: z.number().min(0).max(1).default(0.001).describe('Share of the amount.'),
        cost: amount.default('0.001').describe('USD that never matter.'),
        tokens: z.int().min(0).default(0).describe('Tokens that never matter.'),
      })
      .prefault({})
      .describe('How far a model may be off on a day.'),
    sources: z.record(z.string().min(1), source).describe('Statements, by a name of your choice.'),
    webhook: z
      .strictObject({
        url: z.url({ protocol: /^https?$/ }).describe('Where reports are posted, as JSON.'),
        secret: secret.optional().describe('Signs each report: HMAC-SHA-256 in the header `x-signalbox-signature`.'),
        when: z.enum(['drift', 'always']).default('drift').describe('Which reports are posted.'),
      })
      .optional()
      .describe('Who is told of what was found.'),
  })
  .optional()
  .describe('Holding the ledger against what providers say and charge. Absent: not done.')
