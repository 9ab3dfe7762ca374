import assert from 'node:assert/strict'
import { test } from 'node:test'
import { admitted, budget, isAdmitted, key, limit, refusal, rig } from './fixtures/rig.ts'

const ten = Array.from({ length: 10 }, (_, index) => index)

test('refusals are counted by kind of rule, whoever they concern', async () => {
  const { desk, call } = rig({
    budgets: [budget('b', { limit: '0.001', by: 'user', onBreach: 'refuse' })],
    limits: [limit('l', { what: 'requests', limit: 1, by: 'key' })],
  })
  assert.deepEqual([...desk.refusals.read()], [])
  for (const index of ten) {
    const principal = key(`k${index}`)
    await admitted(desk, call({ principal, input: 1 }))
    assert.equal((await refusal(() => desk.admit(call({ principal, input: 1 })))).id, 'rate-limited')
  }
  for (const index of ten) {
    const principal = key(`rich-${index}`, { user: `u${index}` })
    assert.equal((await refusal(() => desk.admit(call({ principal, input: 1_000_000 })))).id, 'budget-exceeded')
  }
  assert.deepEqual(
    [...desk.refusals.read()],
    [
      [['limit', 'requests', 'key', 'refused'], 10],
      [['budget', 'charge', 'user', 'refused'], 10],
    ],
  )
})

test('a call that goes on to the next tier is counted as that', async () => {
  const { desk, call } = rig({ budgets: [budget('b', { limit: '0.01', onBreach: 'next-tier' })] })
  const one = call({ input: 1_000_000 })
  assert.ok(!isAdmitted(await desk.admit(one)))
  assert.ok(isAdmitted(await desk.admit(one)))
  assert.deepEqual([...desk.refusals.read()], [[['budget', 'charge', 'all', 'next-tier'], 1]])
})
