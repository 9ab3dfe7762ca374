import assert from 'node:assert/strict'
import { test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import { GatewayError } from '../../core/error.ts'
import type { Event } from '../../core/event.ts'
import { fold } from '../../core/fold.ts'
import type { JsonObject } from '../../core/json.ts'
import { chatCall, context, decoded, folded, framesOf, streamed } from './fixtures.ts'
import { anthropicMessages } from './wire.ts'

const start: Event = { type: 'reply-start', id: 'r1', model: 'other-model' }
const end: Event = { type: 'reply-end', finish: 'stop' }
const begin = (index: number, kind: 'text' | 'reasoning' | 'refusal'): Event => ({ type: 'part-start', index, kind })
const call = (index: number, id: string, name = 'f'): Event => ({ type: 'part-start', index, kind: 'tool-call', id, name })
const say = (index: number, text: string): Event => ({ type: 'text-delta', index, text })
const stop = (index: number): Event => ({ type: 'part-end', index })

/** One word per frame: what the order of a stream is made of. */
const shapeOf = (stream: string): string[] =>
  framesOf(stream).map((frame) => {
    const block = frame['content_block'] as JsonObject | undefined
    const delta = frame['delta'] as JsonObject | undefined
    switch (frame['type']) {
      case 'content_block_start':
        return `+${frame['index']} ${block?.['type']}`
      case 'content_block_delta':
        return `${frame['index']} ${delta?.['text'] ?? delta?.['thinking'] ?? delta?.['partial_json'] ?? `signature ${delta?.['signature']}`}`
      case 'content_block_stop':
        return `-${frame['index']}`
      default:
        return String(frame['type'])
    }
  })

test('blocks follow each other, thinking is signed once', () => {
  const events: Event[] = [
    start,
    begin(0, 'reasoning'),
    say(0, 'h'),
    say(0, 'm'),
    { type: 'part-sealed', index: 0, sealed: { vendor: 'anthropic', kind: 'signature', value: 'sig' } },
    stop(0),
    begin(1, 'text'),
    say(1, 'Hi'),
    stop(1),
    end,
  ]
  const expected = [
    'message_start',
    '+0 thinking',
    '0 h',
    '0 m',
    '0 signature sig',
    '-0',
    '+1 text',
    '1 Hi',
    '-1',
    'message_delta',
    'message_stop',
  ]
  assert.deepEqual(shapeOf(streamed(events)), expected)
  assert.deepEqual(shapeOf(streamed(events, false)), expected)
})

test('parallel calls that come interleaved go out one after the other', () => {
  const events: Event[] = [
    start,
    call(0, 'a'),
    call(1, 'b'),
    say(0, '{"x"'),
    say(1, '{"y"'),
    say(0, ':1}'),
    say(1, ':2}'),
    stop(0),
    stop(1),
    end,
  ]
  assert.deepEqual(shapeOf(streamed(events)), [
    'message_start',
    '+0 tool_use',
    '0 {"x"',
    '0 :1}',
    '-0',
    '+1 tool_use',
    '1 {"y"',
    '1 :2}',
    '-1',
    'message_delta',
    'message_stop',
  ])
})

test('words are not held back by thinking that has not ended', () => {
  const events: Event[] = [start, begin(0, 'reasoning'), say(0, 'hm'), begin(1, 'text'), say(1, 'Hi')]
  assert.deepEqual(shapeOf(streamed(events)), ['message_start', '+0 thinking', '0 hm', '0 signature ', '-0', '+1 text', '1 Hi'])
})

test('words after a call wait until it is whole', () => {
  const events: Event[] = [
    start,
    call(0, 'a'),
    say(0, '{}'),
    begin(1, 'text'),
    say(1, 'and'),
    say(1, ' so'),
    stop(0),
    say(1, ' on'),
    stop(1),
    end,
  ]
  assert.deepEqual(shapeOf(streamed(events)), [
    'message_start',
    '+0 tool_use',
    '0 {}',
    '-0',
    '+1 text',
    '1 and',
    '1  so',
    '1  on',
    '-1',
    'message_delta',
    'message_stop',
  ])
})

test("other vendors' seals travel in the signature and come back", () => {
  const openai = { vendor: 'openai', kind: 'encrypted', value: 'blob', id: 'rs_1' } as const
  const google = { vendor: 'google', kind: 'thought-signature', value: 'sig' } as const
  const events: Event[] = [
    start,
    begin(0, 'reasoning'),
    say(0, 'hm'),
    { type: 'part-sealed', index: 0, sealed: openai },
    stop(0),
    call(1, 'a'),
    say(1, '{}'),
    { type: 'part-sealed', index: 1, sealed: google },
    stop(1),
    end,
  ]
  const plain = anthropicMessages.encodeReply(fold(events), chatCall({}), context)
  for (const stream of [streamed(events, false), streamed(events)]) {
    const reply = anthropicMessages.encodeReply(folded(decoded(stream, { streamed: true })), chatCall({}), context)
    for (const content of [plain['content'], reply['content']]) {
      const echoed = anthropicMessages.decodeCall(
        { model: 'm', max_tokens: 1, messages: [{ role: 'assistant', content: content ?? null }] },
        {},
      )
      assert.deepEqual(
        echoed.messages[0]?.parts.map(({ type, sealed }) => [type, sealed]),
        [
          ['reasoning', [openai]],
          ['tool-call', [google]],
        ],
      )
    }
  }
})

test('arguments that are no object are held until they are one, and those cut short are closed', () => {
  const sent = (...pieces: string[]): string => {
    const frames = framesOf(streamed([start, call(0, 'a'), ...pieces.map((piece) => say(0, piece)), stop(0), end]))
    return frames.map(({ delta }) => (delta as JsonObject | undefined)?.['partial_json'] ?? '').join('')
  }
  assert.equal(sent(), '{}')
  assert.equal(sent('"{\\"a\\"', ':1}"'), '{"a":1}')
  assert.equal(sent('{"a": "b', 'c'), '{"a": "bc"}')
  assert.equal(sent('{"a":1}'), '{"a":1}')
})

test('ids that are missing, repeated or not allowed are made', () => {
  const ids = framesOf(
    streamed([start, call(0, ''), stop(0), call(1, 'x'), stop(1), call(2, 'x'), stop(2), call(3, 'a:b'), stop(3), end]),
  ).flatMap(({ content_block: block }) => (block ? [String((block as JsonObject)['id'])] : []))
  assert.equal(new Set(ids).size, 4)
  assert.equal(ids[1], 'x')
  for (const id of ids) assert.match(id, /^[a-zA-Z0-9_-]+$/)
})

test('the start counts no output, the end has the real numbers', () => {
  const frames = framesOf(
    streamed([start, { type: 'usage', usage: { input: 50, cacheRead: 30, cacheWrite: 5, output: 9, reasoning: 4 } }, end]),
  )
  const first = (frames[0]!['message'] as JsonObject)['usage'] as JsonObject
  assert.equal(first['output_tokens'], 0)
  assert.equal(first['input_tokens'], 0)
  assert.deepEqual(frames.at(-2)?.['usage'], {
    input_tokens: 15,
    cache_creation_input_tokens: 5,
    cache_read_input_tokens: 30,
    cache_creation: { ephemeral_5m_input_tokens: 5, ephemeral_1h_input_tokens: 0 },
    output_tokens: 9,
    output_tokens_details: { thinking_tokens: 4 },
  })
  const unknown = framesOf(streamed([start, end])).at(-2)?.['usage'] as JsonObject
  assert.equal(unknown['output_tokens'], 0)
  assert.equal(unknown['input_tokens'], undefined)
})

test('every finish has its stop reason', () => {
  const delta = (event: Partial<Extract<Event, { type: 'reply-end' }>>) =>
    framesOf(streamed([start, { ...end, ...event }])).at(-2)?.['delta'] as JsonObject
  assert.deepEqual(
    (['stop', 'length', 'tool-calls', 'pause', 'other'] as const).map((finish) => delta({ finish })['stop_reason']),
    ['end_turn', 'max_tokens', 'tool_use', 'pause_turn', 'end_turn'],
  )
  assert.deepEqual(delta({ finish: 'stop-sequence', stopSequence: 'END' }), { stop_reason: 'stop_sequence', stop_sequence: 'END' })
  assert.deepEqual(delta({ finish: 'filter', explanation: 'No.' }), {
    stop_reason: 'refusal',
    stop_sequence: null,
    stop_details: { type: 'refusal', category: null, explanation: 'No.' },
  })
})

test('an error ends the stream without any success', () => {
  const error = new GatewayError('upstream-overloaded', 'Too busy')
  const stream = streamed([start, begin(0, 'text'), say(0, 'Hal'), { type: 'error', error }, say(0, 'lo'), end])
  assert.deepEqual(shapeOf(stream), ['message_start', '+0 text', '0 Hal', 'error'])
  assert.deepEqual(framesOf(stream).at(-1), {
    type: 'error',
    error: { type: 'overloaded_error', message: 'Too busy', details: { error_code: 'overloaded' } },
    request_id: 'req_1',
  })
})

test('half a refusal is not shown', () => {
  assert.deepEqual(shapeOf(streamed([start, begin(0, 'refusal'), say(0, 'I cannot')])), ['message_start'])
  assert.deepEqual(shapeOf(streamed([start, begin(0, 'refusal'), say(0, 'I cannot'), stop(0), end])).slice(1, 4), [
    '+0 text',
    '0 I cannot',
    '-0',
  ])
})

test("the vendor's own SDK reads the stream, with signs of life in it", async () => {
  const events: Event[] = [
    start,
    begin(0, 'reasoning'),
    say(0, 'hm'),
    stop(0),
    begin(1, 'text'),
    say(1, 'Hello "you"\n'),
    { type: 'part-citation', index: 1, citation: { url: 'https://a.example', title: 'A' } },
    stop(1),
    call(2, 'a'),
    say(2, '{"x":'),
    say(2, '"é"}'),
    stop(2),
    { type: 'usage', usage: { input: 3, output: 4 } },
    { type: 'reply-end', finish: 'tool-calls' },
  ]
  const ping = anthropicMessages.keepAlive
  const body = ping + streamed(events).replaceAll('event: content_block_start', `${ping}event: content_block_start`)
  const client = new Anthropic({
    apiKey: 'none',
    baseURL: 'http://127.0.0.1:1',
    fetch: async () => new Response(body, { headers: { 'content-type': 'text/event-stream' } }),
  })
  const message = await client.messages.stream({ model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'Hi' }] }).finalMessage()
  assert.deepEqual(
    message.content.map(({ type }) => type),
    ['thinking', 'text', 'tool_use'],
  )
  const [, words, use] = message.content
  assert.ok(words?.type === 'text' && use?.type === 'tool_use')
  assert.equal(words.text, 'Hello "you"\n')
  assert.equal(words.citations?.length, 1)
  assert.deepEqual(use.input, { x: 'é' })
  assert.equal(message.stop_reason, 'tool_use')
  assert.equal(message.usage.input_tokens, 3)
  assert.equal(message.usage.output_tokens, 4)
})
