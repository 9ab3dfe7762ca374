/** Budgets and limits as the API takes and tells them. Records hold the API's form, which `core/written-rules.ts` reads. */
import { z } from 'zod'
import { newId } from '../core/id.ts'
import { dollarsOf } from '../core/money.ts'
import type { BudgetRule, Dimension, RateRule } from '../core/rules.ts'
import { breaches, calendarWindows, dimensions, isTimeZone, rates } from '../core/written-rules.ts'
import { amount, id, span, spanOf, text, usd, words } from './schema.ts'

/** What a rule on one key may count apart. */
const ownDimensions = ['key', 'user', 'tag', 'route', 'model', 'provider', 'ip-class'] as const satisfies readonly Dimension[]

const windowHelp = 'not a window\nwrite `day`, `month`, `total` …, or a duration for the last so long: "24h"'
const window = z.union([z.enum(calendarWindows), span], { error: windowHelp })
const zone = text(100).refine(isTimeZone, { error: 'not a time zone\nwrite an IANA name: Europe/Berlin' })
const share = z.number().gt(0).max(1)

const budgetFields = {
  name: text().optional().describe('What it is called in errors and reports.'),
  limit: amount.describe('USD: "0.50".'),
  window: window.optional().describe('A calendar window, or a duration for the last so long ("24h"). Default: month.'),
  timeZone: zone.optional().describe('Where calendar windows begin. Default: UTC.'),
  models: words().optional().describe('Only calls for these names. Absent: all.'),
  tiers: words(100).optional().describe('Only calls at these tiers. Absent: all.'),
  onBreach: z.enum(breaches).optional().describe('What happens when it is used up. Default: refuse.'),
  status: z.int().min(400).max(499).optional().describe('The status of a refusal. Default: 402.'),
  warnAt: z.array(share).max(10).optional().describe('Shares of the limit at which to warn. Default: 0.8.'),
}
const limitFields = {
  name: text().optional().describe('What it is called in errors and reports.'),
  what: z.enum(rates).describe('What is counted.'),
  limit: z.int().min(0).max(Number.MAX_SAFE_INTEGER).describe('So many are let through.'),
  window: span.optional().describe('In the last so long. Default: 1m. Without meaning for `concurrent`.'),
  models: words().optional().describe('Only calls for these names. Absent: all.'),
  tiers: words(100).optional().describe('Only calls at these tiers. Absent: all.'),
}
const ruleId = id.optional().describe('Of a rule that the key has already, so that what was spent under it stays spent.')
const own = z.enum(ownDimensions).optional().describe('What has a count of its own. Default: the key.')
const by = z.enum(dimensions).optional().describe('What has a count of its own. Default: all together.')
const value = text().optional().describe('Only this key, user, team … Absent: each.')

export const keyBudgetBody = z.strictObject({ id: ruleId, ...budgetFields, by: own }).meta({ id: 'KeyBudgetInput' })
export const keyLimitBody = z.strictObject({ id: ruleId, ...limitFields, by: own }).meta({ id: 'KeyLimitInput' })
export const budgetShape = { ...budgetFields, by, value }
export const limitShape = { ...limitFields, by, value }

export const budgetAnswer = {
  name: z.string().optional(),
  limit: usd,
  window: z.string().describe('A calendar window, or a duration.'),
  timeZone: z.string(),
  by: z.enum(dimensions),
  value: z.string().optional(),
  models: z.array(z.string()).optional(),
  tiers: z.array(z.string()).optional(),
  onBreach: z.enum(breaches),
  status: z.int(),
  warnAt: z.array(z.number()),
}
export const limitAnswer = {
  name: z.string().optional(),
  what: limitFields.what,
  limit: z.int(),
  window: z.string().describe('A duration.'),
  by: z.enum(dimensions),
  value: z.string().optional(),
  models: z.array(z.string()).optional(),
  tiers: z.array(z.string()).optional(),
}
export const keyBudget = z.object({ id: z.string(), ...budgetAnswer }).meta({ id: 'KeyBudget' })
export const keyLimit = z.object({ id: z.string(), ...limitAnswer }).meta({ id: 'KeyLimit' })

export function budgetBody({
  name,
  limit,
  window: lasts,
  timeZone = 'UTC',
  by: dimension,
  value: only,
  models,
  tiers,
  ...rest
}: BudgetRule) {
  return {
    name,
    limit: dollarsOf(limit),
    window: typeof lasts === 'string' ? lasts : spanOf(lasts.rollingMs),
    timeZone,
    by: dimension,
    value: only,
    models: models && [...models],
    tiers: tiers && [...tiers],
    onBreach: rest.onBreach,
    status: rest.status,
    warnAt: [...rest.warnAt],
  }
}

export const limitBody = ({ name, what, limit, windowMs, by: dimension, value: only, models, tiers }: RateRule) => ({
  name,
  what,
  limit,
  window: spanOf(windowMs),
  by: dimension,
  value: only,
  models: models && [...models],
  tiers: tiers && [...tiers],
})

/**
 * The id that a rule written anew has: the one it names, else that of a rule that differs in no more than its limit, else a new one.
 * `taken` are the rules before, out of which each is used once. Undefined: it names one that there is not.
 */
export function keepId<Rule extends { readonly id: string }>(
  asked: string | undefined,
  taken: Rule[],
  same: (rule: Rule) => boolean,
  prefix: string,
): string | undefined {
  const index = taken.findIndex((rule) => (asked === undefined ? same(rule) : rule.id === asked))
  const [found] = index < 0 ? [] : taken.splice(index, 1)
  return found?.id ?? (asked === undefined ? newId(prefix) : undefined)
}
