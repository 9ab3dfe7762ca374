/** Rate limits as each dialect's SDKs read them in headers. Of several limits on one thing, the one with the least room is told. */
import type { WireId } from '../../core/call.ts'
import type { CounterState } from '../../core/counters.ts'
import type { Headers } from '../../core/http.ts'
import type { Meter } from './meter.ts'

export interface Measured {
  readonly meter: Meter
  /** With this call's own hold in it. */
  readonly state: CounterState
}

interface Room {
  readonly meter: Meter
  readonly remaining: number
}

/** Undefined where there are no limits to tell of. */
export function limitHeaders(dialect: WireId, measured: readonly Measured[], now: number): Headers | undefined {
  const rooms = new Map<Meter['measure'], Room>()
  for (const { meter, state } of measured) {
    if (meter.kind !== 'rate' || meter.gauge) continue
    const remaining = Math.max(0, meter.limit - state.spent - state.held)
    const known = rooms.get(meter.measure)
    if (!known || remaining < known.remaining) rooms.set(meter.measure, { meter, remaining })
  }
  if (rooms.size === 0) return undefined
  switch (dialect) {
    case 'anthropic-messages':
      return anthropic(rooms, now)
    case 'gemini':
      return standard(rooms)
    default:
      return openai(rooms)
  }
}

type Rooms = ReadonlyMap<Meter['measure'], Room>

/** A rolling window is empty again when it has gone by as a whole. */
const resetMs = ({ meter, remaining }: Room): number => (remaining >= meter.limit ? 0 : (meter.rollingMs ?? 60_000))

/** OpenAI knows one count of tokens: where only input or output is limited, the tighter one of these. */
function openai(rooms: Rooms): Headers {
  const headers: Headers = {}
  const both = [rooms.get('tokens'), rooms.get('input-tokens'), rooms.get('output-tokens')].filter((room) => room !== undefined)
  const tokens = both.toSorted((one, other) => one.remaining - other.remaining)[0]
  for (const [what, room] of [
    ['requests', rooms.get('requests')],
    ['tokens', tokens],
  ] as const) {
    if (!room) continue
    headers[`x-ratelimit-limit-${what}`] = String(room.meter.limit)
    headers[`x-ratelimit-remaining-${what}`] = String(room.remaining)
    headers[`x-ratelimit-reset-${what}`] = goDuration(resetMs(room))
  }
  return headers
}

function anthropic(rooms: Rooms, now: number): Headers {
  const headers: Headers = {}
  for (const [measure, room] of rooms) {
    const prefix = `anthropic-ratelimit-${measure}`
    headers[`${prefix}-limit`] = String(room.meter.limit)
    headers[`${prefix}-remaining`] = String(room.remaining)
    headers[`${prefix}-reset`] = `${new Date(now + resetMs(room)).toISOString().slice(0, 19)}Z`
  }
  return headers
}

/** The IETF's `RateLimit` fields. */
function standard(rooms: Rooms): Headers {
  const policies: string[] = []
  const limits: string[] = []
  for (const [measure, room] of rooms) {
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
