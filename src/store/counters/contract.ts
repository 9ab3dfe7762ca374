/** What every form of counters does. One suite, run on each. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Counters, Hold, Reserved } from '../../core/counters.ts'

export interface Setup {
  readonly counters: Counters
  /** The counters' own time, milliseconds since 1970. */
  now(): number
  /** Lets so much of it pass. */
  elapse(ms: number): Promise<void>
}

const LEASE = 60_000

let names = 0
export const freshName = (): string => `counter ${++names}`

export const spend = (counter: string, amount: number, limit?: number, more: Partial<Hold> = {}): Hold => ({
  counter,
  kind: 'spend',
  amount,
  limit,
  ...more,
})
const gauge = (counter: string, amount: number, limit?: number): Hold => ({ counter, kind: 'gauge', amount, limit })

export function countersContract(form: string, setup: (t: TestContext) => Promise<Setup | undefined>): void {
  const it = (sentence: string, body: (setup: Setup) => Promise<void>): void => {
    test(`${form}: ${sentence}`, async (t) => {
      const made = await setup(t)
      if (made) await body(made)
    })
  }
  const stateOf = async (counters: Counters, name: string) => (await counters.read([name]))[0]
  const ok = (reserved: Reserved): void => assert.equal(reserved.ok, true)
  const refused = (reserved: Reserved): Extract<Reserved, { ok: false }> => {
    assert.equal(reserved.ok, false)
    return reserved as Extract<Reserved, { ok: false }>
  }

  it('what is held counts until it is settled, and then what was used', async ({ counters }) => {
    const name = freshName()
    const holds = [spend(name, 60, 100)]
    assert.deepEqual(await counters.reserve('a', holds, LEASE), { ok: true, states: [{ spent: 0, held: 60 }] })
    const { index, state } = refused(await counters.reserve('b', holds, LEASE))
    assert.deepEqual({ index, state }, { index: 0, state: { spent: 0, held: 60 } })
    await counters.settle('a', holds, [25])
    assert.deepEqual(await stateOf(counters, name), { spent: 25, held: 0 })
    ok(await counters.reserve('b', holds, LEASE))
    refused(await counters.reserve('c', [spend(name, 16, 100)], LEASE))
    ok(await counters.reserve('c', [spend(name, 15, 100)], LEASE))
  })

  it('takes all holds of a call or none', async ({ counters }) => {
    const [first, second, third] = [freshName(), freshName(), freshName()]
    const holds = [spend(first, 5, 10), gauge(second, 1, 1), spend(third, 7, 6)]
    assert.equal(refused(await counters.reserve('a', holds, LEASE)).index, 2)
    for (const name of [first, second, third]) assert.equal((await stateOf(counters, name))?.held ?? 0, 0)
    ok(await counters.reserve('a', [spend(first, 10, 10), gauge(second, 1, 1), spend(third, 6, 6)], LEASE))
  })

  it('counts a counter twice that is named twice in a call', async ({ counters }) => {
    const name = freshName()
    assert.equal(refused(await counters.reserve('a', [spend(name, 6, 10), spend(name, 6, 10)], LEASE)).index, 1)
    const holds = [spend(name, 5, 10), spend(name, 5, 10)]
    ok(await counters.reserve('b', holds, LEASE))
    await counters.settle('b', holds, [1, 2])
    assert.deepEqual(await stateOf(counters, name), { spent: 3, held: 0 })
  })

  it('counts without a limit and refuses nothing', async ({ counters }) => {
    const name = freshName()
    const holds = [spend(name, 1_000_000)]
    ok(await counters.reserve('a', holds, LEASE))
    await counters.settle('a', holds, [2_000_000])
    assert.deepEqual(await stateOf(counters, name), { spent: 2_000_000, held: 0 })
  })

  it('what was used may exceed what was held, and the limit', async ({ counters }) => {
    const name = freshName()
    const holds = [spend(name, 10, 100)]
    ok(await counters.reserve('a', holds, LEASE))
    await counters.settle('a', holds, [150])
    assert.deepEqual(refused(await counters.reserve('b', [spend(name, 0, 100)], LEASE)).state, { spent: 150, held: 0 })
  })

  it('keeps whole numbers exact up to 2^53', async ({ counters }) => {
    const name = freshName()
    const large = 2 ** 53 - 11
    const holds = [spend(name, large, Number.MAX_SAFE_INTEGER)]
    ok(await counters.reserve('a', holds, LEASE))
    refused(await counters.reserve('b', [spend(name, 11, Number.MAX_SAFE_INTEGER)], LEASE))
    ok(await counters.reserve('b', [spend(name, 9, Number.MAX_SAFE_INTEGER)], LEASE))
    await counters.settle('a', holds, [large - 1])
    assert.deepEqual(await stateOf(counters, name), { spent: large - 1, held: 9 })
  })

  it('a gauge is in use until it is settled, and nothing stays', async ({ counters }) => {
    const name = freshName()
    ok(await counters.reserve('a', [gauge(name, 1, 2)], LEASE))
    ok(await counters.reserve('b', [gauge(name, 1, 2)], LEASE))
    refused(await counters.reserve('c', [gauge(name, 1, 2)], LEASE))
    await counters.settle('a', [gauge(name, 1, 2)], [1])
    ok(await counters.reserve('c', [gauge(name, 1, 2)], LEASE))
    assert.deepEqual(await stateOf(counters, name), { spent: 0, held: 2 })
  })

  it('reserving and settling twice under one id changes nothing', async ({ counters }) => {
    const name = freshName()
    const holds = [spend(name, 60, 100)]
    ok(await counters.reserve('a', holds, LEASE))
    ok(await counters.reserve('a', holds, LEASE))
    assert.deepEqual(await stateOf(counters, name), { spent: 0, held: 60 })
    await counters.settle('a', holds, [20])
    await counters.settle('a', holds, [20])
    assert.deepEqual(await stateOf(counters, name), { spent: 20, held: 0 })
  })

  it('a call that was refused may ask again under its id', async ({ counters }) => {
    const name = freshName()
    refused(await counters.reserve('a', [spend(name, 11, 10)], LEASE))
    ok(await counters.reserve('a', [spend(name, 10, 10)], LEASE))
  })

  it('releases what nobody settles when its lease is over, and still counts a call that ends later', async ({ counters, elapse }) => {
    const name = freshName()
    const holds = [spend(name, 100, 100)]
    ok(await counters.reserve('a', holds, 300))
    refused(await counters.reserve('b', holds, LEASE))
    await elapse(400)
    ok(await counters.reserve('b', holds, LEASE))
    await counters.settle('a', holds, [30])
    await counters.settle('a', holds, [30])
    assert.deepEqual(await stateOf(counters, name), { spent: 30, held: 100 })
  })

  it('forgets a window that has ended, and says when that is', async ({ counters, elapse, now }) => {
    const name = freshName()
    const window = { endsAt: now() + 500 }
    const holds = [spend(name, 10, 10, { window })]
    ok(await counters.reserve('a', holds, LEASE))
    await counters.settle('a', holds, [10])
    const { retryAfterMs = 0 } = refused(await counters.reserve('b', holds, LEASE))
    assert.ok(retryAfterMs > 0 && retryAfterMs <= 500, `retry after ${retryAfterMs}`)
    await elapse(600)
    const next = [spend(name, 10, 10, { window: { endsAt: window.endsAt + 5_000 } })]
    ok(await counters.reserve('b', next, LEASE))
    assert.deepEqual(await stateOf(counters, name), { spent: 0, held: 10 })
  })

  it('a call that runs into the next window is counted in its own', async ({ counters, elapse, now }) => {
    const name = freshName()
    const endsAt = now() + 300
    const holds = [spend(name, 10, 10, { window: { endsAt } })]
    ok(await counters.reserve('a', holds, LEASE))
    await elapse(400)
    const next = [spend(name, 10, 10, { window: { endsAt: endsAt + 60_000 } })]
    ok(await counters.reserve('b', next, LEASE))
    await counters.settle('a', holds, [10])
    assert.deepEqual(await stateOf(counters, name), { spent: 0, held: 10 })
  })

  it('a rolling window never lets more through, and forgets within a tenth of it', async ({ counters, elapse }) => {
    const name = freshName()
    const holds = [spend(name, 1, 3, { window: { rollingMs: 1_000 } })]
    for (const id of ['a', 'b', 'c']) {
      ok(await counters.reserve(id, holds, LEASE))
      await counters.settle(id, holds, [1])
    }
    const { retryAfterMs = 0 } = refused(await counters.reserve('d', holds, LEASE))
    assert.ok(retryAfterMs > 700 && retryAfterMs <= 1_100, `retry after ${retryAfterMs}`)
    await elapse(700)
    refused(await counters.reserve('d', holds, LEASE))
    await elapse(450)
    ok(await counters.reserve('d', holds, LEASE))
    assert.deepEqual(await stateOf(counters, name), { spent: 0, held: 1 })
  })

  it('in a rolling window a long call counts from its start, and what came on top from its end', async ({ counters, elapse }) => {
    const name = freshName()
    const holds = [spend(name, 5, 5, { window: { rollingMs: 500 } })]
    ok(await counters.reserve('a', holds, LEASE))
    await elapse(600)
    ok(await counters.reserve('b', holds, LEASE))
    await counters.settle('a', holds, [5])
    assert.deepEqual(await stateOf(counters, name), { spent: 0, held: 5 })
    await counters.settle('b', holds, [9])
    assert.deepEqual(await stateOf(counters, name), { spent: 9, held: 0 })
    await elapse(600)
    assert.equal((await stateOf(counters, name))?.spent ?? 0, 0)
  })

  it('asks what was spent before, once for all calls that wait, and all of them count', async ({ counters }) => {
    const name = freshName()
    let asked = 0
    const before = async () => {
      asked++
      await new Promise((resolve) => setTimeout(resolve, 20))
      return 50
    }
    const holds = [spend(name, 10, 100, { spentBefore: before })]
    const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => counters.reserve(`call ${index}`, holds, LEASE)))
    assert.equal(answers.filter((answer) => answer.ok).length, 5)
    assert.equal(asked, 1)
    assert.deepEqual(await stateOf(counters, name), { spent: 50, held: 50 })
  })

  it('refuses with store-unavailable while what was spent before is not known, and asks again', async ({ counters }) => {
    const name = freshName()
    let broken = true
    const spentBefore = () => (broken ? Promise.reject(new Error('no ledger')) : 3)
    const holds = [spend(name, 1, 100, { spentBefore })]
    await assert.rejects(async () => counters.reserve('a', holds, LEASE), { name: 'GatewayError', id: 'store-unavailable' })
    const throws = () => {
      throw new Error('no ledger either')
    }
    // Both fail, one later than the other: neither may end the process.
    const both = [...holds, spend(freshName(), 1, 1, { spentBefore: throws })]
    await assert.rejects(async () => counters.reserve('a', both, LEASE), { name: 'GatewayError', id: 'store-unavailable' })
    broken = false
    ok(await counters.reserve('a', holds, LEASE))
    assert.deepEqual(await stateOf(counters, name), { spent: 3, held: 1 })
  })

  it('what cannot be known when a call ends counts as what was held', async ({ counters }) => {
    const name = freshName()
    const holds = [spend(name, 7, 100)]
    ok(await counters.reserve('a', holds, LEASE))
    await counters.settle('a', holds, [Number.NaN])
    assert.deepEqual(await stateOf(counters, name), { spent: 7, held: 0 })
  })

  it('of 500 concurrent calls on a budget for 10 exactly 10 pass', async ({ counters }) => {
    const name = freshName()
    const holds = [spend(name, 100_000_000, 1_000_000_000, { spentBefore: async () => 0 }), gauge(freshName(), 1)]
    const answers = await Promise.all(Array.from({ length: 500 }, (_, index) => counters.reserve(`race ${index}`, holds, LEASE)))
    assert.equal(answers.filter((answer) => answer.ok).length, 10)
    assert.deepEqual(await stateOf(counters, name), { spent: 0, held: 1_000_000_000 })
  })

  it('what a call held is given back as it is where its settlement names no holds', async ({ counters }) => {
    const [first, second] = [freshName(), freshName()]
    ok(await counters.reserve('a', [spend(first, 5, 10), gauge(second, 1, 1)], LEASE))
    await counters.settle('a', [], [0, 0])
    assert.equal((await stateOf(counters, first))?.held ?? 0, 0)
    ok(await counters.reserve('b', [spend(first, 10, 10), gauge(second, 1, 1)], LEASE))
  })

  it('a call of which nobody holds anything counts with what it used, once', async ({ counters }) => {
    const name = freshName()
    ok(await counters.reserve('a', [spend(name, 1, 100)], LEASE))
    await counters.settle('lost', [spend(name, 0)], [30])
    await counters.settle('lost', [spend(name, 0)], [30])
    assert.deepEqual(await stateOf(counters, name), { spent: 30, held: 1 })
  })

  it('takes long names and ids, and tells those apart that differ in one letter', async ({ counters }) => {
    const [long, other] = [`${freshName()} ${'x'.repeat(200)}`, `${freshName()} ${'x'.repeat(200)}`].map((name) => name.slice(0, 200))
    const id = 'i'.repeat(400)
    ok(await counters.reserve(`a${id}`, [spend(long ?? '', 1, 2)], LEASE))
    ok(await counters.reserve(`b${id}`, [spend(long ?? '', 1, 2)], LEASE))
    ok(await counters.reserve(`c${id}`, [spend(other ?? '', 1, 2)], LEASE))
    await counters.settle(`a${id}`, [spend(long ?? '', 1, 2)], [2])
    assert.deepEqual(await stateOf(counters, long ?? ''), { spent: 2, held: 1 })
  })

  it('says nothing of counters that nobody used', async ({ counters }) => {
    assert.deepEqual(await counters.read([freshName()]), [undefined])
  })
}
