import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countersContract, spend } from './contract.ts'
import { createSharedCounters, sharedCountersBuffer } from './shared.ts'

const START = Date.UTC(2026, 0, 1, 0, 0, 0, 7)

function rig(capacity?: number) {
  let at = START
  const counters = createSharedCounters({ buffer: sharedCountersBuffer(capacity), now: () => at })
  return {
    counters,
    now: () => at,
    elapse: async (ms: number) => {
      at += ms
    },
  }
}

countersContract('shared memory', async () => rig())

test('without room unlimited calls pass uncounted, limited ones are refused as overloaded, and that is told once', async () => {
  const told: string[] = []
  const counters = createSharedCounters({ buffer: sharedCountersBuffer(16), onTrouble: (message) => told.push(message) })
  for (let index = 0; index < 16; index++) assert.ok((await counters.reserve(`a${index}`, [spend(`c${index}`, 1, 10)], 60_000)).ok)
  for (let index = 0; index < 5; index++) {
    await assert.rejects(async () => counters.reserve(`b${index}`, [spend('c0', 1, 10), spend('more', 1, 10)], 60_000), {
      id: 'overloaded',
    })
    assert.ok((await counters.reserve(`u${index}`, [spend('unlimited', 1)], 60_000)).ok)
    assert.ok((await counters.reserve(`v${index}`, [spend('seeded', 1, undefined, { spentBefore: async () => 1 })], 60_000)).ok)
  }
  assert.equal(told.length, 1)
  assert.deepEqual(await counters.read(['c0']), [{ spent: 0, held: 1 }])
  assert.ok((await counters.reserve('b0', [spend('c1', 1, 10)], 60_000)).ok)
})

test('room comes back as windows end and calls are settled', async () => {
  const { counters, elapse, now } = rig(64)
  for (let minute = 0; minute < 50; minute++) {
    const window = { endsAt: now() + 1_000 }
    for (let key = 0; key < 60; key++) {
      const holds = [spend(`${minute} ${key}`, 1, 10, { window })]
      const id = `${minute}.${key}`
      assert.ok((await counters.reserve(id, holds, 500)).ok)
      if (key % 3 > 0) counters.settle(id, holds, [1])
    }
    await elapse(1_000)
  }
})

test('hundreds of thousands of calls leave nothing behind', async () => {
  const { counters } = rig(64)
  const holds = [spend('a', 3, 1_000_000_000), spend('b', 2, 1_000_000_000, { window: { rollingMs: 60_000 } })]
  for (let call = 0; call < 100_000; call++) {
    const id = `call ${call}`
    assert.ok((await counters.reserve(id, holds, 60_000)).ok)
    counters.settle(id, holds, [1, 2])
  }
  assert.deepEqual(await counters.read(['a', 'b']), [
    { spent: 100_000, held: 0 },
    { spent: 200_000, held: 0 },
  ])
})
