import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Usage } from '../core/event.ts'
import { dollarsOf } from '../core/money.ts'
import { costOf, type Price, type Rates, type ScheduledRates } from './price.ts'
import { createPricing } from './pricing.ts'

const noon = new Date('2026-11-21T12:00:00Z')
const priced = (...schedule: readonly ScheduledRates[]): Price => ({ source: 'config', schedule })
const flat = (rates: Rates): Price => priced({ rates })

const dollars = (usage: Usage, price: Price, at = noon): string | undefined => {
  const cost = costOf(usage, price, at)
  return cost && dollarsOf(cost.nanos)
}

suite('a cost', () => {
  test('is tokens times rate, per million', () => {
    // 1,000 × $3 + 200 × $15, per million
    assert.equal(dollars({ input: 1000, output: 200 }, flat({ input: 3, output: 15 })), '0.006')
  })

  test('counts what was read from and written to a cache once, each at its own rate', () => {
    const price = flat({ input: 5, cacheRead: 0.5, cacheWrite: 6.25, cacheWrite1h: 10, output: 25 })
    const usage = { input: 10_000, cacheRead: 6000, cacheWrite: 3000, cacheWrite1h: 1000, output: 100 }
    // plain 1,000 × 5 + read 6,000 × 0.5 + written 2,000 × 6.25 + for an hour 1,000 × 10 + 100 × 25 = 33,000
    assert.equal(dollars(usage, price), '0.033')
    assert.equal(costOf(usage, price, noon)?.estimated, false)
  })

  test('prices thinking apart only where the provider does', () => {
    const usage = { input: 0, output: 1000, reasoning: 400 }
    assert.equal(dollars(usage, flat({ input: 1, output: 10 })), '0.01')
    assert.equal(dollars(usage, flat({ input: 1, output: 10, reasoning: 3 })), '0.0072')
  })

  test('prices sound and pictures apart where the provider does', () => {
    const usage = { input: 1000, inputAudio: 300, inputImage: 200, output: 500, outputAudio: 100 }
    assert.equal(dollars(usage, flat({ input: 1, output: 2 })), '0.002')
    // 500 × 1 + 300 × 10 + 200 × 4 + 400 × 2 + 100 × 20 = 7,100
    assert.equal(dollars(usage, flat({ input: 1, inputAudio: 10, inputImage: 4, output: 2, outputAudio: 20 })), '0.0071')
  })

  test('adds what is charged by the request and by the search', () => {
    assert.equal(dollars({ input: 1000, output: 0, webSearches: 3 }, flat({ input: 1, output: 1, request: 5, webSearch: 10 })), '0.036')
  })

  test('takes the dearer band for the whole call once its input is longer', () => {
    const price = flat({ input: 1.25, output: 10, cacheRead: 0.125, bands: [{ above: 200_000, input: 2.5, output: 15 }] })
    assert.equal(dollars({ input: 200_000, output: 1000 }, price), '0.26')
    // 100,001 × 2.5 + 100,000 × 0.125 + 1,000 × 15: what the band leaves out stays
    assert.equal(dollars({ input: 200_001, cacheRead: 100_000, output: 1000 }, price), '0.2775025')
  })

  test('takes the highest band that is reached, in whatever order they stand', () => {
    const price = flat({
      input: 1,
      output: 0,
      bands: [
        { above: 256_000, input: 4 },
        { above: 32_000, input: 2 },
      ],
    })
    assert.equal(dollars({ input: 40_000, output: 0 }, price), '0.08')
    assert.equal(dollars({ input: 300_000, output: 0 }, price), '1.2')
  })

  test('follows dates and times of day, in UTC', () => {
    const price = priced(
      { rates: { input: 1, output: 0 } },
      { rates: { input: 2, output: 0 }, from: Date.parse('2026-08-17') },
      { rates: { input: 3, output: 0 }, daily: { start: 3600, end: 14_400 } },
    )
    const at = (time: string): string | undefined => dollars({ input: 1_000_000, output: 0 }, price, new Date(time))
    assert.equal(at('2026-08-16T23:59:59Z'), '1')
    assert.equal(at('2026-08-17T00:00:00Z'), '2')
    assert.equal(at('2026-08-17T01:00:00Z'), '3')
    assert.equal(at('2026-08-17T03:59:59Z'), '3')
    assert.equal(at('2026-08-17T04:00:00Z'), '2')
  })

  test('follows a window that runs past midnight', () => {
    const price = priced({ rates: { input: 2, output: 0 } }, { rates: { input: 1, output: 0 }, daily: { start: 59_400, end: 1800 } })
    const at = (time: string): string | undefined => dollars({ input: 1_000_000, output: 0 }, price, new Date(time))
    assert.deepEqual(['2026-01-01T16:29:59Z', '2026-01-01T16:30:00Z', '2026-01-01T00:29:59Z', '2026-01-01T00:30:00Z'].map(at), [
      '2',
      '1',
      '1',
      '2',
    ])
  })

  test('is rounded once, at the end, to whole nano-dollars', () => {
    // 1 × 0.0003 and 1 × 0.0003 nano-dollars are 0.6 together: rounded apart they would vanish
    assert.equal(costOf({ input: 1, output: 1 }, flat({ input: 0.0003, output: 0.0003 }), noon)?.nanos, 1n)
    assert.equal(costOf({ input: 1, output: 0 }, flat({ input: 0.0003, output: 0 }), noon)?.nanos, 0n)
    assert.equal(costOf({ input: 3, output: 0 }, flat({ input: 0.003625, output: 0 }), noon)?.nanos, 11n)
  })

  test('is exact where floating-point sums are not', () => {
    assert.equal(
      costOf({ input: 9_007_199_254_740_991, output: 1 }, flat({ input: 0.1, output: 0.2 }), noon)?.nanos,
      900_719_925_474_099_300n,
    )
  })

  test('is unknown, never zero, when tokens or rates are unknown', () => {
    assert.equal(costOf({}, flat({ input: 1, output: 1 }), noon), undefined)
    assert.equal(costOf({ input: 100 }, flat({ input: 1, output: 1 }), noon), undefined)
    assert.equal(costOf({ input: 100, output: 10 }, flat({ input: 1 }), noon), undefined)
    assert.equal(costOf({ input: 100, output: 10 }, flat({}), noon), undefined)
    assert.equal(
      costOf({ input: 100, output: 10 }, priced({ rates: { input: 1, output: 1 }, from: Date.parse('2030-01-01') }), noon),
      undefined,
    )
  })

  test('is known without output where nothing is charged for output', () => {
    assert.equal(dollars({ input: 1000 }, flat({ input: 0.1, output: 0 })), '0.0001')
    assert.equal(dollars({ input: 1000 }, flat({ input: 0.1 })), '0.0001')
  })

  test('is an estimate when the tokens are, or when a kind of token has no rate of its own', () => {
    const price = flat({ input: 2, output: 4 })
    assert.equal(costOf({ input: 1, output: 1, estimated: true }, price, noon)?.estimated, true)
    const cached = costOf({ input: 1000, cacheRead: 400, output: 0 }, price, noon)
    assert.deepEqual(cached, { nanos: 2_000_000n, estimated: true })
    const parts = costOf({ input: 100, cacheRead: 500, output: 0 }, flat({ input: 2, cacheRead: 1, output: 4 }), noon)
    assert.deepEqual(parts, { nanos: 500_000n, estimated: true })
  })
})

suite('a price', () => {
  const catalog = {
    model: (provider: string, model: string) =>
      provider === 'host' && model.endsWith('m-1') ? { id: 'm-1', price: { input: 2, output: 8, cacheRead: 0, cacheWrite: 0 } } : undefined,
  }

  test('is the config’s before the price data’s before the catalogue’s', () => {
    const finer = (_provider: string, model: string): readonly ScheduledRates[] | undefined =>
      model === 'm-2' ? [{ rates: { input: 1, output: 4 } }] : undefined
    const pricing = createPricing({ catalog, finer })
    assert.equal(pricing.priceOf('host', 'm-2')?.source, 'price-data')
    assert.equal(pricing.priceOf('host', 'm-1')?.source, 'catalogue')
    assert.equal(pricing.priceOf('host', 'm-1', { input: 0.05, output: 0.1 })?.source, 'config')
    assert.equal(pricing.priceOf('host', 'm-3'), undefined)
    assert.equal(pricing.priceOf('lab', 'anything'), undefined)
  })

  test('of the config keeps the listed price of what it leaves out, and holds at every hour and length', () => {
    const listed: readonly ScheduledRates[] = [
      { rates: { input: 1, output: 4, cacheRead: 0.1, bands: [{ above: 1000, input: 2, cacheRead: 0.2 }] } },
      { rates: { input: 8, output: 9 }, daily: { start: 0, end: 3600 } },
    ]
    const price = createPricing({ catalog, finer: () => listed }).priceOf('host', 'm', { input: 3, output: undefined })
    assert.deepEqual(price?.schedule, [
      { rates: { input: 3, output: 4, cacheRead: 0.1, bands: [{ above: 1000, cacheRead: 0.2 }] } },
      { rates: { input: 3, output: 9 }, daily: { start: 0, end: 3600 } },
    ])
    assert.equal(dollars({ input: 10_000, output: 0 }, price!), '0.03')
  })

  test('of the config prices what nobody else does, and an empty one says nothing', () => {
    const pricing = createPricing({ catalog, finer: () => undefined })
    assert.deepEqual(pricing.priceOf('lab', 'm', { input: 0.05, output: 0.1 })?.schedule, [{ rates: { input: 0.05, output: 0.1 } }])
    assert.equal(pricing.priceOf('host', 'm-1', {})?.source, 'catalogue')
    assert.equal(pricing.priceOf('lab', 'm', { input: undefined }), undefined)
  })

  test('never makes a cache free because the facts write 0 for it', () => {
    const price = createPricing({ catalog, finer: () => undefined }).priceOf('host', 'm-1')!
    assert.deepEqual(costOf({ input: 1000, cacheRead: 1000, output: 0 }, price, noon), { nanos: 2_000_000n, estimated: true })
  })

  test('is asked for under the catalogue’s name of the model', () => {
    const asked: string[] = []
    createPricing({ catalog, finer: (provider, model) => void asked.push(`${provider} ${model}`) }).priceOf('host', 'vendor/m-1')
    assert.deepEqual(asked, ['host m-1'])
  })

  test('is looked up once, and the memory of names that callers invent is bounded', () => {
    let lookups = 0
    const pricing = createPricing({ catalog, finer: () => void lookups++ })
    for (let count = 0; count < 3; count++) pricing.priceOf('host', 'm-1')
    assert.equal(lookups, 1)
    for (let count = 0; count < 5000; count++) pricing.priceOf('host', `invented-${count}`)
    pricing.priceOf('host', 'm-1')
    assert.equal(lookups, 5002)
  })

  test('of the price data has bands, lifetimes of caches and times of day', () => {
    const pricing = createPricing({ catalog: { model: () => undefined } })
    const claude = pricing.priceOf('anthropic', 'claude-opus-4-5')
    assert.deepEqual(claude?.schedule, [
      { rates: { input: 5, output: 25, cacheRead: 0.5, cacheWrite: 6.25, cacheWrite1h: 10, webSearch: 10 } },
    ])
    // 1,000 plain × 5 + 500 × 0.5 + 250 × 6.25 + 250 × 10 + 100 × 25 = 11,812.5 millionths
    assert.equal(dollars({ input: 2000, cacheRead: 500, cacheWrite: 500, cacheWrite1h: 250, output: 100 }, claude!), '0.0118125')
    assert.equal(pricing.priceOf('google', 'gemini-2.5-pro')?.schedule[0]?.rates.bands?.[0]?.above, 200_000)
    assert.ok(pricing.priceOf('deepseek', 'deepseek-v4-pro')?.schedule.some(({ daily }) => daily))
    assert.equal(pricing.priceOf('openai', 'no-such-model'), undefined)
    assert.equal(pricing.priceOf('__proto__', 'x'), undefined)
  })
})
