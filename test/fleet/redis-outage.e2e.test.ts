/** Redis is away under load: calls go on as `onFailure` says, and budgets stay within the bound that the guide to counters states. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createKey } from '../nemesis/admin.ts'
import { PRICE } from '../nemesis/judge.ts'
import type { RedisService } from '../services/redis.ts'
import { type Answer, eventually, kindsOf, sleep, spreadOf } from './caller.ts'
import { dollars, type Fleet, ledgerOf, withFleet } from './fleet.ts'

/** How Redis is taken away, and how it comes back: it keeps what it knows only when it was merely frozen. */
const outages = {
  frozen: { begin: async (redis: RedisService) => redis.freeze(), end: async (redis: RedisService) => redis.thaw() },
  'killed and started again, empty,': {
    begin: (redis: RedisService) => redis.kill(),
    end: (redis: RedisService) => redis.restart(),
  },
} as const
const OUTAGE_MS = 3_000

/** Charged to the key, by the ledger, in calls. */
async function charged({ urls: [url = ''] }: Fleet, from: number, key: string, answers: readonly Answer[]): Promise<number> {
  const served = answers.filter(({ status }) => status === 200).map(({ name }) => name)
  const lines = [...(await ledgerOf(url, from, served)).values()].flat().filter((line) => line.key === key)
  return lines.reduce((sum, { charge }) => sum + Math.round(Number(charge ?? 0) * 1e9), 0) / PRICE
}

const told = ({ gateways }: Fleet): string => gateways.map((gateway) => gateway.output()).join('')

for (const how of Object.keys(outages) as (keyof typeof outages)[])
  test(`Redis ${how} under load: calls go on, and a budget stays within its bound`, { timeout: 120_000 }, async (t) => {
    const fleet = await withFleet(t)
    if (!fleet?.redis) return
    const { urls, caller, redis } = fleet
    const from = Date.now() - 1_000
    const [rich, poor] = await Promise.all([
      createKey(urls[0] ?? '', {
        alias: 'rich',
        limits: [{ what: 'requests', limit: 1_000_000 }],
        budgets: [{ limit: dollars(1_000_000), window: 'total' }],
      }),
      createKey(urls[0] ?? '', { alias: 'poor', budgets: [{ limit: dollars(100), window: 'total' }] }),
    ])
    const riches = caller.load({ urls, everyMs: 20, key: () => rich.key })
    const poors = caller.load({ urls, everyMs: 20, key: () => poor.key })
    // Less than half of the budget is used when Redis goes.
    await eventually(
      async () => poors.answers.length,
      (count) => count >= 40,
      { everyMs: 5 },
    )
    await outages[how].begin(redis)
    const began = Date.now()
    // Beside those that run while Redis goes, a replica knows what the other used up to its own last call.
    const running = Math.ceil((25 + 250) / 20)
    await sleep(OUTAGE_MS)
    const without = poors.answers.filter(({ at, status }) => at > began + 500 && status === 200).length
    await outages[how].end(redis)
    const ended = Date.now()
    await eventually(
      async () => told(fleet),
      (text) => text.split('Redis is back').length > urls.length,
    )
    await sleep(1_500)
    const [all, some] = await Promise.all([riches.stop(), poors.stop()])

    assert.deepEqual(kindsOf(all), { 200: all.length })
    const during = spreadOf(all.filter(({ at }) => at >= began && at <= ended).map(({ ms }) => ms))
    const spent = await charged(fleet, from, poor.id, some)
    t.diagnostic(
      `${all.length} calls went on, half within ${during.p50} ms, all within ${during.max} ms; ${without} of the poor key's without Redis; ${spent} of 100 spent`,
    )
    assert.deepEqual(Object.keys(kindsOf(some)).toSorted(), ['200', '402 budget_exceeded'])
    assert.ok(without > 0, 'the share of the budget was not used')
    assert.ok(spent >= 90, `only ${spent} of 100`)
    assert.ok(spent <= 100 + running, `${spent} of 100, beyond the bound of ${running}`)
    // What one replica counted meanwhile both know now: nothing is left for either.
    if (spent >= 100) for (const url of urls) assert.equal((await caller.call(url, poor.key)).status, 402)
  })

test('with `closed`, calls that are counted are refused while Redis is away, and others go on', { timeout: 90_000 }, async (t) => {
  const fleet = await withFleet(t, { onFailure: 'closed' })
  if (!fleet?.redis) return
  const { urls, caller, redis } = fleet
  const counted = await createKey(urls[0] ?? '', { alias: 'counted', limits: [{ what: 'requests', limit: 1_000_000 }] })
  const free = await createKey(urls[0] ?? '', { alias: 'free' })
  for (const way of Object.values(outages)) {
    for (const url of urls)
      await eventually(
        () => caller.call(url, counted.key),
        ({ status }) => status === 200,
      )
    await way.begin(redis)
    for (const url of urls) {
      for (let count = 0; count < 5; count++) {
        const refused = await caller.call(url, counted.key)
        assert.deepEqual([refused.status, refused.code], [503, 'store_unavailable'], refused.text)
        assert.equal((await caller.call(url, free.key)).status, 200)
      }
    }
    await way.end(redis)
  }
  for (const url of urls)
    await eventually(
      () => caller.call(url, counted.key),
      ({ status }) => status === 200,
    )
})
