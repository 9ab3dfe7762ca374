import assert from 'node:assert/strict'
import test from 'node:test'
import { balanceBuffer, createBalance, forgetThread } from './balance.ts'

function threads(count: number, connections: readonly number[]) {
  let now = 0
  const buffer = balanceBuffer(count)
  const all = connections.map((open, index) => {
    const balance = createBalance(buffer, index, () => now)
    for (let each = 0; each < open; each++) balance.opened()
    return balance
  })
  const pass = (ms: number): void => {
    now += ms
  }
  return { all, buffer, pass }
}

test('who has its share keeps its connections', () => {
  const { all } = threads(2, [8, 8])
  assert.deepEqual(
    all.map((one) => one.sheds()),
    [false, false],
  )
})

test('who has clearly more asks one to go, and then waits for where it falls', () => {
  const { all, pass } = threads(2, [12, 4])
  const [most, least] = all
  pass(1_000)
  assert.equal(most?.sheds(), true)
  assert.equal(most?.sheds(), false)
  pass(20)
  assert.equal(most?.sheds(), true)
  assert.equal(least?.sheds(), false)
})

test('one caller alone is never asked to go', () => {
  const { all, pass } = threads(2, [1, 0])
  pass(1_000)
  assert.equal(all[0]?.sheds(), false)
})

test('connections of a thread that ended count for nobody', () => {
  const { all, buffer, pass } = threads(3, [4, 0, 9])
  pass(1_000)
  assert.equal(all[0]?.sheds(), false)
  forgetThread(buffer, 2)
  assert.equal(all[0]?.sheds(), true)
})

test('connections that fall by chance end up evenly', () => {
  let seed = 7
  const random = (): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31
    return seed / 2 ** 31
  }
  for (let round = 0; round < 50; round++) {
    const { all, pass } = threads(2, [0, 0])
    const where = Array.from({ length: 16 }, () => (random() < 0.5 ? 0 : 1))
    for (const thread of where) all[thread]?.opened()
    for (let answer = 0; answer < 400; answer++) {
      pass(5)
      const caller = answer % where.length
      const thread = where[caller] ?? 0
      if (!all[thread]?.sheds()) continue
      all[thread]?.closed()
      where[caller] = random() < 0.5 ? 0 : 1
      all[where[caller] ?? 0]?.opened()
    }
    const first = where.filter((thread) => thread === 0).length
    assert.ok(first >= 6 && first <= 10, `${first} of 16`)
  }
})
