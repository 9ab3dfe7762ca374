import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dollarsOf, markedUp, nanosOf } from './money.ts'

test('a mark-up is in parts in a thousand, rounded once, half up', () => {
  assert.equal(markedUp(1_000_000n), 1_000_000n)
  assert.equal(markedUp(1_000_000n, 1_200), 1_200_000n)
  assert.equal(markedUp(1_000_000n, 900), 900_000n)
  assert.equal(markedUp(5n, 1_100), 6n)
  assert.equal(markedUp(4n, 1_100), 4n)
  assert.equal(markedUp(3n, 0), 0n)
  assert.equal(markedUp(1n, 1_500), 2n)
  assert.equal(markedUp(1n, 1_499), 1n)
  assert.equal(markedUp(1_000_000_001n, 900), 900_000_001n)
  assert.equal(markedUp(900_719_925_474_099_300n, 1_001), 901_620_645_399_573_399n)
})

test('amounts are decimal texts without exponents, and read back as they were', () => {
  for (const [nanos, text] of [
    [0n, '0'],
    [1n, '0.000000001'],
    [1_250n, '0.00000125'],
    [1_000_000_000n, '1'],
    [123_456_789_012_345_678_900_000_000n, '123456789012345678.9'],
  ] as const) {
    assert.equal(dollarsOf(nanos), text)
    if (text.length < 16) assert.equal(nanosOf(text), nanos)
  }
  assert.equal(dollarsOf(-5_000_000n), '-0.005')
})

test('what has more than nine decimals is rounded half up; what is no amount is none', () => {
  assert.equal(nanosOf('0.0000000005'), 1n)
  assert.equal(nanosOf('0.0000000004999'), 0n)
  for (const text of ['', '-1', '1e3', '1,5', '.5', '1.', '1234567890123456']) assert.equal(nanosOf(text), undefined, text)
})
