import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Message } from '@anthropic-ai/sdk/resources/messages'
import type { Event } from '../../core/event.ts'
import { fold } from '../../core/fold.ts'
import type { JsonObject } from '../../core/json.ts'
import { chatCall, context, decoded, folded, sse, targetOf } from './fixtures.ts'
import { anthropicMessages } from './wire.ts'

const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-test',
  content: [
    { type: 'thinking', thinking: 'hm', signature: 'sig' },
    { type: 'redacted_thinking', data: 'opaque' },
    {
      type: 'text',
      text: 'Grüße',
      citations: [{ type: 'web_search_result_location', url: 'https://a.example', title: 'A', cited_text: 'q', encrypted_index: 'x' }],
    },
    { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'q' }, caller: { type: 'direct' } },
    { type: 'tool_use', id: 'toolu_1', name: 'f', input: { a: 1 }, caller: { type: 'direct' } },
    { type: 'tool_use', id: 'toolu_2', name: 'g', input: {}, caller: { type: 'direct' } },
  ],
  container: null,
  diagnostics: null,
  stop_reason: 'tool_use',
  stop_sequence: null,
  stop_details: null,
  usage: {
    input_tokens: 10,
    cache_creation_input_tokens: 6,
    cache_read_input_tokens: 30,
    cache_creation: { ephemeral_5m_input_tokens: 2, ephemeral_1h_input_tokens: 4 },
    output_tokens: 50,
    output_tokens_details: { thinking_tokens: 20 },
    server_tool_use: { web_search_requests: 1, web_fetch_requests: 0 },
    service_tier: 'standard',
    inference_geo: null,
    speed: null,
  },
} satisfies Message

const asStream = (): string => {
  const { usage, content, stop_reason, stop_sequence, ...head } = message
  const blocks = content.flatMap((block, index): JsonObject[] => {
    const delta = (value: JsonObject): JsonObject => ({ type: 'content_block_delta', index, delta: value })
    const frames = (start: JsonObject, ...deltas: JsonObject[]): JsonObject[] => [
      { type: 'content_block_start', index, content_block: start },
      ...deltas.map(delta),
      { type: 'content_block_stop', index },
    ]
    switch (block.type) {
      case 'thinking':
        return frames(
          { type: 'thinking', thinking: '', signature: '' },
          { type: 'thinking_delta', thinking: 'h' },
          { type: 'thinking_delta', thinking: 'm' },
          { type: 'signature_delta', signature: 'sig' },
        )
      case 'text':
        return frames(
          { type: 'text', text: '' },
          { type: 'text_delta', text: 'Grü' },
          { type: 'text_delta', text: 'ße' },
          ...block.citations.map((citation) => ({ type: 'citations_delta', citation })),
        )
      case 'server_tool_use':
      case 'tool_use':
        return frames(
          { ...block, input: {} },
          { type: 'input_json_delta', partial_json: '' },
          ...(Object.keys(block.input).length > 0 ? [{ type: 'input_json_delta', partial_json: JSON.stringify(block.input) }] : []),
        )
      default:
        return frames(block)
    }
  })
  return sse(
    {
      type: 'message_start',
      message: { ...head, content: [], stop_reason: null, stop_sequence: null, usage: { ...usage, output_tokens: 2 } },
    },
    { type: 'ping' },
    ...blocks,
    { type: 'message_delta', delta: { stop_reason, stop_sequence }, usage: { output_tokens: 50 } },
    { type: 'message_stop' },
  )
}

test('a streamed answer and a plain one fold to the same reply, however the bytes are cut', () => {
  const plain = folded(decoded(JSON.stringify(message), { streamed: false }))
  for (const size of [1, 2, 7, 1000]) {
    assert.deepEqual(folded(decoded(asStream(), { streamed: true, size })), plain)
    assert.deepEqual(folded(decoded(JSON.stringify(message), { streamed: false, size })), plain)
  }
  assert.equal(plain.end?.finish, 'tool-calls')
  assert.deepEqual(
    plain.parts.map((part) => (part.kind === 'whole' ? part.part.type : part.text)),
    ['hm', '', 'Grüße', 'foreign', '{"a":1}', '{}'],
  )
})

test('usage counts what a cache read and took as input', () => {
  const { usage } = folded(decoded(asStream(), { streamed: true }))
  assert.deepEqual(
    { ...usage, serviceTier: undefined, providerCost: undefined },
    {
      input: 46,
      output: 50,
      cacheRead: 30,
      cacheWrite: 6,
      cacheWrite1h: 4,
      reasoning: 20,
      webSearches: 1,
      serviceTier: undefined,
      providerCost: undefined,
    },
  )
  const start = decoded(asStream(), { streamed: true })[0]
  assert.ok(start?.type === 'reply-start')
  assert.equal(start.usage?.output, undefined)
  assert.equal(start.usage?.input, 46)
})

test('a later count of the input replaces the first, and all steps of a compaction count', () => {
  const stream = sse(
    { type: 'message_start', message: { id: 'm', model: 'c', usage: { input_tokens: 10, output_tokens: 1, cache_read_input_tokens: 5 } } },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { input_tokens: 20, output_tokens: 3 } },
    { type: 'message_stop' },
  )
  assert.equal(folded(decoded(stream, { streamed: true })).usage?.input, 25)
  const compacted = {
    ...message,
    usage: {
      input_tokens: 1,
      output_tokens: 2,
      iterations: [
        { type: 'compaction', input_tokens: 100, output_tokens: 20 },
        { type: 'advisor_message', input_tokens: 9, output_tokens: 9 },
        { type: 'message', input_tokens: 1, output_tokens: 2 },
      ],
    },
  }
  const { usage } = folded(decoded(JSON.stringify(compacted), { streamed: false }))
  assert.deepEqual([usage?.input, usage?.output], [101, 22])
})

test('an answer encodes to what it was', () => {
  const reply = folded(decoded(JSON.stringify(message), { streamed: false }))
  const body = anthropicMessages.encodeReply(reply, chatCall({}), context)
  const caller = (blocks: readonly JsonObject[]) => blocks.map(({ caller: _caller, ...rest }) => rest)
  assert.deepEqual(caller(body['content'] as unknown as JsonObject[]), caller(message.content as unknown as JsonObject[]))
  for (const name of ['id', 'type', 'role', 'model', 'stop_reason', 'stop_sequence'] as const) assert.equal(body[name], message[name])
  const { inference_geo: _geo, speed: _speed, ...counted } = message.usage
  assert.deepEqual(body['usage'], counted)
})

test('every stop reason has its meaning', () => {
  const finish = (stop: JsonObject) =>
    folded(decoded(JSON.stringify({ ...message, content: [{ type: 'text', text: 'x' }], ...stop }), { streamed: false })).end
  assert.deepEqual(
    ['end_turn', 'stop_sequence', 'max_tokens', 'model_context_window_exceeded', 'tool_use', 'refusal', 'pause_turn', 'novel'].map(
      (reason) => finish({ stop_reason: reason })?.finish,
    ),
    ['stop', 'stop-sequence', 'length', 'length', 'tool-calls', 'filter', 'pause', 'other'],
  )
  assert.equal(finish({ stop_reason: 'stop_sequence', stop_sequence: 'END' })?.stopSequence, 'END')
  assert.equal(finish({ stop_reason: 'refusal', stop_details: { type: 'refusal', explanation: 'No.' } })?.explanation, 'No.')
})

const errorOf = (answer: string, streamed: boolean) => {
  const events = decoded(answer, { streamed })
  const last = events.at(-1)
  assert.ok(last?.type === 'error', JSON.stringify(events))
  assert.ok(!events.some(({ type }) => type === 'reply-end'))
  return `${last.error.id}: ${last.error.message}`
}

test('errors are told as what they are, wherever they stand', () => {
  const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' }, request_id: 'r' }
  const start = { type: 'message_start', message: { id: 'm', model: 'c', usage: { input_tokens: 1 } } }
  assert.equal(errorOf(JSON.stringify(error), false), 'upstream-overloaded: Overloaded')
  assert.equal(errorOf(JSON.stringify(error), true), 'upstream-overloaded: Overloaded')
  assert.equal(errorOf(sse(start, error), true), 'upstream-overloaded: Overloaded')
  assert.match(errorOf('<html><title>502 Bad Gateway</title></html>', false), /^upstream-invalid/)
  assert.match(errorOf('<html><title>502 Bad Gateway</title></html>', true), /^upstream-invalid/)
  assert.match(errorOf('{"object":"chat.completion","choices":[]}', false), /^upstream-invalid/)
  assert.match(errorOf('', true), /^upstream-invalid/)
  assert.match(errorOf('data: {broken\n\n', true), /^upstream-invalid/)
})

test('a stream without its end is no answer, wherever it is cut', () => {
  const stream = asStream()
  const ends = [...stream.matchAll(/\n\n/g)].map(({ index }) => index + 2).slice(0, -1)
  for (const end of ends) assert.match(errorOf(stream.slice(0, end), true), /^upstream-invalid: /)
})

test('an event that is too large ends the answer', () => {
  const decoder = anthropicMessages.replyDecoder({ streamed: true, target: targetOf(), maxEvent: 1000 })
  const [event] = decoder.push(new TextEncoder().encode(`data: ${'x'.repeat(2000)}`))
  assert.ok(event?.type === 'error' && event.error.id === 'upstream-invalid')
  assert.deepEqual(decoder.end(), [])
})

test('a plain answer to a streamed call, and a stream to a plain one, are read all the same', () => {
  const expected = folded(decoded(JSON.stringify(message), { streamed: false }))
  assert.deepEqual(folded(decoded(JSON.stringify(message), { streamed: true })), expected)
  assert.deepEqual(folded(decoded(asStream(), { streamed: false })), expected)
})

test('arguments that were cut short or encoded twice are an object all the same', () => {
  const input = (text: string): unknown => {
    const events: Event[] = [
      { type: 'part-start', index: 0, kind: 'tool-call', id: '', name: 'f' },
      { type: 'text-delta', index: 0, text },
    ]
    const body = anthropicMessages.encodeReply(fold(events), chatCall({}), context)
    const [block] = body['content'] as unknown as { id: string; input: unknown }[]
    assert.match(block?.id ?? '', /^toolu_/)
    return block?.input
  }
  assert.deepEqual(input(''), {})
  assert.deepEqual(input('null'), {})
  assert.deepEqual(input('"{\\"a\\":1}"'), { a: 1 })
  assert.deepEqual(input('{"a": "half of a wo'), { a: 'half of a wo' })
  assert.deepEqual(input('{"a": [1, {"b":'), { a: [1, { b: null }] })
  assert.deepEqual(input('{"a": "\\u00'), { a: '\u0000' })
  assert.deepEqual(input('no JSON'), { input: 'no JSON' })
})

test('a paused turn is asked to go on with what it said', () => {
  const paused = folded(
    decoded(
      JSON.stringify({
        ...message,
        stop_reason: 'pause_turn',
        content: [{ type: 'thinking', thinking: 'x', signature: '' }, ...message.content.slice(3, 4)],
      }),
      { streamed: false },
    ),
  )
  const body = anthropicMessages.continueBody?.({ model: 'm', messages: [{ role: 'user', content: 'Go' }] }, paused)
  assert.deepEqual(body?.['messages'], [
    { role: 'user', content: 'Go' },
    { role: 'assistant', content: message.content.slice(3, 4) },
  ])
})

test('tokens are counted with the same body, without what only an answer needs', () => {
  const { count } = anthropicMessages
  assert.deepEqual(count?.request({ model: 'route', max_tokens: 5, stream: true, temperature: 1, messages: [], tools: [] }, targetOf()), {
    model: 'claude-test',
    messages: [],
    tools: [],
  })
  assert.equal(count?.read({ input_tokens: 7 }), 7)
  assert.equal(count?.read({}), undefined)
  assert.deepEqual(count?.write(7), { input_tokens: 7 })
})
