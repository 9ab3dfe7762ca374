import assert from 'node:assert/strict'
import { test } from 'node:test'
import { usageOf } from './read-answer.ts'

const usage = { input_tokens: 10, output_tokens: 5 }
const search = (action: string, status = 'completed') => ({ type: 'web_search_call', status, action: { type: action } })

test('searches are counted from the items where the provider gives no count: opening a page is none', () => {
  const output = [
    search('search'),
    search('open_page'),
    search('find_in_page'),
    search('search', 'failed'),
    search('search'),
    { type: 'message' },
  ]
  assert.equal(usageOf({ usage, output })?.webSearches, 2)
  assert.equal(usageOf({ usage, output: [{ type: 'message' }] })?.webSearches, undefined)
})

test('a count of the provider’s own stands, nought included', () => {
  const output = [search('search')]
  assert.equal(usageOf({ usage, output, tool_usage: { web_search: { num_requests: 3 } } })?.webSearches, 3)
  assert.equal(usageOf({ usage: { ...usage, server_side_tool_usage_details: { web_search_calls: 0 } }, output })?.webSearches, undefined)
})
