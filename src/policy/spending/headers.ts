/** Rate limits as each dialect's SDKs read them in headers. Of several limits on one thing, the one with the least room is told. */
import type { WireId } from '../../core/call.ts'
import type { CounterState } from '../../core/counters.ts'
import type { Headers } from '../../core/http.ts'
import type { Meter } from './meter.ts'

interface Room {
  readonly meter: Meter
  readonly remaining: number
}

type Rooms = Partial<Record<Meter['measure'], Room>>

/** `states` are those of `applied`, one for each, with the call's own hold in them. Undefined where there are no limits to tell of. */
export function limitHeaders(
  dialect: WireId,
  applied: readonly { readonly meter: Meter }[],
  states: readonly CounterState[],
  now: number,
): Headers | undefined {
  let rooms: Rooms | undefined
  for (let index = 0; index < applied.length; index++) {
    const meter = applied[index]?.meter
    const state = states[index]
    if (!meter || !state || meter.kind !== 'rate' || meter.gauge) continue
    const remaining = Math.max(0, meter.limit - state.spent - state.held)
    rooms ??= {}
    if (remaining < (rooms[meter.measure]?.remaining ?? Number.POSITIVE_INFINITY)) rooms[meter.measure] = { meter, remaining }
  }
  if (!rooms) return undefined
  switch (dialect) {
    case 'anthropic-messages':
      return anthropic(rooms, now)
    case 'gemini':
      return standard(rooms)
    default:
      return openai(rooms)
  }
}

/** A rolling window is empty again when it has gone by as a whole. */
const resetMs = ({ meter, remaining }: Room): number => (remaining >= meter.limit ? 0 : (meter.rollingMs ?? 60_000))

/** OpenAI knows one count of tokens: where only input or output is limited, the tighter one of these. */
function openai(rooms: Rooms): Headers {
  const headers: Headers = {}
  const { requests } = rooms
  if (requests) {
    headers['x-ratelimit-limit-requests'] = requests.meter.limitText
    headers['x-ratelimit-remaining-requests'] = String(requests.remaining)
    headers['x-ratelimit-reset-requests'] = goDuration(resetMs(requests))
  }
  const tokens = tighter(rooms.tokens, tighter(rooms['input-tokens'], rooms['output-tokens']))
  if (tokens) {
    headers['x-ratelimit-limit-tokens'] = tokens.meter.limitText
    headers['x-ratelimit-remaining-tokens'] = String(tokens.remaining)
    headers['x-ratelimit-reset-tokens'] = goDuration(resetMs(tokens))
  }
  return headers
}

const tighter = (one: Room | undefined, other: Room | undefined): Room | undefined =>
  one && (!other || one.remaining <= other.remaining) ? one : other

function anthropic(rooms: Rooms, now: number): Headers {
  const headers: Headers = {}
  for (const [measure, room] of Object.entries(rooms)) {
    const prefix = `anthropic-ratelimit-${measure}`
    headers[`${prefix}-limit`] = room.meter.limitText
    headers[`${prefix}-remaining`] = String(room.remaining)
    headers[`${prefix}-reset`] = `${new Date(now + resetMs(room)).toISOString().slice(0, 19)}Z`
  }
  return headers
}

/** The IETF's `RateLimit` fields. */
function standard(rooms: Rooms): Headers {
  const policies: string[] = []
  const limits: string[] = []
  for (const [measure, room] of Object.entries(rooms)) {
    policies.push(`"${measure}";q=${room.meter.limit};w=${Math.ceil((room.meter.rollingMs ?? 60_000) / 1000)}`)
    limits.push(`"${measure}";r=${room.remaining};t=${Math.ceil(resetMs(room) / 1000)}`)
  }
  return { 'ratelimit-policy': policies.join(', '), ratelimit: limits.join(', ') }
}

/** As OpenAI writes spans: `0s`, `59s`, `6m0s`, `24h0m0s`. */
function goDuration(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  if (seconds < 60) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}m${seconds % 60}s`
  return `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds % 60}s`
}
