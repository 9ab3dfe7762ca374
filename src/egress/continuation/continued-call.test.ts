import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChatCall } from '../../core/call.ts'
import { GatewayError } from '../../core/error.ts'
import type { Capabilities, Quirks, Target } from '../../core/target.ts'
import { continuedCall } from './continued-call.ts'

const call: ChatCall = {
  op: 'chat',
  wire: 'openai-chat',
  model: 'm',
  stream: true,
  path: '',
  messages: [{ role: 'user', path: 'messages[0]', parts: [{ type: 'text', path: 'messages[0].content', text: 'Tell me.' }] }],
  tools: [],
  settings: { maxTokens: 100 },
  paths: {},
}

const target = (capabilities: Capabilities = {}, quirks: Quirks = {}): Target => ({
  provider: 'p',
  model: 'm',
  wire: 'openai-chat',
  capabilities,
  quirks,
})

const said = (continued: ChatCall): [string, string][] =>
  continued.messages.slice(1).map(({ role, parts }) => [role, parts.map((part) => ('text' in part ? part.text : '')).join('')])

test('a model nobody knows is asked to go on, and to begin with the last words', () => {
  const [answer, request] = said(continuedCall(call, 'one two three four five six ', target()))
  assert.deepEqual(answer, ['assistant', 'one two three four five six'])
  assert.equal(request?.[0], 'user')
  assert.match(request?.[1] ?? '', /<<<two three four five six>>>$/)
})

test('a model that continues its own turn is given it, and does not think first', () => {
  const thinking: ChatCall = { ...call, reasoning: { path: 'reasoning_effort', effort: 'high' } }
  for (const one of [target({ prefill: true }), target({}, { prefixFlag: 'prefix' })]) {
    const continued = continuedCall(thinking, 'one two', one)
    assert.deepEqual(said(continued), [['assistant', 'one two']])
    assert.equal(continued.reasoning?.on, false)
  }
  assert.equal(said(continuedCall(thinking, 'one two', target({ prefill: false }, { prefixFlag: 'prefix' }))).length, 2)
})

test('where nothing was said the call is the same', () => {
  assert.equal(continuedCall(call, '', target()), call)
  assert.equal(continuedCall(call, ' \n', target({ prefill: true })), call)
})

test('structured output is carried on by nobody but who continues it exactly, with the schema in words', () => {
  const schema = { type: 'object', properties: { a: { type: 'number' } } }
  const structured: ChatCall = { ...call, format: { type: 'schema', path: 'response_format', schema } }
  assert.throws(
    () => continuedCall(structured, '{"a":', target()),
    (error) => error instanceof GatewayError && error.fault.retry === 'next',
  )
  const continued = continuedCall(structured, '{"a":', target({ prefill: true }))
  assert.equal(continued.format, undefined)
  assert.equal(continued.messages[0]?.role, 'system')
  assert.match(JSON.stringify(continued.messages[0]), /properties/)
})

test('the limit on tokens is that of the whole answer, and never so small that no sentence could end', () => {
  const limit = (text: string, maxTokens?: number): number | undefined =>
    continuedCall({ ...call, settings: { maxTokens } }, text, target()).settings.maxTokens
  assert.equal(limit('x'.repeat(200), 100), 50)
  assert.equal(limit('x'.repeat(2_000), 100), 16)
  assert.equal(limit('x'.repeat(2_000), 8), 8)
  assert.equal(limit('x'.repeat(2_000)), undefined)
})
