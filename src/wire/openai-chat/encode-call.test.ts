import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChatCompletionCreateParams, ChatCompletionMessageParam } from 'openai/resources/chat/completions'
import type { ChatCall, Part, Tool } from '../../core/call.ts'
import { GatewayError } from '../../core/error.ts'
import { fold } from '../../core/fold.ts'
import { isObject, type JsonObject } from '../../core/json.ts'
import { Notes } from '../../core/notes.ts'
import { restorer } from '../restore.ts'
import {
  callsIn,
  decodedReply,
  encoded,
  foreignCall,
  functionIn,
  messagesOf,
  plain,
  result,
  targetWith,
  text,
  tool,
  toolCall,
  turn,
} from './fixtures.ts'
import { openaiChat } from './wire.ts'

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
