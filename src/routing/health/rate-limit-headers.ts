/** What providers say of the rate limits that are left, in their answers' headers. Pure. */
import type { Headers } from '../../core/http.ts'

export interface Allowance {
  /** What is left of the scarcest limit, 0 to 1. */
  readonly left: number
  /** Nothing is left of it. */
  readonly used: boolean
  /** Milliseconds since 1970 when it is whole again; undefined when nobody says. */
  readonly resetAt: number | undefined
}

/** OpenAI and those who follow it: `x-ratelimit-remaining-requests: 59`, `x-ratelimit-reset-requests: 6m0s`. */
const OPENAI = ['requests', 'tokens', 'input-tokens', 'output-tokens'].map((kind) => names('x-ratelimit-', kind))
/** Anthropic: `anthropic-ratelimit-requests-remaining: 49`, `-reset` as RFC 3339. */
const ANTHROPIC = ['requests', 'tokens', 'input-tokens', 'output-tokens'].map((kind) => ({
  remaining: `anthropic-ratelimit-${kind}-remaining`,
  limit: `anthropic-ratelimit-${kind}-limit`,
  reset: `anthropic-ratelimit-${kind}-reset`,
}))
const PLAIN = [
  { remaining: 'x-ratelimit-remaining', limit: 'x-ratelimit-limit', reset: 'x-ratelimit-reset' },
  { remaining: 'ratelimit-remaining', limit: 'ratelimit-limit', reset: 'ratelimit-reset' },
]

interface Names {
  readonly remaining: string
  readonly limit: string
  readonly reset: string
}
function names(prefix: string, kind: string): Names {
  return { remaining: `${prefix}remaining-${kind}`, limit: `${prefix}limit-${kind}`, reset: `${prefix}reset-${kind}` }
}

/** The scarcest of the limits that the headers tell; undefined when they tell none. `now`: milliseconds since 1970. */
export function allowanceOf(headers: Readonly<Headers>, now: number): Allowance | undefined {
  let least: Allowance | undefined
  for (const family of familiesOf(headers)) {
    for (const { remaining, limit, reset } of family) {
      const left = numberOf(headers[remaining])
      const of = numberOf(headers[limit])
      if (left === undefined || (of === undefined && left > 0)) continue
      const share = of ? Math.min(1, left / of) : 0
      if (least === undefined || share < least.left) least = { left: share, used: left <= 0, resetAt: resetOf(headers[reset], now) }
    }
  }
  return least
}

function familiesOf(headers: Readonly<Headers>): readonly (readonly Names[])[] {
  const found: (readonly Names[])[] = []
  if (headers['x-ratelimit-remaining-requests'] !== undefined || headers['x-ratelimit-remaining-tokens'] !== undefined) found.push(OPENAI)
  if (headers['anthropic-ratelimit-requests-remaining'] !== undefined || headers['anthropic-ratelimit-tokens-remaining'] !== undefined)
    found.push(ANTHROPIC)
  if (headers['x-ratelimit-remaining'] !== undefined || headers['ratelimit-remaining'] !== undefined) found.push(PLAIN)
  return found
}

function numberOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  // `100, 100;w=60` says the limit first.
  const value = Number.parseFloat(text)
  return Number.isFinite(value) && value >= 0 ? value : undefined
}

const YEAR_2001 = 978_307_200

/** A Go duration (`6m0s`, `1.5s`, `20ms`), seconds to go, seconds or milliseconds since 1970, or a date. */
export function resetOf(text: string | undefined, now: number): number | undefined {
  if (text === undefined || text === '') return undefined
  const number = Number(text)
  if (Number.isFinite(number)) {
    if (number < 0) return undefined
    if (number > YEAR_2001 * 1000) return number
    return number > YEAR_2001 ? number * 1000 : now + number * 1000
  }
  const duration = goDuration(text)
  if (duration !== undefined) return now + duration
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : date
}

const UNIT: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1, us: 1e-3, µs: 1e-3, ns: 1e-6, d: 86_400_000 }

/** Milliseconds of `1h2m3.5s`; undefined when it is no such thing. */
export function goDuration(text: string): number | undefined {
  const part = /(\d+(?:\.\d+)?)(ms|us|µs|ns|d|h|m|s)/y
  let total = 0
  while (part.lastIndex < text.length) {
    const found = part.exec(text)
    if (!found) return undefined
    total += Number(found[1]) * (UNIT[found[2] ?? ''] ?? 0)
  }
  return text === '' ? undefined : total
}
