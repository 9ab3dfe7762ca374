import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../../core/error.ts'
import { createMemoryRecords } from '../../store/memory/records.ts'
import { admitted, budget, end, key, rig } from './fixtures/rig.ts'

const CENT = { input: 1_000, output: 900 }
const told = () => new Promise((resolve) => setTimeout(resolve, 20))

test('budgets and limits made in the store hold soon after, change, and end', async () => {
  const records = createMemoryRecords()
  const { desk, call } = rig({ records })
  await desk.ready
  await admitted(desk, call(CENT))
  const made = await records.create({ kind: 'budget', id: 'bud_1', data: { name: 'new', limit: '0.005' } })
  await told()
  await assert.rejects(admitted(desk, call(CENT)), { id: 'budget-exceeded' })
  await records.update({ kind: 'budget', id: 'bud_1', data: { name: 'new', limit: '5' }, version: made.version })
  await records.create({ kind: 'limit', id: 'lim_1', data: { what: 'requests', limit: 0 } })
  await told()
  await assert.rejects(admitted(desk, call(CENT)), { id: 'rate-limited' })
  await records.remove('limit', 'lim_1')
  await told()
  await admitted(desk, call(CENT))
  desk.close()
})

test('a budget of an organisation holds for its calls only', async () => {
  const records = createMemoryRecords()
  await records.create({ kind: 'budget', id: 'bud_1', organisation: 'a', data: { limit: '0' } })
  const { desk, call } = rig({ records })
  await desk.ready
  await assert.rejects(admitted(desk, call({ ...CENT, principal: key('k', { tenant: { organisation: 'a' } }) })), { id: 'budget-exceeded' })
  await admitted(desk, call({ ...CENT, principal: key('k2', { tenant: { organisation: 'b' } }) }))
  await admitted(desk, call(CENT))
  desk.close()
})

test('as long as the store has not told its rules, nobody may spend; then they may, by themselves', async () => {
  const records = createMemoryRecords()
  await records.create({ kind: 'budget', id: 'bud_1', data: { limit: '0.01' } })
  let down = true
  const flaky = {
    ...records,
    list: (...args: Parameters<typeof records.list>) =>
      down ? Promise.reject(new GatewayError('store-unavailable', 'down')) : records.list(...args),
  }
  const { desk, call } = rig({ records: flaky })
  assert.throws(() => desk.admit(call(CENT)), { id: 'store-unavailable', status: 503 })
  down = false
  await desk.ready
  await admitted(desk, call(CENT))
  await assert.rejects(admitted(desk, call(CENT)), { id: 'budget-exceeded' })
  desk.close()
})

test('changes hold in the order in which they were made, also while the store is slow, away, or being read for the first time', async () => {
  const records = createMemoryRecords()
  let trouble = 0
  const slow = {
    ...records,
    list: async (...args: Parameters<typeof records.list>) => {
      const page = await records.list(...args)
      await told()
      return page
    },
    get: async (...args: Parameters<typeof records.get>) => {
      const record = await records.get(...args)
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20))
      if (trouble > 0 && trouble-- > 0) throw new GatewayError('store-unavailable', 'away')
      return record
    },
  }
  await records.create({ kind: 'budget', id: 'gone', data: { limit: '0' } })
  const { desk, call } = rig({ records: slow })
  await records.remove('budget', 'gone')
  const made = await records.create({ kind: 'budget', id: 'kept', data: { limit: '0' } })
  await desk.ready
  trouble = 1
  let { version } = made
  for (const limit of ['1', '0', '2', '0', '3'])
    version = (await records.update({ kind: 'budget', id: 'kept', data: { limit }, version })).version
  await new Promise((resolve) => setTimeout(resolve, 1_300))
  await admitted(desk, call(CENT))
  desk.close()
})

test('a record that is no rule does not hold, and does not keep others from holding', async () => {
  const records = createMemoryRecords()
  await records.create({ kind: 'budget', id: 'bud_1', data: { limit: 'much' } })
  await records.create({ kind: 'limit', id: 'lim_1', data: { what: 'requests', limit: 1 } })
  const { desk, call } = rig({ records })
  await desk.ready
  await admitted(desk, call())
  await assert.rejects(admitted(desk, call()), { id: 'rate-limited' })
  desk.close()
})

test("a key's own rules hold for its calls", async () => {
  const { desk, call } = rig()
  const principal = key('k', { budgets: [budget('bud_k', { limit: '0.01', by: 'key' })] })
  await admitted(desk, call({ ...CENT, principal }))
  await assert.rejects(admitted(desk, call({ ...CENT, principal })), /of this key/)
  await admitted(desk, call(CENT))
})

test('what was spent stays spent when a reload changes the limit', async () => {
  const { desk, call } = rig({ budgets: [budget('b', { limit: '0.02' })] })
  const one = call(CENT)
  end(one, await admitted(desk, one), CENT)
  desk.configure({ budgets: [budget('b', { limit: '0.015' })], limits: [] })
  await assert.rejects(admitted(desk, call(CENT)), { id: 'budget-exceeded' })
  desk.configure({ budgets: [budget('b', { limit: '0.03' })], limits: [] })
  await admitted(desk, call(CENT))
})

test('where nobody else counts, a window that begins anew is known to be empty: no call waits for the ledger', async () => {
  const { desk, call, pass } = rig({ budgets: [budget('b', { limit: '0.02', window: 'day' })], alone: true })
  const one = call(CENT)
  const first = desk.admit(one)
  assert.ok(first instanceof Promise, 'the window that ran already is asked for')
  await first
  pass(86_400_000)
  assert.ok(!(desk.admit(call(CENT)) instanceof Promise))
})
