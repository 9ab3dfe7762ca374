import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryCounters } from '../../store/counters/memory.ts'
import { admitted, budget, end, key, rig } from './fixtures/rig.ts'

const CENT = { input: 1_000, output: 900 }

test('each share is told once in a window, by the call that reaches it', async () => {
  const { desk, call, events, pass } = rig({ budgets: [budget('b', { name: 'all', limit: '0.04', window: 'day', warnAt: [0.9, 0.5] })] })
  const spend = async (): Promise<void> => {
    const one = call(CENT)
    end(one, await admitted(desk, one), CENT)
  }
  await spend()
  assert.deepEqual(events, [])
  await spend()
  const [first] = events
  assert.deepEqual(first, {
    type: 'budget-warning',
    kind: 'budget',
    rule: 'b',
    name: 'all',
    by: 'all',
    value: '',
    organisation: undefined,
    share: 0.5,
    limit: 40_000_000n,
    spent: 20_000_000n,
    at: Date.parse('2026-03-04T12:00:00Z'),
    resetsAt: Date.parse('2026-03-05T00:00:00Z'),
  })
  await spend()
  await spend()
  await assert.rejects(spend())
  await assert.rejects(spend())
  assert.deepEqual(
    events.map(({ type, share }) => [type, share]),
    [
      ['budget-warning', 0.5],
      ['budget-warning', 0.9],
      ['budget-exceeded', undefined],
    ],
  )
  pass(86_400_000)
  await spend()
  await spend()
  assert.equal(events.length, 4)
})

test('two replicas that share counters tell once between them', async () => {
  const shared = createMemoryCounters({ now: () => Date.parse('2026-03-04T12:00:00Z') })
  const rule = budget('b', { limit: '0.10', by: 'key', warnAt: [0.2, 0.8] })
  const replicas = [1, 2].map(() => rig({ budgets: [rule], counters: () => shared }))
  for (let count = 0; count < 10; count++)
    for (const { desk, call } of [replicas[count % 2]!]) {
      const one = call({ ...CENT, principal: key('k') })
      end(one, await admitted(desk, one), CENT)
    }
  const told = replicas.flatMap(({ events }) => events.map(({ share, value }) => [share, value]))
  assert.deepEqual(told.toSorted(), [
    [0.2, 'k'],
    [0.8, 'k'],
  ])
})
