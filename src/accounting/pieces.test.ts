/** What is charged by the piece or by the place: priced where somebody says a price, an estimate where nobody does. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { numbersFrom } from '../../test/random.ts'
import { sumUsage, type Usage } from '../core/event.ts'
import type { KindRates, PriceOverride } from '../core/rates.ts'
import { costOf } from './price.ts'
import { createPricing } from './pricing.ts'

const at = new Date('2026-11-21T12:00:00Z')
const tokens = { input: 1000, output: 100 }
const plain: PriceOverride = { input: 1, output: 2 }

/** The counts of a usage, and the rates by which they are charged. */
const PIECES = [
  ['webSearches', 'webSearch'],
  ['searchPrompts', 'searchPrompt'],
  ['mapPrompts', 'mapPrompt'],
  ['fileSearches', 'fileSearch'],
  ['socialSearches', 'socialSearch'],
  ['codeRuns', 'codeRun'],
  ['toolImages', 'toolImage'],
] as const satisfies readonly (readonly [keyof Usage, keyof KindRates])[]

function cost(usage: Usage, override: PriceOverride = plain, provider = 'lab') {
  const pricing = createPricing({ catalog: { model: (_, id) => ({ id, price: { input: 1, output: 2 } }) }, finer: () => undefined })
  return costOf(usage, pricing.priceOf(provider, 'm', override)!, at)
}

suite('what is charged by the piece', () => {
  for (const [count, rate] of PIECES) {
    test(`${count} make an estimate where nobody prices them, and none where somebody does`, () => {
      assert.deepEqual(cost({ ...tokens, [count]: 2 }), { nanos: 1_200_000n, estimated: true })
      assert.deepEqual(cost({ ...tokens, [count]: 2 }, { ...plain, [rate]: 3 }), { nanos: 7_200_000n, estimated: false })
      assert.deepEqual(cost({ ...tokens, [count]: 2 }, { ...plain, [rate]: 0 }), { nanos: 1_200_000n, estimated: false })
    })

    test(`${count} have a price of their own in a class of service, and are not multiplied without one`, () => {
      const usage = { ...tokens, [count]: 2, serviceTier: 'flex' }
      assert.deepEqual(cost(usage, { ...plain, [rate]: 3, tiers: { flex: { factor: 0.5 } } }), { nanos: 6_600_000n, estimated: false })
      assert.deepEqual(cost(usage, { ...plain, [rate]: 3, tiers: { flex: { factor: 0.5, [rate]: 1 } } }), {
        nanos: 2_600_000n,
        estimated: false,
      })
    })

    test(`no ${count} leave no doubt, priced or not`, () => {
      for (const price of [plain, { ...plain, [rate]: 3 }])
        for (const usage of [tokens, { ...tokens, [count]: 0 }])
          assert.deepEqual(cost(usage, price), { nanos: 1_200_000n, estimated: false })
    })
  }

  test('is a search by the query or by the prompt, whichever has a price', () => {
    const searched = { ...tokens, webSearches: 3, searchPrompts: 1 }
    assert.deepEqual(cost(searched, { ...plain, webSearch: 14 }), { nanos: 43_200_000n, estimated: false })
    assert.deepEqual(cost(searched, { ...plain, searchPrompt: 35 }), { nanos: 36_200_000n, estimated: false })
    // A map has its own price, but for where each query does.
    const both = { ...searched, mapPrompts: 1 }
    assert.equal(cost(both, { ...plain, searchPrompt: 35 })?.estimated, true)
    assert.equal(cost(both, { ...plain, mapPrompt: 25 })?.estimated, true)
    assert.equal(cost(both, { ...plain, webSearch: 14 })?.estimated, false)
    // The price of a prompt does not stand for searches of a provider that tells no prompts.
    assert.equal(cost({ ...tokens, webSearches: 3 }, { ...plain, searchPrompt: 35 })?.estimated, true)
    // Nor that of a query for a map that was searched without one that is told.
    assert.equal(cost({ ...tokens, mapPrompts: 1 }, { ...plain, webSearch: 14 })?.estimated, true)
  })

  test('is the sum of its parts, whatever is used and whatever is priced', () => {
    const random = numbersFrom(20_261_122)
    for (let round = 0; round < 5000; round++) {
      const price: Record<string, number> = { input: 1, output: 2 }
      const usage: Record<string, number> = { ...tokens }
      let nanos = 1_200_000n
      let unpriced = false
      for (const [count, rate] of PIECES) {
        const [pieces, dollars] = [Math.floor(random() * 4), Math.floor(random() * 50)]
        const [used, said] = [random() < 0.5, random() < 0.5]
        if (used) usage[count] = pieces
        if (said) price[rate] = dollars
        if (used && said) nanos += BigInt(pieces * dollars) * 1_000_000n
        else if (used && pieces > 0 && !['webSearches', 'searchPrompts', 'mapPrompts'].includes(count)) unpriced = true
      }
      const found = cost(usage, price)
      assert.equal(found?.nanos, nanos, JSON.stringify({ price, usage }))
      if (unpriced) assert.equal(found?.estimated, true, JSON.stringify({ price, usage }))
    }
  })

  test('adds up over the parts of an answer that went on', () => {
    const one: Usage = { ...tokens, webSearches: 3, searchPrompts: 1, fileSearches: 1, geo: 'us' }
    const other: Usage = { ...tokens, webSearches: 2, searchPrompts: 1, codeRuns: 1, geo: 'us' }
    assert.deepEqual(sumUsage(one, other), {
      input: 2000,
      output: 200,
      webSearches: 5,
      searchPrompts: 2,
      fileSearches: 1,
      codeRuns: 1,
      geo: 'us',
    })
  })
})

suite('a place', () => {
  test('costs what its provider says, or the operator, and is an estimate elsewhere', () => {
    assert.deepEqual(cost({ ...tokens, geo: 'us' }, {}, 'anthropic'), { nanos: 1_320_000n, estimated: false })
    assert.deepEqual(cost({ ...tokens, geo: 'us' }, { geos: { us: 1.25 } }, 'anthropic'), { nanos: 1_500_000n, estimated: false })
    assert.deepEqual(cost({ ...tokens, geo: 'us' }, { geos: { eu: 1.25 } }, 'anthropic'), { nanos: 1_320_000n, estimated: false })
    for (const geo of ['eu', 'constructor', '__proto__'])
      assert.deepEqual(cost({ ...tokens, geo }, {}, 'anthropic'), { nanos: 1_200_000n, estimated: true }, geo)
    assert.deepEqual(cost({ ...tokens, geo: 'us' }), { nanos: 1_200_000n, estimated: true })
  })

  test('multiplies what a class of service costs', () => {
    const usage = { ...tokens, geo: 'us', serviceTier: 'batch' }
    assert.deepEqual(cost(usage, {}, 'anthropic'), { nanos: 660_000n, estimated: false })
    assert.deepEqual(cost({ ...usage, serviceTier: 'fast' }, {}, 'anthropic'), { nanos: 7_920_000n, estimated: true })
  })
})
