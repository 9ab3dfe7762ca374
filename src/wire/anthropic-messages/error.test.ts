import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError, invalid } from '../../core/error.ts'
import { sse, targetOf } from './fixtures.ts'
import { anthropicMessages } from './wire.ts'

test('the path stands at the start of the message, the code in the details', () => {
  assert.deepEqual(anthropicMessages.encodeError(invalid('Field required', 'messages'), 'req_1'), {
    type: 'error',
    error: { type: 'invalid_request_error', message: 'messages: Field required', details: { error_code: 'invalid_request' } },
    request_id: 'req_1',
  })
})

test('a path that the provider has put there is not doubled', () => {
  const error = new GatewayError('upstream-rejected', 'messages.0: bad', { path: 'messages.0' })
  assert.equal((anthropicMessages.encodeError(error, 'r')['error'] as { message: string }).message, 'messages.0: bad')
})

test('the type follows the status', () => {
  const type = (error: GatewayError) => (anthropicMessages.encodeError(error, 'r')['error'] as { type: string }).type
  assert.equal(type(new GatewayError('unauthenticated', 'x')), 'authentication_error')
  assert.equal(type(new GatewayError('forbidden', 'x')), 'permission_error')
  assert.equal(type(new GatewayError('unknown-model', 'x')), 'not_found_error')
  assert.equal(type(new GatewayError('too-large', 'x')), 'request_too_large')
  assert.equal(type(new GatewayError('rate-limited', 'x')), 'rate_limit_error')
  assert.equal(type(new GatewayError('overloaded', 'x')), 'overloaded_error')
  assert.equal(type(new GatewayError('upstream-timeout', 'x')), 'timeout_error')
  assert.equal(type(new GatewayError('upstream-failed', 'x')), 'api_error')
  assert.equal(type(new GatewayError('budget-exceeded', 'x', { status: 429 })), 'billing_error')
  assert.equal(type(new GatewayError('upstream-rejected', 'x', { status: 422 })), 'invalid_request_error')
})

test("a provider's words are found in its envelope", () => {
  const body = JSON.stringify({ type: 'error', error: { type: 'rate_limit_error', message: 'Slow down' }, request_id: 'r' })
  assert.equal(anthropicMessages.decodeError(429, body).message, 'Slow down')
})

const tapOf = () => anthropicMessages.streamTap(targetOf(), {})
const bytes = (text: string) => new TextEncoder().encode(text)
const opening = {
  type: 'message_start',
  message: { id: 'msg_1', model: 'c', usage: { input_tokens: 5, cache_read_input_tokens: 2, output_tokens: 1 } },
}
const words = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'about "message_stop" and such' } }

test('a watched stream says its id, usage and end', () => {
  const tap = tapOf()
  tap.push(bytes(sse(opening)))
  assert.equal(tap.started, false)
  tap.push(bytes(sse({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }, words)))
  assert.equal(tap.started, true)
  assert.equal(tap.finished, false)
  tap.push(
    bytes(sse({ type: 'message_delta', delta: { stop_reason: 'max_tokens' }, usage: { output_tokens: 7 } }, { type: 'message_stop' })),
  )
  assert.equal(tap.finished, true)
  tap.end()
  assert.equal(tap.error, undefined)
  const { id, model, finish, usage } = tap.summary
  assert.deepEqual(
    { id, model, finish, input: usage?.input, output: usage?.output },
    { id: 'msg_1', model: 'c', finish: 'length', input: 7, output: 7 },
  )
})

test('a watched stream that breaks off or tells an error is one', () => {
  const torn = tapOf()
  torn.push(bytes(sse(opening, words)))
  torn.end()
  assert.equal(torn.error?.id, 'upstream-invalid')
  const told = tapOf()
  told.push(bytes(sse(opening, words)))
  told.push(bytes(sse({ type: 'error', error: { type: 'overloaded_error', message: 'Busy' } })))
  assert.equal(told.error?.id, 'upstream-overloaded')
})

test('a whole answer is summarised, and refused when it is none', () => {
  const summary = anthropicMessages.summarize(
    {
      id: 'msg_1',
      model: 'c',
      type: 'message',
      content: [{ type: 'text', text: 'Hello' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 1, output_tokens: 2 },
    },
    targetOf(),
  )
  assert.deepEqual([summary.id, summary.finish, summary.usage?.output, summary.characters], ['msg_1', 'stop', 2, 5])
  assert.throws(() => anthropicMessages.summarize({ choices: [] }, targetOf()), { id: 'upstream-invalid' })
  assert.throws(() => anthropicMessages.summarize({ type: 'error', error: { type: 'api_error', message: 'Broken' } }, targetOf()), {
    id: 'upstream-failed',
    message: 'Broken',
  })
})
