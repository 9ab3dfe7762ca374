import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChatCompletionCreateParams } from 'openai/resources/chat/completions'
import { GatewayError } from '../../core/error.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { decodedCall, encoded } from './fixtures.ts'

const user = (content: Json): JsonObject => ({ messages: [{ role: 'user', content }] })
const partsOf = (message: JsonObject) => decodedCall({ messages: [message] }).messages[0]?.parts ?? []

test('knows every field that the SDK knows, and forgets none', () => {
  const body = {
    model: 'gpt',
    messages: [
      { role: 'developer', content: 'Be brief.' },
      {
        role: 'user',
        name: 'ann',
        content: [
          { type: 'text', text: 'Look:' },
          { type: 'image_url', image_url: { url: 'https://x/y.png', detail: 'low' } },
        ],
      },
      { role: 'assistant', content: null, tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }] },
      { role: 'tool', tool_call_id: 'c1', content: 'done' },
    ],
    max_completion_tokens: 9,
    temperature: 0.5,
    top_p: 0.9,
    stop: ['a', 'b'],
    seed: 1,
    presence_penalty: 0.1,
    frequency_penalty: 0.2,
    logit_bias: { 5: 1 },
    logprobs: true,
    top_logprobs: 3,
    n: 2,
    user: 'u1',
    safety_identifier: 's1',
    service_tier: 'flex',
    metadata: { a: 'b' },
    store: true,
    parallel_tool_calls: false,
    verbosity: 'low',
    prompt_cache_key: 'k',
    modalities: ['text'],
    reasoning_effort: 'high',
    response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' }, strict: true } },
    tools: [{ type: 'function', function: { name: 'f', description: 'd', parameters: { type: 'object' }, strict: true } }],
    tool_choice: { type: 'function', function: { name: 'f' } },
    prediction: { type: 'content', content: 'x' },
    stream: true,
    stream_options: { include_usage: true, include_obfuscation: false },
    web_search_options: { search_context_size: 'low' },
  } satisfies ChatCompletionCreateParams
  const call = decodedCall(body as unknown as JsonObject)
  assert.equal(call.reasoning?.visible, true, 'who asks for an effort wants to see the thinking')
  const { body: again, dropped } = encoded(call)
  assert.deepEqual(dropped, [])
  assert.deepEqual(again, { ...body, model: 'm' })
})

test('null is the same as absent, everywhere', () => {
  const call = decodedCall({
    ...user('Hi'),
    temperature: null,
    tools: null,
    stop: null,
    tool_choice: null,
    response_format: null,
    stream_options: null,
    reasoning_effort: null,
  })
  assert.deepEqual([call.settings, call.tools, call.extras], [{}, [], undefined])
})

const WRONG: readonly [string, JsonObject, string][] = [
  ['no messages', {}, 'messages'],
  ['messages of another type', { messages: 'Hi' }, 'messages'],
  ['no message at all', { messages: [] }, 'messages'],
  ['a message that is none', { messages: ['Hi'] }, 'messages[0]'],
  ['a role nobody has', { messages: [{ role: 'robot', content: 'x' }] }, 'messages[0].role'],
  ['a missing role', { messages: [{ content: 'x' }] }, 'messages[0].role'],
  ['a role from the prototype', { messages: [{ role: 'constructor', content: 'x' }] }, 'messages[0].role'],
  ['content of another type', user(5), 'messages[0].content'],
  ['a part of another type', user([5]), 'messages[0].content[0]'],
  ['text of another type', user([{ type: 'text', text: {} }]), 'messages[0].content[0].text'],
  ['stream as text', { ...user('x'), stream: 'true' }, 'stream'],
  ['temperature as text', { ...user('x'), temperature: '1' }, 'temperature'],
  ['a negative limit', { ...user('x'), max_tokens: -1 }, 'max_tokens'],
  ['half a token', { ...user('x'), max_tokens: 1.5 }, 'max_tokens'],
  ['a number beyond numbers', { ...user('x'), top_p: Number.POSITIVE_INFINITY }, 'top_p'],
  ['stop words that are none', { ...user('x'), stop: [1] }, 'stop[0]'],
  ['a tool without a name', { ...user('x'), tools: [{ type: 'function', function: {} }] }, 'tools[0].function.name'],
  [
    'parameters that are no schema',
    { ...user('x'), tools: [{ type: 'function', function: { name: 'f', parameters: [] } }] },
    'tools[0].function.parameters',
  ],
  [
    'a call without a name',
    { messages: [{ role: 'assistant', tool_calls: [{ id: 'a', function: {} }] }] },
    'messages[0].tool_calls[0].function.name',
  ],
  ['a picture without an address', user([{ type: 'image_url', image_url: {} }]), 'messages[0].content[0].image_url.url'],
  ['metadata as a list', { ...user('x'), metadata: [] }, 'metadata'],
]
for (const [name, body, path] of WRONG)
  test(`refuses ${name} and says where`, () => {
    assert.throws(
      () => decodedCall(body),
      (error) =>
        error instanceof GatewayError &&
        error.id === 'invalid-request' &&
        error.path === path &&
        error.message.includes(path.split(/[.[]/)[0] ?? ''),
    )
  })

test('unknown fields are never an error, and stay with what they stood on', () => {
  const call = decodedCall({
    messages: [{ role: 'user', content: [{ type: 'text', text: 'x', odd: 1 }], strange: true }],
    venice_parameters: { a: 1 },
    signalbox: { cache: 'off' },
  })
  assert.deepEqual(call.extras, { venice_parameters: { a: 1 } }, 'what steers the gateway is not for providers')
  assert.deepEqual(call.messages[0]?.extras, { strange: true })
  assert.deepEqual(call.messages[0]?.parts[0]?.extras, { odd: 1 })
})

test('hostile member names are data like others', () => {
  const body: JsonObject = JSON.parse('{"messages":[{"role":"user","content":"x"}],"__proto__":{"model":"evil"},"constructor":{"a":1}}')
  const call = decodedCall(body)
  assert.deepEqual(Object.keys(call.extras ?? {}).sort(), ['__proto__', 'constructor'])
  assert.equal(Object.getPrototypeOf(call.extras), Object.prototype)
  assert.deepEqual(JSON.parse(JSON.stringify(encoded(call).body)), JSON.parse(JSON.stringify({ model: 'm', ...body })))
})

test('media in every form that clients write', () => {
  const sources = decodedCall(
    user([
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
      { type: 'image_url', image_url: 'https://x/y.png' },
      { type: 'input_audio', input_audio: { data: 'BBBB', format: 'mp3' } },
      { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,CCCC' } },
      { type: 'file', file: { file_id: 'file-1' } },
      { type: 'document_url', document_url: 'https://x/z.pdf' },
      { type: 'video_url', video_url: { url: 'https://x/v.mp4' } },
      { type: 'image', source: { type: 'base64', media_type: 'image/gif', data: 'DDDD' } },
      { type: 'input_image', image_url: 'https://x/w.png', detail: 'high' },
      { type: 'file', file: { file_data: 'data:text/plain,a%20b' } },
    ]),
  ).messages[0]?.parts.map((part) => part.type === 'media' && [part.kind, part.source])
  assert.deepEqual(sources, [
    ['image', { type: 'base64', data: 'AAAA', mime: 'image/png' }],
    ['image', { type: 'url', url: 'https://x/y.png' }],
    ['audio', { type: 'base64', data: 'BBBB', mime: 'audio/mpeg' }],
    ['document', { type: 'base64', data: 'CCCC', mime: 'application/pdf' }],
    ['document', { type: 'file', id: 'file-1' }],
    ['document', { type: 'url', url: 'https://x/z.pdf' }],
    ['video', { type: 'url', url: 'https://x/v.mp4' }],
    ['image', { type: 'base64', data: 'DDDD', mime: 'image/gif' }],
    ['image', { type: 'url', url: 'https://x/w.png' }],
    ['document', { type: 'text', text: 'a b', mime: 'text/plain' }],
  ])
})

test("blocks and tools of Anthropic, which some editors put into Chat's messages", () => {
  const call = decodedCall({
    messages: [
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'ok' },
          { type: 'tool_use', id: 't1', name: 'f', input: { a: 1 } },
        ],
      },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: 'broke', is_error: true }] },
    ],
    tools: [{ name: 'f', description: 'd', input_schema: { type: 'object' } }],
    tool_choice: { type: 'any', disable_parallel_tool_use: true },
  })
  assert.deepEqual(
    call.messages.flatMap(({ parts }) => parts.map(({ type }) => type)),
    ['text', 'tool-call', 'tool-result'],
  )
  assert.deepEqual(
    call.tools.map((tool) => tool.type === 'function' && [tool.name, tool.schema]),
    [['f', { type: 'object' }]],
  )
  assert.deepEqual([call.toolChoice?.type, call.settings.parallelTools], ['required', false])
  const { body } = encoded(call)
  assert.deepEqual(
    (body['messages'] as JsonObject[]).map(({ role }) => role),
    ['assistant', 'tool'],
  )
})

test('a body of Responses on this path is read as what it is', () => {
  const call = decodedCall({
    input: 'Hi',
    instructions: 'Be brief.',
    stream: true,
    stream_options: { include_usage: true },
    tools: [{ type: 'function', name: 'f', parameters: { type: 'object' } }],
  })
  assert.deepEqual([call.wire, call.stream, call.streamUsage], ['openai-responses', true, true])
  assert.deepEqual(
    call.messages.map(({ role }) => role),
    ['system', 'user'],
  )
})

test('thinking comes back under every name a client may echo it', () => {
  for (const echo of [
    { reasoning_content: 'hm' },
    { reasoning: 'hm' },
    { reasoning_content: 'hm', reasoning: 'hm' },
    { reasoning_details: [{ type: 'reasoning.text', text: 'hm' }] },
    { reasoning: 'hm', reasoning_details: [{ type: 'reasoning.text', text: 'hm', signature: 's', format: 'anthropic-claude-v1' }] },
    { reasoning_content: 'hm', reasoning_details: [{ type: 'reasoning.encrypted', data: 'e', id: 'rs_1', format: 'openai-responses-v1' }] },
    { thinking_blocks: [{ type: 'thinking', thinking: 'hm', signature: 's' }] },
    { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }] },
  ] satisfies JsonObject[]) {
    const thoughts = partsOf({ role: 'assistant', content: 'x', ...echo }).filter((part) => part.type === 'reasoning')
    assert.equal(thoughts.map((part) => part.type === 'reasoning' && part.text).join(''), 'hm', JSON.stringify(echo))
  }
})

test('only the vendor of a format may open its seal; unknown formats are left to their host', () => {
  const sealed = (format: string | null, member = 'signature') =>
    partsOf({ role: 'assistant', content: 'x', reasoning_details: [{ type: 'reasoning.text', text: 'a', [member]: 'v', format }] }).flatMap(
      (part) => part.sealed ?? [],
    )
  assert.deepEqual(sealed('anthropic-claude-v1'), [{ vendor: 'anthropic', kind: 'signature', value: 'v' }])
  assert.deepEqual(sealed('google-gemini-v1', 'data'), [{ vendor: 'google', kind: 'thought-signature', value: 'v' }])
  assert.equal(sealed('xai-responses-v1', 'data')[0]?.vendor, 'openrouter')
  assert.equal(sealed(null)[0]?.vendor, 'openrouter')
})

for (const [body, wish] of [
  [{ reasoning_effort: 'none' }, { path: 'reasoning_effort', effort: 'none', on: false }],
  [{ reasoning_effort: 'default' }, { path: 'reasoning_effort', on: true, visible: true }],
  [{ thinking: { type: 'disabled' } }, { path: 'thinking', on: false }],
  [{ thinking: { type: 'enabled', budget_tokens: 2000 } }, { path: 'thinking', on: true, budget: 2000, visible: true }],
  [
    { enable_thinking: true, thinking_budget: 50 },
    { path: 'enable_thinking', on: true, budget: 50, visible: true },
  ],
  [{ reasoning: { max_tokens: 0 } }, { path: 'reasoning', budget: 0, on: false }],
  [{ reasoning: { effort: 'low', exclude: true } }, { path: 'reasoning', effort: 'low', visible: false, extras: { exclude: true } }],
] as const)
  test(`understands ${JSON.stringify(body)}`, () => assert.deepEqual(decodedCall({ ...user('x'), ...body }).reasoning, wish))

test('a level that nobody knows stays with its host', () => {
  assert.deepEqual(decodedCall({ ...user('x'), reasoning_effort: 'turbo' }).extras, { reasoning_effort: 'turbo' })
})

test('two names for one value: the first counts, the other is kept when it says something else', () => {
  const same = decodedCall({ ...user('x'), max_tokens: 5, max_completion_tokens: 5 })
  assert.deepEqual([same.settings.maxTokens, same.extras], [5, undefined])
  const other = decodedCall({ ...user('x'), max_tokens: 5, max_completion_tokens: 6 })
  assert.deepEqual([other.settings.maxTokens, other.paths.maxTokens, other.extras], [6, 'max_completion_tokens', { max_tokens: 5 }])
})
