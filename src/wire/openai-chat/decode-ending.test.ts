import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fold } from '../../core/fold.ts'
import type { JsonObject } from '../../core/json.ts'
import { chunk, decodedReply, ending, plain, said, sse, streamed, targetWith, whole } from './fixtures.ts'

for (const [raw, finish] of Object.entries({
  stop: 'stop',
  eos: 'stop',
  end_turn: 'stop',
  length: 'length',
  model_length: 'length',
  content_filter: 'filter',
  STOP: 'stop',
  whatever: 'other',
}))
  test(`a finish of ${raw} means ${finish}`, () => {
    const reply = whole({ content: 'x' }, {}, { finish_reason: raw })
    assert.deepEqual([reply.end?.finish, reply.end?.raw], [finish, raw])
  })

test('a stop sequence is told where the host names it', () => {
  const reply = whole({ content: 'x' }, {}, { finish_reason: 'stop', stop_reason: 'END' })
  assert.deepEqual([reply.end?.finish, reply.end?.stopSequence], ['stop-sequence', 'END'])
})

test('usage is read wherever a host puts it', () => {
  const usage = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 }
  for (const chunks of [
    [ending(), { choices: [], usage }],
    [{ ...ending(), usage }],
    [{ ...ending(), x_groq: { id: 'r', usage } }],
    [
      { ...chunk({ content: 'y' }), usage: { prompt_tokens: 7, completion_tokens: null, total_tokens: null } },
      { ...ending(), usage },
    ],
    [{ choices: [], usage }, ending()],
  ]) {
    const reply = streamed(chunk({ content: 'x' }), ...chunks, '[DONE]')
    assert.deepEqual([reply.usage?.input, reply.usage?.output], [7, 3])
  }
  assert.equal(streamed(chunk({ content: 'x' }), ending()).usage, undefined, 'unknown is not zero')
})

test('usage becomes totals, whatever a host leaves out of its numbers', () => {
  const totals = (usage: JsonObject): unknown[] => {
    const reply = whole({ content: 'x' }, { usage })
    return [reply.usage?.input, reply.usage?.output, reply.usage?.cacheRead]
  }
  assert.deepEqual(totals({ prompt_tokens: 9, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 5 } }), [9, 4, 5])
  assert.deepEqual(totals({ prompt_tokens: 9, completion_tokens: 4, prompt_cache_hit_tokens: 5 }), [9, 4, 5])
  assert.deepEqual(totals({ prompt_tokens: 2, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 5 } }), [7, 4, 5])
  assert.deepEqual(
    totals({ prompt_tokens: 9, completion_tokens: 4, total_tokens: 20, completion_tokens_details: { reasoning_tokens: 7 } }),
    [9, 11, undefined],
  )
  assert.deepEqual(totals({ prompt_tokens: 9, completion_tokens: 4, total_tokens: 20 }), [9, 11, undefined])
  assert.deepEqual(totals({ prompt_tokens: -1, completion_tokens: 1e30 }), [undefined, undefined, undefined])
})

test('reasoning outside the completion is added where the host is known for it', () => {
  const text = plain({ content: 'x' }, { usage: { prompt_tokens: 1, completion_tokens: 9, reasoning_tokens: 4 } })
  const reply = fold(decodedReply(text, false, { target: targetWith({ reasoningOutsideOutput: true }) }))
  assert.equal(reply.usage?.output, 13)
})

for (const [name, text, streams, id, words] of [
  ['an error in a 200', '{"error":{"message":"quota","code":429}}', false, 'upstream-rate-limited', /quota/],
  ['an error beside a choice', plain({ content: '' }, {}, { error: { message: 'broke', code: 502 } }), false, 'upstream-failed', /broke/],
  ['a page', '<html><title>Oops</title></html>', false, 'upstream-invalid', /Oops/],
  ['an empty body', '  \n', false, 'upstream-invalid', /empty/],
  ['half a body', plain({ content: 'x' }).slice(0, -5), false, 'upstream-invalid', /no JSON/],
  ['JSON of another kind', '{"candidates":[]}', false, 'upstream-invalid', /no chat completion/],
  ['an answer without a message', '{"choices":[{}]}', false, 'upstream-invalid', /without a message/],
  ['a stream without its ending', sse(chunk({ content: 'x' })), true, 'upstream-invalid', /before its end/],
  ['an empty stream', '', true, 'upstream-invalid', /before its end/],
  ['a stream that is only [DONE]', sse('[DONE]'), true, 'upstream-invalid', /without an answer/],
  [
    'an error event',
    `${sse(chunk({ content: 'x' }))}event: error\ndata: {"error":{"message":"tool failed","code":"tool_use_failed"}}\n\n`,
    true,
    'upstream-rejected',
    /tool failed/,
  ],
  [
    'an error chunk after the finish',
    sse(chunk({ content: 'x' }), ending('length'), { error: { message: 'late', code: 400 } }),
    true,
    'upstream-rejected',
    /late/,
  ],
  [
    'an error as JSON in a stream',
    '{"error":{"message":"overloaded","type":"overloaded_error"}}',
    true,
    'upstream-overloaded',
    /overloaded/,
  ],
  ['an event that is no JSON', sse(chunk({ content: 'x' }), '{"id":'), true, 'upstream-invalid', /not JSON/],
  [
    'a finish that is a failure',
    sse(chunk({ content: 'x' }), ending('insufficient_system_resource'), '[DONE]'),
    true,
    'upstream-failed',
    /insufficient_system_resource/,
  ],
] as const)
  test(`${name} ends in an error with the provider's words, and nothing follows`, () => {
    const events = decodedReply(text, streams)
    const last = events.at(-1)
    assert.ok(last?.type === 'error')
    assert.equal(last.error.id, id)
    assert.match(last.error.message, words)
    assert.equal(
      events.some(({ type }) => type === 'reply-end'),
      false,
    )
  })

test('white space before a plain answer, and a missing [DONE], are nothing to complain about', () => {
  assert.deepEqual(said(fold(decodedReply(`\n\n   \n${plain({ content: 'x' })}`, false))), [['text', 'x']])
  assert.equal(streamed(chunk({ content: 'x' }), ending()).end?.finish, 'stop')
  assert.equal(streamed(chunk({ content: 'x' }), '[DONE]').end?.finish, 'stop')
})

test('parts end before the reply does, and nothing comes after its end', () => {
  const events = decodedReply(sse(chunk({ content: 'x' }), ending(), '[DONE]', chunk({ content: 'more' }), '[DONE]'), true)
  assert.deepEqual(
    events.slice(-2).map(({ type }) => type),
    ['part-end', 'reply-end'],
  )
})
