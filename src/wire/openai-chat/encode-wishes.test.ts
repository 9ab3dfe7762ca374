import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChatCall, Message, Part } from '../../core/call.ts'
import { callsIn, decodedCall, encoded, foreignCall, messagesOf, result, targetWith, text, tool, toolCall, turn } from './fixtures.ts'

test('the choice among tools', () => {
  const choose = (toolChoice: ChatCall['toolChoice'], target = targetWith()) =>
    encoded(foreignCall({ tools: [tool, { ...tool, name: 'g', path: 'tools[1]' }], ...(toolChoice && { toolChoice }) }), target)
  assert.deepEqual(choose({ type: 'named', name: 'g', path: 'c' }).body['tool_choice'], { type: 'function', function: { name: 'g' } })
  assert.equal(choose({ type: 'required', path: 'c' }, targetWith({ toolChoiceRequired: 'any' })).body['tool_choice'], 'any')
  const soft = choose({ type: 'named', name: 'g', path: 'c' }, targetWith({}, { forcedToolChoice: false }))
  assert.deepEqual([soft.body['tool_choice'], (soft.body['tools'] as Json[]).length, soft.dropped], ['auto', 1, ['c', 'tools[0]']])
  const allowed = choose({ type: 'allowed', names: ['g'], required: false, path: 'c' })
  assert.deepEqual([allowed.body['tool_choice'], (allowed.body['tools'] as Json[]).length, allowed.dropped], ['auto', 1, ['c', 'tools[0]']])
  assert.equal(encoded(foreignCall({ toolChoice: { type: 'auto', path: 'c' } })).body['tool_choice'], undefined, 'no choice without tools')
})
type Json = unknown

test('the format of the answer', () => {
  const schema = { type: 'object', properties: {} }
  const wish = { type: 'schema', schema, path: 'output_config.format' } as const
  assert.deepEqual(encoded(foreignCall({ format: wish })).body['response_format'], {
    type: 'json_schema',
    json_schema: { name: 'answer', schema },
  })
  const poor = encoded(foreignCall({ format: wish }), targetWith({ noJsonSchema: true }))
  assert.deepEqual([poor.body['response_format'], poor.dropped], [{ type: 'json_object' }, ['output_config.format']])
  assert.ok(JSON.stringify(poor.body['messages']).includes(JSON.stringify(JSON.stringify(schema)).slice(1, -1)))
  const json = encoded(foreignCall({ format: { type: 'json', path: 'f' } }))
  assert.match(JSON.stringify(json.body['messages']), /JSON/, 'OpenAI refuses the format unless somebody speaks of JSON')
})

for (const [name, quirks, wish, fields, capabilities] of [
  ['OpenAI', {}, { effort: 'high' }, { reasoning_effort: 'high' }, {}],
  ['OpenAI, from a budget', {}, { on: true, budget: 4000 }, { reasoning_effort: 'medium' }, {}],
  ['a host with its own words', { efforts: { minimal: 'low', xhigh: 'max' } }, { effort: 'xhigh' }, { reasoning_effort: 'max' }, {}],
  ['a model with few levels', {}, { effort: 'max' }, { reasoning_effort: 'high' }, { efforts: ['low', 'high'] }],
  [
    'DeepSeek',
    { reasoningStyle: 'thinking-type', efforts: { medium: 'high' } },
    { effort: 'medium' },
    { thinking: { type: 'enabled' }, reasoning_effort: 'high' },
    {},
  ],
  ['DeepSeek, off', { reasoningStyle: 'thinking-type' }, { effort: 'none', on: false }, { thinking: { type: 'disabled' } }, {}],
  ['Qwen', { reasoningStyle: 'enable-thinking' }, { on: true, budget: 900 }, { enable_thinking: true, thinking_budget: 900 }, {}],
  [
    'Qwen, by level',
    { reasoningStyle: 'enable-thinking' },
    { effort: 'medium' },
    { enable_thinking: true, thinking_budget: 300 },
    { thinkingBudget: { min: 0, max: 1000 } },
  ],
  ['OpenRouter', { reasoningStyle: 'openrouter' }, { effort: 'low', visible: false }, { reasoning: { effort: 'low', exclude: true } }, {}],
  ['OpenRouter, by budget', { reasoningStyle: 'openrouter' }, { on: true, budget: 2000 }, { reasoning: { max_tokens: 2000 } }, {}],
] as const)
  test(`asks ${name} for thinking in its own words`, () => {
    const { body } = encoded(foreignCall({ reasoning: { path: 'thinking', ...wish } }), targetWith(quirks, capabilities))
    const { model: _, messages: __, ...rest } = body
    assert.deepEqual(rest, fields)
  })

test('a wish for thinking is named where it cannot be met', () => {
  assert.deepEqual(
    encoded(foreignCall({ reasoning: { path: 'thinking', effort: 'high' } }), targetWith({}, { reasoning: false })).dropped,
    ['thinking'],
  )
  assert.deepEqual(
    encoded(foreignCall({ reasoning: { path: 'thinking', on: false } }), targetWith({}, { reasoning: false })).dropped,
    [],
    'off is what it is anyway',
  )
  assert.deepEqual(encoded(foreignCall({ reasoning: { path: 'thinking', effort: 'max' } }), targetWith({}, { efforts: ['low'] })).dropped, [
    'thinking',
  ])
})

test('thinking goes back under the name that the host reads', () => {
  const messages = [
    turn('assistant', [{ type: 'reasoning', text: 'hm', path: 'thought' }, toolCall('a')]),
    turn('user', [result('a', 'x')]),
    turn('assistant', [text('done')]),
  ]
  const list = messagesOf({ messages }, targetWith({ reasoningField: 'reasoning_content', reasoningRequired: true }))
  assert.deepEqual(
    list.map(({ reasoning_content: thought }) => thought),
    ['hm', undefined, ''],
  )
  const sealed = [
    turn('assistant', [
      { type: 'reasoning', text: 'hm', path: 'thought', sealed: [{ vendor: 'anthropic', kind: 'signature', value: 's' }] },
      text('x'),
    ]),
  ]
  const [routed] = messagesOf({ messages: sealed }, targetWith({ reasoningStyle: 'openrouter' }))
  assert.deepEqual(routed?.['reasoning_details'], [
    { type: 'reasoning.text', text: 'hm', signature: 's', format: 'anthropic-claude-v1', index: 0 },
  ])
})

test("Google's signatures go back to Google only, and a lost one is excused", () => {
  const signed = toolCall('a', 'f', { sealed: [{ vendor: 'google', kind: 'thought-signature', value: 'g' }] })
  const google = targetWith({}, { needsThoughtSignature: true })
  const extra = (part: Part, target = google): unknown =>
    callsIn(messagesOf({ messages: [turn('assistant', [part])] }, target)[0])[0]?.['extra_content']
  assert.deepEqual(extra(signed), { google: { thought_signature: 'g' } })
  assert.deepEqual(extra(toolCall('a')), { google: { thought_signature: 'skip_thought_signature_validator' } })
  assert.equal(extra(signed, targetWith()), undefined)
})

test('the accents of hosts are data', () => {
  const settings = { maxTokens: 5, user: 'u', seed: 3, temperature: 1, topK: 4 }
  const paths = { maxTokens: 'max_tokens', user: 'metadata.user_id', seed: 'seed', temperature: 'temperature', topK: 'top_k' }
  const marked: Message[] = [
    turn('user', [{ ...text('x'), cache: { path: 'mark', ttl: '1h' } } as Part]),
    turn('assistant', [text('So')], 1),
  ]
  const { body, dropped } = encoded(
    foreignCall({ settings, paths, messages: marked, stream: true }),
    targetWith({
      rename: { seed: 'random_seed' },
      refuses: ['temperature'],
      userField: 'user_id',
      takes: ['top_k'],
      cacheControl: true,
      noStreamOptions: true,
      prefixFlag: 'prefix',
    }),
  )
  assert.deepEqual(body, {
    model: 'm',
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral', ttl: '1h' } }] },
      { role: 'assistant', content: 'So', prefix: true },
    ],
    max_tokens: 5,
    top_k: 4,
    random_seed: 3,
    user_id: 'u',
    stream: true,
  })
  assert.deepEqual(dropped, ['temperature'])
})

test('what a model refuses is left out and named; limits are kept to', () => {
  const settings = { maxTokens: 9000, temperature: 0.2, topP: 0.5, stop: ['a', 'b', 'c', 'd', 'e'], presencePenalty: 1 }
  const paths = { maxTokens: 'max_tokens', temperature: 'temperature', topP: 'top_p', stop: 'stop_sequences', presencePenalty: 'pp' }
  const { body, drops } = encoded(
    foreignCall({ settings, paths }),
    targetWith({}, { maxOutput: 4096, sampling: false, refuses: ['presencePenalty'], developerRole: true }),
  )
  const { messages: _, ...rest } = body
  assert.deepEqual(rest, { model: 'm', max_completion_tokens: 4096, stop: ['a', 'b', 'c', 'd'] })
  assert.deepEqual(
    drops.map(({ path }) => path),
    ['max_tokens', 'temperature', 'top_p', 'stop_sequences', 'pp'],
  )
})

test('instructions take the role that the model knows, or the place that it has', () => {
  const messages = [turn('system', [text('A')]), turn('system', [text('B')]), turn('user', [text('x')]), turn('system', [text('C')])]
  assert.deepEqual(
    messagesOf({ messages }, targetWith({}, { developerRole: true })).map(({ role }) => role),
    ['developer', 'user', 'developer'],
  )
  assert.equal(messagesOf({ messages })[0]?.['content'], 'A\n\nB', 'templates of open models know one system message')
  const folded = messagesOf({ messages }, targetWith({}, { midSystem: false }))
  assert.deepEqual(
    folded.map(({ role }) => role),
    ['system', 'user', 'user'],
  )
  const gemma = messagesOf({ messages }, targetWith({}, { systemPrompt: false }))
  assert.deepEqual(
    gemma.map(({ role }) => role),
    ['user', 'user'],
  )
  assert.match(String(gemma[0]?.['content']), /A[\s\S]*B[\s\S]*x$/)
  assert.match(String(folded[2]?.['content']), /<system-reminder>\nC/)
})

test('a client of this wire finds its own words again on a host with accents', () => {
  const call = decodedCall({
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } }] },
      {
        role: 'assistant',
        content: '',
        reasoning_content: 'hm',
        tool_calls: [
          { id: 'abc', type: 'function', function: { name: 'f', arguments: '{}' }, extra_content: { google: { thought_signature: 'g' } } },
        ],
      },
      { role: 'tool', tool_call_id: 'abc', content: [{ type: 'text', text: 'y' }] },
    ],
    venice_parameters: { a: 1 },
  })
  const { body, dropped } = encoded(call)
  assert.deepEqual(dropped, [])
  assert.deepEqual(body, {
    model: 'm',
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } }] },
      {
        role: 'assistant',
        content: '',
        reasoning_content: 'hm',
        tool_calls: [
          { id: 'abc', type: 'function', function: { name: 'f', arguments: '{}' }, extra_content: { google: { thought_signature: 'g' } } },
        ],
      },
      { role: 'tool', tool_call_id: 'abc', content: [{ type: 'text', text: 'y' }] },
    ],
    venice_parameters: { a: 1 },
  })
})
