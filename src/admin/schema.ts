/** Kinds of value that several resources share. Error texts are `what is wrong`, newline, `what to do`, as in the configuration's schema. */
import { z } from 'zod'
import { amount, duration } from '../config/schema-parts.ts'
import { roles } from '../core/principal.ts'
import { MAX_TIMER_MS, parseDuration } from '../core/units.ts'

export { amount }

export const text = (most = 200) => z.string().min(1, { error: 'empty\nleave it out, or write something' }).max(most)
export const words = (most = 1_000) => z.array(text()).max(most)

/** Ids in bodies and queries; what does not look like one cannot exist. */
export const id = text(128)

/** USD, as it is told. */
export const usd = z.string().meta({ description: 'USD, as a decimal string.' })

/** A time, as it is told. */
export const time = z.iso.datetime().meta({ description: 'RFC 3339, UTC.' })
export const timeOf = (ms: number): string => new Date(ms).toISOString()
export const timeOrNone = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : timeOf(ms))

const momentHelp = 'not a time\nwrite a date (2026-01-31) or a time (2026-01-31T12:00:00Z)'
const momentForm = /^(\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+ -]\d{2}:\d{2}))?|\d{10}|\d{13})$/
/** A time, as it is asked for: a date is the beginning of that day in UTC. Seconds and milliseconds since 1970 are understood. */
export const moment = z
  .string({ error: momentHelp })
  .regex(momentForm, { error: momentHelp })
  .refine((written) => !Number.isNaN(msOf(written)), { error: momentHelp })
export function msOf(written: string): number {
  if (/^\d+$/.test(written)) return Number(written) * (written.length === 10 ? 1_000 : 1)
  // A plus that nobody encoded is a space in a query.
  return Date.parse(written.replace(' ', '+'))
}

const spanHelp = 'not a duration\nwrite a number with a unit, in quotes: "15m", "1h", "30d"'
/** A duration with a unit. Timers need not wait that long: these are windows and validities. */
export const span = z.string({ error: spanHelp }).regex(/^\d+(?:\.\d+)?(ms|s|m|h|d)$/, { error: spanHelp })
export const spanMs = (written: string): number => parseDuration(written) ?? 0
export const spanOf = (ms: number): string => {
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
  ] as const)
    if (ms % size === 0 && ms >= size) return `${ms / size}${unit}`
  return `${ms}ms`
}
export { duration, MAX_TIMER_MS }

export const role = z.enum(roles)
export const versionOf = z.int().min(1)

export const metadata = z
  .record(z.string().min(1).max(100), z.string().max(1_000))
  .refine((entries) => Object.keys(entries).length <= 50, { error: 'more than 50 entries\nkeep what matters' })

export const pageQuery = z.strictObject({
  after: text().optional().describe('Go on after this: `next` of the page before.'),
  limit: z.coerce.number().int().min(1).max(1_000).default(100).describe('Most entries of a page.'),
})
export const tenantPageQuery = pageQuery.extend({
  organisation: id.optional().describe('Only what belongs to this organisation.'),
})

export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ data: z.array(item), next: z.string().optional().describe('Give it as `after` to go on. Absent: this was the last page.') })

/** The same members, each of which may be left out, or null to take it away. */
export function patchOf<Shape extends z.ZodRawShape>(schema: z.ZodObject<Shape>) {
  const shape = Object.fromEntries(
    Object.entries(schema.shape).map(([name, member]) => [name, (member as z.ZodType).nullable().optional()]),
  )
  return z.strictObject({
    ...(shape as { [Name in keyof Shape]: z.ZodOptional<z.ZodNullable<Shape[Name] extends z.ZodType ? Shape[Name] : never>> }),
    version: versionOf.optional().describe('Change it only if this is still its version; as the header `If-Match`.'),
  })
}

/** What was there, changed as a PATCH says: null takes a member away. */
export function patched<Data extends object>(before: Data, change: object): Data {
  const merged = { ...before, ...change } as Record<string, unknown>
  for (const [name, value] of Object.entries(merged)) if (value === null || value === undefined) delete merged[name]
  return merged as Data
}
