/** Calendar windows in a time zone: where the minute, hour, day, week, month or year that holds now begins and ends. Pure. */
import type { CalendarWindow } from '../../core/rules.ts'

/** Milliseconds since 1970; `endsAt` excluded. */
export interface Span {
  readonly startsAt: number
  readonly endsAt: number
}

const MINUTE = 60_000
const HOUR = 3_600_000
const DAY = 86_400_000

/**
 * Windows of one kind lie end to end in every zone, also where clocks go forward or back: a day may have 23 or 25 hours, and where a clock
 * skips midnight, the day begins when it lands. Weeks begin on Monday. Minutes and hours are those of the zone's clock.
 */
export function windowAt(window: CalendarWindow, now: number, timeZone = 'UTC'): Span {
  switch (window) {
    case 'total':
      return { startsAt: 0, endsAt: Number.POSITIVE_INFINITY }
    case 'minute':
      return short(MINUTE, now, timeZone)
    case 'hour':
      return short(HOUR, now, timeZone)
    default:
      return long(window, now, timeZone)
  }
}

function short(length: number, now: number, zone: string): Span {
  const offset = offsetAt(now, zone)
  const startsAt = Math.floor((now + offset) / length) * length - offset
  const endsAt = startsAt + length
  // A clock that moves by half an hour cuts an hour in two.
  return {
    startsAt: offsetAt(startsAt, zone) === offset ? startsAt : changeBetween(startsAt, now, zone),
    endsAt: offsetAt(endsAt - 1, zone) === offset ? endsAt : changeBetween(now, endsAt - 1, zone),
  }
}

function long(window: 'day' | 'week' | 'month' | 'year', now: number, zone: string): Span {
  let wall = firstDay(window, now + offsetAt(now, zone))
  let startsAt = instantOf(wall, zone)
  for (;;) {
    const nextWall = next(window, wall)
    const endsAt = instantOf(nextWall, zone)
    if (now < endsAt) return { startsAt, endsAt }
    // The clock went back over midnight, and shows yesterday once more.
    wall = nextWall
    startsAt = endsAt
  }
}

/** Midnight, on the wall's clock, of the first day of what holds this time. Wall times are written as if they were UTC. */
function firstDay(window: 'day' | 'week' | 'month' | 'year', wall: number): number {
  const midnight = Math.floor(wall / DAY) * DAY
  const date = new Date(midnight)
  switch (window) {
    case 'day':
      return midnight
    case 'week':
      return midnight - ((date.getUTCDay() + 6) % 7) * DAY
    case 'month':
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth())
    case 'year':
      return Date.UTC(date.getUTCFullYear(), 0)
  }
}

function next(window: 'day' | 'week' | 'month' | 'year', wall: number): number {
  const date = new Date(wall)
  switch (window) {
    case 'day':
      return wall + DAY
    case 'week':
      return wall + 7 * DAY
    case 'month':
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1)
    case 'year':
      return Date.UTC(date.getUTCFullYear() + 1, 0)
  }
}

/** The first moment at which the zone's clock shows this time; where it skips it, the moment of the change. */
function instantOf(wall: number, zone: string): number {
  const before = offsetAt(wall - DAY, zone)
  const after = offsetAt(wall + DAY, zone)
  const early = wall - Math.max(before, after)
  const late = wall - Math.min(before, after)
  if (early + offsetAt(early, zone) === wall) return early
  if (late + offsetAt(late, zone) === wall) return late
  return changeBetween(early, late, zone)
}

/** The first moment after `from`, `to` at the latest, at which the zone's clock goes otherwise than at `from`. */
function changeBetween(from: number, to: number, zone: string): number {
  const offset = offsetAt(from, zone)
  let low = from
  let high = to
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(middle, zone) === offset) low = middle
    else high = middle
  }
  return high
}

const clocks = new Map<string, Intl.DateTimeFormat>()

/** Milliseconds that the zone's clock is ahead of UTC. Throws RangeError for a zone that the language does not know. */
export function offsetAt(instant: number, zone: string): number {
  if (zone === 'UTC') return 0
  let clock = clocks.get(zone)
  if (!clock) {
    clock = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    clocks.set(zone, clock)
  }
  const shown: Record<string, number> = {}
  for (const { type, value } of clock.formatToParts(instant)) if (type !== 'literal') shown[type] = Number(value)
  const { year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = shown
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant / 1000) * 1000
}
