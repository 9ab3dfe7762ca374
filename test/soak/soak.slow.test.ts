/** The short form of `npm run soak`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leaksOf, soak } from './soak.ts'

test('after mixed streams, hang-ups and faults, the gateway holds what it held before', async () => {
  const result = await soak({ seconds: 10, seed: 20_261_121, warmUpSeconds: 5 })
  assert.deepEqual(leaksOf(result), [])
  assert.ok(result.calls.ok > 300, `only ${result.calls.ok} calls`)
  assert.ok(result.samples.length > 8)
})

test('a leak is told', () => {
  const flat = { timers: 2, sockets: 1, listeners: 5, heapMB: 40, rssMB: 150 }
  const calls = { ok: 100, aborted: 5, error: 0, wrong: 0 }
  const fine = { calls, details: [], baseline: flat, after: flat, samples: [], stopped: { ...flat, sockets: 0 }, warnings: [] }
  assert.deepEqual(leaksOf(fine), [])
  assert.deepEqual(leaksOf({ ...fine, after: { ...flat, timers: 3, sockets: 9 } }), [
    'timers: 2 before, 3 after',
    'sockets: 1 before, 9 after',
  ])
  const grown = Array.from({ length: 12 }, (_, index) => ({ ...flat, heapMB: 40 + 3 * index }))
  assert.match(leaksOf({ ...fine, samples: grown }).join(), /heap under load grows/)
  assert.match(leaksOf({ ...fine, calls: { ...calls, wrong: 1 }, details: ['gemini'] }).join(), /1 wrong answers/)
})
