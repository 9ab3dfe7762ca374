/**
 * Prices worked out by hand. The third column is the arithmetic: tokens × USD per million gives millionths of a dollar,
 * so requests and searches count with 1,000 × their price per thousand. The test works the text out by itself, exactly,
 * and holds it against the nano-dollars beside it and against what the gateway would bill.
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Usage } from '../core/event.ts'
import type { PriceOverride, Rates } from '../core/rates.ts'
import { nanosOfArithmetic } from './arithmetic.fixtures.ts'
import { costOf } from './price.ts'
import { createPricing } from './pricing.ts'

const noon = '2026-11-21T12:00:00Z'

type Row = readonly [what: string, price: PriceOverride, arithmetic: string, nanos: bigint, usage: Usage, at?: string]

const gpt: Rates = { input: 2.5, cacheRead: 1.25, output: 10 }
const claude: Rates = { input: 3, cacheRead: 0.3, cacheWrite: 3.75, cacheWrite1h: 6, output: 15, webSearch: 10 }
const gemini: Rates = {
  input: 1.25,
  cacheRead: 0.125,
  output: 10,
  bands: [{ above: 200_000, input: 2.5, cacheRead: 0.25, output: 15 }],
}
const sound: Rates = { input: 4, cacheRead: 0.4, output: 16, inputAudio: 32, outputAudio: 64, inputImage: 5 }
const nightly: PriceOverride = {
  input: 0.27,
  cacheRead: 0.07,
  output: 1.1,
  hours: [{ from: '16:30', to: '00:30', input: 0.135, cacheRead: 0.035, output: 0.55 }],
}
const banded: Rates = {
  input: 1,
  output: 4,
  bands: [
    { above: 32_000, input: 2, output: 8 },
    { above: 128_000, input: 3, output: 12 },
  ],
}

const stated: readonly Row[] = [
  // Input and output
  ['input and output', gpt, '1,000 × 2.5 + 500 × 10', 7_500_000n, { input: 1000, output: 500 }],
  ['one token of each', gpt, '1 × 2.5 + 1 × 10', 12_500n, { input: 1, output: 1 }],
  ['input alone', gpt, '8,000 × 2.5', 20_000_000n, { input: 8000, output: 0 }],
  ['a cheap model', { input: 0.15, output: 0.6 }, '1,234 × 0.15 + 567 × 0.6', 525_300n, { input: 1234, output: 567 }],
  ['a rate with six decimals', { input: 0.003625, output: 0.87 }, '777 × 0.003625 + 1 × 0.87', 3687n, { input: 777, output: 1 }],
  ['half a nano-dollar is rounded up', { input: 0.0005, output: 0 }, '1 × 0.0005', 1n, { input: 1, output: 0 }],
  ['less than half is rounded down', { input: 0.0004, output: 0 }, '1 × 0.0004', 0n, { input: 1, output: 0 }],
  ['a free model', { input: 0, output: 0 }, '1,000,000 × 0', 0n, { input: 1_000_000, output: 5000 }],
  [
    'a million of each',
    { input: 15, output: 75 },
    '1,000,000 × 15 + 1,000,000 × 75',
    90_000_000_000n,
    { input: 1_000_000, output: 1_000_000 },
  ],
  ['embeddings have no output', { input: 0.02 }, '12,345 × 0.02', 246_900n, { input: 12_345 }],
  // Cached reads
  ['most of the input from a cache', gpt, '200 × 2.5 + 1,800 × 1.25 + 100 × 10', 3_750_000n, { input: 2000, cacheRead: 1800, output: 100 }],
  ['all of the input from a cache', gpt, '1,024 × 1.25 + 10 × 10', 1_380_000n, { input: 1024, cacheRead: 1024, output: 10 }],
  ['a tenth for cached input', claude, '1,000 × 3 + 9,000 × 0.3 + 300 × 15', 10_200_000n, { input: 10_000, cacheRead: 9000, output: 300 }],
  [
    'no rate for cached input: the full one',
    { input: 2, output: 4 },
    '600 × 2 + 400 × 2',
    2_000_000n,
    { input: 1000, cacheRead: 400, output: 0 },
  ],
  // Cache writes
  ['written for five minutes', claude, '500 × 3 + 2,000 × 3.75 + 100 × 15', 10_500_000n, { input: 2500, cacheWrite: 2000, output: 100 }],
  [
    'written for an hour',
    claude,
    '500 × 3 + 2,000 × 6 + 100 × 15',
    15_000_000n,
    { input: 2500, cacheWrite: 2000, cacheWrite1h: 2000, output: 100 },
  ],
  [
    'both lifetimes and a read',
    claude,
    '100 × 3 + 4,000 × 0.3 + 600 × 3.75 + 300 × 6 + 50 × 15',
    6_300_000n,
    { input: 5000, cacheRead: 4000, cacheWrite: 900, cacheWrite1h: 300, output: 50 },
  ],
  [
    'no rate for an hour: that of a write',
    { input: 2, cacheWrite: 2.5, output: 8 },
    '100 × 2 + 400 × 2.5 + 10 × 8',
    1_280_000n,
    { input: 500, cacheWrite: 400, cacheWrite1h: 400, output: 10 },
  ],
  ['no rate for writes at all', { input: 2, output: 8 }, '500 × 2 + 10 × 8', 1_080_000n, { input: 500, cacheWrite: 400, output: 10 }],
  // Reasoning
  ['thinking at the output rate', gpt, '100 × 2.5 + 2,000 × 10', 20_250_000n, { input: 100, output: 2000, reasoning: 1900 }],
  [
    'thinking at a rate of its own',
    { input: 2, output: 8, reasoning: 3 },
    '100 × 2 + 500 × 8 + 1,500 × 3',
    8_700_000n,
    { input: 100, output: 2000, reasoning: 1500 },
  ],
  [
    'nothing but thinking',
    { input: 2, output: 8, reasoning: 3 },
    '100 × 2 + 700 × 3',
    2_300_000n,
    { input: 100, output: 700, reasoning: 700 },
  ],
  // Sound
  ['sound in', sound, '200 × 4 + 800 × 32 + 100 × 16', 28_000_000n, { input: 1000, inputAudio: 800, output: 100 }],
  ['sound out', sound, '50 × 4 + 20 × 16 + 300 × 64', 19_720_000n, { input: 50, output: 320, outputAudio: 300 }],
  [
    'sound both ways and a cache',
    sound,
    '100 × 4 + 500 × 0.4 + 400 × 32 + 30 × 16 + 170 × 64',
    24_760_000n,
    { input: 1000, cacheRead: 500, inputAudio: 400, output: 200, outputAudio: 170 },
  ],
  ['sound where it costs as text', gpt, '1,000 × 2.5 + 10 × 10', 2_600_000n, { input: 1000, inputAudio: 900, output: 10 }],
  // Pictures
  ['a picture in', sound, '100 × 4 + 765 × 5 + 40 × 16', 4_865_000n, { input: 865, inputImage: 765, output: 40 }],
  [
    'a picture out',
    { input: 0.3, output: 2.5, outputImage: 30 },
    '20 × 0.3 + 15 × 2.5 + 1,290 × 30',
    38_743_500n,
    { input: 20, output: 1305, outputImage: 1290 },
  ],
  [
    'a picture changed',
    { input: 5, inputImage: 10, output: 40 },
    '50 × 5 + 323 × 10 + 1,056 × 40',
    45_720_000n,
    { input: 373, inputImage: 323, output: 1056 },
  ],
  // Items: requests and searches
  ['three searches', claude, '1,000 × 3 + 200 × 15 + 3 × 10 × 1,000', 36_000_000n, { input: 1000, output: 200, webSearches: 3 }],
  [
    'a price per request',
    { input: 1, output: 1, request: 5 },
    '100 × 1 + 400 × 1 + 1 × 5 × 1,000',
    5_500_000n,
    { input: 100, output: 400 },
  ],
  [
    'request and searches',
    { input: 2, output: 8, request: 5, webSearch: 5 },
    '10 × 2 + 100 × 8 + 1 × 5 × 1,000 + 4 × 5 × 1,000',
    25_820_000n,
    { input: 10, output: 100, webSearches: 4 },
  ],
  ['searches that nobody prices', gpt, '100 × 2.5 + 10 × 10', 350_000n, { input: 100, output: 10, webSearches: 2 }],
  [
    'each query of a search',
    { ...gemini, webSearch: 14 },
    '1,000 × 1.25 + 200 × 10 + 7 × 14 × 1,000',
    101_250_000n,
    { input: 1000, output: 200, webSearches: 7, searchPrompts: 1 },
  ],
  [
    'a prompt that was searched for, whatever the queries',
    { ...gemini, searchPrompt: 35 },
    '1,000 × 1.25 + 200 × 10 + 1 × 35 × 1,000',
    38_250_000n,
    { input: 1000, output: 200, webSearches: 7, searchPrompts: 1 },
  ],
  [
    'a prompt with a map and the web',
    { ...gemini, searchPrompt: 35, mapPrompt: 25 },
    '100 × 1.25 + 10 × 10 + 1 × 35 × 1,000 + 1 × 25 × 1,000',
    60_225_000n,
    { input: 100, output: 10, webSearches: 2, searchPrompts: 1, mapPrompts: 1 },
  ],
  [
    'an answer that went on, searched for twice',
    { ...gemini, searchPrompt: 35 },
    '100 × 1.25 + 10 × 10 + 2 × 35 × 1,000',
    70_225_000n,
    { input: 100, output: 10, webSearches: 3, searchPrompts: 2 },
  ],
  [
    'searches of files and of the web',
    { ...gpt, webSearch: 10, fileSearch: 2.5 },
    '2,000 × 2.5 + 100 × 10 + 1 × 10 × 1,000 + 3 × 2.5 × 1,000',
    23_500_000n,
    { input: 2000, output: 100, webSearches: 1, fileSearches: 3 },
  ],
  ['a container', { ...gpt, codeRun: 30 }, '200 × 2.5 + 50 × 10 + 1 × 30 × 1,000', 31_000_000n, { input: 200, output: 50, codeRuns: 1 }],
  [
    'two pictures by a tool',
    { ...gpt, toolImage: 42 },
    '200 × 2.5 + 50 × 10 + 2 × 42 × 1,000',
    85_000_000n,
    { input: 200, output: 50, toolImages: 2 },
  ],
  [
    'searches of X',
    { input: 3, output: 15, socialSearch: 5 },
    '100 × 3 + 20 × 15 + 4 × 5 × 1,000',
    20_600_000n,
    { input: 100, output: 20, socialSearches: 4 },
  ],
  [
    'every piece at once',
    { input: 1, output: 1, request: 1, webSearch: 2, fileSearch: 3, socialSearch: 4, codeRun: 5, toolImage: 6 },
    '10 × 1 + 1 × 1 × 1,000 + 1 × 2 × 1,000 + 2 × 3 × 1,000 + 3 × 4 × 1,000 + 4 × 5 × 1,000 + 5 × 6 × 1,000',
    71_010_000n,
    { input: 5, output: 5, webSearches: 1, fileSearches: 2, socialSearches: 3, codeRuns: 4, toolImages: 5 },
  ],
  // Places
  [
    'a tenth more in a place',
    { ...claude, geos: { us: 1.1 } },
    '100 × 3.3 + 900 × 0.33 + 200 × 4.125 + 300 × 6.6 + 50 × 16.5',
    4_257_000n,
    { input: 1500, cacheRead: 900, cacheWrite: 500, cacheWrite1h: 300, output: 50, geo: 'us' },
  ],
  [
    'searches cost the same everywhere',
    { ...claude, geos: { us: 1.1 } },
    '1,000 × 3.3 + 100 × 16.5 + 2 × 10 × 1,000',
    24_950_000n,
    { input: 1000, output: 100, webSearches: 2, geo: 'us' },
  ],
  [
    'a batch in a place',
    { ...claude, tiers: { batch: { factor: 0.5 } }, geos: { us: 1.1 } },
    '1,000 × 1.65 + 100 × 8.25',
    2_475_000n,
    { input: 1000, output: 100, serviceTier: 'batch', geo: 'us' },
  ],
  [
    'a band in a place',
    { ...gemini, geos: { eu: 1.2 } },
    '200,001 × 3 + 1,000 × 18',
    618_003_000n,
    { input: 200_001, output: 1000, geo: 'eu' },
  ],
  [
    'a place with a discount',
    { ...gpt, geos: { us: 1.1 }, discount: 0.2 },
    '1,000 × 2.2 + 100 × 8.8',
    3_080_000n,
    { input: 1000, output: 100, geo: 'us' },
  ],
  [
    'pieces with a discount',
    { ...gpt, fileSearch: 2.5, discount: 0.2 },
    '100 × 2 + 3 × 2 × 1,000',
    6_200_000n,
    { input: 100, output: 0, fileSearches: 3 },
  ],
  [
    'a class of service with pieces of its own price',
    { ...gpt, fileSearch: 2.5, tiers: { flex: { factor: 0.5, fileSearch: 2 } } },
    '100 × 1.25 + 3 × 2 × 1,000',
    6_125_000n,
    { input: 100, output: 0, fileSearches: 3, serviceTier: 'flex' },
  ],
  // Batch and other classes of service
  [
    'batch at half',
    { ...gpt, tiers: { batch: { factor: 0.5 } } },
    '1,000 × 1.25 + 500 × 5',
    3_750_000n,
    { input: 1000, output: 500, serviceTier: 'batch' },
  ],
  [
    'batch, with a cache',
    { ...claude, tiers: { batch: { factor: 0.5 } } },
    '1,000 × 1.5 + 9,000 × 0.15 + 300 × 7.5',
    5_100_000n,
    { input: 10_000, cacheRead: 9000, output: 300, serviceTier: 'batch' },
  ],
  [
    'searches of a batch are not halved',
    { ...claude, tiers: { batch: { factor: 0.5 } } },
    '1,000 × 1.5 + 200 × 7.5 + 2 × 10 × 1,000',
    23_000_000n,
    { input: 1000, output: 200, webSearches: 2, serviceTier: 'batch' },
  ],
  [
    'flex at half',
    { ...gpt, tiers: { flex: { factor: 0.5 } } },
    '400 × 1.25 + 600 × 0.625 + 20 × 5',
    975_000n,
    { input: 1000, cacheRead: 600, output: 20, serviceTier: 'flex' },
  ],
  [
    'priority with its own rates',
    { ...gpt, tiers: { priority: { input: 4.25, cacheRead: 2.125, output: 17 } } },
    '100 × 4.25 + 900 × 2.125 + 50 × 17',
    3_187_500n,
    { input: 1000, cacheRead: 900, output: 50, serviceTier: 'priority' },
  ],
  [
    'own rate for one kind, a factor for the rest',
    { ...gpt, tiers: { priority: { output: 20, factor: 1.7 } } },
    '1,000 × 4.25 + 50 × 20',
    5_250_000n,
    { input: 1000, output: 50, serviceTier: 'priority' },
  ],
  [
    'the default class',
    { ...gpt, tiers: { flex: { factor: 0.5 } } },
    '1,000 × 2.5 + 50 × 10',
    3_000_000n,
    { input: 1000, output: 50, serviceTier: 'default' },
  ],
  [
    'a class in Gemini’s spelling',
    { ...gpt, tiers: { flex: { factor: 0.5 } } },
    '1,000 × 1.25 + 50 × 5',
    1_500_000n,
    { input: 1000, output: 50, serviceTier: 'SERVICE_TIER_FLEX' },
  ],
  ['a class that nobody prices: as usual', gpt, '1,000 × 2.5 + 50 × 10', 3_000_000n, { input: 1000, output: 50, serviceTier: 'scale' }],
  [
    'batch in the longer band',
    { ...gemini, tiers: { batch: { factor: 0.5 } } },
    '300,000 × 1.25 + 1,000 × 7.5',
    382_500_000n,
    { input: 300_000, output: 1000, serviceTier: 'batch' },
  ],
  // Bands of context
  ['at the edge of a band', gemini, '200,000 × 1.25 + 1,000 × 10', 260_000_000n, { input: 200_000, output: 1000 }],
  ['one token past it', gemini, '200,001 × 2.5 + 1,000 × 15', 515_002_500n, { input: 200_001, output: 1000 }],
  [
    'cached tokens count for the band',
    gemini,
    '50,000 × 2.5 + 200,000 × 0.25 + 10 × 15',
    175_150_000n,
    { input: 250_000, cacheRead: 200_000, output: 10 },
  ],
  ['below two bands', banded, '32,000 × 1 + 10 × 4', 32_040_000n, { input: 32_000, output: 10 }],
  ['in the first of two', banded, '100,000 × 2 + 10 × 8', 200_080_000n, { input: 100_000, output: 10 }],
  ['in the second of two', banded, '130,000 × 3 + 10 × 12', 390_120_000n, { input: 130_000, output: 10 }],
  [
    'what a band leaves out stays',
    { input: 1, cacheRead: 0.1, output: 4, bands: [{ above: 1000, input: 2 }] },
    '1,000 × 2 + 1,000 × 0.1 + 5 × 4',
    2_120_000n,
    { input: 2000, cacheRead: 1000, output: 5 },
  ],
  // Hours
  ['by day', nightly, '10,000 × 0.27 + 1,000 × 1.1', 3_800_000n, { input: 10_000, output: 1000 }, '2026-11-21T12:00:00Z'],
  ['the last second by day', nightly, '10,000 × 0.27 + 1,000 × 1.1', 3_800_000n, { input: 10_000, output: 1000 }, '2026-11-21T16:29:59Z'],
  [
    'the first second by night',
    nightly,
    '10,000 × 0.135 + 1,000 × 0.55',
    1_900_000n,
    { input: 10_000, output: 1000 },
    '2026-11-21T16:30:00Z',
  ],
  [
    'past midnight',
    nightly,
    '2,000 × 0.135 + 8,000 × 0.035 + 1,000 × 0.55',
    1_100_000n,
    { input: 10_000, cacheRead: 8000, output: 1000 },
    '2026-11-22T00:29:59Z',
  ],
  [
    'the end of the window is not in it',
    nightly,
    '2,000 × 0.27 + 8,000 × 0.07 + 1,000 × 1.1',
    2_200_000n,
    { input: 10_000, cacheRead: 8000, output: 1000 },
    '2026-11-22T00:30:00Z',
  ],
  [
    'peak hours, only the output dearer',
    { input: 1, output: 2, hours: [{ from: '08:00', to: '18:00', output: 3 }] },
    '1,000 × 1 + 1,000 × 3',
    4_000_000n,
    { input: 1000, output: 1000 },
  ],
  [
    'hours and a band',
    { ...banded, hours: [{ from: '08:00', to: '18:00', input: 0.5 }] },
    '40,000 × 0.5 + 100 × 8',
    20_800_000n,
    { input: 40_000, output: 100 },
  ],
  [
    'of two windows the last one',
    {
      input: 1,
      output: 1,
      hours: [
        { from: '00:00', to: '13:00', input: 2 },
        { from: '11:00', to: '12:30', input: 3 },
      ],
    },
    '1,000 × 3 + 10 × 1',
    3_010_000n,
    { input: 1000, output: 10 },
  ],
  // Minimums
  ['less than the minimum', { input: 1, output: 1, minimum: 0.001 }, '1 × 1,000', 1_000_000n, { input: 100, output: 100 }],
  ['more than the minimum', { input: 1, output: 1, minimum: 0.001 }, '900 × 1 + 101 × 1', 1_001_000n, { input: 900, output: 101 }],
  [
    'a minimum with a price per request',
    { input: 1, output: 1, request: 2, minimum: 0.005 },
    '1 × 5,000',
    5_000_000n,
    { input: 10, output: 10 },
  ],
  // Discounts
  ['a fifth off', { ...gpt, discount: 0.2 }, '1,000 × 2 + 500 × 8', 6_000_000n, { input: 1000, output: 500 }],
  [
    'off cached input and searches too',
    { ...claude, discount: 0.15 },
    '100 × 2.55 + 900 × 0.255 + 10 × 12.75 + 1 × 8.5 × 1,000',
    9_112_000n,
    { input: 1000, cacheRead: 900, output: 10, webSearches: 1 },
  ],
  ['off a band', { ...gemini, discount: 0.1 }, '200,001 × 2.25 + 1,000 × 13.5', 463_502_250n, { input: 200_001, output: 1000 }],
  [
    'off a class with its own rates',
    { ...gpt, tiers: { priority: { input: 4, output: 16 } }, discount: 0.25 },
    '1,000 × 3 + 100 × 12',
    4_200_000n,
    { input: 1000, output: 100, serviceTier: 'priority' },
  ],
  ['not off the minimum', { input: 1, output: 1, minimum: 0.01, discount: 0.5 }, '1 × 10,000', 10_000_000n, { input: 10, output: 10 }],
  [
    'off a window',
    { ...nightly, discount: 0.5 },
    '10,000 × 0.0675 + 1,000 × 0.275',
    950_000n,
    { input: 10_000, output: 1000 },
    '2026-11-21T20:00:00Z',
  ],
]

suite('the table of prices', () => {
  const pricing = createPricing({ catalog: { model: () => undefined }, finer: () => undefined })

  for (const [what, override, arithmetic, nanos, usage, at = noon] of stated)
    test(`${what}: ${arithmetic}`, () => {
      assert.equal(nanosOfArithmetic(arithmetic), nanos, 'the arithmetic does not give what stands beside it')
      const price = pricing.priceOf('lab', 'm', override)
      assert.equal(price && costOf(usage, price, new Date(at))?.nanos, nanos)
    })

  test('has sixty examples and more', () => assert.ok(stated.length >= 60, `${stated.length}`))
})
