import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Sealed } from '../core/call.ts'
import { carry, carryAll, isCarried, uncarry } from './carrier.ts'

const sealed: readonly Sealed[] = [
  { vendor: 'anthropic', kind: 'signature', value: 'EqQBCkYI.dots.in.it==' },
  { vendor: 'openai', kind: 'encrypted', value: 'gAAAA', id: 'rs_1.2/ä' },
  { vendor: 'google', kind: 'thought-signature', value: '' },
  { vendor: 'openrouter', kind: 'details', value: '[{"type":"reasoning.text","text":"a, b.c"}]' },
]

test('a carrier opens to what was put in', () => {
  for (const one of sealed) {
    assert.equal(isCarried(carry(one)), true)
    assert.deepEqual(uncarry(carry(one)), [one])
  }
})

test('several travel in one place', () => {
  assert.deepEqual(uncarry(carryAll(sealed)), sealed)
  assert.deepEqual(uncarry(carryAll(sealed.slice(0, 1))), sealed.slice(0, 1))
})

test("what a vendor sealed itself is none of the gateway's carriers", () => {
  for (const value of ['', 'EqQBCkYI', 'sbx', 'gAAAA.sbx1.openai']) assert.equal(uncarry(value), undefined)
})

test('a carrier that somebody tampered with opens to nothing that was not there', () => {
  assert.equal(uncarry('sbx1.nobody.signature..x'), undefined)
  assert.equal(uncarry('sbx1.anthropic.poem..x'), undefined)
  assert.equal(uncarry('sbx1.all.{not json'), undefined)
  assert.deepEqual(uncarry('sbx1.all.[{"vendor":"nobody","kind":"signature","value":"x"},null,7]'), [])
  assert.deepEqual(uncarry('sbx1.openai.encrypted.%E0%A4%A.x'), [{ vendor: 'openai', kind: 'encrypted', value: 'x', id: '%E0%A4%A' }])
})
