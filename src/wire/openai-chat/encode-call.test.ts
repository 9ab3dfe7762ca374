import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChatCompletionCreateParams, ChatCompletionMessageParam } from 'openai/resources/chat/completions'
import type { ChatCall, Message, Part, Tool } from '../../core/call.ts'
import { GatewayError } from '../../core/error.ts'
import { fold } from '../../core/fold.ts'
import { arrayOf, isObject, type JsonObject, objectOf } from '../../core/json.ts'
import { Notes } from '../../core/notes.ts'
import { restorer } from '../restore.ts'
import { decodedCall, decodedReply, encoded, foreignCall, plain, targetWith } from './fixtures.ts'
import { openaiChat } from './wire.ts'

const text = (words: string, path = 'messages[0].content[0]'): Part => ({ type: 'text', text: words, path })
const turn = (role: Message['role'], parts: readonly Part[], index = 0): Message => ({ role, parts, path: `messages[${index}]` })
const toolCall = (id: string, name = 'f', more: Partial<Part> = {}): Part =>
  ({ type: 'tool-call', id, name, arguments: '{}', path: `call ${id}`, ...more }) as Part
const result = (id: string, words: string, more: Partial<Part> = {}): Part =>
  ({ type: 'tool-result', id, content: [text(words, `result ${id}`)], path: `result ${id}`, ...more }) as Part
const tool: Tool = { type: 'function', path: 'tools[0]', name: 'f', schema: { type: 'object' } }
const messagesOf = (call: Partial<ChatCall>, target = targetWith()): JsonObject[] =>
  encoded(foreignCall(call), target).body['messages'] as JsonObject[]

const callsIn = (message: JsonObject | undefined): JsonObject[] => arrayOf(message?.['tool_calls']).filter(isObject)
const functionIn = (owner: JsonObject | undefined): JsonObject => objectOf(owner?.['function']) ?? {}

test('a call of another wire becomes a body that the SDK would send', () => {
  const { body, dropped } = encoded(
    foreignCall({
      stream: true,
      messages: [
        turn('system', [text('Be brief.')]),
        turn('user', [
          text('Hi'),
          { type: 'media', kind: 'image', path: 'p', source: { type: 'base64', data: 'AAAA', mime: 'image/png' } },
        ]),
      ],
      tools: [tool],
      toolChoice: { type: 'required', path: 'tool_choice' },
      settings: { maxTokens: 100, temperature: 0.5, stop: ['x'] },
      paths: { maxTokens: 'max_tokens', temperature: 'temperature', stop: 'stop_sequences' },
    }),
  )
  assert.deepEqual(body, {
    model: 'm',
    messages: [
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Hi' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
        ],
      },
    ],
    max_tokens: 100,
    temperature: 0.5,
    stop: ['x'],
    tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }],
    tool_choice: 'required',
    stream: true,
    stream_options: { include_usage: true },
  } satisfies ChatCompletionCreateParams)
  assert.deepEqual(dropped, [])
})

test('results stand right behind their calls, whatever stood between, and pictures follow them', () => {
  const picture: Part = { type: 'media', kind: 'image', path: 'pic', source: { type: 'url', url: 'https://x/y.png' } }
  const list = messagesOf({
    messages: [
      turn('user', [text('Go')]),
      turn('assistant', [text('Calling.')]),
      turn('assistant', [toolCall('a'), toolCall('b', 'g')]),
      turn('system', [text('A note.')]),
      turn('user', [text('And?'), result('b', 'two'), { ...result('a', 'one'), content: [text('one'), picture] } as Part]),
    ],
  })
  const expected: ChatCompletionMessageParam[] = [
    { role: 'user', content: 'Go' },
    {
      role: 'assistant',
      content: 'Calling.',
      tool_calls: [
        { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } },
        { id: 'b', type: 'function', function: { name: 'g', arguments: '{}' } },
      ],
    },
    { role: 'tool', tool_call_id: 'b', content: 'two' },
    { role: 'tool', tool_call_id: 'a', content: 'one\n[The file of this result: see the next message.]' },
    { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://x/y.png' } }] },
    { role: 'system', content: 'A note.' },
    { role: 'user', content: 'And?' },
  ]
  assert.deepEqual(list, expected)
})

test('calls without ids get some, and their results find them by name and order', () => {
  const list = messagesOf({
    wire: 'gemini',
    messages: [
      turn('assistant', [toolCall('', 'f', { path: 'x' }), toolCall('', 'f', { path: 'y' }), toolCall('', 'g', { path: 'z' })]),
      turn('user', [
        result('', 'g1', { name: 'g' } as Partial<Part>),
        result('', 'f1', { name: 'f' } as Partial<Part>),
        result('', 'f2', { name: 'f' } as Partial<Part>),
      ]),
    ],
  })
  const ids = callsIn(list[0]).map(({ id }) => id)
  assert.equal(new Set(ids).size, 3)
  assert.deepEqual(
    list.slice(1).map(({ tool_call_id: id, content }) => [ids.indexOf(id), content]),
    [
      [2, 'g1'],
      [0, 'f1'],
      [1, 'f2'],
    ],
  )
})

test('a result without its call is sent as text, and named', () => {
  const { body, dropped } = encoded(foreignCall({ messages: [turn('user', [result('gone', 'the words')])] }))
  assert.deepEqual(body['messages'], [{ role: 'user', content: 'the words' }])
  assert.deepEqual(dropped, ['result gone'])
})

test('an error of a tool is said in words, an object as JSON', () => {
  const call = (part: Partial<Part>): unknown =>
    messagesOf({
      messages: [turn('assistant', [toolCall('a')]), turn('user', [{ ...result('a', 'no such file'), ...part } as Part])],
    })[1]?.['content']
  assert.equal(call({ isError: true } as Partial<Part>), 'Error: no such file')
  assert.equal(call({ json: { temp: 20 }, content: [] } as Partial<Part>), '{"temp":20}')
  assert.equal(call({ json: { output: 'plain' }, content: [] } as Partial<Part>), 'plain')
})

test('hosts with rules for ids get ids by their rules, for call and result alike', () => {
  const list = messagesOf(
    { messages: [turn('assistant', [toolCall('toolu_01ABC')]), turn('user', [result('toolu_01ABC', 'x')])] },
    targetWith({ toolIdLength: 9 }),
  )
  const id = callsIn(list[0])[0]?.['id']
  assert.match(String(id), /^[a-zA-Z0-9]{9}$/)
  assert.equal(list[1]?.['tool_call_id'], id)
})

test("OpenAI's longest id is kept to", () => {
  const long = `fc_${'x'.repeat(60)}`
  const list = messagesOf({ messages: [turn('assistant', [toolCall(long)]), turn('user', [result(long, 'x')])] })
  const id = String(callsIn(list[0])[0]?.['id'])
  assert.ok(id.length <= 40)
  assert.equal(list[1]?.['tool_call_id'], id)
})

test('names under the rules of the wire come back as the client knows them', () => {
  const notes = new Notes()
  const { body, restore } = openaiChat.encodeCall(
    foreignCall({ tools: [{ ...tool, name: 'fs.read', namespace: 'mcp' }] }),
    targetWith(),
    notes,
  )
  const sent = functionIn((body['tools'] as JsonObject[])[0])['name']
  assert.match(String(sent), /^[a-zA-Z0-9_-]{1,64}$/)
  const answer = plain(
    { content: null, tool_calls: [{ id: 'a', type: 'function', function: { name: sent, arguments: '{}' } }] },
    {},
    { finish_reason: 'tool_calls' },
  )
  const [part] = fold(restorer(restore ?? {}).push(decodedReply(answer, false))).parts
  assert.deepEqual(part?.kind === 'tool-call' && [part.name, part.namespace], ['fs.read', 'mcp'])
})

test('a freeform tool is a function elsewhere, and its call comes back as free text', () => {
  const exec: Tool = {
    type: 'freeform',
    path: 'tools[0]',
    name: 'exec',
    description: 'Runs.',
    format: { type: 'grammar', syntax: 'lark', definition: 'start: "x"' },
  }
  const notes = new Notes()
  const history = [
    turn('assistant', [toolCall('a', 'exec', { freeform: true, arguments: 'x' } as Partial<Part>)]),
    turn('user', [result('a', 'y')]),
  ]
  const { body, restore } = openaiChat.encodeCall(
    foreignCall({ wire: 'openai-responses', tools: [exec], messages: history }),
    targetWith(),
    notes,
  )
  const [sent] = body['tools'] as JsonObject[]
  assert.ok(isObject(sent?.['function']) && String(sent['function']['description']).includes('start: "x"'))
  assert.deepEqual(
    notes.drops.map(({ path }) => path),
    ['tools[0].format'],
  )
  assert.equal(functionIn(callsIn((body['messages'] as JsonObject[])[0])[0])['arguments'], '{"input":"x"}')
  const answer = plain({ tool_calls: [{ id: 'b', type: 'function', function: { name: 'exec', arguments: '{"input":"ls"}' } }] })
  const [part] = fold(restorer(restore ?? {}).push(decodedReply(answer, false))).parts
  assert.deepEqual(part?.kind === 'tool-call' && [part.freeform, part.text], [true, 'ls'])
})

test('what cannot be said is named, field by field', () => {
  const { dropped } = encoded(
    foreignCall({
      extras: { context_management: {} },
      cache: { path: 'cache_control' },
      settings: { topK: 5, metadata: { a: 1 } },
      paths: { topK: 'top_k', metadata: 'metadata' },
      tools: [
        { type: 'hosted', wire: 'anthropic-messages', kind: 'web_search_20250305', family: 'web-search', path: 'tools[0]', value: {} },
      ],
      messages: [
        turn('assistant', [
          { type: 'reasoning', text: 'hm', path: 'thought', sealed: [{ vendor: 'anthropic', kind: 'signature', value: 's' }] },
          { type: 'foreign', wire: 'anthropic-messages', kind: 'server_tool_use', value: {}, path: 'foreign' },
          text('x'),
        ]),
        { ...turn('user', [{ ...text('y'), cache: { path: 'mark' }, extras: { odd: 1 } } as Part]), extras: { strange: 1 } },
      ],
    }),
  )
  assert.deepEqual(
    new Set(dropped),
    new Set([
      'context_management',
      'cache_control',
      'top_k',
      'metadata',
      'tools[0]',
      'thought.signature',
      'thought',
      'foreign',
      'mark',
      'messages[0].content[0].odd',
      'messages[0].strange',
    ]),
  )
})

test('refuses what only another vendor stores, and media without a place', () => {
  const media = (kind: 'image' | 'audio' | 'video' | 'document', source: object): Partial<ChatCall> => ({
    messages: [turn('user', [{ type: 'media', kind, path: 'p', source } as Part])],
  })
  for (const call of [
    media('image', { type: 'file', id: 'f' }),
    media('document', { type: 'file', id: 'f' }),
    media('document', { type: 'url', url: 'https://x' }),
    media('audio', { type: 'url', url: 'https://x' }),
    media('video', { type: 'base64', data: 'A', mime: 'video/mp4' }),
    { wire: 'openai-responses', extras: { previous_response_id: 'resp_1' } } as const,
  ])
    assert.throws(
      () => encoded(foreignCall(call)),
      (error) => error instanceof GatewayError && error.id === 'untranslatable' && error.path !== undefined,
    )
})

test('documents travel inside the request, texts as text', () => {
  const parts = messagesOf({
    messages: [
      turn('user', [
        { type: 'media', kind: 'document', path: 'p', name: 'a.pdf', source: { type: 'base64', data: 'AAAA', mime: 'application/pdf' } },
        { type: 'media', kind: 'document', path: 'q', name: 'b.txt', source: { type: 'text', text: 'words', mime: 'text/plain' } },
        { type: 'media', kind: 'audio', path: 'r', source: { type: 'base64', data: 'BBBB', mime: 'audio/mpeg' } },
      ]),
    ],
  })[0]?.['content']
  assert.deepEqual(parts, [
    { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' } },
    { type: 'text', text: 'b.txt\n\nwords' },
    { type: 'input_audio', input_audio: { data: 'BBBB', format: 'mp3' } },
  ])
})

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
