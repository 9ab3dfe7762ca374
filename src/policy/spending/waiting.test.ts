import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { GatewayError } from '../../core/error.ts'
import { admitted, budget, end, rig } from './fixtures/rig.ts'

const CENT = { input: 1_000, output: 900 }
const queueing = (limit: string, queueMs = 5_000) =>
  rig({ budgets: [budget('q', { limit, window: 'total', onBreach: 'queue' })], policy: { inputMargin: 1, queueMs } })
const isBreach = (error: unknown): boolean => error instanceof GatewayError && error.id === 'budget-exceeded'

test('a call waits until calls that run have come to less than they held', async () => {
  const { desk, call } = queueing('0.02')
  const running = [call(CENT), call(CENT)]
  const admissions = await Promise.all(running.map((one) => admitted(desk, one)))
  const order: number[] = []
  const waiting = [1, 2, 3].map(async (number) => {
    const one = call({ input: 1_000, output: 400 })
    const admission = await admitted(desk, one)
    order.push(number)
    return [one, admission] as const
  })
  await sleep(20)
  assert.equal(desk.waiting, 3)
  const began = performance.now()
  end(running[0]!, admissions[0]!, { input: 1_000, output: 0 })
  await sleep(20)
  assert.deepEqual(order, [1], 'there is room for one')
  end(running[1]!, admissions[1]!, { input: 1_000, output: 0 })
  await Promise.all(waiting)
  assert.ok(performance.now() - began < 900, 'woken, not found by looking')
  assert.deepEqual(order, [1, 2, 3])
  assert.equal(desk.waiting, 0)
})

test('who comes later goes behind those who wait', async () => {
  const { desk, call } = queueing('0.01')
  const first = call(CENT)
  const admission = await admitted(desk, first)
  const order: string[] = []
  const large = admitted(desk, call({ input: 1_000, output: 800 })).then(() => order.push('large'))
  await sleep(10)
  end(first, admission, { input: 500, output: 0 })
  // There is room for it beside the large one, but not before it.
  const small = admitted(desk, call({ input: 1_000, output: 0 })).then(() => order.push('small'))
  await large
  await Promise.race([small, sleep(50)])
  assert.equal(order[0], 'large')
})

test('a wait is bounded, and ends in the refusal', async () => {
  const { desk, call } = queueing('0.01', 60)
  await admitted(desk, call(CENT))
  const began = performance.now()
  await assert.rejects(admitted(desk, call(CENT)), isBreach)
  assert.ok(performance.now() - began < 2_000)
  await assert.rejects(admitted(desk, call({ ...CENT, limitMs: 20 })), isBreach)
  assert.equal(desk.waiting, 0)
})

test('where nothing runs that could leave room, nobody waits', async () => {
  const { desk, call } = queueing('0.01')
  const first = call(CENT)
  end(first, await admitted(desk, first), CENT)
  const began = performance.now()
  await assert.rejects(admitted(desk, call(CENT)), isBreach)
  await assert.rejects(admitted(desk, call({ input: 1_000, output: 5_000 })), isBreach)
  assert.ok(performance.now() - began < 500)
})

test('a caller who hangs up leaves the line', async () => {
  const { desk, call } = queueing('0.01')
  const first = call(CENT)
  const admission = await admitted(desk, first)
  const gone = call(CENT)
  const waiting = admitted(desk, gone)
  const behind = admitted(desk, call(CENT))
  await sleep(10)
  gone.exchange.cancellation.cancel(new GatewayError('client-closed', 'gone'))
  await assert.rejects(waiting, { id: 'client-closed' })
  end(first, admission, { input: 0, output: 0 })
  await behind
  assert.equal(desk.waiting, 0)
})
