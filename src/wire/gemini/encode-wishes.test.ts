import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FunctionCallingConfigMode, type GenerationConfig, Modality, ThinkingLevel, type Tool } from '@google/genai'
import type { ChatCall } from '../../core/call.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Capabilities } from '../../core/target.ts'
import { encode, text, tool, turn } from './fixtures/encode.ts'

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
