import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from './error.ts'
import { parsePreferences } from './preferences.ts'
import { parseRequirements } from './requirements.ts'

test('requirements: features under any of their names, quantities with units, words with alternatives', () => {
  assert.deepEqual(
    parseRequirements(' context>=128k , vision,output_price<=2.5,latency < 800ms, region=EU|ch, provider!=a, prompt-caching '),
    [
      { kind: 'number', text: 'context>=128k', quantity: 'context', compare: '>=', value: 128_000 },
      { kind: 'feature', text: 'vision', feature: 'image' },
      { kind: 'number', text: 'output_price<=2.5', quantity: 'output_price', compare: '<=', value: 2.5 },
      { kind: 'number', text: 'latency < 800ms', quantity: 'latency', compare: '<', value: 800 },
      { kind: 'word', text: 'region=EU|ch', subject: 'region', not: false, values: ['eu', 'ch'] },
      { kind: 'word', text: 'provider!=a', subject: 'provider', not: true, values: ['a'] },
      { kind: 'caching', text: 'prompt-caching' },
    ],
  )
})

test('preferences: a weight is 1 unless it is said, and 0 to 1', () => {
  assert.deepEqual(
    parsePreferences('cost;q=0.8, speed ; q=0.25, json_schema, region=eu;q=0').map(({ text, q }) => [text, q]),
    [
      ['cost', 0.8],
      ['speed', 0.25],
      ['json_schema', 1],
      ['region=eu', 0],
    ],
  )
})

test('what is neither is refused with its own words and what is known', () => {
  for (const text of ['beauty', 'context', 'context>=x', 'tools>=3', 'region>eu', 'retention=some', 'a'.repeat(500), '=', 'context=128k'])
    assert.throws(
      () => parseRequirements(text),
      (error) => error instanceof GatewayError && error.id === 'invalid-request' && error.path === 'x-signalbox-require',
    )
  for (const text of ['cost;q=1.1', 'cost;q=-1', 'cost;p=1', 'shoe', 'region='])
    assert.throws(
      () => parsePreferences(text),
      (error) => error instanceof GatewayError && error.path === 'x-signalbox-prefer',
    )
})
