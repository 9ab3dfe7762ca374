import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import { chunk, ending, plain, sse, targetWith } from './fixtures.ts'
import { openaiChat } from './wire.ts'

const usage = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 }
const usageChunk: JsonObject = { id: 'c1', object: 'chat.completion.chunk', created: 5, model: 'mm', choices: [], usage }

function run(text: string, { hideUsage = false, size = Number.POSITIVE_INFINITY } = {}) {
  const tap = openaiChat.streamTap(targetWith(), { hideUsage })
  const bytes = Buffer.from(text)
  const out: Uint8Array[] = []
  for (let start = 0; start < bytes.length; start += size)
    out.push(tap.push(bytes.subarray(start, Math.min(bytes.length, start + size))) ?? Buffer.alloc(0))
  out.push(tap.end() ?? Buffer.alloc(0))
  return { tap, text: Buffer.concat(out).toString('utf8') }
}

const whole = sse(
  chunk({ role: 'assistant', content: '' }),
  chunk({ content: 'Say "finish_reason":"stop" or "usage":{' }),
  ending('length'),
  usageChunk,
  '[DONE]',
)

test('passes a stream byte for byte and knows its ending, usage and names', () => {
  for (const size of [1, 5, 50, 5000]) {
    const { tap, text } = run(whole, { size })
    assert.equal(text, whole)
    assert.deepEqual(
      [tap.finished, tap.error, tap.summary.finish, tap.summary.id, tap.summary.model],
      [true, undefined, 'length', 'c1', 'mm'],
    )
    assert.deepEqual([tap.summary.usage?.input, tap.summary.usage?.output], [7, 3])
  }
})

test('takes out the usage that nobody asked for, and keeps what it said', () => {
  for (const size of [1, 5, 50, 5000]) {
    const { tap, text } = run(whole, { hideUsage: true, size })
    assert.equal(text, whole.replace(sse(usageChunk), ''))
    assert.equal(tap.summary.usage?.output, 3)
  }
})

test('usage beside a choice stays where it is', () => {
  const text = sse({ ...chunk({ content: 'x' }), usage }, { ...ending(), usage }, '[DONE]')
  assert.equal(run(text, { hideUsage: true }).text, text)
})

test('a role alone does not begin an answer', () => {
  const { tap } = run(sse({ choices: [], prompt_filter_results: [] }, chunk({ role: 'assistant', content: '' })))
  assert.equal(tap.started, false)
  assert.equal(run(sse(chunk({ role: 'assistant', content: '' }), chunk({ reasoning: 'h' }))).tap.started, true)
})

test('errors of the stream end it', () => {
  for (const [text, words] of [
    [`${sse(chunk({ content: 'x' }))}event: error\ndata: {"error":{"message":"tool failed"}}\n\n`, /tool failed/],
    [sse(chunk({ content: 'x' }), { error: { message: 'gone', code: 502 }, choices: [] }), /gone/],
    [sse(chunk({ content: 'x' }), { object: 'error', message: 'vllm says no', code: 400 }), /vllm says no/],
    [sse(chunk({ content: 'x' })), /before its end/],
    ['{"error":{"message":"as JSON"}}', /as JSON/],
  ] as const) {
    const { tap, text: out } = run(text)
    assert.match(tap.error?.message ?? '', words)
    assert.equal(tap.finished, false)
    assert.doesNotMatch(out, words)
  }
})

test('sums a plain answer up, and throws what is none', () => {
  const summary = openaiChat.summarize(JSON.parse(plain({ content: 'x' }, { usage })), targetWith())
  assert.deepEqual([summary.id, summary.model, summary.finish, summary.usage?.input], ['c1', 'mm', 'stop', 7])
  for (const body of [{ error: { message: 'no' } }, { choices: [] }, [], 'x', null, { candidates: [] }])
    assert.throws(() => openaiChat.summarize(body, targetWith()), GatewayError)
})
