import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { numbersFrom } from '../../test/random.ts'
import type { Usage } from '../core/event.ts'
import type { PriceOverride } from '../core/rates.ts'
import { costOf, type Price } from './price.ts'
import { createPricing } from './pricing.ts'
import { cacheMarksOf, type WorstCase, worstCost } from './worst-cost.ts'

const at = new Date('2026-11-21T12:00:00Z')
const pricing = createPricing({ catalog: { model: () => undefined }, finer: () => undefined })
const priced = (override: PriceOverride): Price => pricing.priceOf('lab', 'm', override)!
const worst = (override: PriceOverride, call: Partial<WorstCase> = {}) =>
  worstCost(priced(override), { at, inputTokens: 1000, outputTokens: 100, ...call })

suite('the most that a call can cost', () => {
  const claude: PriceOverride = { input: 3, cacheRead: 0.3, cacheWrite: 3.75, cacheWrite1h: 6, output: 15, webSearch: 10 }

  test('counts on no discount by a cache', () => assert.equal(worst(claude), 4_500_000n))

  test('has the premium of cache writes only where the call asks for them', () => {
    assert.equal(worst(claude, { cacheMarks: '5m' }), 5_250_000n)
    assert.equal(worst(claude, { cacheMarks: '1h' }), 7_500_000n)
    // A provider that takes less for a write than for plain input may write none.
    assert.equal(worst({ input: 3, cacheWrite: 1, output: 15 }, { cacheMarks: '5m' }), 4_500_000n)
  })

  test('finds the marks in a request, the longest lifetime of them', () => {
    const body = (...marks: object[]): string =>
      JSON.stringify({ messages: marks.map((mark) => ({ content: 'x', ...mark })) }, undefined, 1)
    assert.equal(cacheMarksOf(body({}, {})), undefined)
    assert.equal(cacheMarksOf(body({ cache_control: { type: 'ephemeral' } })), '5m')
    assert.equal(cacheMarksOf(body({ cache_control: { type: 'ephemeral', ttl: '5m' } })), '5m')
    assert.equal(
      cacheMarksOf(body({ cache_control: { type: 'ephemeral', ttl: '5m' } }, { cache_control: { type: 'ephemeral', ttl: '1h' } })),
      '1h',
    )
    assert.equal(cacheMarksOf(body({ cachePoint: { type: 'default' } })), '5m')
  })

  test('takes the band that the input reaches, and the base where a band is cheaper', () => {
    const banded: PriceOverride = { input: 1, output: 4, bands: [{ above: 999, input: 2, output: 8 }] }
    assert.equal(worst(banded), 2_800_000n)
    assert.equal(worst(banded, { inputTokens: 999 }), 1_399_000n)
    assert.equal(worst({ input: 1, output: 4, bands: [{ above: 999, input: 0.5 }] }), 1_400_000n)
  })

  test('takes the class of service it asks for when that is dearer, since it may be served in the usual one', () => {
    const tiers = { flex: { factor: 0.5 }, priority: { factor: 2 } }
    assert.equal(worst({ ...claude, tiers }, { serviceTier: 'priority' }), 9_000_000n)
    assert.equal(worst({ ...claude, tiers }, { serviceTier: 'flex' }), 4_500_000n)
  })

  test('takes the place it asks for when that is dearer, with the class of service', () => {
    const price = { ...claude, tiers: { priority: { factor: 2 } }, geos: { us: 1.1, moon: 0.5 } }
    assert.equal(worst(price, { geo: 'us' }), 4_950_000n)
    assert.equal(worst(price, { geo: 'us', serviceTier: 'priority' }), 9_900_000n)
    assert.equal(worst(price, { geo: 'moon' }), 4_500_000n)
    assert.equal(worst(price, { geo: 'elsewhere' }), 4_500_000n)
  })

  test('takes the dearer of what the output may be', () => {
    assert.equal(worst({ input: 1, output: 4, reasoning: 6 }), 1_600_000n)
    assert.equal(worst({ input: 1, output: 4, outputAudio: 60 }), 1_400_000n)
    assert.equal(worst({ input: 1, output: 4, outputAudio: 60 }, { outputAudio: true }), 7_000_000n)
    assert.equal(worst({ input: 1, inputAudio: 10, output: 4 }, { inputAudio: true }), 10_400_000n)
  })

  test('adds what is charged by the request and the search, keeps to the minimum, follows the clock', () => {
    assert.equal(worst({ ...claude, request: 5 }, { webSearches: 2 }), 29_500_000n)
    assert.equal(worst({ ...claude, minimum: 1 }), 1_000_000_000n)
    assert.equal(worst({ ...claude, hours: [{ from: '11:00', to: '13:00', input: 6 }] }), 7_500_000n)
  })

  test('is rounded up, and unknown where a price is', () => {
    assert.equal(worst({ input: 0.0000001, output: 0 }, { inputTokens: 1 }), 1n)
    assert.equal(worst({ input: 1 }), undefined)
    assert.equal(worst({ output: 1 }), undefined)
    assert.equal(worst({ input: 1 }, { outputTokens: 0 }), 1_000_000n)
    assert.equal(
      worstCost(
        { source: 'config', schedule: [{ rates: { input: 1, output: 1 }, from: at.getTime() + 1 }] },
        { at, inputTokens: 1, outputTokens: 1 },
      ),
      undefined,
    )
  })

  test('is never less than what any call of that size costs', () => {
    const random = numbersFrom(20_261_121)
    const upTo = (most: number): number => Math.floor(random() * (most + 1))
    const rate = (): number => Math.round(random() * 1e7) / 1e6
    const maybe = (): number | undefined => (random() < 0.5 ? rate() : undefined)
    for (let round = 0; round < 20_000; round++) {
      const input = rate()
      const price = priced({
        input,
        output: rate(),
        cacheRead: random() < 0.5 ? input * random() : undefined,
        cacheWrite: maybe(),
        cacheWrite1h: maybe(),
        reasoning: maybe(),
        inputAudio: maybe(),
        outputAudio: maybe(),
        request: maybe(),
        minimum: random() < 0.2 ? random() / 100 : undefined,
        bands: random() < 0.5 ? [{ above: upTo(2000), input: rate(), output: rate(), cacheRead: 0 }] : undefined,
        tiers: random() < 0.5 ? { flex: { factor: random() * 3 } } : undefined,
        geos: random() < 0.5 ? { us: random() * 2 } : undefined,
      })
      const [inputTokens, outputTokens] = [upTo(3000), upTo(3000)]
      const call: WorstCase = {
        at,
        inputTokens,
        outputTokens,
        cacheMarks: '1h',
        inputAudio: true,
        outputAudio: true,
        serviceTier: 'flex',
        geo: 'us',
      }
      const used = upTo(inputTokens)
      const read = upTo(used)
      const written = upTo(used - read)
      const output = upTo(outputTokens)
      const reasoning = upTo(output)
      const usage: Usage = {
        input: used,
        cacheRead: read,
        cacheWrite: written,
        cacheWrite1h: random() < 0.5 ? written : 0,
        inputAudio: upTo(used - read - written),
        output,
        reasoning,
        outputAudio: upTo(output - reasoning),
        serviceTier: random() < 0.5 ? 'flex' : 'default',
        ...(random() < 0.5 && { geo: 'us' }),
      }
      const [most, cost] = [worstCost(price, call), costOf(usage, price, at)]
      assert.ok(most !== undefined && cost && most >= cost.nanos, `round ${round}: ${JSON.stringify({ price, usage, call })}`)
    }
  })
})

suite('an estimate of a cost', () => {
  const cost = (provider: string, override: PriceOverride | undefined, usage: Usage) => {
    const catalog = { model: (_: string, model: string) => ({ id: model, price: { input: 1, output: 2 } }) }
    const other = createPricing({ catalog, finer: () => undefined })
    return other.costOf(usage, other.priceOf(provider, 'm', override)!, at)
  }
  const usage = { input: 1000, output: 100 }

  test('is what a class of service costs that nobody prices exactly', () => {
    assert.deepEqual(cost('openai', undefined, { ...usage, serviceTier: 'flex' }), { nanos: 600_000n, estimated: false })
    assert.deepEqual(cost('openai', undefined, { ...usage, serviceTier: 'priority' }), { nanos: 2_400_000n, estimated: true })
    assert.deepEqual(cost('openai', { tiers: { priority: { factor: 1.7 } } }, { ...usage, serviceTier: 'priority' }), {
      nanos: 2_040_000n,
      estimated: false,
    })
    assert.deepEqual(cost('lab', undefined, { ...usage, serviceTier: 'turbo' }), { nanos: 1_200_000n, estimated: true })
    assert.deepEqual(cost('openai', undefined, { ...usage, serviceTier: 'constructor' }), { nanos: 1_200_000n, estimated: true })
  })

  test('is not needed where the provider tells what it charges, unless the operator says otherwise', () => {
    const told = { ...usage, providerCost: 0.0123 }
    assert.deepEqual(cost('openrouter', undefined, told), { nanos: 12_300_000n, estimated: false })
    assert.deepEqual(cost('openrouter', undefined, { ...usage, providerCost: 0 }), { nanos: 1_200_000n, estimated: false })
    assert.deepEqual(cost('openrouter', { input: 2 }, told), { nanos: 2_200_000n, estimated: false })
    assert.deepEqual(cost('openai', undefined, told), { nanos: 1_200_000n, estimated: false })
  })
})
