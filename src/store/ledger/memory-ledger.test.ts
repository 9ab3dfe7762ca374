import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryLedger } from './memory-ledger.ts'
import { noon, openingFor, settlementFor } from './testing/ledger-contract.ts'

const HOUR = 3_600_000
const all = { from: 0, to: noon * 2 }

test('old entries become sums per hour; usage and spending do not change by it', async () => {
  const small = createMemoryLedger({ entries: 10 })
  const large = createMemoryLedger()
  for (const ledger of [small, large]) {
    for (let index = 0; index < 500; index++) {
      const id = `id_${index}`
      ledger.open(openingFor(id, { at: noon + index * 60_000, key: `key_${index % 3}`, tags: index % 2 ? ['x'] : ['x', 'y'] }))
      ledger.settle(
        settlementFor(id, {
          cost: BigInt(index),
          charge: BigInt(index * 2),
          model: `m${index % 4}`,
          estimated: index % 5 === 0,
          usage: { input: 1 },
        }),
      )
    }
  }
  for (const by of [[], ['key', 'model'], ['tag'], ['day', 'hour'], ['status', 'region']] as const) {
    assert.deepEqual(await small.usage({ by, ...all }), await large.usage({ by, ...all }), by.join())
  }
  const where = { key: 'key_1', tag: 'y' }
  assert.deepEqual(await small.usage({ by: ['model'], ...all, where }), await large.usage({ by: ['model'], ...all, where }))
  assert.equal(await small.spent({ where }, noon + HOUR, noon + 3 * HOUR), await large.spent({ where }, noon + HOUR, noon + 3 * HOUR))
  assert.equal(await small.find('id_0'), undefined)
  assert.ok(await small.find('id_499'))
})

test('a call that runs for long is not forgotten, however many end meanwhile', async () => {
  const ledger = createMemoryLedger({ entries: 10 })
  ledger.open(openingFor('long'))
  for (let index = 0; index < 100; index++) {
    ledger.open(openingFor(`id_${index}`))
    ledger.settle(settlementFor(`id_${index}`, { cost: 1n, charge: 1n }))
  }
  ledger.settle(settlementFor('long', { cost: 7n, charge: 7n }))
  assert.equal((await ledger.find('long'))?.settlement?.cost, 7n)
  assert.equal((await ledger.usage({ by: [], ...all }))[0]?.cost, 107n)
})

test('sums are bounded too: the oldest go', async () => {
  const ledger = createMemoryLedger({ entries: 1, sums: 5 })
  for (let hour = 0; hour < 20; hour++) {
    ledger.open(openingFor(`id_${hour}`, { at: noon + hour * HOUR }))
    ledger.settle(settlementFor(`id_${hour}`))
  }
  const rows = await ledger.usage({ by: ['hour'], ...all })
  assert.deepEqual([rows.length, rows[0]?.by.hour], [6, '2026-03-15T02:00:00Z'])
})
