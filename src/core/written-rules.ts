/**
 * Rules as people write them, in the configuration and through the admin API, made into rules. One place, so that both say the same:
 * money is a decimal string in USD, spans of time have a unit.
 */
import { invalid } from './error.ts'
import { digestWord } from './id.ts'
import type { Json } from './json.ts'
import { nanosOf, nanosOfNumber } from './money.ts'
import type { BudgetRule, CalendarWindow, Dimension, RateRule } from './rules.ts'
import { parseDuration } from './units.ts'

/** Counters hold whole nano-dollars below 2^53. */
export const MOST_DOLLARS = 9_000_000
export const calendarWindows = ['minute', 'hour', 'day', 'week', 'month', 'year', 'total'] as const
export const dimensions = [
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
] as const
export const breaches = ['refuse', 'next-tier', 'queue'] as const
export const rates = ['requests', 'input-tokens', 'output-tokens', 'tokens', 'concurrent'] as const

export interface WrittenBudget {
  readonly name?: string | undefined
  /** USD: `"0.50"`. */
  readonly limit: string | number
  /** A calendar window, or the last so long: `24h`, `30d`. Default: month. */
  readonly window?: CalendarWindow | (string & {}) | undefined
  readonly timeZone?: string | undefined
  readonly by?: Dimension | undefined
  readonly value?: string | undefined
  readonly models?: readonly string[] | undefined
  readonly tiers?: readonly string[] | undefined
  /** Default: refuse. */
  readonly onBreach?: BudgetRule['onBreach'] | undefined
  /** Default: 402. */
  readonly status?: number | undefined
  /** Default: 0.8. */
  readonly warnAt?: readonly number[] | undefined
}

export interface WrittenLimit {
  readonly name?: string | undefined
  readonly what: RateRule['what']
  readonly limit: number
  /** The last so long: `1m`, `24h`, or `minute`, `hour`, `day`, `week`. Default: `1m`. */
  readonly window?: string | undefined
  readonly by?: Dimension | undefined
  readonly value?: string | undefined
  readonly models?: readonly string[] | undefined
  readonly tiers?: readonly string[] | undefined
}

export interface RuleOptions {
  /** Where `by` is not written. Default: `all`. */
  readonly by?: Dimension
  /** Whose rule it is. */
  readonly organisation?: string | undefined
  /** Of the rule in what was written, for errors: `budgets[0]`. */
  readonly path?: string
}

/** Whether the language knows this time zone. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/** Throws `invalid-request` with the path of what is wrong. `written` may come from anywhere. */
export function budgetRuleOf(id: string, written: WrittenBudget | Readonly<Record<string, Json>>, options: RuleOptions = {}): BudgetRule {
  const read = reader(written, options.path)
  const zone = read.text('timeZone')
  if (zone !== undefined && !isTimeZone(zone)) read.fail('timeZone', `${zone} is no time zone: write an IANA name like "Europe/Berlin"`)
  const status = read.whole('status') ?? 402
  if (status < 400 || status > 499) read.fail('status', 'the status of a refusal is between 400 and 499')
  return {
    ...scopeOf(id, read, options),
    limit: amountOf(read),
    window: windowOf(read),
    ...(zone !== undefined && { timeZone: zone }),
    onBreach: read.choice('onBreach', breaches) ?? 'refuse',
    status,
    warnAt: read.shares('warnAt') ?? [0.8],
  }
}

export function rateRuleOf(id: string, written: WrittenLimit | Readonly<Record<string, Json>>, options: RuleOptions = {}): RateRule {
  const read = reader(written, options.path)
  const what = read.choice('what', rates) ?? read.fail('what', `one of ${rates.join(', ')} is needed`)
  const limit = read.whole('limit') ?? read.fail('limit', 'a whole number is needed')
  return { ...scopeOf(id, read, options), what, limit, windowMs: rateWindowOf(read) }
}

/**
 * An id that stays the same as long as the rule counts the same, whatever its limit is and wherever it stands in the list: what was spent
 * stays spent when the limit changes. A named rule is known by its name. `taken` holds the ids given so far.
 */
export function stableId(prefix: string, written: WrittenBudget | WrittenLimit, taken: Set<string>): string {
  const { limit: _, ...counts } = written
  const { onBreach: _1, status: _2, warnAt: _3, ...kept } = counts as Partial<WrittenBudget>
  const sorted = Object.entries(kept)
    .filter(([, value]) => value !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
  const word = written.name ?? digestWord(JSON.stringify(sorted), 11)
  let id = `${prefix}:${word}`
  for (let count = 2; taken.has(id); count++) id = `${prefix}:${word}:${count}`
  taken.add(id)
  return id
}

function scopeOf(id: string, read: Reader, { by = 'all', organisation }: RuleOptions) {
  const name = read.text('name')
  const value = read.text('value')
  const models = read.names('models')
  const tiers = read.names('tiers')
  return {
    id,
    by: read.choice('by', dimensions) ?? by,
    ...(name !== undefined && { name }),
    ...(value !== undefined && { value }),
    ...(models && { models }),
    ...(tiers && { tiers }),
    ...(organisation !== undefined && { organisation }),
  }
}

function amountOf(read: Reader): bigint {
  const limit = read.member('limit')
  const nanos =
    typeof limit === 'string' ? nanosOf(limit) : typeof limit === 'number' && limit >= 0 && limit <= 1e12 ? nanosOfNumber(limit) : undefined
  if (nanos === undefined) return read.fail('limit', 'not an amount in USD: write "0.50"')
  return nanos > BigInt(MOST_DOLLARS) * 1_000_000_000n
    ? read.fail('limit', `more than can be counted: write ${MOST_DOLLARS} at most`)
    : nanos
}

const YEAR_MS = 366 * 86_400_000
const fixedMs: Readonly<Record<string, number>> = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000, week: 604_800_000 }
const spanOf = (ms: unknown): number | undefined =>
  typeof ms === 'number' && Number.isSafeInteger(ms) && ms >= 1_000 && ms <= YEAR_MS ? ms : undefined

/** `{ rollingMs }` is how rules themselves are kept. */
function windowOf(read: Reader): BudgetRule['window'] {
  const written = read.member('window') ?? 'month'
  const word = calendarWindows.find((one) => one === written)
  if (word) return word
  const kept = typeof written === 'object' && written !== null && 'rollingMs' in written ? written.rollingMs : undefined
  const rollingMs = spanOf(typeof written === 'string' ? parseDuration(written) : kept)
  return rollingMs === undefined
    ? read.fail('window', `one of ${calendarWindows.join(', ')} is needed, or the last so long: "5h" (1s to 366d)`)
    : { rollingMs }
}

function rateWindowOf(read: Reader): number {
  const written = read.member('window') ?? read.member('windowMs') ?? '1m'
  const ms = spanOf(typeof written === 'string' ? (fixedMs[written] ?? parseDuration(written)) : written)
  return ms ?? read.fail('window', 'a second or more is needed, with a unit: "1m", "24h" (1s to 366d)')
}

type Reader = ReturnType<typeof reader>

function reader(written: object, base: string | undefined) {
  const fail = (key: string, problem: string): never => {
    const path = base === undefined ? key : `${base}.${key}`
    throw invalid(`${path}: ${problem}.`, path)
  }
  const member = (key: string): unknown => (written as Readonly<Record<string, unknown>>)[key] ?? undefined
  const text = (key: string): string | undefined => {
    const value = member(key)
    if (value === undefined || (typeof value === 'string' && value !== '')) return value
    return fail(key, 'a text is needed')
  }
  return {
    fail,
    member,
    text,
    whole(key: string): number | undefined {
      const value = member(key)
      if (value === undefined || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)) return value
      return fail(key, 'a whole number is needed')
    },
    choice<const T extends string>(key: string, known: readonly T[]): T | undefined {
      const value = text(key)
      if (value === undefined || known.includes(value as T)) return value as T | undefined
      return fail(key, `one of ${known.join(', ')} is needed`)
    },
    names(key: string): readonly string[] | undefined {
      const value = member(key)
      if (value === undefined) return undefined
      return Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== '')
        ? value
        : fail(key, 'a list of names is needed')
    },
    shares(key: string): readonly number[] | undefined {
      const value = member(key)
      if (value === undefined) return undefined
      return Array.isArray(value) && value.every((share) => typeof share === 'number' && share > 0 && share <= 1)
        ? value
        : fail(key, 'shares of the limit are needed: [0.8, 0.95]')
    },
  }
}
