import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sumUsage } from './event.ts'

test('what two replies used together is the sum of what each tells; unknown is not zero', () => {
  assert.deepEqual(sumUsage({ input: 1, output: 2, cacheRead: 3 }, { input: 10, output: 20, reasoning: 5 }), {
    input: 11,
    output: 22,
    cacheRead: 3,
    reasoning: 5,
  })
  assert.equal(sumUsage(undefined, undefined), undefined)
  assert.deepEqual(sumUsage({ input: 1 }, undefined), { input: 1 })
  assert.deepEqual(sumUsage({ input: 1, output: 4 }, { output: undefined }), { input: 1, output: 4 })
})

test('one estimate makes the sum an estimate, and a cost that one of them does not tell is not half told', () => {
  assert.equal(sumUsage({ output: 1, estimated: true }, { output: 1 })?.estimated, true)
  assert.equal(sumUsage({ output: 1 }, { output: 1, estimated: true })?.estimated, true)
  assert.equal(sumUsage({ output: 1, providerCost: 0.5 }, { output: 1 })?.providerCost, undefined)
  assert.equal(sumUsage({ output: 1, providerCost: 0.5 }, { output: 1, providerCost: 0.25 })?.providerCost, 0.75)
})
