import assert from 'node:assert/strict'
import { test } from 'node:test'
import { usageOf, writeUsage } from './usage.ts'

test('the class of service is told, and fast mode is one of its own', () => {
  const raw = { input_tokens: 10, output_tokens: 5, service_tier: 'standard' }
  assert.equal(usageOf(raw)?.serviceTier, 'standard')
  assert.equal(usageOf({ ...raw, service_tier: 'batch', speed: 'standard' })?.serviceTier, 'batch')
  const fast = usageOf({ ...raw, speed: 'fast' })
  assert.equal(fast?.serviceTier, 'fast')
  // The vendor has no such tier.
  assert.equal(writeUsage(fast)['service_tier'], 'priority')
})

test('both lifetimes of a cache are told, and what was searched', () => {
  const usage = usageOf({
    input_tokens: 10,
    cache_read_input_tokens: 100,
    cache_creation_input_tokens: 50,
    cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 30 },
    output_tokens: 5,
    server_tool_use: { web_search_requests: 2, web_fetch_requests: 1 },
  })
  assert.deepEqual([usage?.input, usage?.cacheRead, usage?.cacheWrite, usage?.cacheWrite1h, usage?.webSearches], [160, 100, 50, 30, 2])
})

test('the place is told where it may change the price, and goes back to a client', () => {
  const raw = { input_tokens: 10, output_tokens: 5 }
  const us = usageOf({ ...raw, inference_geo: 'US' })
  assert.equal(us?.geo, 'us')
  assert.equal(writeUsage(us)['inference_geo'], 'us')
  for (const said of ['global', 'not_available', '', null, 5, undefined])
    assert.equal(usageOf({ ...raw, ...(said !== undefined && { inference_geo: said }) })?.geo, undefined)
  assert.equal('inference_geo' in writeUsage(usageOf(raw)), false)
})
