/** 500 calls at once on a budget for ten: ten of them pass, wherever the counters are. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createKey } from '../nemesis/admin.ts'
import { PRICE } from '../nemesis/judge.ts'
import { kindsOf } from './caller.ts'
import { dollars, type FleetOptions, ledgerOf, withFleet } from './fleet.ts'

const shapes: readonly (readonly [string, FleetOptions])[] = [
  ['one thread, counters in memory', { alone: true, gateways: 1 }],
  ['two threads, counters in shared memory', { alone: true, gateways: 1, threads: 2 }],
  ['two replicas, counters in Redis', {}],
]

for (const [name, options] of shapes)
  test(`of 500 calls at once on a budget for 10 exactly 10 pass: ${name}`, { timeout: 90_000 }, async (t) => {
    const fleet = await withFleet(t, options)
    if (!fleet) return
    const { urls, caller, provider } = fleet
    const from = Date.now() - 1_000
    // Twice: on counters that nobody knows yet, and on ones that are known.
    for (const warm of [0, 3]) {
      const key = await createKey(urls[0] ?? '', { alias: `ten-${warm}`, budgets: [{ limit: dollars(10 + warm), window: 'total' }] })
      for (let count = 0; count < warm; count++) assert.equal((await caller.call(urls[count % urls.length] ?? '', key.key)).status, 200)
      const before = provider.received.size
      const answers = await Promise.all(Array.from({ length: 500 }, (_, at) => caller.call(urls[at % urls.length] ?? '', key.key)))
      assert.deepEqual(kindsOf(answers), { 200: 10, '402 budget_exceeded': 490 })
      assert.equal(provider.received.size - before, 10)
      const served = answers.filter(({ status }) => status === 200).map((answer) => answer.name)
      const lines = await ledgerOf(urls[0] ?? '', from, served)
      const charged = [...lines.values()].flat().filter((line) => line.key === key.id)
      const sum = charged.reduce((total, { charge }) => total + Math.round(Number(charge ?? 0) * 1e9), 0)
      assert.equal(sum, (10 + warm) * PRICE)
    }
  })
