/** What a provider charges by the piece or the place is in the cost of a call, whatever dialect asked and however the answer came. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, suite, test } from 'node:test'
import type { Outcome } from '../src/accounting/outcome.ts'
import { createGateway, type Gateway } from '../src/create-gateway.ts'

const grounded = {
  candidates: [
    {
      index: 0,
      content: { role: 'model', parts: [{ text: 'Hi' }] },
      finishReason: 'STOP',
      groundingMetadata: { webSearchQueries: ['a', '', 'b'], groundingChunks: [{ web: { uri: 'https://a.example', title: 'A' } }] },
    },
  ],
  usageMetadata: { promptTokenCount: 1000, candidatesTokenCount: 100, totalTokenCount: 1100 },
  modelVersion: 'm',
}
const looked = {
  id: 'resp_1',
  object: 'response',
  status: 'completed',
  model: 'm',
  output: [
    { type: 'file_search_call', id: 'fs_1', status: 'completed', queries: ['a'], results: null },
    { type: 'code_interpreter_call', id: 'ci_1', status: 'completed', code: '1', container_id: 'cntr_1', outputs: [] },
    {
      type: 'message',
      id: 'msg_1',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'Hi', annotations: [] }],
    },
  ],
  usage: { input_tokens: 1000, output_tokens: 100, total_tokens: 1100 },
}
const stayed = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content: [{ type: 'text', text: 'Hi' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 1000, output_tokens: 100, inference_geo: 'us' },
}

const frames = (...events: readonly object[]): string =>
  events.map((event) => `${'type' in event ? `event: ${event.type}\n` : ''}data: ${JSON.stringify(event)}\n\n`).join('')
const { content: _content, ...opening } = stayed

const answers: Readonly<Record<string, { readonly plain: object; readonly stream: string }>> = {
  gemini: { plain: grounded, stream: frames(grounded) },
  openai: { plain: looked, stream: frames({ type: 'response.completed', response: looked }) },
  anthropic: {
    plain: stayed,
    stream: frames(
      { type: 'message_start', message: { ...opening, content: [], stop_reason: null } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 100 } },
      { type: 'message_stop' },
    ),
  },
}

const textOf = async (request: IncomingMessage): Promise<string> => {
  let text = ''
  for await (const piece of request) text += piece
  return text
}

/** A call in each dialect. */
const messages = [{ role: 'user', content: 'Hello' }]
const dialects: Readonly<Record<string, (model: string, stream: boolean) => readonly [path: string, body: object]>> = {
  chat: (model, stream) => ['/v1/chat/completions', { model, messages, stream }],
  responses: (model, stream) => ['/v1/responses', { model, input: 'Hello', stream }],
  messages: (model, stream) => ['/v1/messages', { model, messages, max_tokens: 200, stream }],
  generateContent: (model, stream) => [
    `/v1beta/models/${encodeURIComponent(model)}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] },
  ],
}

/** Model, cost in nano-dollars, and whether something in it has no price. */
const expected: readonly (readonly [model: string, arithmetic: string, nanos: bigint, estimated: boolean])[] = [
  ['by-query', '1,000 × 1 + 100 × 2 + 2 × 14 × 1,000', 29_200_000n, false],
  ['by-prompt', '1,000 × 1 + 100 × 2 + 1 × 35 × 1,000', 36_200_000n, false],
  ['unpriced-search', '1,000 × 1 + 100 × 2, and two searches', 1_200_000n, true],
  ['files-and-code', '1,000 × 1 + 100 × 2 + 1 × 2.5 × 1,000 + 1 × 30 × 1,000', 33_700_000n, false],
  ['files-alone', '1,000 × 1 + 100 × 2 + 1 × 2.5 × 1,000, and a container', 3_700_000n, true],
  ['in-the-us', '1,000 × 1.1 + 100 × 2.2', 1_320_000n, false],
]

suite('pieces and places in the cost of a call', () => {
  const outcomes: Outcome[] = []
  let gateway: Gateway | undefined
  const upstream = createServer(async (request, response) => {
    const text = await textOf(request)
    const url = request.url ?? ''
    const { plain, stream } = answers[url.split('/')[1] ?? ''] ?? { plain: {}, stream: '' }
    const streamed = url.includes('stream') || /"stream":\s*true/.test(text)
    response.setHeader('content-type', streamed ? 'text/event-stream' : 'application/json')
    response.end(streamed ? stream : JSON.stringify(plain))
  })

  before(async () => {
    upstream.listen(0, '127.0.0.1')
    await once(upstream, 'listening')
    const at = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`
    const route = (provider: string, price: object) => ({ targets: [{ provider, model: 'm', price: { input: 1, output: 2, ...price } }] })
    gateway = createGateway(
      {
        providers: {
          google: { preset: 'google', baseUrl: `${at}/gemini`, keys: ['env:KEY'] },
          openai: { preset: 'openai', baseUrl: `${at}/openai`, wire: 'openai-responses', keys: ['env:KEY'] },
          anthropic: { preset: 'anthropic', baseUrl: `${at}/anthropic`, keys: ['env:KEY'] },
        },
        models: {
          'by-query': route('google', { webSearch: 14 }),
          'by-prompt': route('google', { searchPrompt: 35 }),
          'unpriced-search': route('google', {}),
          'files-and-code': route('openai', { fileSearch: 2.5, codeRun: 30 }),
          'files-alone': route('openai', { fileSearch: 2.5 }),
          'in-the-us': route('anthropic', {}),
        },
      },
      { env: { KEY: 'k' }, sinks: [{ name: 'test', record: (outcome) => void outcomes.push(outcome) }] },
    )
  })
  after(async () => {
    await gateway?.close()
    upstream.close()
  })

  for (const [model, arithmetic, nanos, estimated] of expected)
    for (const [dialect, call] of Object.entries(dialects))
      for (const stream of [false, true])
        test(`${model} in ${dialect}${stream ? ', streamed' : ''}: ${arithmetic}`, async () => {
          const [path, body] = call(model, stream)
          const answer = await gateway!.fetch(`http://any${path}`, { method: 'POST', body: JSON.stringify(body) })
          const text = await answer.text()
          assert.equal(answer.status, 200, text)
          const outcome = outcomes.pop()
          assert.deepEqual([outcome?.cost, outcome?.costEstimated], [nanos, estimated], JSON.stringify(outcome?.usage))
        })
})
