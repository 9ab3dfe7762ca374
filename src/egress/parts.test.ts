/** The small parts of the way out: queue, watchdog, waiting times, what a status means, which headers pass. */
import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { ByteQueue } from './byte-queue.ts'
import { faultOfStatus, hasNativeEnvelope, retryAfterOf } from './fault.ts'
import { createProvider } from './provider.ts'
import { passedHeaders } from './response-headers.ts'
import { Watchdog } from './watchdog.ts'

// ---- queue ----------------------------------------------------------------------------------------------------------

function queueRig() {
  const calls: string[] = []
  const queue = new ByteQueue({ pause: () => calls.push('pause'), resume: () => calls.push('resume'), abort: () => calls.push('abort') })
  return { queue, calls }
}
const piece = (size: number): Uint8Array => new Uint8Array(size)

test('the pusher is paused when nobody pulls, and goes on when enough is taken', async () => {
  const { queue, calls } = queueRig()
  for (let count = 0; count < 10; count++) queue.push(piece(32 * 1024))
  assert.deepEqual(calls, ['pause'])
  for (let count = 0; count < 7; count++) await queue.next()
  assert.deepEqual(calls, ['pause'])
  await queue.next()
  await queue.next()
  assert.deepEqual(calls, ['pause', 'resume'])
})

test('what was pushed before the end comes out before it', async () => {
  const { queue } = queueRig()
  queue.push(piece(1))
  queue.push(piece(2))
  queue.end()
  const sizes: number[] = []
  for await (const bytes of queue) sizes.push(bytes.length)
  assert.deepEqual(sizes, [1, 2])
})

test('an error comes after the bytes before it, once', async () => {
  const { queue } = queueRig()
  queue.push(piece(1))
  queue.end(new Error('broken'))
  queue.end(new Error('later'))
  assert.equal((await queue.next()).value?.length, 1)
  await assert.rejects(queue.next(), /broken/)
  assert.equal((await queue.next()).done, true)
})

test('a waiting puller gets what comes, an end, or an error', async () => {
  const one = queueRig()
  const first = one.queue.next()
  one.queue.push(piece(3))
  assert.equal((await first).value?.length, 3)
  const second = one.queue.next()
  one.queue.end()
  assert.equal((await second).done, true)
  const other = queueRig()
  const waiting = other.queue.next()
  other.queue.end(new Error('broken'))
  await assert.rejects(waiting, /broken/)
})

test('leaving early aborts what feeds the queue; leaving after the end does not', async () => {
  const early = queueRig()
  early.queue.push(piece(1))
  for await (const _ of early.queue) break
  assert.deepEqual(early.calls, ['abort'])
  early.queue.push(piece(1))
  assert.equal((await early.queue.next()).done, true, 'what comes after that is nobody’s')
  const late = queueRig()
  late.queue.end()
  await late.queue.return()
  assert.deepEqual(late.calls, [])
})

// ---- watchdog -------------------------------------------------------------------------------------------------------

test('the watchdog fires after silence, and signs of life push it back', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  let now = 0
  const clock = mock.method(performance, 'now', () => now)
  const pass = (ms: number): void => {
    now += ms
    context.mock.timers.tick(ms)
  }
  try {
    let fired = 0
    const dog = new Watchdog(100, () => fired++)
    pass(60)
    dog.touch()
    pass(60)
    assert.equal(fired, 0)
    pass(41)
    assert.equal(fired, 1)
    dog.restart(50)
    pass(49)
    assert.equal(fired, 1)
    pass(2)
    assert.equal(fired, 2)
    dog.restart(50)
    dog.awaited = false
    pass(500)
    assert.equal(fired, 2, 'nobody was waiting')
    dog.awaited = true
    pass(20)
    assert.equal(fired, 2, 'the limit begins anew')
    pass(80)
    assert.equal(fired, 3)
    dog.restart(50)
    dog.stop()
    pass(1_000)
    assert.equal(fired, 3)
  } finally {
    clock.mock.restore()
  }
})

// ---- waiting times --------------------------------------------------------------------------------------------------

test('waiting times are read in every form they come in', () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  const of = (headers: Record<string, string>): number | undefined => retryAfterOf(headers, now)
  assert.equal(of({ 'retry-after': '7' }), 7_000)
  assert.equal(of({ 'retry-after': '0.5' }), 500)
  assert.equal(of({ 'retry-after-ms': '250', 'retry-after': '9' }), 250)
  assert.equal(of({ 'retry-after': 'Thu, 01 Jan 2026 00:00:30 GMT' }), 30_000)
  assert.equal(of({ 'retry-after': 'Wed, 31 Dec 2025 00:00:00 GMT' }), 0)
  assert.equal(of({ 'retry-after': '1e9' }), 24 * 3_600_000)
  assert.equal(of({ 'retry-after-ms': '1e400' }), 24 * 3_600_000)
  for (const nonsense of ['-5', 'soon', 'NaN', 'Infinity']) assert.equal(of({ 'retry-after': nonsense }), undefined, nonsense)
  assert.equal(of({ 'retry-after-ms': 'x' }), undefined)
  assert.equal(of({}), undefined)
})

// ---- what a status means --------------------------------------------------------------------------------------------

const table: readonly [sent: number, status: number, code: string, retry: string][] = [
  [400, 400, 'upstream_rejected', 'never'],
  [413, 413, 'upstream_rejected', 'never'],
  [422, 422, 'upstream_rejected', 'never'],
  [404, 404, 'upstream_not_found', 'next'],
  [429, 429, 'rate_limited', 'next'],
  [401, 502, 'upstream_unavailable', 'next'],
  [402, 502, 'upstream_unavailable', 'next'],
  [403, 502, 'upstream_unavailable', 'next'],
  [408, 504, 'upstream_timeout', 'next'],
  [500, 502, 'upstream_unavailable', 'same'],
  [502, 502, 'upstream_unavailable', 'same'],
  [503, 503, 'overloaded', 'same'],
  [504, 502, 'upstream_unavailable', 'same'],
  [529, 503, 'overloaded', 'same'],
  [599, 502, 'upstream_unavailable', 'same'],
  [301, 502, 'upstream_invalid', 'same'],
  [204, 502, 'upstream_invalid', 'same'],
  [418, 400, 'upstream_rejected', 'never'],
]
for (const [sent, status, code, retry] of table)
  test(`the provider's ${sent} is a ${status} to the caller`, () => {
    const error = faultOfStatus(sent, { message: 'its words' }, { 'retry-after': '2' })
    assert.deepEqual([error.status, error.code, error.fault.retry], [status, code, retry])
    assert.equal(error.message, 'its words')
    assert.equal(error.retryAfterMs, 2_000)
  })

test('a 400 that speaks of our key is our fault, not the caller’s', () => {
  const error = faultOfStatus(400, { message: 'API key not valid. Please pass a valid API key.', code: 'API_KEY_INVALID' }, {})
  assert.equal(error.id, 'upstream-credential')
  assert.equal(error.status, 502)
})

test('an envelope is native only in its own wire', () => {
  const openai = '{"error":{"message":"x","type":"t"}}'
  const anthropic = '{"type":"error","error":{"type":"t","message":"x"}}'
  const google = '{"error":{"code":400,"message":"x","status":"INVALID_ARGUMENT"}}'
  assert.equal(hasNativeEnvelope('openai-chat', openai), true)
  assert.equal(hasNativeEnvelope('openai-responses', openai), true)
  assert.equal(hasNativeEnvelope('anthropic-messages', openai), false)
  assert.equal(hasNativeEnvelope('anthropic-messages', anthropic), true)
  assert.equal(hasNativeEnvelope('gemini', google), true)
  assert.equal(hasNativeEnvelope('gemini', anthropic), false)
  for (const text of ['', '[]', 'null', '<html>', '{"error":"x"}', '{"error":{"message":7}}'])
    assert.equal(hasNativeEnvelope('openai-chat', text), false, text)
})

// ---- headers and secrets --------------------------------------------------------------------------------------------

test('of the provider’s headers only ids, waits and limits pass, in a bounded amount', () => {
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`x-ratelimit-${index}`, '1']))
  assert.deepEqual(
    passedHeaders({
      'x-request-id': 'a',
      'anthropic-ratelimit-tokens-remaining': '5',
      'retry-after': '1',
      'set-cookie': 'a=b',
      'x-signalbox-cost': '0',
      connection: 'close',
      'transfer-encoding': 'chunked',
      server: 'x',
      'cf-ray': 'x'.repeat(5_000),
    }),
    { 'x-request-id': 'a', 'anthropic-ratelimit-tokens-remaining': '5', 'retry-after': '1' },
  )
  assert.ok(Object.keys(passedHeaders(many)).length <= 32)
})

test('a provider knows its URLs, its headers, and keeps its keys to itself', () => {
  const provider = createProvider({
    id: 'p',
    baseUrlOf: () => 'https://x.example/v1///',
    auth: { header: 'authorization', prefix: 'Bearer ' },
    keys: ['secret-one', 'secret-two'],
    headers: { 'X-Team': 'a' },
  })
  assert.equal(provider.url('openai-chat', 'chat', 'm', false), 'https://x.example/v1/chat/completions')
  assert.equal(provider.url('gemini', 'chat', 'a/b:c?d', true), 'https://x.example/v1/models/a/b%3Ac%3Fd:streamGenerateContent?alt=sse')
  assert.equal(provider.url('gemini', 'count', 'm', false), 'https://x.example/v1/models/m:countTokens')
  assert.equal(provider.headers('openai-chat', 1, true)['authorization'], 'Bearer secret-two')
  assert.equal(provider.headers('openai-chat', 0, false)['x-team'], 'a')
  assert.equal(provider.keyCount, 2)
  assert.equal(provider.scrubbed('a secret-two and secret-one'), 'a *** and ***')
})
