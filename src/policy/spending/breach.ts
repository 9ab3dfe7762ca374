/** What a caller hears when a limit is reached: which, and when to come back. Pure. */
import type { CounterState } from '../../core/counters.ts'
import { GatewayError } from '../../core/error.ts'
import { dollarsOf } from '../../core/money.ts'
import type { Attribution } from './attribution.ts'
import type { Applied } from './matcher.ts'
import type { Measure } from './meter.ts'

export interface Breach {
  readonly applied: Applied
  /** What was spent and held before this call. */
  readonly state: CounterState
  /** What the call would have held. */
  readonly amount: number
  readonly retryAfterMs: number | undefined
}

const words: Readonly<Record<Measure, string>> = {
  charge: 'USD',
  requests: 'requests',
  'input-tokens': 'input tokens',
  'output-tokens': 'output tokens',
  tokens: 'tokens',
  concurrent: 'calls at a time',
}

/** One call alone is more than the limit: waiting does not help. */
export const impossible = ({ applied, amount }: Breach): boolean => amount > applied.meter.limit

export function rateRefusal(breach: Breach, now: number): GatewayError {
  const { applied, amount } = breach
  const { meter } = applied
  const what = words[meter.measure]
  const per = meter.gauge ? '' : ` in ${spanText(meter.rollingMs ?? 60_000)}`
  const limit = `${named(applied, 'limit')} of ${meter.limit} ${what}${per}`
  if (impossible(breach)) {
    const size =
      meter.limit === 0
        ? 'lets no call through'
        : `is less than this one call may take (${amount}): set a smaller maximum of output tokens, or send less input`
    return new GatewayError('rate-limited', `${limit} ${size}.`, { shouldRetry: false })
  }
  const retryAfterMs = waitMs(breach, now) ?? 1_000
  return new GatewayError('rate-limited', `${limit} is reached. Try again in ${spanText(retryAfterMs)}.`, { retryAfterMs })
}

/** `who`: amounts are told only to those whose budget it is. */
export function budgetRefusal(breach: Breach, who: Attribution, now: number): GatewayError {
  const { meter } = breach.applied
  const retryAfterMs = meter.kind === 'credit' || impossible(breach) ? undefined : waitMs(breach, now)
  return new GatewayError('budget-exceeded', why(breach, who, now), {
    status: meter.budget?.status ?? 402,
    retryAfterMs,
    shouldRetry: false,
  })
}

/** One or two sentences: which budget, how far it is used, and when it begins anew. */
export function why(breach: Breach, who: Attribution, now: number): string {
  const { applied, state, amount } = breach
  const { meter, slot } = applied
  const { spent, held } = state
  const theirs = isTheirs(applied, who)
  const used = theirs ? `: ${usd(spent)} of ${usd(meter.limit)} is spent${held > 0 ? ` and ${usd(held)} held by calls that run` : ''}` : ''
  const own = theirs ? `, and this call may cost up to ${usd(amount)}` : ''
  if (meter.kind === 'credit') return `The prepaid credit does not cover this call${used}${own}. Top it up.`
  const budget = named(applied, 'budget')
  if (impossible(breach) && spent === 0 && held === 0)
    return `${budget} is smaller than what this call may cost${theirs ? ` (${usd(amount)} of ${usd(meter.limit)})` : ''}. Set a smaller maximum of output tokens, or send less input.`
  const resets = Number.isFinite(slot.endsAt)
    ? ` It begins anew at ${new Date(slot.endsAt).toISOString()}.`
    : meter.rollingMs !== undefined
      ? ` It counts the last ${spanText(meter.rollingMs)}${breach.retryAfterMs === undefined ? '' : `: try again in ${spanText(waitMs(breach, now) ?? 0)}`}.`
      : ''
  return `${budget} has no room for this call${used}${own}.${resets}`
}

/** When the call might fit; undefined: nobody knows, or never. */
export function waitMs({ applied, retryAfterMs }: Breach, now: number): number | undefined {
  if (retryAfterMs !== undefined) return retryAfterMs
  const { endsAt } = applied.slot
  return Number.isFinite(endsAt) ? Math.max(0, endsAt - now) : undefined
}

function named({ meter, slot }: Applied, kind: 'budget' | 'limit'): string {
  const name = meter.name === undefined ? '' : ` "${clean(meter.name)}"`
  const own = meter.by === 'all' || meter.by === 'key' ? '' : ` of the ${meter.by} ${clean(slot.value)}`
  return `The ${kind}${name}${meter.by === 'key' ? ' of this key' : own}`
}

const clean = (text: string): string => text.slice(0, 100)
const usd = (nanos: number): string => `$${dollarsOf(BigInt(nanos))}`

/** A count that others share may tell of them. */
function isTheirs({ meter }: Applied, { organisation }: Attribution): boolean {
  switch (meter.by) {
    case 'key':
    case 'user':
    case 'team':
    case 'project':
    case 'organisation':
      return true
    default:
      return meter.organisation !== undefined && meter.organisation === organisation
  }
}

/** `20s`, `5m`, `2h 30m`, `3d`. */
export function spanText(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000))
  if (seconds < 120) return seconds === 60 ? '1m' : `${seconds}s`
  const minutes = Math.ceil(seconds / 60)
  if (minutes < 120) return minutes === 60 ? '1h' : `${minutes}m`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return minutes % 60 === 0 ? `${hours}h` : `${hours}h ${minutes % 60}m`
  return `${Math.ceil(minutes / 1440)}d`
}
