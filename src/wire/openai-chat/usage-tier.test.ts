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
