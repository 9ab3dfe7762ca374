import assert from 'node:assert/strict'
import { test } from 'node:test'
import OpenAI from 'openai'
import { GatewayError } from '../../core/error.ts'
import type { Event } from '../../core/event.ts'
import { fold } from '../../core/fold.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import type { Target } from '../../core/target.ts'
import { openaiResponses } from './wire.ts'

const target: Target = { provider: 'p', model: 'm', wire: 'openai-responses', capabilities: {}, quirks: {} }
const context = { id: 'req_1', model: 'm', created: 1_790_000_000, cost: () => '0.25' }
const call = openaiResponses.decodeCall({ model: 'm', input: 'Hi', instructions: 'Be brief.', temperature: 0.5, metadata: { a: 'b' } }, {})

function decode(body: string, streamed: boolean): Event[] {
  const decoder = openaiResponses.replyDecoder({ streamed, target })
  return [...decoder.push(new TextEncoder().encode(body)), ...decoder.end()]
}
const stream = (events: readonly Event[], body: JsonObject = {}): string =>
  openaiResponses
    .streamEncoder(Object.keys(body).length ? openaiResponses.decodeCall({ model: 'm', input: 'Hi', ...body }, {}) : call, context)
    .push(events)
const sse = (events: readonly JsonObject[]): string => events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
const objectAt = (object: JsonObject | undefined, key: string): JsonObject => {
  const value = object?.[key]
  assert.ok(isObject(value), key)
  return value
}
const framesOf = (text: string): JsonObject[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line.slice(6)))

const events: readonly Event[] = [
  { type: 'reply-start', id: 'msg_a', model: 'claude', created: 1_790_000_001 },
  { type: 'part-start', index: 0, kind: 'reasoning' },
  { type: 'text-delta', index: 0, text: 'Let me ' },
  { type: 'text-delta', index: 0, text: 'think.' },
  { type: 'part-sealed', index: 0, sealed: { vendor: 'anthropic', kind: 'signature', value: 'sig.na.ture' } },
  { type: 'part-end', index: 0 },
  { type: 'part-start', index: 1, kind: 'text' },
  { type: 'text-delta', index: 1, text: 'It is "sunny" ☀' },
  { type: 'part-citation', index: 1, citation: { url: 'https://x.test', title: 'X' } },
  { type: 'part-end', index: 1 },
  { type: 'part-start', index: 2, kind: 'tool-call', id: 'toolu_1', name: 'add' },
  { type: 'part-start', index: 3, kind: 'tool-call', id: '', name: 'now' },
  { type: 'text-delta', index: 2, text: '{"a":' },
  { type: 'part-end', index: 3 },
  { type: 'text-delta', index: 2, text: '1}' },
  { type: 'part-sealed', index: 2, sealed: { vendor: 'google', kind: 'thought-signature', value: 'AAEC' } },
  { type: 'part-end', index: 2 },
  { type: 'usage', usage: { input: 12, output: 7, cacheRead: 4, reasoning: 3 } },
  { type: 'reply-end', finish: 'tool-calls' },
]

/** The SDK's own strict reader over these bytes. */
async function readBySdk(body: string) {
  const client = new OpenAI({
    apiKey: 'x',
    maxRetries: 0,
    fetch: async () => new Response(body, { headers: { 'content-type': 'text/event-stream' } }),
  })
  return client.responses.stream({ model: 'm', input: 'Hi' }).finalResponse()
}

const lastOf = (body: string): JsonObject => objectAt(framesOf(body).at(-1), 'response')

test("a streamed reply passes the SDK's strict reader, and says the same as the plain one", async () => {
  const unsealed = events.filter((event) => event.type !== 'part-sealed' || event.index === 0)
  const body = stream(unsealed)
  const read = await readBySdk(body)
  assert.equal(read.output_text, 'It is "sunny" ☀')
  assert.equal(read.id, 'resp_msg_a')
  const [streamed, plain] = [lastOf(body), openaiResponses.encodeReply(fold(unsealed), call, context)]
  // Ids that the gateway makes up differ.
  const bare = (response: JsonObject): string => JSON.stringify(response).replace(/"(?:msg|rs|fc|call)_sbx\w+"/g, '"made"')
  assert.deepEqual(JSON.parse(bare(streamed)), JSON.parse(bare(plain)))
  assert.equal(read.output.length, plain['output'] && Array.isArray(plain['output']) ? plain['output'].length : 0)
  assert.deepEqual(plain['usage'], {
    input_tokens: 12,
    input_tokens_details: { cached_tokens: 4 },
    output_tokens: 7,
    output_tokens_details: { reasoning_tokens: 3 },
    total_tokens: 19,
    cost: 0.25,
  })
  for (const [member, said] of Object.entries({
    instructions: 'Be brief.',
    temperature: 0.5,
    metadata: { a: 'b' },
    tool_choice: 'auto',
    tools: [],
  }))
    assert.deepEqual(plain[member], said, member)
})

test('what others sealed comes back with the next turn: on thoughts, and on the call that carried it', () => {
  for (const { output } of [openaiResponses.encodeReply(fold(events), call, context), lastOf(stream(events))]) {
    const next = openaiResponses.decodeCall({ model: 'm', input: output ?? null }, {})
    assert.deepEqual(
      next.messages.flatMap((message) => message.parts).map((part) => [part.type, part.sealed]),
      [
        ['reasoning', [{ vendor: 'anthropic', kind: 'signature', value: 'sig.na.ture' }]],
        ['text', undefined],
        ['tool-call', [{ vendor: 'google', kind: 'thought-signature', value: 'AAEC' }]],
        ['tool-call', undefined],
      ],
    )
  }
})

test('numbers grow by one, items open and close once, and a call without arguments says an object', () => {
  const frames = framesOf(stream(events))
  assert.deepEqual(
    frames.map((frame) => frame['sequence_number']),
    frames.map((_, index) => index),
  )
  const count = (type: string): number => frames.filter((frame) => frame['type'] === type).length
  assert.equal(count('response.output_item.added'), count('response.output_item.done'))
  const last = objectAt(frames.at(-1), 'response')
  const calls = (last['output'] as JsonObject[]).filter(({ type }) => type === 'function_call')
  assert.deepEqual(
    calls.map((item) => item['arguments']),
    ['{"a":1}', '{}'],
  )
})

test('an error in a stream is told twice, as SDKs and as agents read it, and nothing follows', () => {
  const error = new GatewayError('upstream-rate-limited', 'Slow down.', { retryAfterMs: 2500 })
  const encoder = openaiResponses.streamEncoder(call, context)
  const frames = framesOf(
    encoder.push([...events.slice(0, 8), { type: 'error', error }]) + encoder.push([{ type: 'reply-end', finish: 'stop' }]),
  )
  assert.deepEqual(
    frames.slice(-2).map(({ type }) => type),
    ['error', 'response.failed'],
  )
  const failed = objectAt(frames.at(-1), 'response')
  assert.equal(failed['status'], 'failed')
  assert.deepEqual(failed['error'], { code: 'rate_limit_exceeded', message: 'Slow down. Please try again in 2.5s.' })
  assert.equal(objectAt(frames.at(-2), 'error')['code'], 'rate_limited')
  assert.equal(failed['id'], objectAt(frames[0], 'response')['id'])
})

test('codes of a failure are those that agents act on', () => {
  const codeOf = (error: GatewayError): unknown => {
    const [, failed] = framesOf(openaiResponses.encodeStreamError(error, 'req_9'))
    return objectAt(objectAt(failed, 'response'), 'error')['code']
  }
  assert.equal(codeOf(new GatewayError('upstream-rejected', 'maximum context length is 8192 tokens')), 'context_length_exceeded')
  assert.equal(codeOf(new GatewayError('budget-exceeded', 'No money.')), 'insufficient_quota')
  assert.equal(codeOf(new GatewayError('upstream-overloaded', 'Busy.')), 'server_is_overloaded')
  assert.equal(codeOf(new GatewayError('upstream-invalid', 'Cut.')), 'server_error')
  assert.equal(codeOf(new GatewayError('guard-blocked', 'No.')), 'invalid_prompt')
})

test('a refusal that was only explained is a refusal, and the response is incomplete', async () => {
  const blocked: readonly Event[] = [{ type: 'reply-start' }, { type: 'reply-end', finish: 'filter', explanation: 'Not that.' }]
  const streamed = framesOf(stream(blocked)).at(-1)
  assert.equal(streamed?.['type'], 'response.incomplete')
  const plain = openaiResponses.encodeReply(fold(blocked), call, context)
  for (const response of [objectAt(streamed, 'response'), plain]) {
    assert.deepEqual(response['incomplete_details'], { reason: 'content_filter' })
    assert.deepEqual((response['output'] as JsonObject[])[0]?.['content'], [{ type: 'refusal', refusal: 'Not that.' }])
  }
})

test('thoughts are summaries for who asked for summaries', () => {
  const kinds = (body: JsonObject): unknown[] => framesOf(stream(events.slice(0, 6), body)).map(({ type }) => type)
  assert.ok(kinds({ reasoning: { summary: 'auto' } }).includes('response.reasoning_summary_text.delta'))
  assert.ok(kinds({ store: false }).includes('response.reasoning_text.delta'))
})

const message = (text: string): JsonObject => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  content: [{ type: 'output_text', text, annotations: [] }],
})

test('what a stream leaves out is taken from its last event', () => {
  const response = { id: 'resp_1', status: 'completed', output: [message('All of it.')], usage: { input_tokens: 1, output_tokens: 2 } }
  const reply = fold(decode(sse([{ type: 'response.completed', response }]), true))
  assert.equal(reply.parts[0]?.kind === 'text' && reply.parts[0].text, 'All of it.')
  assert.equal(reply.end?.finish, 'stop')
})

test('deltas without an opening, counted otherwise, or without names of events are read all the same', () => {
  const reply = fold(
    decode(
      `: keep-alive\n\n${sse([
        { type: 'response.output_text.delta', output_index: 0, content_index: 1, item_id: 'msg_1', delta: 'All ' },
        { type: 'response.output_text.delta', output_index: 0, content_index: 1, item_id: 'msg_1', delta: 'of it.' },
        { type: 'response.output_item.done', output_index: 0, item: message('All of it.') },
        { type: 'response.completed', response: { id: 'resp_1', output: [message('All of it.')] } },
      ])}data: [DONE]\n\n`,
      true,
    ),
  )
  assert.deepEqual(
    reply.parts.map((part) => part.kind === 'text' && part.text),
    ['All of it.'],
  )
})

test('an answer in the other form than asked is read', () => {
  const plain = JSON.stringify({ id: 'resp_1', status: 'completed', output: [message('Hello.')] })
  assert.equal(fold(decode(` \n${plain}`, true)).end?.finish, 'stop')
  const streamed = sse([{ type: 'response.completed', response: JSON.parse(plain) }])
  assert.equal(fold(decode(streamed, false)).end?.finish, 'stop')
})

test('usage that some hosts count outside the totals is brought in', () => {
  const usage = (said: JsonObject) => fold(decode(JSON.stringify({ status: 'completed', output: [], usage: said }), false)).usage
  assert.equal(usage({ input_tokens: 5, output_tokens: 1, input_tokens_details: { cached_tokens: 100 } })?.input, 105)
  assert.equal(usage({ input_tokens: 5, output_tokens: 1, output_tokens_details: { reasoning_tokens: 9 } })?.output, 10)
  assert.equal(usage({ input_tokens: 1, output_tokens: 1, cost_in_usd_ticks: 25_000_000 })?.providerCost, 0.0025)
})

test('errors in any form are errors with the words of the provider', () => {
  const bodies: readonly (readonly [string, string, RegExp])[] = [
    [sse([{ type: 'error', error: { code: 'insufficient_quota', message: 'No quota.' } }]), 'upstream-rate-limited', /No quota/],
    [
      sse([{ type: 'response.failed', response: { status: 'failed', error: { code: 'server_error', message: 'Broke.' } } }]),
      'upstream-failed',
      /Broke/,
    ],
    [JSON.stringify({ error: { type: 'invalid_request_error', message: 'Bad.' } }), 'upstream-rejected', /Bad/],
    ['<html><title>502 Bad Gateway</title></html>', 'upstream-invalid', /502 Bad Gateway/],
    ['', 'upstream-invalid', /ended/],
    [sse([{ type: 'response.created', response: { id: 'resp_1' } }]), 'upstream-invalid', /ended/],
  ]
  for (const [body, id, words] of bodies) {
    const last = decode(body, true).at(-1)
    assert.equal(last?.type, 'error', body)
    assert.equal(last?.type === 'error' && last.error.id, id, body)
    assert.match(last?.type === 'error' ? last.error.message : '', words)
  }
})

test('a whole answer is summed up, and one that is none is refused', () => {
  const answer = {
    id: 'resp_1',
    model: 'm',
    status: 'incomplete',
    incomplete_details: { reason: 'max_output_tokens' },
    output: [message('Hello.')],
  }
  assert.deepEqual(openaiResponses.summarize(answer, target), { id: 'resp_1', model: 'm', finish: 'length', outputs: 1, characters: 6 })
  for (const body of [
    [],
    { object: 'chat.completion', choices: [] },
    { status: 'failed', error: { message: 'No.' }, output: [] },
    { detail: 'Gone.' },
  ])
    assert.throws(() => openaiResponses.summarize(body, target), GatewayError, JSON.stringify(body))
})

test('an untouched stream is watched to its end, and missed when it is cut', () => {
  const body = new TextEncoder().encode(stream(events))
  const whole = openaiResponses.streamTap(target, {})
  const passed = [whole.push(body), whole.end()].filter((bytes) => bytes !== undefined)
  assert.equal(Buffer.concat(passed).compare(body), 0)
  assert.ok(whole.finished && !whole.error)
  assert.deepEqual([whole.summary.finish, whole.summary.usage?.input, whole.summary.usage?.providerCost], ['tool-calls', 12, 0.25])
  const cut = openaiResponses.streamTap(target, {})
  cut.push(body.subarray(0, body.length / 2))
  cut.end()
  assert.equal(cut.error?.id, 'upstream-invalid')
})

test('a stream has not begun before its first output', () => {
  const tap = openaiResponses.streamTap(target, {})
  const response = { id: 'resp_1', status: 'in_progress', output: [] }
  tap.push(
    new TextEncoder().encode(
      sse([
        { type: 'response.created', response },
        { type: 'response.in_progress', response },
      ]),
    ),
  )
  assert.equal(tap.started, false)
  tap.push(new TextEncoder().encode(sse([{ type: 'response.output_text.delta', delta: 'a' }])))
  assert.equal(tap.started, true)
})
