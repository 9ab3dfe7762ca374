import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { LIMITS } from './counting-limits.ts'
import type { ThreadResult, ThreadTask } from './counting-thread.ts'
import { createSharedCounters, recoverSharedCounters, sharedCountersBuffer } from './shared.ts'

const start = (task: ThreadTask): Worker => new Worker(new URL('counting-thread.ts', import.meta.url), { workerData: task })

const heard = <T>(worker: Worker): Promise<T> =>
  new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })

const names = LIMITS.map((_, index) => `shared ${index}`)

test('500 concurrent calls of three threads on a budget for 10: exactly 10 pass', async () => {
  const buffer = sharedCountersBuffer(1_024)
  const results = await Promise.all(
    [170, 170, 160].map((calls, index) =>
      heard<ThreadResult>(start({ buffer, name: `t${index}`, what: 'race', calls, seed: 0, leaseMs: 60_000 })),
    ),
  )
  assert.equal(
    results.reduce((sum, { taken }) => sum + taken, 0),
    10,
  )
  assert.deepEqual(await createSharedCounters({ buffer }).read(['race']), [{ spent: 0, held: 1_000_000_000 }])
})

test('three threads that do as they like: no limit is passed, nothing is negative, sums are exact', async (t) => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
  t.diagnostic(`SEED=${seed}`)
  const buffer = sharedCountersBuffer(1_024)
  const results = await Promise.all(
    [0, 1, 2].map((index) =>
      heard<ThreadResult>(start({ buffer, name: `t${index}`, what: 'random', calls: 8_000, seed: seed + index, leaseMs: 60_000 })),
    ),
  )
  assert.deepEqual(
    results.flatMap(({ wrong }) => wrong),
    [],
  )
  assert.ok(results.every(({ taken }) => taken > 0))
  const states = await createSharedCounters({ buffer }).read(names)
  for (const [index, name] of names.entries()) {
    const spent = results.reduce((sum, result) => sum + (result.spent[name] ?? 0), 0)
    assert.deepEqual(states[index] ?? { spent: 0, held: 0 }, { spent, held: 0 }, name)
  }
})

for (const told of [true, false]) {
  test(`a thread that ends in the middle of a reservation leaves nothing of it, ${told ? 'at once when that is told' : 'after a while when nobody tells'}`, async () => {
    const buffer = sharedCountersBuffer(256)
    const counters = createSharedCounters({ buffer })
    const worker = start({ buffer, name: 'half', what: 'stall', calls: 1, seed: 0, leaseMs: 60_000 })
    const { threadId } = worker
    assert.equal(await heard(worker), 'stalled')
    await worker.terminate()
    if (told) recoverSharedCounters(buffer, threadId)
    const begun = performance.now()
    assert.deepEqual((await counters.read(names))[0] ?? { spent: 0, held: 0 }, { spent: 0, held: 0 })
    const took = performance.now() - begun
    assert.ok(told ? took < 500 : took > 1_000, `${took} ms`)
    const hold = { counter: names[0] ?? '', kind: 'spend', amount: 7, limit: LIMITS[0] } as const
    assert.deepEqual(await counters.reserve('half', [hold], 60_000), { ok: true, states: [{ spent: 0, held: 7 }] })
  })
}

test('threads that are ended at any moment leave counters that are whole, and their leases give back what they held', async (t) => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
  t.diagnostic(`SEED=${seed}`)
  const buffer = sharedCountersBuffer(1_024)
  const counters = createSharedCounters({ buffer })
  for (let round = 0; round < 6; round++) {
    const workers = [0, 1].map((index) =>
      start({ buffer, name: `r${round}t${index}`, what: 'random', calls: 10_000_000, seed: seed + 2 * round + index, leaseMs: 300 }),
    )
    const ids = workers.map(({ threadId }) => threadId)
    await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('online', resolve))))
    await sleep(150 + ((seed >>> round) % 50))
    await Promise.all(workers.map((worker) => worker.terminate()))
    for (const id of ids) recoverSharedCounters(buffer, id)
    for (const [index, state] of (await counters.read(names)).entries()) {
      if (!state) continue
      assert.ok(
        state.held >= 0 && state.spent >= 0 && state.spent + state.held <= (LIMITS[index] ?? 0),
        JSON.stringify({ round, index, state }),
      )
    }
  }
  await sleep(350)
  for (const state of await counters.read(names)) assert.equal(state?.held ?? 0, 0)
})
