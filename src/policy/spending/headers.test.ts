import assert from 'node:assert/strict'
import { test } from 'node:test'
import { admitted, end, limit, refusal, rig } from './fixtures/rig.ts'

const limits = [
  limit('r', { name: 'calls', what: 'requests', limit: 3 }),
  limit('r2', { what: 'requests', limit: 100, window: '24h' }),
  limit('i', { what: 'input-tokens', limit: 10_000 }),
  limit('o', { what: 'output-tokens', limit: 5_000, window: 'hour' }),
  limit('c', { what: 'concurrent', limit: 2 }),
]

test('OpenAI dialects: requests and tokens, of each the limit with the least room', async () => {
  const { desk, call } = rig({ limits })
  assert.deepEqual((await admitted(desk, call({ input: 1_000, output: 500 }))).headers, {
    'x-ratelimit-limit-requests': '3',
    'x-ratelimit-remaining-requests': '2',
    'x-ratelimit-reset-requests': '1m0s',
    'x-ratelimit-limit-tokens': '5000',
    'x-ratelimit-remaining-tokens': '4500',
    'x-ratelimit-reset-tokens': '1h0m0s',
  })
})

test('Anthropic: input and output apart, with times', async () => {
  const { desk, call } = rig({ limits })
  assert.deepEqual((await admitted(desk, call({ dialect: 'anthropic-messages', input: 1_000, output: 500 }))).headers, {
    'anthropic-ratelimit-requests-limit': '3',
    'anthropic-ratelimit-requests-remaining': '2',
    'anthropic-ratelimit-requests-reset': '2026-03-04T12:01:00Z',
    'anthropic-ratelimit-input-tokens-limit': '10000',
    'anthropic-ratelimit-input-tokens-remaining': '9000',
    'anthropic-ratelimit-input-tokens-reset': '2026-03-04T12:01:00Z',
    'anthropic-ratelimit-output-tokens-limit': '5000',
    'anthropic-ratelimit-output-tokens-remaining': '4500',
    'anthropic-ratelimit-output-tokens-reset': '2026-03-04T13:00:00Z',
  })
})

test('Gemini: the standard fields', async () => {
  const { desk, call } = rig({ limits: limits.slice(0, 1) })
  assert.deepEqual((await admitted(desk, call({ dialect: 'gemini' }))).headers, {
    'ratelimit-policy': '"requests";q=3;w=60',
    ratelimit: '"requests";r=2;t=60',
  })
})

test('a refusal says which limit, when to come back, and carries the headers', async () => {
  const { desk, call, pass } = rig({ limits: limits.slice(0, 1) })
  for (let count = 0; count < 3; count++) {
    const one = call()
    end(one, await admitted(desk, one))
    pass(1_000)
  }
  const late = call()
  const error = await refusal(() => admitted(desk, late))
  assert.deepEqual([error.status, error.code], [429, 'rate_limited'])
  assert.match(error.message, /"calls" of 3 requests in 1m is reached\. Try again in \d+s\./)
  assert.ok((error.retryAfterMs ?? 0) > 50_000 && (error.retryAfterMs ?? 0) <= 66_000)
  assert.equal(late.exchange.limitHeaders?.['x-ratelimit-remaining-requests'], '0')
  pass(error.retryAfterMs ?? 0)
  await admitted(desk, call())
})

test('calls at a time: the next is let in when one has ended', async () => {
  const { desk, call } = rig({ limits: [limit('c', { what: 'concurrent', limit: 1, by: 'key' })] })
  const one = call()
  const admission = await admitted(desk, one)
  const error = await refusal(() => admitted(desk, call()))
  assert.match(error.message, /The limit of this key of 1 calls at a time is reached/)
  assert.equal(error.retryAfterMs, 1_000)
  end(one, admission)
  await admitted(desk, call())
})

test('tokens are held at the most and count as they were', async () => {
  const { desk, call } = rig({ limits: [limit('t', { what: 'tokens', limit: 10_000 })] })
  const one = call({ input: 2_000, output: 7_000 })
  const admission = await admitted(desk, one)
  await assert.rejects(admitted(desk, call({ input: 2_000, output: 7_000 })), { id: 'rate-limited' })
  end(one, admission, { input: 1_900, output: 100 })
  assert.equal((await admitted(desk, call({ input: 1_000, output: 7_000 }))).headers?.['x-ratelimit-remaining-tokens'], '0')
})

test('a call that sets no maximum takes what there is; one that alone asks for more than the limit never fits', async () => {
  const { desk, call } = rig({ limits: [limit('t', { what: 'tokens', limit: 3_000 })] })
  const one = call({ input: 1_000 })
  const admission = await admitted(desk, one)
  assert.equal(admission.headers?.['x-ratelimit-remaining-tokens'], '0')
  end(one, admission, { input: 1_000, output: 10 })
  const error = await refusal(() => admitted(desk, call({ input: 1_000, output: 4_000 })))
  assert.deepEqual([error.shouldRetry, error.retryAfterMs], [false, undefined])
  assert.match(error.message, /less than this one call may take \(5000\)/)
})
