/** Like `price-table.test.ts`, for models as the price data and the catalogue that ship price them. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createCatalog } from '../catalog/catalog.ts'
import type { Usage } from '../core/event.ts'
import { nanosOfArithmetic } from './arithmetic.fixtures.ts'
import { costOf } from './price.ts'
import { createPricing } from './pricing.ts'

const noon = '2026-11-21T12:00:00Z'

type Listed = readonly [provider: string, model: string, arithmetic: string, nanos: bigint, usage: Usage, at?: string]

/** The same through the price data and the catalogue that ship. */
const listed: readonly Listed[] = [
  ['openai', 'gpt-4o', '400 × 2.5 + 600 × 1.25 + 200 × 10', 3_750_000n, { input: 1000, cacheRead: 600, output: 200 }],
  ['openai', 'gpt-4o-mini', '1,234 × 0.15 + 567 × 0.6', 525_300n, { input: 1234, output: 567 }],
  [
    'openai',
    'gpt-5',
    '1,000 × 1.25 + 9,000 × 0.125 + 2,000 × 10',
    22_375_000n,
    { input: 10_000, cacheRead: 9000, output: 2000, reasoning: 1500 },
  ],
  ['openai', 'gpt-5', '10,000 × 0.625 + 2,000 × 5', 16_250_000n, { input: 10_000, output: 2000, serviceTier: 'flex' }],
  ['openai', 'gpt-4.1', '1,000 × 2 + 100 × 8 + 2 × 10 × 1,000', 22_800_000n, { input: 1000, output: 100, webSearches: 2 }],
  ['openai', 'gpt-4.1', '1,000 × 2 + 100 × 8 + 3 × 2.5 × 1,000', 10_300_000n, { input: 1000, output: 100, fileSearches: 3 }],
  [
    'openai',
    'gpt-4o',
    '400 × 2.5 + 20 × 10 + 1 × 10 × 1,000 + 1 × 2.5 × 1,000',
    13_700_000n,
    { input: 400, output: 20, webSearches: 1, fileSearches: 1 },
  ],
  [
    'openai',
    'gpt-realtime',
    '100 × 4 + 400 × 32 + 20 × 16 + 200 × 64',
    26_320_000n,
    { input: 500, inputAudio: 400, output: 220, outputAudio: 200 },
  ],
  ['openai', 'o3', '1,000 × 10 + 1,000 × 40', 50_000_000n, { input: 1000, output: 1000 }, '2025-06-09T23:59:59Z'],
  ['openai', 'o3', '1,000 × 2 + 1,000 × 8', 10_000_000n, { input: 1000, output: 1000 }, '2025-06-10T00:00:00Z'],
  ['openai', 'text-embedding-3-small', '12,345 × 0.02', 246_900n, { input: 12_345 }],
  [
    'anthropic',
    'claude-sonnet-4-5',
    '1,000 × 3 + 9,000 × 0.3 + 500 × 3.75 + 500 × 6 + 300 × 15',
    15_075_000n,
    { input: 11_000, cacheRead: 9000, cacheWrite: 1000, cacheWrite1h: 500, output: 300, serviceTier: 'standard' },
  ],
  ['anthropic', 'claude-sonnet-4-5', '200,001 × 6 + 100 × 22.5', 1_202_256_000n, { input: 200_001, output: 100 }],
  ['anthropic', 'claude-haiku-4-5', '1,000 × 0.5 + 500 × 2.5', 1_750_000n, { input: 1000, output: 500, serviceTier: 'batch' }],
  ['anthropic', 'claude-opus-4-5', '1,000 × 5 + 100 × 25 + 1 × 10 × 1,000', 17_500_000n, { input: 1000, output: 100, webSearches: 1 }],
  [
    'anthropic',
    'claude-opus-4-6',
    '1,000 × 5.5 + 9,000 × 0.55 + 100 × 27.5 + 1 × 10 × 1,000',
    23_200_000n,
    { input: 10_000, cacheRead: 9000, output: 100, webSearches: 1, geo: 'us' },
  ],
  ['anthropic', 'claude-opus-4-6', '1,000 × 2.75 + 100 × 13.75', 4_125_000n, { input: 1000, output: 100, serviceTier: 'batch', geo: 'us' }],
  [
    'google',
    'gemini-2.5-pro',
    '50,001 × 2.5 + 150,000 × 0.25 + 1,000 × 15',
    177_502_500n,
    { input: 200_001, cacheRead: 150_000, output: 1000 },
  ],
  ['google', 'gemini-2.5-flash', '100 × 0.3 + 900 × 1 + 50 × 2.5', 1_055_000n, { input: 1000, inputAudio: 900, output: 50 }],
  ['google', 'gemini-2.5-flash-image', '10 × 0.3 + 10 × 2.5 + 1,290 × 30', 38_728_000n, { input: 10, output: 1300, outputImage: 1290 }],
  [
    'deepseek',
    'deepseek-v4-pro',
    '1,000 × 0.66 + 3,000 × 0.022 + 500 × 1.98',
    1_716_000n,
    { input: 4000, cacheRead: 3000, output: 500 },
    noon,
  ],
  [
    'deepseek',
    'deepseek-v4-pro',
    '1,000 × 1.32 + 3,000 × 0.044 + 500 × 3.96',
    3_432_000n,
    { input: 4000, cacheRead: 3000, output: 500 },
    '2026-11-21T02:00:00Z',
  ],
  ['groq', 'llama-3.3-70b-versatile', '2,000 × 0.59 + 300 × 0.79', 1_417_000n, { input: 2000, output: 300, serviceTier: 'on_demand' }],
  [
    'perplexity',
    'sonar-deep-research',
    '100 × 2 + 1,000 × 8 + 20,000 × 3 + 18 × 5 × 1,000',
    158_200_000n,
    { input: 100, output: 21_000, reasoning: 20_000, webSearches: 18 },
  ],
  ['xai', 'grok-4', '500 × 3 + 500 × 0.75 + 100 × 15', 3_375_000n, { input: 1000, cacheRead: 500, output: 100 }],
  ['mistral', 'mistral-large-latest', '1,000 × 2 + 100 × 6', 2_600_000n, { input: 1000, output: 100 }],
]

suite('the table of listed prices', () => {
  const pricing = createPricing({ catalog: createCatalog() })

  for (const [provider, model, arithmetic, nanos, usage, at = noon] of listed)
    test(`${provider}/${model}: ${arithmetic}`, () => {
      assert.equal(nanosOfArithmetic(arithmetic), nanos, 'the arithmetic does not give what stands beside it')
      const price = pricing.priceOf(provider, model)
      assert.equal(price && costOf(usage, price, new Date(at))?.nanos, nanos)
    })
})
