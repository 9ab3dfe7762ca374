/** Kinds of value that several sections share. */
import { z } from 'zod'
import type { Json } from '../core/json.ts'
import { MAX_TIMER_MS, parseDuration } from '../core/units.ts'
import { wireIds } from './known.ts'

const durationHelp = 'not a duration\nwrite a number with a unit, in quotes: "250ms", "8s", "5m", "1h"'
const sizeHelp = 'not a size\nwrite a number with a unit, in quotes: "16KB", "64MB"'

const SHORTEST_INTERVAL_MS = 60_000

const durationPattern = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/
const sizePattern = /^(\d+(?:\.\d+)?)(B|KB|MB|GB)$/

const durationText = z
  .string({ error: durationHelp })
  .regex(durationPattern, { error: durationHelp })
  // Timers that are asked to wait longer do not wait at all.
  .refine((text) => (parseDuration(text) ?? 0) <= MAX_TIMER_MS, { error: 'too long\nwrite 24d or less' })
const waitText = durationText.refine((text) => parseDuration(text) !== 0, {
  error: 'no time at all\nwrite how long to wait, or leave it out',
})
const sizeText = z.string({ error: sizeHelp }).regex(sizePattern, { error: sizeHelp })

export const duration = (fallback: string) => durationText.default(fallback)
export const size = (fallback: string) => sizeText.default(fallback)
/** Stays undefined when the operator does not say; `implied` tells the reader what then holds. */
export const optionalDuration = (fallback?: string, implied = fallback) =>
  implied ? waitText.optional().meta({ implied }) : waitText.optional()

/** Between two of the same. */
export const interval = () =>
  waitText.refine((text) => (parseDuration(text) ?? SHORTEST_INTERVAL_MS) >= SHORTEST_INTERVAL_MS, {
    error: 'too often\nwrite "1m" or more',
  })

/** Whether plaintext is allowed is not known here: `cross-check.ts` decides. */
export const secret = z.string({ error: 'not a secret reference\nwrite `env:NAME` or `file:PATH`' }).min(1, {
  error: 'empty\nwrite `env:NAME` or `file:PATH`',
})

export const wire = z.enum(wireIds)

export const headers = z.record(
  z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { error: 'not a header name\nuse letters, digits and dashes' }),
  z.string().regex(/^[^\r\n\0]*$/, { error: 'a header value cannot hold line breaks\nwrite it in one line' }),
)

const json: z.ZodType<Json> = z.json()
export const bodyFields = z.record(z.string(), json)
/** USD. A string keeps every decimal; a number is fine for a human amount. */
export const amount = z.union([z.string().regex(/^\d{1,15}(\.\d{1,9})?$/), z.number().min(0).max(1e12)], {
  error: 'not an amount in USD\nwrite "0.50"',
})

const LONGEST_DAYS = 3_650
const longHelp = 'not a duration\nwrite a number with a unit, in quotes: "12h", "30d"'

/** For schedules that are longer than a timer can wait. */
export const longDuration = z
  .string({ error: longHelp })
  .regex(/^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/, { error: longHelp })
  .refine((text) => (parseDuration(text) ?? 0) <= LONGEST_DAYS * 86_400_000, { error: `too long\nwrite ${LONGEST_DAYS}d or less` })
