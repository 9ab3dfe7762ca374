/** What the attempt loop does where, seen from both sides of the gateway. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endingOf, faultRig } from './fault-rig.ts'

/** Longer than a hedge ever waits. */
const SLOW_MS = 1_500

const reasonOf = ({ headers }: { headers: Headers }): string => headers.get('x-signalbox-reason') ?? ''

test('a fault in passing is tried again at the same target', async () => {
  let calls = 0
  const { call, sent } = faultRig({ hosts: { a: () => (calls++ === 0 ? { status: 500 } : {}), b: {} } })
  const answer = await call()
  assert.equal(answer.status, 200)
  assert.deepEqual(sent, ['a', 'a'])
  assert.equal(answer.headers.get('x-signalbox-attempts'), '2')
})

test('a target that rests is skipped, then probed by one call, then trusted again', async () => {
  const { call, calls, hosts, sent } = faultRig({ hosts: { a: { status: 500 }, b: {} } })
  await calls(12)
  sent.length = 0
  await calls(12)
  assert.deepEqual([...new Set(sent)], ['b'])
  hosts['a'] = {}
  assert.equal((await call()).headers.get('x-signalbox-provider'), 'b')
})

test('when everything rests, what failed longest ago is tried all the same, and the answer says so', async () => {
  const { call, calls, hosts, sent } = faultRig({ hosts: { a: { status: 500 }, b: { status: 500 } } })
  await calls(16)
  hosts['a'] = {}
  hosts['b'] = {}
  sent.length = 0
  const answer = await call()
  assert.equal(answer.status, 200)
  assert.equal(sent.length, 1)
  assert.match(reasonOf(answer), /panic/)
})

test('with the breaker off nothing is remembered: every call begins anew', async () => {
  const { calls, sent } = faultRig({
    hosts: { a: { status: 401 }, b: {} },
    defaults: { breaker: { enabled: false }, retries: { attempts: 1 } },
  })
  await calls(20)
  assert.equal(sent.filter((host) => host === 'a').length, 20)
  const limited = faultRig({ hosts: { a: { status: 429, retryAfter: 60 }, b: {} }, defaults: { breaker: { enabled: false } } })
  await limited.calls(10)
  assert.equal(limited.sent.filter((host) => host === 'a').length, 10)
})

test('a refused key is left out, and the next one serves', async () => {
  const bad = 'Bearer bad-key'
  const { calls, requests } = faultRig({
    hosts: { a: ({ headers }) => (headers['authorization'] === bad ? { status: 401 } : {}) },
    keys: ['bad-key', 'good-key'],
  })
  const answers = await calls(20)
  assert.ok(answers.every(({ status }) => status === 200))
  assert.ok(requests.filter(({ headers }) => headers['authorization'] === bad).length <= 4)
})

test('calls are spread over the keys', async () => {
  const { calls, requests } = faultRig({ hosts: { a: { firstMs: 2 } }, keys: ['key-one', 'key-two', 'key-three'] })
  await calls(30)
  const counts = new Map<string, number>()
  for (const { headers } of requests) counts.set(headers['authorization'] ?? '', (counts.get(headers['authorization'] ?? '') ?? 0) + 1)
  assert.equal(counts.size, 3)
  for (const count of counts.values()) assert.ok(count >= 8, String([...counts.values()]))
})

test('when everything waits for rate limits, the caller hears the shortest wait, and one key is tried all the same', async () => {
  const { call, sent } = faultRig({ hosts: { a: { status: 429, retryAfter: 50 }, b: { status: 429, retryAfter: 20 } } })
  const first = await call()
  assert.equal(first.status, 429)
  assert.deepEqual(sent, ['a', 'b'])
  sent.length = 0
  const again = await call()
  assert.equal(again.status, 429)
  assert.deepEqual(sent, ['b'], 'the one that is free soonest')
  assert.ok(Number(again.headers.get('retry-after')) <= 20)
  assert.equal(JSON.parse(again.text).error.code !== undefined, true)
})

test('what is too long for one goes to another model that may hold more, never to the same again', async () => {
  const message = 'This model’s maximum context length is 8192 tokens.'
  const long = { status: 400, message }
  const { call, sent } = faultRig({ hosts: { a: long, b: long, c: {} }, models: { a: 'small', b: 'small', c: 'large' } })
  const answer = await call()
  assert.equal(answer.status, 200)
  assert.deepEqual(sent, ['a', 'c'])
  const none = faultRig({ hosts: { a: long, b: long }, models: { a: 'small', b: 'small' } })
  const refusal = await none.call()
  assert.equal(refusal.status, 400)
  assert.match(refusal.text, /maximum context length/)
  assert.deepEqual(none.sent, ['a'])
})

test('a refusal by policy is handed on, or taken to the next target, as configured', async () => {
  const refused = { status: 400, message: 'Your request was rejected by our content policy.' }
  const strict = faultRig({ hosts: { a: refused, b: {} } })
  assert.equal((await strict.call()).status, 400)
  assert.deepEqual(strict.sent, ['a'])
  const lenient = faultRig({ hosts: { a: refused, b: {} }, route: { onPolicy: 'next' } })
  assert.equal((await lenient.call()).status, 200)
  assert.deepEqual(lenient.sent, ['a', 'b'])
})

test('what the caller did wrong is not tried elsewhere, and does not make a target rest', async () => {
  const { calls, sent, call, hosts } = faultRig({ hosts: { a: { status: 400, message: 'Unknown parameter: frobnicate' }, b: {} } })
  assert.ok((await calls(20)).every(({ status }) => status === 400))
  assert.ok(sent.every((host) => host === 'a'))
  hosts['a'] = {}
  assert.equal((await call()).headers.get('x-signalbox-provider'), 'a')
})

test('a retry that could only come after the deadline is not made', async () => {
  let failing = false
  const { calls, call, hosts, sent } = faultRig({
    hosts: { a: () => (failing ? { status: 500 } : { firstMs: 40 }), b: () => ({ firstMs: 40 }) },
    route: { strategy: 'round-robin' },
    defaults: { timeouts: { answer: '2s', total: '2s' } },
  })
  await calls(50)
  failing = true
  hosts['b'] = { status: 500 }
  sent.length = 0
  const began = performance.now()
  const answer = await call({ headers: { 'x-signalbox-timeout': '30ms' } })
  assert.equal(answer.status, 502, 'the fault is told, not the deadline')
  assert.equal(sent.length, 1)
  assert.ok(performance.now() - began < 30)
})

test('a slow first answer is hedged: the second one wins, the first is paid for', async () => {
  let slow = false
  const { calls, call, outcomes, sent } = faultRig({
    hosts: { a: () => (slow ? { firstMs: SLOW_MS } : { firstMs: 2 }), b: { firstMs: 1 } },
    route: { hedge: true },
    defaults: { timeouts: { answer: '10s', firstToken: '10s' } },
  })
  await calls(100)
  assert.ok(sent.every((host) => host === 'a') || sent.filter((host) => host === 'b').length <= 5)
  slow = true
  for (const stream of [false, true]) {
    const began = performance.now()
    const answer = await call({ stream })
    assert.equal(endingOf(answer, stream), 'answer')
    if (stream) continue
    assert.ok(performance.now() - began < SLOW_MS)
    assert.equal(answer.headers.get('x-signalbox-provider'), 'b')
    assert.equal(answer.headers.get('x-signalbox-attempts'), '2')
    const usage = outcomes.at(-1)?.usage
    assert.ok((usage?.input ?? 0) > JSON.parse(answer.text).usage.prompt_tokens, 'both requests are in the ledger')
  }
  slow = true
  sent.length = 0
  await call({ body: { tools: [{ type: 'function', function: { name: 'act', parameters: { type: 'object' } } }] } })
  assert.deepEqual(sent, ['a'], 'what may act is not sent twice')
})

test('an operator’s own strategy chooses', async () => {
  const { call } = faultRig({
    hosts: { a: {}, b: {}, c: {} },
    route: { strategy: { name: 'last', order: (candidates) => candidates.toReversed() } },
  })
  assert.equal((await call()).headers.get('x-signalbox-provider'), 'c')
})

test('every strategy serves', async () => {
  for (const strategy of [
    'priority',
    'weighted',
    'round-robin',
    'least-latency',
    'cheapest',
    'least-busy',
    'adaptive',
    'sticky',
  ] as const) {
    const { calls } = faultRig({ hosts: { a: {}, b: { status: 500 }, c: {} }, route: { strategy } })
    for (const answer of await calls(24)) assert.equal(endingOf(answer, false), 'answer', strategy)
  }
})

test('a call with an `Idempotency-Key` is sent once', async () => {
  const { call, sent, hosts } = faultRig({ hosts: { a: {} } })
  const headers = { 'idempotency-key': 'order-66' }
  for (const stream of [false, true]) {
    sent.length = 0
    const path = { ...headers, 'idempotency-key': `order-${stream}` }
    const first = await call({ stream, headers: path })
    const again = await call({ stream, headers: path })
    assert.equal(again.text, first.text)
    assert.equal(again.headers.get('idempotent-replayed'), 'true')
    assert.deepEqual(sent, ['a'])
    const other = await call({ stream, headers: path, body: { temperature: 1 } })
    assert.equal(other.status, 422)
    assert.equal(other.headers.get('x-signalbox-error'), 'idempotency_mismatch')
  }
  hosts['a'] = { status: 500 }
  assert.equal((await call({ headers })).status, 502)
  hosts['a'] = {}
  assert.equal((await call({ headers })).status, 200, 'a failure is not kept')
  hosts['a'] = { firstMs: 30 }
  const [one, two] = await Promise.all([
    call({ headers: { 'idempotency-key': 'twice' } }),
    call({ headers: { 'idempotency-key': 'twice' } }),
  ])
  assert.deepEqual([one?.status, two?.status].toSorted(), [200, 409])
})
