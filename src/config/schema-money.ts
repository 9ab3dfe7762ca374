/** Limits on spending and on rates, what happens where nobody knows a price, and how calls are held and written down. */
import { z } from 'zod'
import type { BudgetRule, RateRule } from '../core/rules.ts'
import { parseDuration } from '../core/units.ts'
import {
  breaches,
  budgetRuleOf,
  calendarWindows,
  dimensions,
  isTimeZone,
  MOST_DOLLARS,
  rateRuleOf,
  rates,
  stableId,
} from '../core/written-rules.ts'
import { optionalDuration } from './schema-parts.ts'

const names = z.array(z.string().min(1)).min(1)
const share = z.number().gt(0).max(1)
const YEAR_MS = 366 * 86_400_000

const spanHelp = 'not a span of time\nwrite a number with a unit, in quotes: "1m", "5h", "30d"'
const isSpan = (text: string): boolean => {
  const ms = parseDuration(text) ?? 0
  return ms >= 1_000 && ms <= YEAR_MS
}
/** No timer waits for it, so it may be longer than `24d`. */
const span = z.string({ error: spanHelp }).refine(isSpan, { error: spanHelp })

const amountHelp = 'not an amount in USD that can be counted\nwrite "0.50", and 9000000 at most'
const amount = z
  .union([z.string().regex(/^\d{1,15}(\.\d{1,9})?$/, { error: amountHelp }), z.number().min(0)], { error: amountHelp })
  .refine((value) => Number(value) <= MOST_DOLLARS, { error: amountHelp })

const windowHelp = `neither a calendar window nor a span of time\nwrite ${calendarWindows.join(', ')}, or the last so long: "5h", "30d"`
const window = z.string({ error: windowHelp }).refine((text) => (calendarWindows as readonly string[]).includes(text) || isSpan(text), {
  error: windowHelp,
})
const timeZone = z.string().refine(isTimeZone, { error: 'not a time zone\nwrite an IANA name: "Europe/Berlin"' })

const by = z
  .enum(dimensions)
  .default('all')
  .describe('What has a count of its own: each key, user, team … `model` counts for each model of each provider, `route` for each route.')
const value = z.string().min(1).optional().describe('Only this key (its id), user, team … Absent: each.')
const models = names.optional().describe('Only calls for these: routes, `provider/model`, or `provider/*`. Absent: all.')
const tiers = names.optional().describe('Only calls at these tiers. Absent: all.')

const budget = z
  .strictObject({
    name: z.string().min(1).max(60).optional().describe('What it is called in errors and reports, and what it is known by over reloads.'),
    limit: amount.describe('USD, as a string: `"0.50"`.'),
    window: window
      .default('month')
      .describe(
        'What it lasts for: `minute`, `hour`, `day`, `week` (from Monday), `month`, `year`, `total`, or the last so long: `5h`, `30d`.',
      ),
    timeZone: timeZone.default('UTC').describe('Whose midnight days, weeks, months and years begin at: an IANA name.'),
    by,
    value,
    models,
    tiers,
    onBreach: z
      .enum(breaches)
      .default('refuse')
      .describe(
        'What happens when it is used up: `refuse`, go to the `next-tier`, or `queue` until there is room (as long as `reservation.queue` says).',
      ),
    status: z.int().min(400).max(499).default(402).describe('The status of a refusal.'),
    warnAt: z.array(share).default([0.8]).describe('Shares of the limit at which to warn.'),
  })
  .describe('One budget.')

export const budgets = z.array(budget).optional().describe('Limits on spending.')

const limit = z
  .strictObject({
    name: z.string().min(1).max(60).optional().describe('What it is called in errors and headers, and what it is known by over reloads.'),
    what: z
      .enum(rates)
      .describe('What is counted: `requests`, tokens (`input-tokens`, `output-tokens`, `tokens`), or calls at a time (`concurrent`).'),
    limit: z.int().min(0).describe('As many, at most.'),
    window: span.default('1m').describe('In the last so long. Means nothing for `concurrent`.'),
    by,
    value,
    models,
    tiers,
  })
  .describe('One limit.')

export const limits = z.array(limit).optional().describe('Limits on rates.')

const rate = z.number().min(0).max(1e6)

export const prices = z
  .strictObject({
    unknown: z
      .enum(['refuse', 'estimate', 'allow'])
      .default('refuse')
      .describe(
        'A model that nobody knows a price of, where a budget or prepaid credit applies: `refuse` it, `estimate` at the rates below, or `allow` it, uncounted by budgets and marked as unpriced.',
      ),
    estimate: z
      .strictObject({
        input: rate.default(5).describe('USD per million input tokens.'),
        output: rate.default(25).describe('USD per million output tokens.'),
      })
      .prefault({})
      .describe('Rates for models without a price, where `unknown` is `estimate`.'),
  })
  .prefault({})
  .describe('What holds where nobody knows a price. A price of your own goes to the target: `price`.')

export const reservation = z
  .strictObject({
    inputMargin: z.number().min(1).max(10).default(1.25).describe('Input tokens are estimated; so many times the estimate is held.'),
    output: z
      .int()
      .min(1)
      .max(10_000_000)
      .default(4_096)
      .describe('Output tokens held for a call that sets no maximum (less where its model cannot write as many).'),
    outputCap: z.int().min(1).max(10_000_000).default(32_768).describe('Output tokens held at most, whatever the call sets.'),
    queue: optionalDuration('30s').describe('How long a call waits for room under a budget with `onBreach: queue`.'),
  })
  .prefault({})
  .describe('What is held of budgets and limits while a call runs.')

export const ledger = z
  .strictObject({
    durability: z
      .enum(['relaxed', 'strict'])
      .default('relaxed')
      .describe(
        'When an answer may end: `relaxed`, at once (its end is on disk within milliseconds, its beginning always is); `strict`, when its end is on disk too.',
      ),
  })
  .prefault({})
  .describe('The record of all calls.')

export type WrittenBudgets = z.output<typeof budgets>
export type WrittenLimits = z.output<typeof limits>

/** The rules of the configuration. Ids stay the same over reloads, whatever becomes of a rule's limit or its place in the list. */
export function rulesOf({ budgets, limits }: { readonly budgets?: WrittenBudgets; readonly limits?: WrittenLimits }): {
  readonly budgets: readonly BudgetRule[]
  readonly limits: readonly RateRule[]
} {
  const taken = new Set<string>()
  return {
    budgets: (budgets ?? []).map((one, index) => budgetRuleOf(stableId('budget', one, taken), one, { path: `budgets[${index}]` })),
    limits: (limits ?? []).map((one, index) => rateRuleOf(stableId('limit', one, taken), one, { path: `limits[${index}]` })),
  }
}
