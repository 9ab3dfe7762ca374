import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Content,
  FunctionCallingConfigMode,
  type GenerationConfig,
  Modality,
  ThinkingLevel,
  type Tool,
  type ToolConfig,
} from '@google/genai'
import type { ChatCall, Message, Part } from '../../core/call.ts'
import { GatewayError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import { Notes } from '../../core/notes.ts'
import type { Capabilities } from '../../core/target.ts'
import { gemini } from './wire.ts'

interface Body {
  contents: Content[]
  systemInstruction?: Content
  tools?: Tool[]
  toolConfig?: ToolConfig
  generationConfig?: GenerationConfig
  serviceTier?: string
}

/** A call as another dialect's decoder makes it. */
const callOf = (changes: Partial<ChatCall>): ChatCall => ({
  op: 'chat',
  wire: 'anthropic-messages',
  path: '',
  model: 'm',
  stream: false,
  messages: [turn('user', text('Hi'))],
  tools: [],
  settings: {},
  paths: {},
  ...changes,
})
const turn = (role: Message['role'], ...parts: Part[]): Message => ({ role, path: `messages(${role})`, parts })
const text = (words: string): Part => ({ type: 'text', path: 'text', text: words })
const called = (id: string, name = 'f', more: Partial<Part> = {}): Part =>
  ({ type: 'tool-call', path: `call(${id})`, id, name, arguments: '{"a":1}', ...more }) as Part
const result = (id: string, words: string, more: Partial<Part> = {}): Part =>
  ({ type: 'tool-result', path: `result(${id})`, id, content: [text(words)], ...more }) as Part
const picture = (id: string): Part => ({
  type: 'media',
  path: id,
  kind: 'image',
  source: { type: 'base64', data: 'AA==', mime: 'image/png' },
})
const tool = (name: string, schema: JsonObject = { type: 'object' }) =>
  ({ type: 'function', path: `tools(${name})`, name, schema }) as const

function encode(changes: Partial<ChatCall>, capabilities: Capabilities = {}) {
  const notes = new Notes()
  const encoded = gemini.encodeCall(callOf(changes), { provider: 'g', model: 'm', wire: 'gemini', capabilities, quirks: {} }, notes)
  return { body: encoded.body as unknown as Body, restore: encoded.restore, dropped: notes.drops.map(({ path }) => path) }
}

test('turns alternate, instructions stand apart, and neither model nor stream is in the body', () => {
  const { body, dropped } = encode({
    messages: [
      turn('system', text('Be brief.')),
      turn('user', text('Hi')),
      turn('user', text('there')),
      turn('assistant', text('Yes')),
      turn('assistant', text('?')),
      turn('user', text('Bye')),
    ],
  })
  assert.deepEqual(body, {
    contents: [
      { role: 'user', parts: [{ text: 'Hi' }, { text: 'there' }] },
      { role: 'model', parts: [{ text: 'Yes' }, { text: '?' }] },
      { role: 'user', parts: [{ text: 'Bye' }] },
    ],
    systemInstruction: { parts: [{ text: 'Be brief.' }] },
  } satisfies Body)
  assert.deepEqual(dropped, [])
})

test('a system text in mid-conversation becomes a reminder in the next user turn', () => {
  const { body } = encode({
    messages: [
      turn('user', text('Hi')),
      turn('assistant', text('Yes')),
      turn('system', text('Now in French.')),
      turn('user', text('Go on')),
    ],
  })
  assert.deepEqual(body.contents.at(-1)?.parts, [{ text: '<system-reminder>\nNow in French.\n</system-reminder>' }, { text: 'Go on' }])
})

test('a model without a system prompt finds the instructions in the first user turn, and that is named', () => {
  const { body, dropped } = encode({ messages: [turn('system', text('Be brief.')), turn('user', text('Hi'))] }, { systemPrompt: false })
  assert.deepEqual(body, { contents: [{ role: 'user', parts: [{ text: 'Be brief.' }, { text: 'Hi' }] }] } satisfies Body)
  assert.deepEqual(dropped, ['messages(system)'])
})

test('the conversation begins with the user', () => {
  const { body, dropped } = encode({ messages: [turn('assistant', text('Hello!')), turn('user', text('Hi'))] })
  assert.deepEqual(
    body.contents.map(({ role }) => role),
    ['user', 'model', 'user'],
  )
  assert.equal(dropped.length, 1)
})

test('all results stand in one turn after their calls, in the order of the calls, with their names', () => {
  const { body } = encode({
    messages: [
      turn('user', text('Go')),
      turn('assistant', called('x', 'f'), called('y', 'g')),
      turn('user', result('y', 'two')),
      turn('user', result('x', 'one', { isError: true }), text('And?')),
    ],
    tools: [tool('f'), tool('g')],
  })
  assert.deepEqual(body.contents.slice(1), [
    {
      role: 'model',
      parts: [{ functionCall: { id: 'x', name: 'f', args: { a: 1 } } }, { functionCall: { id: 'y', name: 'g', args: { a: 1 } } }],
    },
    {
      role: 'user',
      parts: [
        { functionResponse: { id: 'x', name: 'f', response: { error: 'one' } } },
        { functionResponse: { id: 'y', name: 'g', response: { output: 'two' } } },
        { text: 'And?' },
      ],
    },
  ] satisfies Content[])
})

test('a result that comes late moves to its call, by name; one without a call is told in words; a missing one is put in', () => {
  const { body, dropped } = encode({
    messages: [
      turn('user', text('Go')),
      turn('assistant', called('x'), called('z')),
      turn('user', text('Wait')),
      turn('assistant', text('Waiting')),
      turn('user', result('x', 'late'), result('?', 'stray')),
    ],
  })
  assert.deepEqual(body.contents[2]?.parts?.[0], { functionResponse: { id: 'x', name: 'f', response: { output: 'late' } } })
  assert.match(JSON.stringify(body.contents[2]?.parts?.[1]), /"id":"z".*"error"/)
  assert.deepEqual(body.contents.at(-1)?.parts, [{ text: 'stray' }])
  assert.deepEqual(dropped.toSorted(), ['call(z).result', 'result(?)', 'result(x)'])
})

test('pictures in results stand inside them, or after them where the model cannot take that', () => {
  const messages = [
    turn('user', text('Go')),
    turn('assistant', called('x')),
    turn('user', result('x', 'see', { content: [text('see'), picture('p')] })),
  ]
  const inlineData = { mimeType: 'image/png', data: 'AA==' }
  const response = { id: 'x', name: 'f', response: { output: 'see' } }
  assert.deepEqual(encode({ messages }).body.contents[2]?.parts, [{ functionResponse: { ...response, parts: [{ inlineData }] } }])
  assert.deepEqual(encode({ messages }, { toolResultMedia: false }).body.contents[2]?.parts, [
    { functionResponse: response },
    { inlineData },
  ])
})

test("Google's signatures return; a model that wants one gets the stand-in on the first call of each turn", () => {
  const google = { vendor: 'google', kind: 'thought-signature', value: 'Ckt=' } as const
  const messages = [
    turn('user', text('Go')),
    turn('assistant', called('x', 'f', { sealed: [google] }), called('y')),
    turn('user', result('x', '1'), result('y', '2')),
    turn('assistant', called('z'), called('w')),
    turn('user', result('z', '3'), result('w', '4')),
  ]
  const signatures = (capabilities: Capabilities) =>
    encode({ messages }, capabilities).body.contents.flatMap(({ role, parts }) =>
      role === 'model' ? [parts?.map((part) => part.thoughtSignature)] : [],
    )
  assert.deepEqual(signatures({}), [
    ['Ckt=', undefined],
    [undefined, undefined],
  ])
  assert.deepEqual(signatures({ needsThoughtSignature: true }), [
    ['Ckt=', undefined],
    ['skip_thought_signature_validator', undefined],
  ])
})

test('thinking travels as thoughts; what another vendor sealed stays away, by name', () => {
  const sealed = [{ vendor: 'anthropic', kind: 'signature', value: 's' }] as const
  const { body, dropped } = encode({
    messages: [
      turn('user', text('Go')),
      turn(
        'assistant',
        { type: 'reasoning', path: 'r1', text: 'Hm', sealed },
        { type: 'reasoning', path: 'r2', text: '', sealed },
        text('So'),
      ),
    ],
  })
  assert.deepEqual(body.contents[1]?.parts, [{ text: 'Hm', thought: true }, { text: 'So' }])
  assert.deepEqual(dropped, ['r1.signature', 'r2'])
  assert.ok(!JSON.stringify(body).includes('"s"'))
})

test('media: bytes, addresses, data URLs, texts; a file stored elsewhere is refused', () => {
  const media = (source: object, kind = 'document'): Part => ({ type: 'media', path: 'm', kind, source }) as Part
  const { body } = encode({
    messages: [
      turn(
        'user',
        media({ type: 'url', url: 'https://a.example/x.png?size=1' }, 'image'),
        media({ type: 'url', url: 'data:audio/wav;base64,AA==' }, 'audio'),
        media({ type: 'text', text: 'Grüße', mime: 'text/plain' }),
      ),
    ],
  })
  assert.deepEqual(body.contents[0]?.parts, [
    { fileData: { mimeType: 'image/png', fileUri: 'https://a.example/x.png?size=1' } },
    { inlineData: { mimeType: 'audio/wav', data: 'AA==' } },
    { inlineData: { mimeType: 'text/plain', data: Buffer.from('Grüße').toString('base64') } },
  ])
  assert.throws(
    () => encode({ messages: [turn('user', media({ type: 'file', id: 'file-1' }))] }),
    (error) => error instanceof GatewayError && error.id === 'untranslatable' && error.path === 'm',
  )
})

test('tools: JSON Schema as it is but for const, names made legal and given back, free text wrapped', () => {
  const { body, restore } = encode({
    tools: [
      tool('f', { type: 'object', properties: { const: { const: 'x' } }, additionalProperties: false }),
      tool('2 bad'),
      {
        type: 'freeform',
        path: 'c',
        name: 'grep',
        namespace: 'sh',
        description: 'Finds.',
        format: { type: 'grammar', syntax: 'lark', definition: 'start: "a"' },
      },
    ],
  })
  const declarations = body.tools?.[0]?.functionDeclarations ?? []
  assert.deepEqual(declarations[0], {
    name: 'f',
    parametersJsonSchema: { type: 'object', properties: { const: { enum: ['x'] } }, additionalProperties: false },
  })
  assert.equal(declarations[1]?.name, '_2_bad')
  assert.equal(declarations[2]?.name, 'sh__grep')
  assert.match(declarations[2]?.description ?? '', /Finds[\s\S]*start: "a"/)
  assert.deepEqual(restore?.tools?.('_2_bad')?.name, '2 bad')
  assert.deepEqual(restore?.tools?.('sh__grep'), { name: 'grep', namespace: 'sh', freeform: true })
})

test('the choice of tools, as far as Gemini has it', () => {
  const tools = [tool('f'), tool('g')]
  const config = (toolChoice: ChatCall['toolChoice'], capabilities: Capabilities = {}) => {
    const { body, dropped } = encode({ tools, toolChoice }, capabilities)
    return [body.toolConfig?.functionCallingConfig, dropped]
  }
  const path = 'tool_choice'
  assert.deepEqual(config({ type: 'auto', path }), [undefined, []])
  assert.deepEqual(config({ type: 'none', path }), [{ mode: FunctionCallingConfigMode.NONE }, []])
  assert.deepEqual(config({ type: 'required', path }), [{ mode: FunctionCallingConfigMode.ANY }, []])
  assert.deepEqual(config({ type: 'named', name: 'g', path }), [{ mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: ['g'] }, []])
  assert.deepEqual(config({ type: 'allowed', names: ['f'], required: false, path }), [
    { mode: FunctionCallingConfigMode.VALIDATED, allowedFunctionNames: ['f'] },
    [],
  ])
  assert.deepEqual(config({ type: 'named', name: 'other', path }), [undefined, [path]])
  assert.deepEqual(config({ type: 'required', path }, { forcedToolChoice: false }), [undefined, [path]])
})

test("other vendors' tools become Google's of the same kind; what cannot is named", () => {
  const hosted = (kind: string, family: 'web-search' | 'code' | 'url' | 'mcp' | 'file-search', value: JsonObject = {}) =>
    ({ type: 'hosted', path: kind, wire: 'anthropic-messages', kind, family, value: { type: kind, ...value } }) as const
  const { body, dropped } = encode({
    tools: [
      hosted('web_search_20260318', 'web-search', { max_uses: 3 }),
      hosted('code_execution_20260521', 'code'),
      hosted('url', 'mcp', { url: 'https://mcp.example', name: 'x', authorization_token: 't' }),
      hosted('file_search', 'file-search'),
    ],
  })
  assert.deepEqual(body.tools, [
    { googleSearch: {} },
    { codeExecution: {} },
    { mcpServers: [{ name: 'x', streamableHttpTransport: { url: 'https://mcp.example', headers: { authorization: 'Bearer t' } } }] },
  ] satisfies Tool[])
  assert.deepEqual(dropped, ['web_search_20260318.max_uses', 'file_search'])
  const beside = { tools: [tool('f'), hosted('web_search_20260318', 'web-search')] }
  assert.deepEqual(encode(beside).dropped, ['web_search_20260318'])
  assert.equal(encode(beside, { needsThoughtSignature: true }).body.toolConfig?.includeServerSideToolInvocations, true)
})

test('settings: taken, clamped or named, never invented', () => {
  const { body, dropped } = encode({
    settings: {
      maxTokens: 100,
      temperature: 3,
      topP: 0.5,
      topK: 7,
      stop: ['a', 'b', 'c', 'd', 'e', 'f'],
      seed: 2 ** 40,
      presencePenalty: 0.5,
      logprobs: true,
      topLogprobs: 2,
      n: 2,
      user: 'u',
      serviceTier: 'flex',
      metadata: { a: 'b' },
      logitBias: { 5: 1 },
      parallelTools: false,
      modalities: ['text', 'image'],
    },
    tools: [tool('f')],
  })
  assert.deepEqual(body.generationConfig, {
    maxOutputTokens: 100,
    temperature: 2,
    topP: 0.5,
    topK: 7,
    presencePenalty: 0.5,
    stopSequences: ['a', 'b', 'c', 'd', 'e'],
    responseLogprobs: true,
    logprobs: 2,
    responseModalities: [Modality.TEXT, Modality.IMAGE],
  } satisfies GenerationConfig)
  assert.equal(body.serviceTier, 'flex')
  assert.deepEqual(dropped.toSorted(), ['logitBias', 'metadata', 'n', 'parallelTools', 'seed', 'stop', 'temperature', 'user'])
  assert.equal(encode({}).body.generationConfig, undefined)
  assert.deepEqual(encode({ settings: { temperature: 1, topP: 1, seed: 1 } }, { sampling: false, refuses: ['seed'] }).dropped, [
    'temperature',
    'topP',
    'seed',
  ])
})

test('thinking: by tokens, by level, or as asked where nobody knows', () => {
  const thinking = (reasoning: Partial<NonNullable<ChatCall['reasoning']>>, capabilities: Capabilities = {}) => {
    const { body, dropped } = encode({ wire: 'openai-responses', reasoning: { path: 'r', ...reasoning } }, capabilities)
    return [body.generationConfig?.thinkingConfig, dropped.length]
  }
  const tokens = { thinkingBudget: { min: 128, max: 1000 }, maxOutput: 2000 }
  const levels = { efforts: ['low', 'high'] } as const
  assert.deepEqual(thinking({ effort: 'high', visible: true }), [{ thinkingLevel: ThinkingLevel.HIGH, includeThoughts: true }, 0])
  assert.deepEqual(thinking({ effort: 'max' }), [{ thinkingLevel: ThinkingLevel.HIGH }, 1])
  assert.deepEqual(thinking({ on: true }), [{ thinkingBudget: -1 }, 0])
  assert.deepEqual(thinking({ on: false, effort: 'none', visible: true }), [{ thinkingBudget: 0 }, 0])
  assert.deepEqual(thinking({ effort: 'medium' }, tokens), [{ thinkingBudget: 600 }, 0])
  assert.deepEqual(thinking({ budget: 5000 }, tokens), [{ thinkingBudget: 1000 }, 1])
  assert.deepEqual(thinking({ on: false }, tokens), [{ thinkingBudget: 128 }, 1])
  assert.deepEqual(thinking({ effort: 'high' }, levels), [{ thinkingLevel: ThinkingLevel.HIGH }, 0])
  assert.deepEqual(thinking({ effort: 'minimal' }, levels), [{ thinkingLevel: ThinkingLevel.LOW }, 1])
  assert.deepEqual(thinking({ on: false }, levels), [{ thinkingLevel: ThinkingLevel.LOW }, 1])
  assert.deepEqual(thinking({ budget: 60_000 }, levels), [{ thinkingLevel: ThinkingLevel.HIGH }, 0])
  assert.deepEqual(thinking({ effort: 'high' }, { reasoning: false }), [undefined, 1])
})

test('a Chat caller who asks for effort asks to see it', () => {
  const { body } = encode({ wire: 'openai-chat', reasoning: { path: 'reasoning_effort', effort: 'low' } })
  assert.deepEqual(body.generationConfig?.thinkingConfig, { thinkingLevel: ThinkingLevel.LOW, includeThoughts: true })
})

test('structured output: natively, or as a tool where the model cannot do both', () => {
  const format = { type: 'schema', path: 'f', schema: { type: 'object' }, name: 'city', description: 'A city.' } as const
  const native = { responseMimeType: 'application/json', responseJsonSchema: { title: 'city', description: 'A city.', type: 'object' } }
  assert.deepEqual(encode({ format }).body.generationConfig, native)
  assert.deepEqual(encode({ format, tools: [tool('f')] }).body.generationConfig, native)
  const { body, restore, dropped } = encode({ format, tools: [tool('f')] }, { jsonSchemaWithTools: false })
  const stand = body.tools?.[0]?.functionDeclarations?.[1]
  assert.deepEqual(stand?.parametersJsonSchema, native.responseJsonSchema)
  assert.equal(restore?.formatTool, stand?.name)
  assert.equal(body.toolConfig?.functionCallingConfig?.mode, 'ANY')
  assert.deepEqual(dropped, ['f'])
  assert.deepEqual(encode({ format: { type: 'json', path: 'f' } }).body.generationConfig, { responseMimeType: 'application/json' })
})

test('what only another wire knows is named where it stood', () => {
  const { dropped } = encode({
    cache: { path: 'cache_control' },
    extras: { container: 'c' },
    messages: [
      {
        role: 'user',
        path: 'messages[0]',
        name: 'Ann',
        extras: { audio: {} },
        parts: [
          {
            type: 'text',
            path: 'messages[0].content[0]',
            text: 'x',
            cache: { path: 'messages[0].content[0].cache_control' },
            extras: { citations: [] },
          },
        ],
      },
      turn('assistant', {
        type: 'foreign',
        path: 'messages[1].content[0]',
        wire: 'anthropic-messages',
        kind: 'server_tool_use',
        value: {},
      }),
      turn('user', text('y')),
    ],
    tools: [{ ...tool('f'), strict: true, extras: { defer_loading: true } }],
  })
  assert.deepEqual(dropped.toSorted(), [
    'cache_control',
    'container',
    'messages[0].audio',
    'messages[0].content[0].cache_control',
    'messages[0].content[0].citations',
    'messages[0].name',
    'messages[1].content[0]',
    'tools(f).defer_loading',
    'tools(f).strict',
  ])
})

test('what came in this dialect goes back as it was', () => {
  const body = {
    contents: [
      { role: 'user', parts: [{ text: 'x', partMetadata: { a: 1 } }, { fileData: { mimeType: 'application/pdf', fileUri: 'files/abc' } }] },
      { role: 'model', parts: [{ functionCall: { name: 'f', args: {} }, thoughtSignature: 'Ckt=' }, { executableCode: { code: '1' } }] },
      { role: 'user', parts: [{ functionResponse: { name: 'f', response: { r: 1 }, scheduling: 'SILENT' } }] },
    ],
    systemInstruction: { role: 'user', parts: [{ text: 's' }] },
    tools: [{ functionDeclarations: [{ name: 'f', parameters: { type: 'OBJECT' }, behavior: 'BLOCKING' }] }, { googleSearch: {} }],
    toolConfig: { functionCallingConfig: { mode: 'VALIDATED' }, includeServerSideToolInvocations: true },
    generationConfig: { candidateCount: 2, speechConfig: { a: 1 }, thinkingConfig: { thinkingBudget: 0, includeThoughts: false } },
    safetySettings: [{ category: 'X' }],
    labels: { team: 'a' },
    cachedContent: 'cachedContents/1',
  }
  const notes = new Notes()
  const call = gemini.decodeCall(body, { model: 'm' })
  const again = gemini.encodeCall(call, { provider: 'g', model: 'm', wire: 'gemini', capabilities: {}, quirks: {} }, notes)
  assert.deepEqual(again.body, body)
  assert.equal(again.restore, undefined)
  assert.deepEqual(notes.drops, [])
})
