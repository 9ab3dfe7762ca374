import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allowanceOf, goDuration, resetOf } from './rate-limit-headers.ts'

const now = Date.parse('2026-11-21T12:00:00Z')

test('OpenAI’s headers tell the scarcest limit, with its reset as a duration', () => {
  const headers = {
    'x-ratelimit-limit-requests': '60',
    'x-ratelimit-remaining-requests': '59',
    'x-ratelimit-reset-requests': '1s',
    'x-ratelimit-limit-tokens': '150000',
    'x-ratelimit-remaining-tokens': '15000',
    'x-ratelimit-reset-tokens': '6m0s',
  }
  assert.deepEqual(allowanceOf(headers, now), { left: 0.1, used: false, resetAt: now + 360_000 })
})

test('Anthropic’s headers tell the same, with the reset as a date', () => {
  const headers = {
    'anthropic-ratelimit-requests-limit': '50',
    'anthropic-ratelimit-requests-remaining': '49',
    'anthropic-ratelimit-requests-reset': '2026-11-21T12:00:10Z',
    'anthropic-ratelimit-output-tokens-limit': '8000',
    'anthropic-ratelimit-output-tokens-remaining': '0',
    'anthropic-ratelimit-output-tokens-reset': '2026-11-21T12:00:30Z',
  }
  assert.deepEqual(allowanceOf(headers, now), { left: 0, used: true, resetAt: now + 30_000 })
})

test('plain names are read too, with the reset in seconds, as a moment or not at all', () => {
  const of = (reset: string | undefined) =>
    allowanceOf(
      { 'x-ratelimit-limit': '10', 'x-ratelimit-remaining': '5', ...(reset !== undefined && { 'x-ratelimit-reset': reset }) },
      now,
    )
  assert.equal(of('30')?.resetAt, now + 30_000)
  assert.equal(of(String(now / 1000 + 60))?.resetAt, now + 60_000)
  assert.equal(of(String(now + 5))?.resetAt, now + 5)
  assert.equal(of(undefined)?.resetAt, undefined)
})

test('nothing is made of headers that say nothing', () => {
  const silent: readonly Record<string, string>[] = [
    {},
    { 'content-type': 'application/json' },
    { 'x-ratelimit-remaining-requests': '' },
    { 'x-ratelimit-remaining-requests': 'many' },
    { 'x-ratelimit-remaining-requests': '-1', 'x-ratelimit-limit-requests': '10' },
    { 'x-ratelimit-remaining-requests': '5' },
  ]
  for (const headers of silent) assert.equal(allowanceOf(headers, now), undefined, JSON.stringify(headers))
})

test('durations of Go are read whole or not at all', () => {
  assert.equal(goDuration('6m0s'), 360_000)
  assert.equal(goDuration('1h2m3.5s'), 3_723_500)
  assert.equal(goDuration('20ms'), 20)
  assert.equal(goDuration('6'), undefined)
  assert.equal(goDuration('6m later'), undefined)
  assert.equal(goDuration(''), undefined)
  assert.equal(resetOf('soon', now), undefined)
  assert.equal(resetOf('-3', now), undefined)
})
