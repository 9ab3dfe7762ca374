import assert from 'node:assert/strict'
import test from 'node:test'
import { GatewayError } from '../core/error.ts'
import { briefRefusals } from './brief-refusals.ts'

const overloaded = (retryAfterMs: number): GatewayError => new GatewayError('overloaded', 'Too many.', { retryAfterMs })

function counted() {
  let now = 0
  let written = 0
  const refusals = briefRefusals(
    (dialect, error, id) => {
      written++
      return {
        status: 503,
        headers: { 'x-signalbox-request-id': id, 'retry-after': String(error.retryAfterMs) },
        body: JSON.stringify({ dialect, request_id: id, message: error.message }),
      }
    },
    () => now,
  )
  const pass = (ms: number): void => {
    now += ms
  }
  return { refusals, pass, written: () => written }
}

test('each refusal has an id of its own, in its header and in its body', () => {
  const { refusals, written } = counted()
  const all = Array.from({ length: 50 }, () => refusals.of('anthropic-messages', overloaded(1_000)))
  assert.equal(written(), 1)
  assert.equal(new Set(all.map(({ headers }) => headers['x-signalbox-request-id'])).size, 50)
  for (const { headers, body } of all) assert.equal(JSON.parse(body).request_id, headers['x-signalbox-request-id'])
})

test('dialects are told apart, and what changes with time is written anew', () => {
  const { refusals, pass, written } = counted()
  assert.equal(JSON.parse(refusals.of('gemini', overloaded(1_000)).body).dialect, 'gemini')
  assert.equal(JSON.parse(refusals.of('openai-chat', overloaded(1_000)).body).dialect, 'openai-chat')
  assert.equal(refusals.of('gemini', overloaded(2_000)).headers['retry-after'], '1000')
  pass(150)
  assert.equal(refusals.of('gemini', overloaded(2_000)).headers['retry-after'], '2000')
  assert.equal(written(), 3)
})

test('headers of one refusal are not those of the next', () => {
  const { refusals } = counted()
  const first = refusals.of('gemini', overloaded(1_000))
  first.headers['connection'] = 'close'
  assert.equal(refusals.of('gemini', overloaded(1_000)).headers['connection'], undefined)
})
