import assert from 'node:assert/strict'
import { test } from 'node:test'
import { usageOf } from './usage.ts'
import { openaiChat } from './wire.ts'

const target = { provider: 'openai', model: 'm', wire: 'openai-chat', capabilities: {}, quirks: {} } as const
const usage = { prompt_tokens: 10, completion_tokens: 5 }

test('a plain answer tells its class of service beside its usage', () => {
  const body = { id: 'x', choices: [{ message: { content: 'Hi' }, finish_reason: 'stop' }], usage, service_tier: 'flex' }
  assert.equal(openaiChat.summarize(body, target).usage?.serviceTier, 'flex')
})

test('what stands in the usage itself goes first, and null says nothing', () => {
  assert.equal(usageOf({ ...usage, service_tier: 'priority' }, { serviceTier: 'default' })?.serviceTier, 'priority')
  assert.equal(usageOf(usage, { serviceTier: null })?.serviceTier, undefined)
})

test('a search model searches for every answer, and says so by its name alone', () => {
  const body = { id: 'x', choices: [{ message: { content: 'Hi' }, finish_reason: 'stop' }], usage }
  const searches = (model: string, more: object = {}) =>
    openaiChat.summarize({ ...body, model, usage: { ...usage, ...more } }, target).usage?.webSearches
  for (const model of ['gpt-4o-search-preview', 'gpt-4o-mini-search-preview-2025-03-11', 'gpt-5-search-api'])
    assert.equal(searches(model), 1)
  for (const model of ['gpt-4o', 'sonar-pro-search', 'relace-search']) assert.equal(searches(model), undefined)
  assert.equal(searches('openai/gpt-4o-search-preview', { server_tool_use: { web_search_requests: 3 } }), 3)
  assert.equal(usageOf(undefined, { model: 'gpt-5-search-api' }), undefined)
})
