/** Two replicas that count while Redis is killed, frozen and cut off. The seed decides what happens when; the machine, how it interleaves. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type RedisService, withRedis } from '../../../test/services/redis.ts'
import type { Hold } from '../../core/counters.ts'
import type { FallbackCounters } from './fallback.ts'
import { openRedisCounters } from './open-redis.ts'

const LEASE_MS = 1_500
const [CALLERS, AMOUNT] = [8, 10] as const
const TIGHT = 3_000

function diceOf(seed: number): (below: number) => number {
  let state = seed | 0
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0
    return ((state ^ (state >>> 13)) >>> 0) % below
  }
}

async function cut(redis: RedisService): Promise<void> {
  const { createClient } = await import('redis')
  const client = createClient({ url: redis.url, socket: { reconnectStrategy: false } })
  client.on('error', () => {})
  await client.connect()
  await client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])
  client.destroy()
}

async function harm(redis: RedisService, dice: (below: number) => number): Promise<string> {
  const ms = 50 + dice(900)
  const what = ['kill', 'freeze', 'cut', 'blink'][dice(4)] ?? ''
  if (what === 'kill') {
    await redis.kill()
    await sleep(ms)
    await redis.restart()
  } else if (what === 'cut') await cut(redis)
  else {
    redis.freeze()
    // Shorter than what is taken for dead, or longer.
    await sleep(what === 'blink' ? ms / 10 : ms + 200)
    redis.thaw()
  }
  return `${what} ${ms} ms`
}

interface Tally {
  wide: number
  tight: number
  admitted: number
}

/** Calls one after the other until it is time; some are never settled, as if their process had died. */
async function call(
  counters: FallbackCounters,
  name: string,
  dice: (below: number) => number,
  tally: Tally,
  until: () => boolean,
): Promise<void> {
  for (let index = 0; !until(); index++) {
    const id = `${name}.${index}`
    const wide: Hold = { counter: 'wide', kind: 'spend', amount: AMOUNT, limit: 1e12 }
    const running: Hold = { counter: 'running', kind: 'gauge', amount: 1, limit: 1_000 }
    const tight: Hold = { counter: 'tight', kind: 'spend', amount: AMOUNT, limit: TIGHT }
    const holds = dice(4) === 0 ? [wide, running, tight] : [wide, running]
    const reserved = await counters.reserve(id, holds, LEASE_MS)
    if (reserved.ok) {
      tally.admitted++
      await sleep(dice(25))
      if (dice(20) > 0) {
        const used = dice(AMOUNT + 1)
        tally.wide += used
        if (holds.length === 3) tally.tight += used
        counters.settle(id, holds, [used, 0, used])
        if (dice(8) === 0) counters.settle(id, holds, [used, 0, used])
      }
    }
    await sleep(dice(10))
  }
}

async function nemesis(t: TestContext, seed: number): Promise<void> {
  const redis = await withRedis(t, { own: true, keep: true })
  if (!redis) return
  const open = (replica: string) =>
    openRedisCounters({ url: redis.url, replica, onFailure: 'open', replicas: 2, deadlineMs: 25, patienceMs: 20_000 })
  const replicas = await Promise.all(['one', 'two'].map(open))
  t.after(() => Promise.all(replicas.map((counters) => counters.close())))
  const tally: Tally = { wide: 0, tight: 0, admitted: 0 }
  let over = false
  const calling = replicas.flatMap((counters, replica) =>
    Array.from({ length: CALLERS }, (_, caller) =>
      call(counters, `${replica}.${caller}`, diceOf(seed + 100 * replica + caller), tally, () => over),
    ),
  )
  const dice = diceOf(seed)
  const happened: string[] = []
  for (let round = 0; round < 6; round++) {
    await sleep(200 + dice(300))
    happened.push(await harm(redis, dice))
  }
  over = true
  await Promise.all(calling)
  await redis.heal()
  t.diagnostic(`${happened.join(', ')}; ${tally.admitted} calls`)
  for (const end = Date.now() + 20_000; replicas.some(({ mode, untold }) => mode !== 'redis' || untold > 0); await sleep(20)) {
    assert.ok(Date.now() < end, 'Redis is not told of all in time')
  }
  await sleep(LEASE_MS + 300)
  const [wide, running, tight] = (await replicas[0]?.read(['wide', 'running', 'tight'])) ?? []
  assert.ok(tally.admitted > 100)
  assert.deepEqual(wide, { spent: tally.wide, held: 0 }, 'every call counts once')
  assert.deepEqual(tight ?? { spent: 0, held: 0 }, { spent: tally.tight, held: 0 })
  assert.equal(running?.held ?? 0, 0)
  // Per outage what the other replica may have taken unseen: its running calls.
  assert.ok(tally.tight <= TIGHT + happened.length * CALLERS * AMOUNT, `${tally.tight} of ${TIGHT}`)
}

const first = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
for (let seed = first; seed < first + Number(process.env.ROUNDS ?? 1); seed++) {
  test(`two replicas count every call once through kills, freezes and cuts of Redis (SEED=${seed})`, (t) => nemesis(t, seed))
}
