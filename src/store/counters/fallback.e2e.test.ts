import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { withRedis } from '../../../test/services/redis.ts'
import { spend } from './contract.ts'
import type { FallbackCounters } from './fallback.ts'
import { openRedisCounters, type RedisCountersSettings } from './open-redis.ts'
import { LEDGER_LAG_MS } from './redis-scripts.ts'

const LEASE = 60_000

async function open(t: TestContext, url: string, replica: string, more: Partial<RedisCountersSettings> = {}): Promise<FallbackCounters> {
  // Generous, so that a busy machine does not look like a dead Redis.
  const counters = await openRedisCounters({ url, replica, onFailure: 'open', deadlineMs: 500, patienceMs: 20_000, ...more })
  t.after(() => counters.close())
  return counters
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 15_000; !(await holds()); await sleep(20)) assert.ok(Date.now() < end, `not in time: ${what}`)
}
const inRedis = (...all: readonly FallbackCounters[]) =>
  until('counted in Redis, all told', () => all.every(({ mode, untold }) => mode === 'redis' && untold === 0))
const passed = async (counters: FallbackCounters, prefix: string, times: number, hold: ReturnType<typeof spend>) => {
  const ids: string[] = []
  for (let index = 0; index < times; index++)
    if ((await counters.reserve(`${prefix}${index}`, [hold], LEASE)).ok) ids.push(`${prefix}${index}`)
  return ids
}

test('500 concurrent calls of two processes on a budget for 10: exactly 10 pass', async (t) => {
  const redis = await withRedis(t)
  if (!redis) return
  const script = fileURLToPath(new URL('counting-process.ts', import.meta.url))
  const run = (name: string) => promisify(execFile)(process.execPath, [script, redis.url, 'race', '250', '100000000', '1000000000', name])
  const [one, two] = await Promise.all([run('one'), run('two')])
  assert.equal(Number(one.stdout) + Number(two.stdout), 10)
  const counters = await open(t, redis.url, 'three')
  const [state] = await counters.read(['race'])
  assert.equal((state?.spent ?? 0) + (state?.held ?? 0), 1_000_000_000)
  assert.ok((state?.spent ?? 0) >= 300_000_000)
})

test('while Redis is dead two replicas share what is left, and tell it when it is back, once', async (t) => {
  const redis = await withRedis(t, { own: true, keep: true })
  if (!redis) return
  const one = await open(t, redis.url, 'one')
  const two = await open(t, redis.url, 'two')
  const hold = spend('budget', 10, 1_000, { spentBefore: () => 0 })
  // Both have seen the counter, and each other.
  for (const [name, counters] of [
    ['a', one],
    ['b', two],
    ['c', one],
  ] as const) {
    await counters.reserve(name, [hold], LEASE)
    counters.settle(name, [hold], [100])
    await inRedis(counters)
  }
  await sleep(1_300)
  await redis.kill()
  await until('noticed', () => one.mode === 'local' && two.mode === 'local')
  const [ofOne, ofTwo] = [await passed(one, 'd', 200, hold), await passed(two, 'e', 200, hold)]
  // 700 are left as the first knows, 800 as far as the second does, which has not seen the last call.
  assert.equal(ofOne.length, 35)
  assert.equal(ofTwo.length, 40)
  for (const id of ofOne) one.settle(id, [hold], [10])
  for (const id of ofTwo.slice(0, 30)) two.settle(id, [hold], [10])
  await redis.restart()
  await inRedis(one, two)
  await until('moved', async () => (await one.read(['budget']))[0]?.held === 100)
  assert.deepEqual(await two.read(['budget']), [{ spent: 300 + 350 + 300, held: 100 }])
  for (const id of ofTwo.slice(30)) two.settle(id, [hold], [10])
  await inRedis(two)
  assert.deepEqual(await one.read(['budget']), [{ spent: 1_050, held: 0 }])
})

test('a frozen Redis holds nobody up, and nothing counts twice when it thaws', async (t) => {
  const redis = await withRedis(t, { own: true })
  if (!redis) return
  const counters = await open(t, redis.url, 'one', { deadlineMs: 25 })
  const hold = spend('budget', 1, 1_000_000)
  let expected = 0
  const call = async (id: string, cost: number) => {
    const answer = await counters.reserve(id, [hold], LEASE)
    assert.ok(answer.ok)
    counters.settle(id, [hold], [cost])
    expected += cost
  }
  for (let index = 0; index < 20; index++) await call(`before ${index}`, 3)
  redis.freeze()
  const times: number[] = []
  for (let index = 0; index < 200; index++) {
    const start = performance.now()
    await call(`during ${index}`, 5)
    times.push(performance.now() - start)
  }
  const usual = times.toSorted((a, b) => a - b)[150] ?? Number.POSITIVE_INFINITY
  assert.ok(usual < 25, `three of four calls do not wait at all: ${usual} ms`)
  assert.equal(counters.mode, 'local')
  redis.thaw()
  await inRedis(counters)
  for (let index = 0; index < 20; index++) await call(`after ${index}`, 7)
  await inRedis(counters)
  await until('counted', async () => (await counters.read(['budget']))[0]?.held === 0)
  assert.deepEqual(await counters.read(['budget']), [{ spent: expected, held: 0 }])
})

test('a Redis that has lost everything is seeded again, and calls that run are held in it again', async (t) => {
  const redis = await withRedis(t, { own: true })
  if (!redis) return
  const counters = await open(t, redis.url, 'one')
  let ledger = 40
  const hold = spend('budget', 10, 100, { spentBefore: () => ledger })
  const call = async (id: string, used: number) => {
    assert.ok((await counters.reserve(id, [hold], LEASE)).ok)
    ledger += used
    counters.settle(id, [hold], [used])
  }
  await call('a', 10)
  assert.ok((await counters.reserve('runs', [hold], LEASE)).ok)
  assert.deepEqual(await counters.read(['budget']), [{ spent: 50, held: 10 }])
  await redis.kill()
  await until('noticed', () => counters.mode === 'local')
  await call('b', 10)
  // What ended just before Redis came back would be counted twice rather than not at all: the ledger may be late.
  await sleep(LEDGER_LAG_MS + 100)
  await redis.restart()
  await inRedis(counters)
  await until('held again', async () => (await counters.read(['budget']))[0]?.held === 10)
  assert.deepEqual(await counters.read(['budget']), [{ spent: 60, held: 10 }])
  counters.settle('runs', [hold], [12])
  await inRedis(counters)
  assert.deepEqual(await counters.read(['budget']), [{ spent: 72, held: 0 }])
})

test('closed: calls are refused with store-unavailable while Redis is away, and pass again without a restart', async (t) => {
  const redis = await withRedis(t, { own: true })
  if (!redis) return
  const told: string[] = []
  const counters = await open(t, redis.url.replace('redis:', 'valkey:'), 'one', {
    onFailure: 'closed',
    onTrouble: (line) => told.push(line),
  })
  const hold = spend('budget', 10, 100)
  assert.ok((await counters.reserve('a', [hold], LEASE)).ok)
  await redis.kill()
  await until('noticed', () => counters.mode === 'refusing')
  await assert.rejects(async () => counters.reserve('b', [hold], LEASE), { id: 'store-unavailable', status: 503 })
  await redis.restart()
  await inRedis(counters)
  assert.ok((await counters.reserve('b', [hold], LEASE)).ok)
  assert.deepEqual(
    told.map((line) => line.split(' ').slice(0, 3).join(' ')),
    ['Redis is away', 'Redis is back:'],
  )
})

test('starts while Redis is down, counts by itself, and finds it later', async (t) => {
  const redis = await withRedis(t, { own: true })
  if (!redis) return
  await redis.kill()
  const counters = await open(t, redis.url, 'one', { patienceMs: 50, replicas: 2 })
  const known = spend('known', 10, 100, { spentBefore: async () => 20 })
  assert.equal(counters.mode, 'local')
  assert.equal((await passed(counters, 'a', 20, known)).length, 4)
  const unknown = spend('unknown', 10, 100, { spentBefore: () => Promise.reject(new Error('no ledger')) })
  await assert.rejects(async () => counters.reserve('x', [unknown], LEASE), { id: 'store-unavailable' })
  await redis.restart()
  await inRedis(counters)
  await until('moved', async () => (await counters.read(['known']))[0]?.held === 40)
})

test('without the ledger, a counter that would be known if anything had been counted begins at zero, and no other does', async (t) => {
  const redis = await withRedis(t, { own: true })
  if (!redis) return
  const counters = await open(t, redis.url, 'one')
  const away = { spentBefore: () => Promise.reject(new Error('no ledger')) }
  const past = Date.now() - 60_000
  const refused = (id: string, hold: ReturnType<typeof spend>) =>
    assert.rejects(async () => counters.reserve(id, [hold], LEASE), { id: 'store-unavailable' })
  await refused('unknown', spend('unknown', 10, 100, away))
  // It may have been counted in a Redis that was lost since.
  await refused('before', spend('before', 10, 100, { ...away, emptyUntil: past }))
  await sleep(2_500)
  const fresh = spend('fresh', 10, 100, { ...away, emptyUntil: Date.now() })
  assert.equal((await passed(counters, 'f', 20, fresh)).length, 10)
  // What the ledger says counts, where it says anything.
  const told = spend('told', 10, 100, { spentBefore: async () => 60, emptyUntil: Date.now() })
  assert.equal((await passed(counters, 't', 20, told)).length, 4)
  // A ledger that neither answers nor refuses holds nobody up.
  const silent = spend('silent', 10, 100, { spentBefore: () => new Promise<number>(() => {}), emptyUntil: Date.now() })
  const began = performance.now()
  assert.ok((await counters.reserve('s', [silent], LEASE)).ok)
  assert.ok(performance.now() - began < 2_000)
  await redis.restart()
  await inRedis(counters)
  await refused('lost', { ...fresh, counter: 'lost' })
})

test('what a dead replica held is released by whoever comes next', async (t) => {
  const redis = await withRedis(t)
  if (!redis) return
  const dead = await openRedisCounters({ url: redis.url, replica: 'dead', onFailure: 'closed', deadlineMs: 5_000, patienceMs: 20_000 })
  const hold = spend('budget', 100, 100)
  assert.ok((await dead.reserve('a', [hold], 200)).ok)
  await dead.close()
  const next = await open(t, redis.url, 'next')
  assert.equal((await next.reserve('b', [hold], LEASE)).ok, false)
  await sleep(300)
  assert.equal((await next.reserve('b', [hold], LEASE)).ok, true)
})

test('a flush and forgotten scripts are survived', async (t) => {
  const redis = await withRedis(t, { own: true })
  if (!redis) return
  const counters = await open(t, redis.url, 'one')
  const hold = spend('budget', 10, 100, { spentBefore: () => 30 })
  assert.ok((await counters.reserve('a', [hold], LEASE)).ok)
  const { createClient } = await import('redis')
  const other = createClient({ url: redis.url })
  await other.connect()
  await other.sendCommand(['FLUSHALL'])
  await other.sendCommand(['SCRIPT', 'FLUSH'])
  assert.deepEqual(await counters.reserve('b', [hold], LEASE), { ok: true, states: [{ spent: 30, held: 10 }] })
  const keys = await other.keys('*')
  assert.ok(keys.length > 0)
  for (const key of keys) {
    assert.ok(key.startsWith('{sb}'), key)
    assert.ok((await other.pTTL(key)) > 0, `${key} expires`)
  }
  other.destroy()
})

test('the address, which may hold a password, is in no error', async () => {
  const told: string[] = []
  const url = 'redis://user:hush@127.0.0.1:1/0'
  const counters = await openRedisCounters({
    url,
    replica: 'x',
    onFailure: 'closed',
    patienceMs: 500,
    onTrouble: (line) => told.push(line),
  })
  assert.match(told.join(), /^Redis is away \(.*ECONNREFUSED/)
  assert.ok(!told.join().includes('hush'))
  await assert.rejects(
    async () => counters.reserve('a', [spend('a', 1, 1)], LEASE),
    (error: Error) => !`${error.stack} ${String(error.cause)}`.includes('hush'),
  )
  await counters.close()
})
