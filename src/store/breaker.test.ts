import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBreaker } from './breaker.ts'

function rig() {
  let time = 0
  const states: string[] = []
  const breaker = createBreaker({
    threshold: 3,
    restMs: 500,
    now: () => time,
    onState: ({ up, why }) => states.push(up ? 'up' : `down: ${why}`),
  })
  return { breaker, states, pass: (ms: number) => (time += ms) }
}

test('it opens after three failures in a row, and says why once', () => {
  const { breaker, states } = rig()
  for (let n = 1; n <= 2; n++) breaker.failed(new Error('gone'))
  breaker.succeeded()
  for (let n = 1; n <= 2; n++) breaker.failed(new Error('gone'))
  assert.equal(breaker.mayTry(), true)
  breaker.failed(new Error('gone'))
  breaker.failed(new Error('still gone'))
  assert.equal(breaker.up, false)
  assert.equal(breaker.mayTry(), false)
  assert.deepEqual(states, ['down: gone'])
})

test('after its rest one may try, and that one decides', () => {
  const { breaker, states, pass } = rig()
  for (let n = 1; n <= 3; n++) breaker.failed(new Error('gone'))
  pass(500)
  assert.deepEqual([breaker.mayTry(), breaker.mayTry()], [true, false])
  breaker.failed(new Error('gone'))
  pass(499)
  assert.equal(breaker.mayTry(), false)
  pass(1)
  assert.equal(breaker.mayTry(), true)
  breaker.succeeded()
  assert.deepEqual([breaker.mayTry(), breaker.mayTry()], [true, true])
  assert.deepEqual(states, ['down: gone', 'up'])
})

test('one who tries and never reports does not keep it closed', () => {
  const { breaker, pass } = rig()
  for (let n = 1; n <= 3; n++) breaker.failed(new Error('gone'))
  pass(500)
  assert.equal(breaker.mayTry(), true)
  pass(500)
  assert.equal(breaker.mayTry(), true)
})
