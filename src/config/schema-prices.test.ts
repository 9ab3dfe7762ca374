import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { PriceOverride } from '../core/rates.ts'
import { price } from './schema-prices.ts'

const whole = {
  input: 3,
  output: 15,
  cacheRead: 0.3,
  cacheWrite: 3.75,
  cacheWrite1h: 6,
  reasoning: 15,
  inputAudio: 32,
  outputAudio: 64,
  inputImage: 5,
  outputImage: 30,
  request: 5,
  webSearch: 10,
  searchPrompt: 35,
  mapPrompt: 25,
  fileSearch: 2.5,
  socialSearch: 5,
  codeRun: 30,
  toolImage: 42,
  minimum: 0.0001,
  discount: 0.15,
  bands: [{ above: 200_000, input: 6, output: 22.5 }],
  tiers: { batch: { factor: 0.5 }, priority: { input: 6, output: 30 } },
  geos: { us: 1.1 },
  hours: [{ from: '16:30', to: '00:30', input: 1.5 }],
}

suite('a price in the configuration', () => {
  test('says all that an override can say', () => {
    const read: PriceOverride = price.parse(whole)
    assert.deepEqual(read, whole)
  })

  test('is refused where it cannot be true, with a remedy', () => {
    const problem = (written: object): string => price.safeParse(written).error?.issues[0]?.message ?? ''
    assert.match(problem({ hours: [{ from: '24:00', to: '01:00' }] }), /not a time of day\nwrite/)
    assert.match(problem({ hours: [{ from: '01:00', to: '01:00' }] }), /no time at all\nwrite/)
    assert.match(problem({ tiers: { 'Flex tier': {} } }), /not the name of a class of service|Invalid/)
    assert.match(problem({ geos: { 'The US': 1.1 } }), /not the name of a place|Invalid/)
    for (const written of [
      { geos: { us: -1 } },
      { codeRun: '30' },
      { input: -1 },
      { discount: 1.5 },
      { bands: [] },
      { bands: [{ input: 1 }] },
      { tier: {} },
      { minimum: '1' },
    ])
      assert.notEqual(problem(written), '', JSON.stringify(written))
  })
})
