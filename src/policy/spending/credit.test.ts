import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecordStore } from '../../core/records.ts'
import { createMemoryRecords } from '../../store/memory/records.ts'
import { admitted, end, key, refusal, rig } from './fixtures/rig.ts'
import { creditRecord } from './tenants.ts'

const CENT = { input: 1_000, output: 900 }
const principal = key('k', { tenant: { organisation: 'o' } })
const topUp = (records: RecordStore, id: string, amount: string, kind: 'top-up' | 'adjustment' = 'top-up') =>
  records.create(creditRecord({ id, organisation: 'o', kind, amount }))
/** Until the change feed has told. */
const told = () => new Promise((resolve) => setTimeout(resolve, 20))

async function prepaid(markup?: number) {
  const records = createMemoryRecords({ now: () => Date.parse('2026-03-01T00:00:00Z') })
  await records.create({ kind: 'organisation', id: 'o', data: { billing: 'prepaid', ...(markup !== undefined && { markup }) } })
  const made = rig({ records })
  await made.desk.ready
  return { records, ...made }
}

test('without credit nothing goes; with a top-up it goes at once, as far as that reaches', async () => {
  const { records, desk, call } = await prepaid()
  const one = call({ ...CENT, principal })
  const error = await refusal(() => admitted(desk, one))
  assert.deepEqual([error.status, error.shouldRetry, error.retryAfterMs], [402, false, undefined])
  assert.match(error.message, /prepaid credit .*Top it up/)
  await topUp(records, 'c1', '0.02')
  await told()
  const two = call({ ...CENT, principal })
  end(two, await admitted(desk, two), CENT)
  const three = call({ ...CENT, principal })
  await admitted(desk, three)
  await assert.rejects(admitted(desk, call({ ...CENT, principal })), { id: 'budget-exceeded' })
  const { credited, spent, held, available } = await desk.balance('o')
  assert.deepEqual({ credited, spent, held, available }, { credited: 20_000_000n, spent: 10_000_000n, held: 10_000_000n, available: 0n })
  desk.close()
})

test('others, who pay afterwards, need no credit', async () => {
  const { desk, call } = await prepaid()
  await admitted(desk, call({ ...CENT, principal: key('x', { tenant: { organisation: 'other' } }) }))
  await admitted(desk, call(CENT))
  assert.equal((await desk.balance('other')).prepaid, false)
  desk.close()
})

test('what is taken back counts, and the organisation is warned when most is gone', async () => {
  const { records, desk, call, events } = await prepaid()
  await topUp(records, 'c1', '0.05')
  await topUp(records, 'c2', '-0.04', 'adjustment')
  await told()
  const one = call({ ...CENT, principal })
  end(one, await admitted(desk, one), CENT)
  assert.deepEqual(
    events.map(({ kind, share, value }) => [kind, share, value]),
    [
      ['credit', 0.8, 'o'],
      ['credit', 0.95, 'o'],
    ],
  )
  await topUp(records, 'c3', '0.015')
  await told()
  const two = call({ ...CENT, principal })
  end(two, await admitted(desk, two), CENT)
  assert.deepEqual(
    events.slice(2).map(({ share, limit }) => [share, limit]),
    [[0.8, 25_000_000n]],
    'after a top-up it is warned of that',
  )
  assert.throws(() => creditRecord({ id: 'x', organisation: 'o', kind: 'top-up', amount: '-1' }), { id: 'invalid-request', path: 'amount' })
  assert.throws(() => creditRecord({ id: 'x', organisation: 'o', kind: 'refund', amount: 'much' }), { id: 'invalid-request' })
  desk.close()
})

test('a statement adds up: opening, credit, charges by day and model after mark-up, closing', async () => {
  const { records, desk, call, pass } = await prepaid(1_100)
  await topUp(records, 'c1', '1')
  await told()
  const charge = async (): Promise<void> => {
    const one = call({ ...CENT, principal })
    end(one, await admitted(desk, one), CENT)
  }
  await charge()
  pass(86_400_000)
  await charge()
  await charge()
  const day = Date.parse('2026-03-05T00:00:00Z')
  const statement = await desk.statement('o', day, day + 86_400_000)
  assert.equal(statement.opening, 1_000_000_000n - 11_000_000n)
  assert.deepEqual(statement.charges, [
    {
      day: '2026-03-05',
      model: 'large',
      requests: 2,
      inputTokens: 2_000,
      outputTokens: 1_800,
      charge: 22_000_000n,
      estimated: 0,
      unpriced: 0,
    },
  ])
  assert.deepEqual([statement.credited, statement.charged, statement.closing], [0n, 22_000_000n, 967_000_000n])
  const all = await desk.statement('o', 0, day + 86_400_000)
  assert.deepEqual([all.opening, all.credits.map(({ id }) => id), all.closing], [0n, ['c1'], 967_000_000n])
  assert.equal((await desk.balance('o')).available, all.closing)
  desk.close()
})
