import assert from 'node:assert/strict'
import { test } from 'node:test'
import { admitted, budget, end, key, limit, place, refusal, rig, START, unpriced } from './fixtures/rig.ts'

// 1,000 tokens in and 900 out at $1 and $10 a million: one cent.
const CENT = { input: 1_000, output: 900 }

test('a model without a price is refused where a budget holds, and goes where there is none', async () => {
  const { desk, call } = rig({ budgets: [budget('b', { limit: '1', by: 'key', value: 'k' })] })
  const mine = { principal: key('k') }
  const error = await refusal(() => admitted(desk, call({ ...mine, at: [unpriced('lab/x')] })))
  assert.equal(error.code, 'no_eligible_target')
  assert.match(error.message, /lab\/x.*`price`.*`prices\.unknown`/)
  const one = await admitted(desk, call({ ...mine, at: [unpriced('lab/x'), place('acme/large')] }))
  assert.deepEqual([...(one.without?.keys() ?? [])], [0])
  await admitted(desk, call({ principal: key('other'), at: [unpriced('lab/x')] }))
})

test('a model without a price is held and charged at the rates of the operator, marked as estimated', async () => {
  const rule = budget('b', { limit: '1' })
  const { desk, call, entry } = rig({
    budgets: [rule],
    policy: { unknown: 'estimate', estimate: { input: 2, output: 20 }, inputMargin: 1 },
  })
  const one = call({ ...CENT, at: [unpriced('lab/x')] })
  const admission = await admitted(desk, one)
  assert.equal((await desk.status(rule, [{}]))[0]?.held, 20_000_000)
  end(one, admission, { input: 1_000, output: 100, cost: undefined })
  assert.equal((await desk.status(rule, [{}]))[0]?.spent, 4_000_000)
  const { settlement } = await entry(one.exchange.id)
  assert.deepEqual([settlement?.cost, settlement?.estimated], [4_000_000n, true])
})

test('where the operator allows it, a model without a price goes, and its cost stays unknown', async () => {
  const rule = budget('b', { limit: '1' })
  const { desk, call, entry } = rig({ budgets: [rule], policy: { unknown: 'allow' } })
  const one = call({ ...CENT, at: [unpriced('lab/x')] })
  end(one, await admitted(desk, one), { input: 1_000, output: 100, cost: undefined })
  assert.equal((await desk.status(rule, [{}]))[0]?.spent, 0)
  assert.equal((await entry(one.exchange.id)).settlement?.cost, undefined)
})

test('a call is settled once, however often it is told', async () => {
  const rule = budget('b', { limit: '1' })
  const { desk, call, entry } = rig({ budgets: [rule] })
  const one = call(CENT)
  const admission = await admitted(desk, one)
  end(one, admission, CENT)
  one.exchange.settled = { status: 200, cost: 5n }
  admission.settle()
  assert.equal((await desk.status(rule, [{}]))[0]?.spent, 10_000_000)
  assert.equal((await entry(one.exchange.id)).settlement?.charge, 10_000_000n)
})

test('how a call ended decides what it cost', async () => {
  const cases = [
    ['never left', { sent: false, status: 503, error: { code: 'overloaded', message: '' } }, 0, false],
    [
      'refused by its provider',
      { usage: undefined, cost: undefined, status: 400, error: { code: 'upstream_rejected', message: '' } },
      0,
      false,
    ],
    [
      'cut off before a word',
      { usage: undefined, cost: undefined, status: 499, error: { code: 'client_closed', message: '' } },
      1_000_000,
      true,
    ],
    [
      'timed out before a word',
      { usage: undefined, cost: undefined, status: 504, error: { code: 'upstream_timeout', message: '' } },
      1_000_000,
      true,
    ],
    ['answered in silence', { usage: undefined, cost: undefined }, 1_000_000, true],
    [
      'broken off',
      { usage: { input: 1_000, output: 10, estimated: true }, cost: 1_100_000n, costEstimated: true, status: 502 },
      1_100_000,
      true,
    ],
    ['answered', { input: 1_000, output: 20 }, 1_200_000, false],
  ] as const
  for (const [how, ended, spent, estimated] of cases) {
    const rule = budget('b', { limit: '1' })
    const { desk, call, entry } = rig({ budgets: [rule] })
    const one = call(CENT)
    end(one, await admitted(desk, one), ended)
    const status = (await desk.status(rule, [{}]))[0]
    assert.deepEqual([status?.spent, status?.held], [spent, 0], how)
    const { settlement } = await entry(one.exchange.id)
    assert.deepEqual([settlement?.cost, settlement?.estimated], [BigInt(spent), estimated], how)
  }
})

test('mark-up and discount count in budgets and in what is charged, rounded once', async () => {
  const { createMemoryRecords } = await import('../../store/memory/records.ts')
  const records = createMemoryRecords()
  await records.create({ kind: 'organisation', id: 'o', data: { markup: 1_155 } })
  const rule = budget('b', { limit: '1' })
  const { desk, call, entry } = rig({ budgets: [rule], records })
  await desk.ready
  const one = call({ input: 1, output: 0, principal: key('k', { tenant: { organisation: 'o' } }), at: [place('a/b', { input: 0.003 })] })
  const admission = await admitted(desk, one)
  end(one, admission, { cost: 3n })
  const { settlement, markup } = await entry(one.exchange.id)
  // 3 nano-dollars and 15.5 percent are 3.465.
  assert.deepEqual([settlement?.cost, settlement?.charge, markup], [3n, 3n, 1_155])
  assert.equal((await desk.status(rule, [{}]))[0]?.spent, 3)
  desk.close()
})

test('a counter that nobody knows begins with what the ledger says', async () => {
  const rule = budget('b', { limit: '0.02', by: 'team' })
  const first = rig({ budgets: [rule] })
  const team = { ...CENT, principal: key('k', { tenant: { organisation: 'o', team: 't' } }) }
  const one = first.call(team)
  end(one, await admitted(first.desk, one), CENT)
  assert.equal((await first.desk.status(rule, [{ value: 't', organisation: 'o' }]))[0]?.spent, 10_000_000)
  // The same rule anew: nothing is known of its counters but what the ledger has.
  const { id } = rule
  first.desk.configure({ budgets: [{ ...rule, id: `${id}-2` }], limits: [] })
  await admitted(first.desk, first.call(team))
  await refusal(() => admitted(first.desk, first.call(team)))
})

test('seeding looks at the names that a rule is for', async () => {
  const { desk, call } = rig()
  for (const route of ['fast', 'slow']) {
    const one = call({ ...CENT, route })
    end(one, await admitted(desk, one), CENT)
  }
  const rule = budget('b', { limit: '1', models: ['fast'] })
  assert.equal((await desk.status(rule, [{}]))[0]?.spent, 10_000_000)
  assert.equal((await desk.status(budget('c', { limit: '1', models: ['acme/*'] }), [{}]))[0]?.spent, 20_000_000)
})

test('status tells when the window ends', async () => {
  const { desk } = rig()
  const rule = budget('b', { limit: '1', window: 'week', by: 'key' })
  const [status] = await desk.status(rule, [{ value: 'k' }])
  assert.deepEqual(status, {
    rule: 'b',
    value: 'k',
    limit: 1_000_000_000,
    spent: 0,
    held: 0,
    remaining: 1_000_000_000,
    resetsAt: Date.parse('2026-03-09T00:00:00Z'),
  })
  assert.ok(START < (status?.resetsAt ?? 0))
})

test('lost calls count at their estimate, also under rules of their key, however often that is told', async () => {
  const { createMemoryRecords } = await import('../../store/memory/records.ts')
  const records = createMemoryRecords()
  const data = { budgets: [{ id: 'bud_own', limit: '0.02', window: 'total', by: 'key' }] }
  await records.create({ kind: 'key', id: 'key-1', data })
  const everybody = budget('b', { limit: '1', window: 'total' })
  const { desk, call, entry } = rig({ budgets: [everybody], limits: [limit('c', { what: 'concurrent', limit: 2 })], records })
  await desk.ready
  const principal = key('key-1', { budgets: [budget('bud_own', { limit: '0.02', window: 'total', by: 'key' })] })
  const ended = call({ ...CENT, principal })
  end(ended, await admitted(desk, ended), { input: 0, output: 0 })
  const one = call({ ...CENT, principal })
  await admitted(desk, one)
  const lost = [await entry(one.exchange.id)]
  await desk.release(lost)
  await desk.release(lost)
  const [status] = await desk.status(everybody, [{}])
  assert.deepEqual([status?.spent, status?.held], [10_000_000, 0])
  const [own] = await desk.status(principal.budgets[0]!, [{ value: 'key-1' }])
  assert.deepEqual([own?.spent, own?.held], [10_000_000, 0])
  await admitted(desk, call({ ...CENT, principal }))
  await refusal(() => admitted(desk, call({ ...CENT, principal })))
  desk.close()
})
