import assert from 'node:assert/strict'
import test from 'node:test'
import { createTurn } from './turn.ts'

function turnByHand() {
  const ends: (() => void)[] = []
  const turn = createTurn({ atEndOfTurn: (run) => void ends.push(run), most: 32 })
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

test('much work is done in several turns, in its order', () => {
  const { turn, end, ends } = turnByHand()
  const done: number[] = []
  for (let count = 0; count < 1_000; count++) turn.atEnd(() => done.push(count))
  assert.equal(done.length, 0)
  end()
  assert.equal(done.length, 32)
  turn.atEnd(() => done.push(1_000))
  while (ends.length > 0) {
    assert.equal(ends.length, 1)
    end()
  }
  assert.deepEqual(
    done,
    Array.from({ length: 1_001 }, (_, index) => index),
  )
  turn.atEnd(() => done.push(0))
  end()
  assert.equal(done.length, 1_002)
})

test('sockets and timers are looked at between the parts of much work', async () => {
  const turn = createTurn({ most: 2 })
  const seen: string[] = []
  for (let count = 0; count < 6; count++) turn.atEnd(() => seen.push('work'))
  await new Promise<void>((resolve) => {
    const look = (): void => {
      seen.push('loop')
      if (seen.length < 9) setTimeout(look, 0)
      else resolve()
    }
    setTimeout(look, 0)
  })
  assert.ok(seen.indexOf('loop') < seen.lastIndexOf('work'), seen.join(' '))
})

test('without another clock the end is that of the loop, once callers have run', async () => {
  const done: string[] = []
  createTurn().atEnd(() => done.push('work'))
  await Promise.resolve()
  assert.deepEqual(done, [])
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(done, ['work'])
})

test('much work that work brings does not overtake what this turn still has to do', () => {
  const { turn, end } = turnByHand()
  const done: string[] = []
  turn.atEnd(() => {
    for (let count = 0; count < 40; count++) turn.atEnd(() => done.push('brought'))
  })
  turn.atEnd(() => done.push('own'))
  end()
  assert.equal(done[0], 'own')
  end()
  end()
  assert.equal(done.length, 41)
})
