import assert from 'node:assert/strict'
import test from 'node:test'
import { createTurn } from './turn.ts'

function turnByHand() {
  const ends: (() => void)[] = []
  const turn = createTurn((run) => void ends.push(run))
  const end = (): void => {
    for (const run of ends.splice(0)) run()
  }
  return { turn, end, ends }
}

test('work waits for the end of the turn and keeps its order', () => {
  const { turn, end, ends } = turnByHand()
  const done: number[] = []
  for (const number of [1, 2, 3]) turn.atEnd(() => done.push(number))
  assert.deepEqual(done, [])
  assert.equal(ends.length, 1)
  end()
  assert.deepEqual(done, [1, 2, 3])
})

test('work that work brings is for the next turn', () => {
  const { turn, end } = turnByHand()
  const done: string[] = []
  turn.atEnd(() => {
    turn.atEnd(() => done.push('brought'))
    done.push('first')
  })
  end()
  assert.deepEqual(done, ['first'])
  end()
  assert.deepEqual(done, ['first', 'brought'])
})

test('a crowded turn does not make the first wait for the last', () => {
  const { turn, end } = turnByHand()
  let done = 0
  for (let count = 0; count < 100; count++) turn.atEnd(() => done++)
  assert.equal(done, 96)
  end()
  assert.equal(done, 100)
})

test('without another clock the end is that of the loop, once callers have run', async () => {
  const done: string[] = []
  createTurn().atEnd(() => done.push('work'))
  await Promise.resolve()
  assert.deepEqual(done, [])
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(done, ['work'])
})

test('work brought by a crowded turn does not overtake what that turn still has to do', () => {
  const { turn, end } = turnByHand()
  const done: string[] = []
  turn.atEnd(() => {
    for (let count = 0; count < 40; count++) turn.atEnd(() => done.push('brought'))
  })
  turn.atEnd(() => done.push('own'))
  end()
  assert.equal(done[0], 'own')
  end()
  assert.equal(done.length, 41)
})
