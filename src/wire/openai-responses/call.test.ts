import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ResponseCreateParams } from 'openai/resources/responses/responses'
import type { ChatCall, Message, Part } from '../../core/call.ts'
import { GatewayError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import { Notes } from '../../core/notes.ts'
import type { Target } from '../../core/target.ts'
import { openaiResponses } from './wire.ts'

const target: Target = { provider: 'p', model: 'there', wire: 'openai-responses', capabilities: {}, quirks: {} }

const decode = (body: JsonObject): ChatCall => openaiResponses.decodeCall({ model: 'm', ...body }, {})
function encode(call: ChatCall, to: Partial<Target> = {}): { readonly body: JsonObject; readonly drops: readonly string[] } {
  const notes = new Notes()
  const { body } = openaiResponses.encodeCall(call, { ...target, ...to }, notes)
  return { body, drops: notes.drops.map(({ path }) => path) }
}
const fails = (body: JsonObject, path: string): void =>
  assert.throws(
    () => decode(body),
    (error) => error instanceof GatewayError && error.id === 'invalid-request' && error.path === path,
  )

/** A call as another dialect's decoder would make it. */
const chat = (messages: readonly Message[], more: Partial<ChatCall> = {}): ChatCall => ({
  op: 'chat',
  wire: 'anthropic-messages',
  path: '',
  model: 'm',
  stream: false,
  messages,
  tools: [],
  settings: {},
  paths: {},
  ...more,
})
const says = (role: Message['role'], parts: readonly Part[], path = 'messages[0]'): Message => ({ role, path, parts })
const text = (words: string, path = 'messages[0].content'): Part => ({ type: 'text', text: words, path })

// As the SDK's own types have it.
const typed = {
  model: 'm',
  instructions: 'Be brief.',
  input: [
    { role: 'developer', content: 'House rules.' },
    {
      role: 'user',
      content: [
        { type: 'input_text', text: 'Look:' },
        { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'low' },
      ],
    },
    {
      id: 'rs_1',
      type: 'reasoning',
      summary: [
        { type: 'summary_text', text: 'One.' },
        { type: 'summary_text', text: 'Two.' },
      ],
      encrypted_content: 'gAAA',
    },
    {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'Well.', annotations: [] }],
    },
    { id: 'fc_1', type: 'function_call', call_id: 'call_1', name: 'add', arguments: '{"a":1}', status: 'completed' },
    {
      type: 'function_call_output',
      call_id: 'call_1',
      output: [
        { type: 'input_text', text: '2' },
        { type: 'input_image', image_url: 'https://x.test/a.png', detail: 'auto' },
      ],
    },
    { type: 'custom_tool_call', call_id: 'call_2', name: 'exec', input: 'ls -l' },
    { type: 'custom_tool_call_output', call_id: 'call_2', output: 'total 0' },
  ],
  tools: [
    {
      type: 'function',
      name: 'add',
      description: 'Adds.',
      parameters: { type: 'object', properties: { a: { type: 'number' } } },
      strict: null,
    },
    { type: 'custom', name: 'exec', format: { type: 'grammar', syntax: 'lark', definition: 'start: /.+/' } },
    { type: 'web_search', search_context_size: 'low' },
  ],
  tool_choice: {
    type: 'allowed_tools',
    mode: 'auto',
    tools: [
      { type: 'function', name: 'add' },
      { type: 'custom', name: 'exec' },
    ],
  },
  reasoning: { effort: 'low', summary: 'detailed' },
  text: { format: { type: 'json_schema', name: 'out', schema: { type: 'object' }, strict: true }, verbosity: 'low' },
  include: ['reasoning.encrypted_content', 'message.output_text.logprobs'],
  max_output_tokens: 400,
  top_logprobs: 2,
  store: false,
  service_tier: 'flex',
  metadata: { run: '7' },
  stream: true,
} satisfies ResponseCreateParams

test('a body of the SDK survives its own wire, but for nulls and empty lists', () => {
  const { body, drops } = encode(decode(typed as unknown as JsonObject))
  const { strict: _, ...add } = typed.tools[0] as { strict: null; [key: string]: unknown }
  assert.deepEqual({ ...body, model: 'm' }, { ...typed, tools: [add, typed.tools[1], typed.tools[2]] })
  assert.deepEqual(drops, [])
})

test("a coding agent's body survives: namespaces, tools in mid-conversation, phases, fields of its own", () => {
  const agent: JsonObject = {
    model: 'm',
    input: [
      {
        type: 'message',
        role: 'user',
        content: [{ type: 'input_text', text: 'Hi' }],
        internal_chat_message_metadata_passthrough: { a: 1 },
      },
      {
        type: 'additional_tools',
        id: 'at_1',
        role: 'developer',
        tools: [
          {
            type: 'namespace',
            name: 'mcp__gw',
            description: 'Gateway.',
            tools: [{ type: 'function', name: 'add', parameters: { type: 'object' }, strict: false }],
          },
        ],
      },
      { type: 'message', role: 'assistant', phase: 'commentary', content: [{ type: 'output_text', text: 'Adding.' }] },
      { type: 'function_call', call_id: 'c1', name: 'add', namespace: 'mcp__gw', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c1', output: 'ok' },
    ],
    tools: [{ type: 'namespace', name: 'fs', description: 'Files.', tools: [{ type: 'custom', name: 'read' }] }],
    client_metadata: { session: 's' },
    prompt_cache_key: 'thread',
    stream: true,
  }
  const { body } = encode(decode(agent))
  assert.deepEqual({ ...body, model: 'm' }, agent)
})

test('tools of items and namespaces are tools of the call, and what a namespace says is named elsewhere', () => {
  const call = decode({
    input: [
      { type: 'additional_tools', role: 'developer', tools: [{ type: 'function', name: 'late' }] },
      { role: 'user', content: 'Hi' },
    ],
    tools: [{ type: 'namespace', name: 'fs', description: 'Files.', tools: [{ type: 'function', name: 'read' }] }],
  })
  assert.deepEqual(
    call.tools.map((tool) => [tool.type !== 'hosted' && tool.namespace, tool.type !== 'hosted' && tool.name, tool.path]),
    [
      ['fs', 'read', 'tools[0].tools[0]'],
      [undefined, 'late', 'input[0].tools[0]'],
    ],
  )
  const notes = new Notes()
  notes.extrasOf(call, call, 'openai-chat')
  assert.deepEqual(notes.drops, [{ path: 'tools[0].description', reason: 'unknown to the target' }])
})

test('wrong types are refused with their path', () => {
  fails({ input: 7 }, 'input')
  fails({ input: [7] }, 'input[0]')
  fails({ input: [{ role: 'tool', content: 'x' }] }, 'input[0].role')
  fails({ input: [{ role: 'user', content: [{ type: 'input_text', text: 7 }] }] }, 'input[0].content[0].text')
  fails({ input: [{ content: 'x' }] }, 'input[0].type')
  fails({ input: 'x', stream: 'true' }, 'stream')
  fails({ input: 'x', temperature: '1' }, 'temperature')
  fails({ input: 'x', tools: [{ type: 'function' }] }, 'tools[0].name')
  fails({ input: 'x', tool_choice: 'sometimes' }, 'tool_choice')
  fails({ input: 'x', text: { format: { type: 'xml' } } }, 'text.format.type')
  assert.throws(
    () => openaiResponses.decodeCall({ input: 'x' }, {}),
    (error) => error instanceof GatewayError && error.path === 'model',
  )
})

test('null is absent, and members named like a prototype are data', () => {
  const call = decode(
    JSON.parse('{"input":"x","temperature":null,"tools":null,"reasoning":null,"__proto__":{"a":1},"metadata":{"__proto__":"m"}}'),
  )
  assert.equal(call.settings.temperature, undefined)
  assert.deepEqual(Object.keys(call.extras ?? {}), ['__proto__'])
  assert.deepEqual(Object.keys(call.settings.metadata ?? {}), ['__proto__'])
  assert.equal(({} as Record<string, unknown>)['a'], undefined)
})

test('what OpenAI sealed goes back to it; what another vendor sealed does not, and is named', () => {
  const sealed = says('assistant', [
    {
      type: 'reasoning',
      text: 'Hm.',
      path: 'messages[0].content[0]',
      sealed: [{ vendor: 'openai', kind: 'encrypted', value: 'gAAA', id: 'rs_7' }],
    },
    { type: 'reasoning', text: 'Ah.', path: 'messages[0].content[1]', sealed: [{ vendor: 'anthropic', kind: 'signature', value: 'sig' }] },
  ])
  const { body, drops } = encode(chat([sealed]))
  assert.deepEqual(body['input'], [
    { type: 'reasoning', id: 'rs_7', summary: [{ type: 'summary_text', text: 'Hm.' }], encrypted_content: 'gAAA' },
  ])
  assert.deepEqual(drops, ['messages[0].content[1]'])
})

test('tools of other dialects are told not to be strict unless they asked, and only when their schema is fit', () => {
  const tool = { type: 'function', path: 'tools[0]', name: 'f' } as const
  const closed = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false }
  const { body, drops } = encode(
    chat([says('user', [text('Hi')])], {
      tools: [
        tool,
        { ...tool, name: 'g', strict: true, schema: closed },
        { ...tool, path: 'tools[2]', name: 'h', strict: true, schema: { type: 'object', properties: {} } },
      ],
    }),
  )
  assert.deepEqual(
    (body['tools'] as JsonObject[]).map(({ name, strict }) => [name, strict]),
    [
      ['f', false],
      ['g', true],
      ['h', false],
    ],
  )
  assert.deepEqual(drops, ['tools[2].strict'])
})

test('limits, stop words and thoughts without a level become what the wire has, and are named', () => {
  const { body, drops } = encode(
    chat([says('user', [text('Hi')])], {
      settings: { maxTokens: 5, stop: ['END'], topK: 3, temperature: 0.5 },
      paths: { maxTokens: 'max_tokens', stop: 'stop_sequences', topK: 'top_k', temperature: 'temperature' },
      reasoning: { path: 'thinking', on: true, budget: 8000 },
    }),
  )
  assert.equal(body['max_output_tokens'], 16)
  assert.deepEqual(body['reasoning'], { effort: 'medium', summary: 'auto' })
  assert.deepEqual([...drops].sort(), ['max_tokens', 'stop_sequences', 'top_k'])
})

test('calls without ids are paired with their results, and ids that are too long are shortened alike', () => {
  const call = (id: string): Part => ({ type: 'tool-call', path: 'contents[0].parts[0]', id, name: 'f', arguments: '{}' })
  const result = (id: string, words: string): Part => ({
    type: 'tool-result',
    path: 'contents[1].parts[0]',
    id,
    name: 'f',
    content: [text(words)],
  })
  const long = 'x'.repeat(90)
  const { body } = encode(chat([says('assistant', [call(''), call(long)]), says('user', [result('', 'one'), result(long, 'two')])]))
  const items = body['input'] as JsonObject[]
  assert.equal(items[0]?.['call_id'], items[2]?.['call_id'])
  assert.equal(items[1]?.['call_id'], items[3]?.['call_id'])
  assert.notEqual(items[0]?.['call_id'], items[1]?.['call_id'])
  assert.ok(items.every((item) => String(item['call_id']).length <= 64))
})

test('a failed result says so in words', () => {
  const messages = [
    says('assistant', [{ type: 'tool-call', path: 'm', id: 'c', name: 'f', arguments: '{}' }]),
    says('user', [{ type: 'tool-result', path: 'm', id: 'c', isError: true, content: [text('no such file')] }]),
  ]
  assert.equal((encode(chat(messages)).body['input'] as JsonObject[])[1]?.['output'], 'Error: no such file')
})

test('what only another vendor stores is refused', () => {
  const file: Part = { type: 'media', kind: 'image', path: 'messages[0].content[0]', source: { type: 'file', id: 'file_1' } }
  const orphan: Part = { type: 'tool-result', path: 'messages[0].content[0]', id: 'gone', content: [] }
  for (const part of [file, orphan])
    assert.throws(
      () => encode(chat([says('user', [part])])),
      (error) => error instanceof GatewayError && error.id === 'untranslatable' && error.path === 'messages[0].content[0]',
    )
})

test('a schema becomes an instruction for a model that takes none, and JSON is asked for in words', () => {
  const format = { type: 'schema', path: 'output_config.format', schema: { type: 'object', title: 'Out' } } as const
  const { body, drops } = encode(chat([says('user', [text('Hi')])], { format }), { capabilities: { jsonSchema: false } })
  assert.deepEqual(body['text'], { format: { type: 'json_object' } })
  assert.match(String(body['instructions']), /"title":"Out"/)
  assert.deepEqual(drops, ['output_config.format'])
})
