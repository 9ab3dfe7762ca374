import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CalendarWindow } from '../../core/rules.ts'
import { offsetAt, windowAt } from './windows.ts'

const at = (text: string): number => Date.parse(text)
const told = (window: CalendarWindow, now: string, zone?: string): string => {
  const { startsAt, endsAt } = windowAt(window, at(now), zone)
  return [startsAt, endsAt].map((time) => new Date(time).toISOString().replace(':00.000Z', 'Z')).join(' – ')
}

test('windows in UTC', () => {
  assert.equal(told('minute', '2026-03-04T05:06:07Z'), '2026-03-04T05:06Z – 2026-03-04T05:07Z')
  assert.equal(told('hour', '2026-03-04T05:06:07Z'), '2026-03-04T05:00Z – 2026-03-04T06:00Z')
  assert.equal(told('day', '2026-03-04T00:00:00Z'), '2026-03-04T00:00Z – 2026-03-05T00:00Z')
  assert.equal(told('month', '2024-02-29T23:59:59Z'), '2024-02-01T00:00Z – 2024-03-01T00:00Z')
  assert.equal(told('year', '2026-12-31T23:59:59Z'), '2026-01-01T00:00Z – 2027-01-01T00:00Z')
  assert.deepEqual(windowAt('total', 5), { startsAt: 0, endsAt: Number.POSITIVE_INFINITY })
})

test('weeks begin on Monday', () => {
  assert.equal(told('week', '2026-03-08T12:00:00Z'), '2026-03-02T00:00Z – 2026-03-09T00:00Z')
  assert.equal(told('week', '2026-03-09T00:00:00Z'), '2026-03-09T00:00Z – 2026-03-16T00:00Z')
})

test('a day in Berlin has 23 hours in March and 25 in October', () => {
  assert.equal(told('day', '2026-03-29T12:00:00Z', 'Europe/Berlin'), '2026-03-28T23:00Z – 2026-03-29T22:00Z')
  assert.equal(told('day', '2026-10-25T12:00:00Z', 'Europe/Berlin'), '2026-10-24T22:00Z – 2026-10-25T23:00Z')
  assert.equal(told('month', '2026-10-25T12:00:00Z', 'Europe/Berlin'), '2026-09-30T22:00Z – 2026-10-31T23:00Z')
})

test('where the clock skips midnight, the day begins when it lands', () => {
  // Beirut goes from 00:00 to 01:00, Havana back from 01:00 to 00:00.
  assert.equal(told('day', '2024-03-31T10:00:00Z', 'Asia/Beirut'), '2024-03-30T22:00Z – 2024-03-31T21:00Z')
  assert.equal(told('day', '2024-03-30T10:00:00Z', 'Asia/Beirut'), '2024-03-29T22:00Z – 2024-03-30T22:00Z')
  assert.equal(told('day', '2024-11-03T05:30:00Z', 'America/Havana'), '2024-11-03T04:00Z – 2024-11-04T05:00Z')
})

test('hours are those of the zone, and a clock that moves by half an hour cuts one in two', () => {
  assert.equal(told('hour', '2026-03-04T05:06:07Z', 'Asia/Kolkata'), '2026-03-04T04:30Z – 2026-03-04T05:30Z')
  // Lord Howe goes back from 02:00 to 01:30.
  assert.equal(told('hour', '2026-04-04T15:10:00Z', 'Australia/Lord_Howe'), '2026-04-04T15:00Z – 2026-04-04T15:30Z')
})

test('windows of one kind lie end to end in every zone, and begin at midnight or at a change of the clock', () => {
  const zones = [
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'Asia/Beirut',
    'America/Havana',
    'Pacific/Apia',
    'Africa/Cairo',
  ]
  for (const zone of zones)
    for (const window of ['hour', 'day', 'week', 'month'] as const) {
      let span = windowAt(window, at(window === 'hour' ? '2026-04-03T00:00:00Z' : '2011-11-01T00:00:00Z'), zone)
      for (let count = 0; count < 80; count++) {
        assert.ok(span.startsAt < span.endsAt)
        for (const probe of [span.startsAt, Math.floor((span.startsAt + span.endsAt) / 2), span.endsAt - 1])
          assert.deepEqual(windowAt(window, probe, zone), span, `${window} in ${zone} at ${new Date(probe).toISOString()}`)
        const following = windowAt(window, span.endsAt, zone)
        assert.equal(following.startsAt, span.endsAt, `${window} in ${zone} after ${new Date(span.startsAt).toISOString()}`)
        if (window !== 'hour') {
          const wall = following.startsAt + offsetAt(following.startsAt, zone)
          const changed = offsetAt(following.startsAt - 1, zone) !== offsetAt(following.startsAt, zone)
          assert.ok(wall % 86_400_000 === 0 || changed)
        }
        span = following
      }
    }
})
