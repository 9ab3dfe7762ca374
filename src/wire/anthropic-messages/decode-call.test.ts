import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MessageCreateParamsNonStreaming } from '@anthropic-ai/sdk/resources/messages'
import { GatewayError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import { Notes } from '../../core/notes.ts'
import { targetOf } from './fixtures.ts'
import { anthropicMessages } from './wire.ts'

const decode = (body: object, version?: string) => anthropicMessages.decodeCall(body as JsonObject, { version })
const minimal = { model: 'route', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] }

function faultOf(body: object, version?: string): string {
  try {
    decode(body, version)
  } catch (error) {
    assert.ok(error instanceof GatewayError)
    assert.equal(error.id, 'invalid-request')
    return `${error.path}: ${error.message}`
  }
  return 'none'
}

test('every single value becomes a setting with its path', () => {
  const call = decode({
    ...minimal,
    temperature: 0.5,
    top_p: 0.9,
    top_k: 3,
    stop_sequences: ['END'],
    metadata: { user_id: 'u' },
    service_tier: 'auto',
    tool_choice: { type: 'any', disable_parallel_tool_use: true },
  })
  assert.deepEqual(call.settings, {
    maxTokens: 9,
    temperature: 0.5,
    topP: 0.9,
    topK: 3,
    stop: ['END'],
    user: 'u',
    serviceTier: 'auto',
    parallelTools: false,
  })
  assert.equal(call.paths.stop, 'stop_sequences')
  assert.equal(call.paths.user, 'metadata.user_id')
  assert.deepEqual(call.toolChoice, { type: 'required', path: 'tool_choice' })
})

test('sampling is refused under the newer API version and taken under the older', () => {
  assert.equal(decode({ ...minimal, temperature: 0.5 }, '2023-06-01').settings.temperature, 0.5)
  for (const name of ['temperature', 'top_p', 'top_k'])
    assert.equal(faultOf({ ...minimal, [name]: 1 }, '2026-10-21'), `${name}: Extra inputs are not permitted`)
  assert.equal(faultOf({ ...minimal, temperature: null }, '2026-10-21'), 'none')
})

test('the newer API version refuses documents of the assistant and citations of the user', () => {
  const document = { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'words' } }
  const body = (role: string, block: object) => ({ ...minimal, messages: [{ role, content: [block] }] })
  assert.match(faultOf(body('assistant', document), '2026-10-21'), /^messages\[0\]\.content\[0\]/)
  assert.equal(faultOf(body('assistant', document)), 'none')
  const cited = { type: 'text', text: 'x', citations: [{ type: 'char_location', cited_text: 'x' }] }
  assert.match(faultOf(body('user', cited), '2026-10-21'), /^messages\[0\]\.content\[0\]\.citations/)
  assert.equal(faultOf(body('user', cited)), 'none')
})

for (const [what, body, path] of [
  ['no messages', { model: 'm' }, 'messages'],
  ['an empty list of messages', { model: 'm', messages: [] }, 'messages'],
  ['a role of another dialect', { ...minimal, messages: [{ role: 'developer', content: 'x' }] }, 'messages[0].role'],
  ['content that is a number', { ...minimal, messages: [{ role: 'user', content: 1 }] }, 'messages[0].content'],
  ['a text block without text', { ...minimal, messages: [{ role: 'user', content: [{ type: 'text' }] }] }, 'messages[0].content[0].text'],
  ['a negative limit', { ...minimal, max_tokens: -1 }, 'max_tokens'],
  ['a number too large for JSON', { ...minimal, temperature: Number.POSITIVE_INFINITY }, 'temperature'],
  ['a stream switch in quotes', { ...minimal, stream: 'true' }, 'stream'],
  ['a tool without a name', { ...minimal, tools: [{ input_schema: {} }] }, 'tools[0].name'],
  ['a choice of no known kind', { ...minimal, tool_choice: { type: 'required' } }, 'tool_choice.type'],
  [
    'a call whose input is a text',
    { ...minimal, messages: [{ role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'b', input: 'c' }] }] },
    'messages[0].content[0].input',
  ],
] as const)
  test(`${what} is refused with its path`, () => assert.ok(faultOf(body).startsWith(`${path}: `), faultOf(body)))

test('null means absent', () => {
  const call = decode({ ...minimal, temperature: null, tools: null, system: null, thinking: null, stream: null, metadata: null })
  assert.equal(call.extras, undefined)
  assert.deepEqual(call.settings, { maxTokens: 9 })
})

test('what nobody understands is kept beside the node it stood in', () => {
  const call = decode({
    ...minimal,
    container: 'c1',
    output_config: { effort: 'high', task_budget: { total: 5 } },
    metadata: { user_id: 'u', team: 't' },
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi', novel: 1 }], clear_at: 'x' }],
  })
  assert.deepEqual(call.extras, { container: 'c1', output_config: { task_budget: { total: 5 } }, metadata: { team: 't' } })
  assert.deepEqual(call.messages[0]?.extras, { clear_at: 'x' })
  assert.deepEqual(call.messages[0]?.parts[0]?.extras, { novel: 1 })
  assert.equal(call.reasoning?.effort, 'high')
})

test('what stands beside a schema or a document is kept and returns', () => {
  const format = { type: 'json_schema', schema: { type: 'object' }, novel: 1 }
  const document = { type: 'document', novel: 2, source: { type: 'content', content: 'words' } }
  const body = {
    ...minimal,
    output_config: { format },
    thinking: { type: 'disabled', novel: 3 },
    messages: [{ role: 'user', content: [document] }],
  }
  const call = decode(body)
  assert.deepEqual(call.extras, { output_config: { format: { novel: 1 } } })
  assert.deepEqual(call.messages[0]?.parts[0]?.extras, { novel: 2 })
  const back = anthropicMessages.encodeCall(call, targetOf(), new Notes()).body
  assert.deepEqual(back['output_config'], { format })
  assert.deepEqual(back['thinking'], body.thinking)
  assert.deepEqual((back['messages'] as unknown as JsonObject[])[0]?.['content'], [document])
})

test('members named like the prototype stay data', () => {
  const body = JSON.parse(
    '{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}],"__proto__":{"polluted":true}}',
  ) as JsonObject
  const call = decode(body)
  assert.ok(Object.hasOwn(call.extras ?? {}, '__proto__'))
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
})

test('signatures of other vendors are found in the carrier', () => {
  const blocks = [
    { type: 'thinking', thinking: 'hm', signature: 'sbx1.openai.encrypted.rs_1.abc' },
    { type: 'thinking', thinking: '', signature: 'sbx1.google.thought-signature..sig' },
    { type: 'tool_use', id: 't', name: 'f', input: {} },
    { type: 'thinking', thinking: 'own', signature: 'genuine' },
  ]
  const [thought, call, own] = decode({ ...minimal, messages: [{ role: 'assistant', content: blocks }] }).messages[0]?.parts ?? []
  assert.deepEqual(thought?.sealed, [{ vendor: 'openai', kind: 'encrypted', id: 'rs_1', value: 'abc' }])
  assert.equal(call?.type, 'tool-call')
  assert.deepEqual(call?.sealed, [{ vendor: 'google', kind: 'thought-signature', value: 'sig' }])
  assert.deepEqual(own?.sealed, [{ vendor: 'anthropic', kind: 'signature', value: 'genuine' }])
})

test('blocks made of texts are texts to other vendors and themselves to their own', () => {
  const blocks = [
    { type: 'search_result', source: 'https://a.example', title: 'A', content: [{ type: 'text', text: 'found words' }] },
    {
      type: 'document',
      title: 'D',
      source: {
        type: 'content',
        content: [
          { type: 'text', text: 'first' },
          { type: 'text', text: 'second' },
        ],
      },
    },
  ]
  const body = { ...minimal, messages: [{ role: 'user', content: blocks }] }
  const call = decode(body)
  assert.deepEqual(
    call.messages[0]?.parts.map((part) => part.type === 'text' && part.text),
    ['A\nhttps://a.example\n\nfound words', 'D\n\nfirst\nsecond'],
  )
  const back = anthropicMessages.encodeCall(call, targetOf(), new Notes())
  assert.deepEqual((back.body['messages'] as unknown as JsonObject[])[0]?.['content'], blocks)
})

test('a full body of the SDK comes back as it was', () => {
  const body = {
    model: 'claude-test',
    max_tokens: 2000,
    system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral', ttl: '1h' } }],
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look' },
          { type: 'image', source: { type: 'url', url: 'https://a.example/a.png' } },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hm', signature: 'sig' },
          { type: 'redacted_thinking', data: 'opaque' },
          { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'q' } },
          { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] },
          { type: 'tool_use', id: 'toolu_1', name: 'look', input: { at: 1 }, caller: { type: 'direct' } },
        ],
      },
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: 'toolu_1', is_error: false, content: [{ type: 'text', text: 'seen' }] }],
      },
      { role: 'system', content: 'Mind the budget.' },
      { role: 'assistant', content: 'Well' },
    ],
    tools: [
      {
        name: 'look',
        description: 'Looks.',
        input_schema: { type: 'object', anyOf: [{ required: ['at'] }] },
        strict: true,
        defer_loading: true,
      },
      { type: 'web_search_20250305', name: 'web_search', max_uses: 2 },
    ],
    tool_choice: { type: 'auto', disable_parallel_tool_use: false },
    thinking: { type: 'adaptive', display: 'summarized' },
    output_config: {
      effort: 'max',
      format: { type: 'json_schema', schema: { type: 'object', properties: { a: { type: 'number', minimum: 1 } } } },
    },
    metadata: { user_id: 'u' },
    stop_sequences: ['END'],
    service_tier: 'standard_only',
    cache_control: { type: 'ephemeral' },
    inference_geo: 'eu',
  } satisfies MessageCreateParamsNonStreaming
  // The SDK is of the newer API version, which has no sampling.
  Object.assign(body, { temperature: 0.3, top_p: 0.9, top_k: 4 })
  const notes = new Notes()
  const { body: back } = anthropicMessages.encodeCall(decode(body), targetOf(), notes)
  assert.deepEqual(JSON.parse(JSON.stringify(back)), body)
  assert.deepEqual(notes.drops, [])
})
