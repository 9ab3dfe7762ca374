/** Budgets and limits as the API tells them, and as policy enforces them. Records hold the API's form. */
import { z } from 'zod'
import { newId } from '../core/id.ts'
import type { Json } from '../core/json.ts'
import { dollarsOf, nanosOf, nanosOfNumber } from '../core/money.ts'
import type { BudgetRule, CalendarWindow, Dimension, RateRule } from '../core/rules.ts'
import { amount, id, span, spanMs, spanOf, text, usd, words } from './schema.ts'

const calendarWindows = ['minute', 'hour', 'day', 'week', 'month', 'year', 'total'] as const satisfies readonly CalendarWindow[]
const dimensions = [
  'all',
  'key',
  'user',
  'organisation',
  'team',
  'project',
  'tag',
  'route',
  'model',
  'provider',
  'ip-class',
] as const satisfies readonly Dimension[]
/** What a rule on one key may count apart. */
const ownDimensions = ['key', 'user', 'tag', 'route', 'model', 'provider', 'ip-class'] as const satisfies readonly Dimension[]

const windowHelp = 'not a window\nwrite `day`, `month`, `total` …, or a duration for the last so long: "24h"'
const window = z.union([z.enum(calendarWindows), span], { error: windowHelp })
const zone = text(100).refine(isTimeZone, { error: 'not a time zone\nwrite an IANA name: Europe/Berlin' })
const share = z.number().min(0).max(1)

const budgetFields = {
  name: text().optional().describe('What it is called in errors and reports.'),
  limit: amount.describe('USD: "0.50".'),
  window: window.optional().describe('A calendar window, or a duration for the last so long ("24h"). Default: month.'),
  timeZone: zone.optional().describe('Where calendar windows begin. Default: UTC.'),
  models: words().optional().describe('Only calls for these names. Absent: all.'),
  onBreach: z.enum(['refuse', 'next-tier', 'queue']).optional().describe('What happens when it is used up. Default: refuse.'),
  status: z.int().min(400).max(499).optional().describe('The status of a refusal. Default: 402.'),
  warnAt: z.array(share).max(10).optional().describe('Shares of the limit at which to warn. Default: 0.8.'),
}
const limitFields = {
  what: z.enum(['requests', 'input-tokens', 'output-tokens', 'tokens', 'concurrent']).describe('What is counted.'),
  limit: z.int().min(0).max(Number.MAX_SAFE_INTEGER).describe('So many are let through.'),
  window: span.optional().describe('In the last so long. Default: 1m. Without meaning for `concurrent`.'),
  models: words().optional().describe('Only calls for these names. Absent: all.'),
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
  onBreach: z.enum(['refuse', 'next-tier', 'queue']),
  status: z.int(),
  warnAt: z.array(z.number()),
}
export const limitAnswer = {
  what: limitFields.what,
  limit: z.int(),
  window: z.string().describe('A duration.'),
  by: z.enum(dimensions),
  value: z.string().optional(),
  models: z.array(z.string()).optional(),
}
export const keyBudget = z.object({ id: z.string(), ...budgetAnswer }).meta({ id: 'KeyBudget' })
export const keyLimit = z.object({ id: z.string(), ...limitAnswer }).meta({ id: 'KeyLimit' })

export type BudgetData = z.output<z.ZodObject<typeof budgetShape>>
export type LimitData = z.output<z.ZodObject<typeof limitShape>>

const DEFAULT_WINDOW_MS = 60_000

export function budgetRuleOf(ruleId: string, data: BudgetData, fallback: Dimension = 'all'): BudgetRule {
  const { name, limit, window: asked = 'month', timeZone, by: dimension = fallback, value: only, models } = data
  const calendar = calendarWindows.find((one) => one === asked)
  return {
    id: ruleId,
    limit: typeof limit === 'number' ? nanosOfNumber(limit) : (nanosOf(limit) ?? 0n),
    window: calendar ?? { rollingMs: spanMs(asked) },
    by: dimension,
    onBreach: data.onBreach ?? 'refuse',
    status: data.status ?? 402,
    warnAt: data.warnAt ?? [0.8],
    ...(name !== undefined && { name }),
    ...(timeZone !== undefined && { timeZone }),
    ...(only !== undefined && { value: only }),
    ...(models !== undefined && { models }),
  }
}

export function limitRuleOf(ruleId: string, data: LimitData, fallback: Dimension = 'all'): RateRule {
  const { what, limit, window: asked, by: dimension = fallback, value: only, models } = data
  return {
    id: ruleId,
    what,
    limit,
    windowMs: asked === undefined ? DEFAULT_WINDOW_MS : spanMs(asked),
    by: dimension,
    ...(only !== undefined && { value: only }),
    ...(models !== undefined && { models }),
  }
}

export function budgetBody({ name, limit, window: lasts, timeZone = 'UTC', by: dimension, value: only, models, ...rest }: BudgetRule) {
  return {
    name,
    limit: dollarsOf(limit),
    window: typeof lasts === 'string' ? lasts : spanOf(lasts.rollingMs),
    timeZone,
    by: dimension,
    value: only,
    models: models && [...models],
    onBreach: rest.onBreach,
    status: rest.status,
    warnAt: [...rest.warnAt],
  }
}

export const limitBody = ({ what, limit, windowMs, by: dimension, value: only, models }: RateRule) => ({
  what,
  limit,
  window: spanOf(windowMs),
  by: dimension,
  value: only,
  models: models && [...models],
})

/** A record of the kind `budget` or `limit`, for whoever enforces it. Those of an organisation hold for its calls only. */
export const budgetRuleOfRecord = (record: { readonly id: string; readonly data: Readonly<Record<string, Json>> }): BudgetRule =>
  budgetRuleOf(record.id, record.data as unknown as BudgetData)
export const limitRuleOfRecord = (record: { readonly id: string; readonly data: Readonly<Record<string, Json>> }): RateRule =>
  limitRuleOf(record.id, record.data as unknown as LimitData)

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

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
