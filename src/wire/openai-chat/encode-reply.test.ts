import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChatCompletion, ChatCompletionChunk } from 'openai/resources/chat/completions'
import type { Part } from '../../core/call.ts'
import { GatewayError } from '../../core/error.ts'
import type { Event } from '../../core/event.ts'
import { fold } from '../../core/fold.ts'
import type { JsonObject } from '../../core/json.ts'
import { context, decodedCall, decodedReply } from './fixtures.ts'
import { openaiChat } from './wire.ts'

const call = (body: JsonObject = {}) =>
  decodedCall({ messages: [{ role: 'user', content: 'Hi' }], stream: true, stream_options: { include_usage: true }, ...body })

const start: Event = { type: 'reply-start', id: 'r1', model: 'mm', created: 7 }
const end: Event = { type: 'reply-end', finish: 'stop' }
const part = (index: number, kind: 'text' | 'reasoning' | 'refusal', text: string, more: readonly Event[] = []): Event[] => [
  { type: 'part-start', index, kind },
  { type: 'text-delta', index, text },
  ...more,
  { type: 'part-end', index },
]
const toolCall = (index: number, text: string, more: readonly Event[] = [], id = `call_${index}`): Event[] => [
  { type: 'part-start', index, kind: 'tool-call', id, name: `f${index}` },
  ...more,
  ...(text === '' ? [] : [{ type: 'text-delta', index, text } satisfies Event]),
  { type: 'part-end', index },
]
const usage: Event = { type: 'usage', usage: { input: 9, output: 4, cacheRead: 5, cacheWrite: 2, reasoning: 1 } }

const whole = (...events: Event[]): ChatCompletion => openaiChat.encodeReply(fold(events), call(), context) as unknown as ChatCompletion
const stream = (events: readonly Event[], body: JsonObject = {}, more = {}): string =>
  openaiChat.streamEncoder(call(body), { ...context, ...more }).push(events)
const chunks = (text: string): ChatCompletionChunk[] =>
  text
    .split('\n\n')
    .filter((frame) => frame.startsWith('data: {'))
    .map((frame) => JSON.parse(frame.slice(6)))

const rich = [
  start,
  ...part(0, 'reasoning', 'hm'),
  ...part(1, 'text', 'Hello', [{ type: 'part-citation', index: 1, citation: { url: 'https://a', title: 'A', start: 0, end: 5 } }]),
  ...toolCall(2, '{"a":1}'),
  usage,
  { type: 'reply-end', finish: 'tool-calls' } as const,
]

test('a whole answer is a chat completion', () => {
  const answer = whole(...rich)
  assert.deepEqual([answer.id, answer.object, answer.created, answer.model], ['r1', 'chat.completion', 7, 'mm'])
  assert.deepEqual(answer.choices, [
    {
      index: 0,
      message: {
        role: 'assistant',
        content: 'Hello',
        refusal: null,
        reasoning_content: 'hm',
        tool_calls: [{ id: 'call_2', type: 'function', function: { name: 'f2', arguments: '{"a":1}' } }],
        annotations: [{ type: 'url_citation', url_citation: { url: 'https://a', title: 'A', start_index: 0, end_index: 5 } }],
      },
      logprobs: null,
      finish_reason: 'tool_calls',
    },
  ] as unknown as ChatCompletion['choices'])
  assert.deepEqual(answer.usage, {
    prompt_tokens: 9,
    completion_tokens: 4,
    total_tokens: 13,
    prompt_tokens_details: { cached_tokens: 5, cache_write_tokens: 2 },
    completion_tokens_details: { reasoning_tokens: 1 },
  } as unknown as ChatCompletion['usage'])
})

test('the same answer streamed folds to the same words, and ends as the dialect wants', () => {
  const text = stream(rich)
  const again = fold(decodedReply(text, true))
  assert.deepEqual(
    again.parts.map((one) => one.kind !== 'whole' && [one.kind, one.text]),
    [
      ['reasoning', 'hm'],
      ['text', 'Hello'],
      ['tool-call', '{"a":1}'],
    ],
  )
  assert.deepEqual([again.id, again.model, again.created, again.end?.finish, again.usage?.input], ['r1', 'mm', 7, 'tool-calls', 9])
  const list = chunks(text)
  assert.equal(new Set(list.map(({ id, created, model }) => `${id} ${created} ${model}`)).size, 1)
  assert.equal(list[0]?.choices[0]?.delta.role, 'assistant')
  assert.deepEqual(list.at(-1)?.choices, [])
  assert.ok(text.endsWith('data: [DONE]\n\n'))
})

test('events give the same bytes in one batch or one by one', () => {
  const encoder = openaiChat.streamEncoder(call(), context)
  assert.equal(rich.map((event) => encoder.push([event])).join(''), stream(rich))
})

test('nothing is said before there is something to say', () => {
  const encoder = openaiChat.streamEncoder(call(), context)
  assert.equal(encoder.push([start, usage]), '')
  assert.match(encoder.push(part(0, 'text', 'x')), /"role":"assistant"/)
})

test('usage comes only to those who asked for it', () => {
  assert.equal(stream([start, ...part(0, 'text', 'x'), usage, end], { stream_options: {} }).includes('usage'), false)
  assert.equal(whole(start, ...part(0, 'text', 'x'), end).usage, undefined, 'what nobody knows is not told')
})

test('the cost stands in the usage, as a number', () => {
  const cost = { cost: () => '0.00125' }
  const answer = openaiChat.encodeReply(fold([start, usage, end]), call(), { ...context, ...cost })
  assert.equal((answer['usage'] as JsonObject)['cost'], 0.00125)
  assert.match(stream([start, usage, end], {}, cost), /"cost":0\.00125[,}]/)
})

test('calls without arguments have none; ids are made where they are missing or taken', () => {
  const events = [start, ...toolCall(0, '', [], ''), ...toolCall(1, '', [], 'same'), ...toolCall(2, '', [], 'same'), end]
  const plain = whole(...events).choices[0]?.message.tool_calls ?? []
  const streamed = fold(decodedReply(stream(events), true)).parts
  for (const ids of [plain.map(({ id }) => id), streamed.map((one) => (one.kind === 'tool-call' ? one.id : ''))]) {
    assert.equal(new Set(ids).size, 3)
    assert.equal(ids.includes(''), false)
    assert.equal(ids[1], 'same')
  }
  assert.deepEqual(
    plain.map((one) => one.type === 'function' && one.function.arguments),
    ['{}', '{}', '{}'],
  )
  assert.deepEqual(
    streamed.map((one) => one.kind === 'tool-call' && one.text),
    ['{}', '{}', '{}'],
  )
})

test('a client of the old functions is answered in their words', () => {
  const body = { functions: [{ name: 'f0', parameters: { type: 'object' } }] }
  const events: Event[] = [start, ...toolCall(0, '{"a":1}'), { type: 'reply-end', finish: 'tool-calls' }]
  const { message, finish_reason } =
    (openaiChat.encodeReply(fold(events), call(body), context) as unknown as ChatCompletion).choices[0] ?? {}
  assert.deepEqual(
    [message?.function_call, message?.tool_calls, finish_reason],
    [{ name: 'f0', arguments: '{"a":1}' }, undefined, 'function_call'],
  )
  const deltas = chunks(stream(events, body)).map(({ choices }) => choices[0])
  assert.equal(deltas.map((one) => one?.delta.function_call?.name ?? '').join(''), 'f0')
  assert.equal(deltas.map((one) => one?.delta.function_call?.arguments ?? '').join(''), '{"a":1}')
  assert.equal(deltas.find((one) => one?.finish_reason)?.finish_reason, 'function_call')
})

test('thinking that the client excluded is not shown, but its seal is kept for the next turn', () => {
  const body = { reasoning: { effort: 'low', exclude: true } }
  const events = [
    start,
    ...part(0, 'reasoning', 'secret', [
      { type: 'part-sealed', index: 0, sealed: { vendor: 'anthropic', kind: 'signature', value: 'sig' } },
    ]),
    ...part(1, 'text', 'x'),
    end,
  ]
  for (const text of [stream(events, body), JSON.stringify(openaiChat.encodeReply(fold(events), call(body), context))]) {
    assert.equal(text.includes('secret'), false)
    assert.equal(text.includes('sig'), true)
  }
})

test('interleaved calls keep their own index', () => {
  const events: Event[] = [
    start,
    { type: 'part-start', index: 3, kind: 'tool-call', id: 'a', name: 'f' },
    { type: 'part-start', index: 5, kind: 'tool-call', id: 'b', name: 'g' },
    { type: 'text-delta', index: 3, text: '{"x"' },
    { type: 'text-delta', index: 5, text: '{}' },
    { type: 'text-delta', index: 3, text: ':1}' },
    { type: 'part-end', index: 3 },
    { type: 'part-end', index: 5 },
    end,
  ]
  const calls = fold(decodedReply(stream(events), true)).parts
  assert.deepEqual(
    calls.map((one) => one.kind === 'tool-call' && [one.id, one.text]),
    [
      ['a', '{"x":1}'],
      ['b', '{}'],
    ],
  )
})

test("what a vendor sealed comes back from the client's echo, whole and streamed", () => {
  const sealed = [
    { vendor: 'anthropic', kind: 'signature', value: 'sig' },
    { vendor: 'google', kind: 'thought-signature', value: 'gsig' },
  ] as const
  const events: Event[] = [
    start,
    ...part(0, 'reasoning', 'hm', [{ type: 'part-sealed', index: 0, sealed: sealed[0] }]),
    ...toolCall(1, '{}', [{ type: 'part-sealed', index: 1, sealed: sealed[1] }]),
    end,
  ]
  const streamed: JsonObject = { role: 'assistant', content: null, reasoning_content: '', reasoning_details: [], tool_calls: [] }
  const grown = streamed as { reasoning_content: string; reasoning_details: unknown[]; tool_calls: unknown[] }
  for (const { choices } of chunks(stream(events))) {
    const delta = (choices[0]?.delta ?? {}) as {
      reasoning_content?: string
      reasoning_details?: unknown[]
      tool_calls?: { index: number; function: { arguments?: string } }[]
    }
    grown.reasoning_content += delta.reasoning_content ?? ''
    grown.reasoning_details.push(...(delta.reasoning_details ?? []))
    for (const one of delta.tool_calls ?? [])
      if ('id' in one) grown.tool_calls.push({ ...one, function: { ...one.function, arguments: '{}' } })
  }
  for (const message of [whole(...events).choices[0]?.message as unknown as JsonObject, streamed]) {
    const [turn] = decodedCall({ messages: [message] }).messages
    assert.deepEqual(
      turn?.parts.map((one) => [one.type, one.type === 'reasoning' ? one.text : '', one.sealed]),
      [
        ['reasoning', 'hm', [sealed[0]]],
        ['tool-call', '', [sealed[1]]],
      ],
    )
  }
})

test('sealed state of every vendor survives the way through a Chat client', () => {
  for (const sealed of [
    { vendor: 'anthropic', kind: 'redacted', value: 'r' },
    { vendor: 'openai', kind: 'encrypted', value: 'e', id: 'rs_1' },
    { vendor: 'google', kind: 'thought-signature', value: 'g' },
    { vendor: 'bedrock', kind: 'signature', value: 'b' },
  ] as const) {
    const message: unknown = whole(
      start,
      ...part(0, 'reasoning', 'hm', [{ type: 'part-sealed', index: 0, sealed }]),
      ...part(1, 'text', 'x'),
      end,
    ).choices[0]?.message
    const parts: readonly Part[] = decodedCall({ messages: [message as JsonObject] }).messages[0]?.parts ?? []
    assert.deepEqual(
      parts.flatMap((one) => one.sealed ?? []),
      [sealed],
    )
    assert.equal(parts.flatMap((one) => (one.type === 'reasoning' ? [one.text] : [])).join(''), 'hm')
  }
})

test("a model's refusal is shown as one; the words of a filter are not the model's", () => {
  const refused: Event = { type: 'reply-end', finish: 'filter', raw: 'refusal', explanation: 'I will not.' }
  assert.equal(whole(start, refused).choices[0]?.message.refusal, 'I will not.')
  assert.equal(
    chunks(stream([start, refused]))
      .map(({ choices }) => choices[0]?.delta.refusal ?? '')
      .join(''),
    'I will not.',
  )
  const filtered = whole(start, { type: 'reply-end', finish: 'filter', raw: 'SAFETY', explanation: 'Blocked.' })
  assert.deepEqual([filtered.choices[0]?.message.refusal, filtered.choices[0]?.finish_reason], [null, 'content_filter'])
})

test('every finish has a word that the dialect knows', () => {
  for (const finish of ['stop', 'stop-sequence', 'length', 'tool-calls', 'filter', 'pause', 'other'] as const) {
    const reason: string | undefined = whole(start, ...part(0, 'text', 'x'), { type: 'reply-end', finish }).choices[0]?.finish_reason
    assert.ok(['stop', 'length', 'tool_calls', 'content_filter'].includes(reason ?? ''))
  }
})

test('an error after the first byte is an error frame, and nothing follows it', () => {
  const encoder = openaiChat.streamEncoder(call(), context)
  encoder.push([start, ...part(0, 'text', 'x')])
  const frame = encoder.push([{ type: 'error', error: new GatewayError('upstream-overloaded', 'busy') }, end])
  assert.deepEqual(JSON.parse(frame.slice(6)), { error: { message: 'busy', type: 'server_error', param: null, code: 'overloaded' } })
  assert.equal(encoder.push([end]), '')
})

test('an error before the first byte has its code, its path and a type', () => {
  const error = new GatewayError('invalid-request', 'must be a string', { path: 'messages[0].content' })
  assert.deepEqual(openaiChat.encodeError(error, 'req_1'), {
    error: { message: 'must be a string', type: 'invalid_request_error', param: 'messages[0].content', code: 'invalid_request' },
  })
})

test('sound and pictures find their place', () => {
  const audio: Event = {
    type: 'part-whole',
    index: 1,
    part: {
      type: 'media',
      kind: 'audio',
      path: '',
      source: { type: 'base64', data: 'AAAA', mime: 'audio/wav' },
      extras: { id: 'a1', transcript: 'Hi', expires_at: 9 },
    },
  }
  const image: Event = {
    type: 'part-whole',
    index: 2,
    part: { type: 'media', kind: 'image', path: '', source: { type: 'base64', data: 'BBBB', mime: 'image/png' } },
  }
  const message = whole(start, ...part(0, 'text', 'Hi'), audio, image, end).choices[0]?.message as unknown as JsonObject
  assert.deepEqual(message['audio'], { id: 'a1', data: 'AAAA', expires_at: 9, transcript: 'Hi' })
  assert.equal(message['content'], null, 'the words are the transcript')
  assert.deepEqual(message['images'], [{ type: 'image_url', image_url: { url: 'data:image/png;base64,BBBB' } }])
  const kinds = fold(decodedReply(stream([start, ...part(0, 'text', 'Hi'), audio, image, end]), true)).parts.map((one) =>
    one.kind === 'whole' ? one.part.type === 'media' && one.part.kind : one.kind,
  )
  assert.deepEqual(new Set(kinds), new Set(['text', 'audio', 'image']))
})

test('log probabilities are shown, whole and streamed', () => {
  const token = { token: 'x', logprob: -0.1, bytes: [120], top_logprobs: [] }
  const events = [start, ...part(0, 'text', 'x', [{ type: 'part-logprobs', index: 0, logprobs: [token] }]), end]
  assert.deepEqual(whole(...events).choices[0]?.logprobs, { content: [token], refusal: null })
  const [text] = fold(decodedReply(stream(events), true)).parts
  assert.deepEqual(text?.kind === 'text' && text.logprobs, [token])
})
