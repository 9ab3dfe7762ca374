import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countersContract, spend } from './contract.ts'
import { createMemoryCounters } from './memory.ts'

const START = Date.UTC(2026, 0, 1, 0, 0, 0, 7)

function rig() {
  let at = START
  const counters = createMemoryCounters({ now: () => at })
  return {
    counters,
    now: () => at,
    elapse: async (ms: number) => {
      at += ms
    },
  }
}

countersContract('memory', async () => rig())

test('answers at once once a counter is known', async () => {
  const { counters } = rig()
  const holds = [spend('a', 1, 10, { spentBefore: async () => 2 })]
  assert.ok(counters.reserve('1', holds, 1_000) instanceof Promise)
  await counters.reserve('2', holds, 1_000)
  assert.deepEqual(counters.reserve('3', holds, 1_000), { ok: true, states: [{ spent: 2, held: 3 }] })
})

test('memory: 100,000 windows that came and went leave little behind', () => {
  const { counters, elapse, now } = rig()
  for (let minute = 0; minute < 1_000; minute++) {
    for (let key = 0; key < 100; key++) {
      const holds = [spend(`rate ${key} ${minute}`, 1, 10, { window: { endsAt: now() + 60_000 } })]
      const id = `${minute}.${key}`
      counters.reserve(id, holds, 1_000)
      counters.settle(id, holds, [1])
    }
    elapse(60_000)
  }
  assert.ok(counters.size().counters < 500, `${counters.size().counters} counters`)
  assert.equal(counters.size().leases, 0)
})

test('memory: a counter on which a call holds nothing yet is not forgotten', async () => {
  const { counters } = rig()
  const holds = [spend('tokens', 0, 100)]
  counters.reserve('a', holds, 60_000)
  for (let other = 0; other < 50; other++) counters.reserve(`b${other}`, [spend(`other ${other}`, 0, 1)], 60_000)
  counters.settle('a', holds, [40])
  assert.deepEqual(await counters.read(['tokens']), [{ spent: 40, held: 0 }])
})

test('memory: leases are released all at once when the first call comes after them', async () => {
  const { counters, elapse } = rig()
  for (let call = 0; call < 1_000; call++) counters.reserve(`${call}`, [spend('a', 1, 1_000)], 100 + call)
  await elapse(599)
  assert.deepEqual(await counters.read(['a']), [{ spent: 0, held: 500 }])
  await elapse(10_000)
  assert.deepEqual(await counters.read(['a']), [{ spent: 0, held: 0 }])
  assert.equal(counters.size().leases, 0)
})
