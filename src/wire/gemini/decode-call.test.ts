import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import { carry } from '../carrier.ts'
import { base64Of } from './sealed.ts'
import { gemini } from './wire.ts'

const decode = (body: JsonObject) => gemini.decodeCall(body, { model: 'fast', stream: true })
const user = (...parts: JsonObject[]): JsonObject => ({ role: 'user', parts })

test('takes model and streaming from the path, not from the body', () => {
  const call = decode({ model: 'models/other', contents: 'Hi' })
  assert.equal(call.model, 'fast')
  assert.equal(call.stream, true)
  assert.equal(call.extras, undefined)
})

test('takes contents as a text, an object, or a list of either', () => {
  const texts = (contents: JsonObject[string]) =>
    decode({ contents }).messages.map(({ role, parts }) => [role, ...parts.map((part) => (part.type === 'text' ? part.text : part.type))])
  assert.deepEqual(texts('Hi'), [['user', 'Hi']])
  assert.deepEqual(texts({ parts: { text: 'Hi' } }), [['user', 'Hi']])
  assert.deepEqual(texts(['Hi', { role: 'model', parts: ['Yes'] }, { text: 'Why?' }]), [
    ['user', 'Hi'],
    ['assistant', 'Yes'],
    ['user', 'Why?'],
  ])
})

test('reads both spellings alike and names paths as the client wrote them', () => {
  const call = decode({
    contents: [user({ inline_data: { mime_type: 'image/png', data: '_-8' } })],
    system_instruction: { role: 'system', parts: { text: 'Be brief.' } },
    generation_config: { max_output_tokens: 5, topK: 3, stop_sequences: ['END'], thinking_config: { thinking_budget: 0 } },
    tools: {
      function_declarations: [{ name: 'f', parameters: { type: 'OBJECT', properties: { a: { type: 'STRING', nullable: true } } } }],
    },
  })
  assert.deepEqual(call.settings, { maxTokens: 5, topK: 3, stop: ['END'] })
  assert.equal(call.paths.maxTokens, 'generation_config.max_output_tokens')
  assert.equal(call.reasoning?.on, false)
  assert.equal(call.reasoning?.path, 'generation_config.thinking_config')
  const [system, turn] = call.messages
  assert.equal(system?.role, 'system')
  assert.equal(system?.parts[0]?.path, 'system_instruction.parts')
  assert.deepEqual(turn?.parts[0], {
    type: 'media',
    path: 'contents[0].parts[0]',
    kind: 'image',
    source: { type: 'base64', data: '/+8=', mime: 'image/png' },
  })
  const [tool] = call.tools
  assert.equal(tool?.path, 'tools.function_declarations[0]')
  assert.deepEqual(tool?.type === 'function' && tool.schema, { type: 'object', properties: { a: { type: ['string', 'null'] } } })
})

test('matches results to calls by id, else by name and order, and gives ids to calls without one', () => {
  const call = decode({
    contents: [
      user({ text: 'Go' }),
      {
        role: 'model',
        parts: [
          { functionCall: { name: 'a', args: { n: 1 } } },
          { functionCall: { name: 'a', args: { n: 2 } } },
          { functionCall: { id: 'x', name: 'b' } },
        ],
      },
      {
        role: 'function',
        parts: [
          { functionResponse: { id: 'x', name: 'b', response: { error: 'no' } } },
          { functionResponse: { name: 'a', response: { r: 1 } } },
          { functionResponse: { name: 'a', response: { r: 2 } } },
        ],
      },
    ],
  })
  const calls = call.messages[1]?.parts.map((part) => part.type === 'tool-call' && part.id) ?? []
  assert.equal(new Set(calls).size, 3)
  assert.ok(calls.every((id) => id && /^[a-zA-Z0-9_-]+$/.test(id)))
  const results = call.messages[2]?.parts ?? []
  assert.deepEqual(
    results.map((part) => part.type === 'tool-result' && [part.id, part.json, part.isError ?? false]),
    [
      [calls[2], { error: 'no' }, true],
      [calls[0], { r: 1 }, false],
      [calls[1], { r: 2 }, false],
    ],
  )
})

test('puts calls on the side of the model and results on that of the user', () => {
  const { messages } = decode({
    contents: [
      user({ text: 'Go' }),
      {
        role: 'model',
        parts: [
          { text: 'One moment.' },
          { functionCall: { name: 'f' } },
          { functionResponse: { name: 'f', response: {} } },
          { text: 'Done.' },
        ],
      },
    ],
  })
  assert.deepEqual(
    messages.map(({ role, parts }) => [role, ...parts.map(({ type }) => type)]),
    [
      ['user', 'text'],
      ['assistant', 'text', 'tool-call'],
      ['user', 'tool-result'],
      ['assistant', 'text'],
    ],
  )
})

test('joins pieces of streamed arguments', () => {
  const { messages } = decode({
    contents: [
      {
        role: 'model',
        parts: [
          {
            functionCall: {
              name: 'f',
              partialArgs: [
                { jsonPath: '$.city', stringValue: 'Bos', willContinue: true },
                { jsonPath: '$.city', stringValue: 'ton' },
                { jsonPath: "$.list[1]['a b']", numberValue: 2 },
                { jsonPath: '$.__proto__.x', boolValue: true },
              ],
            },
          },
        ],
      },
    ],
  })
  const [part] = messages[0]?.parts ?? []
  assert.ok(part?.type === 'tool-call')
  assert.equal(part.arguments, '{"city":"Boston","list":[null,{"a b":2}],"__proto__":{"x":true}}')
  assert.equal(part.why?.['functionCall.partialArgs'], 'the arguments are put together')
  assert.equal(({} as { x?: unknown }).x, undefined)
})

test("keeps Google's signatures on their parts and opens what other vendors' thinking was carried in", () => {
  const sealed = { vendor: 'anthropic', kind: 'signature', value: 'abc' } as const
  const carried = base64Of(carry(sealed))
  const { messages } = decode({
    contents: [
      {
        role: 'model',
        parts: [
          { text: 'Hm', thought: true, thoughtSignature: carried },
          { text: 'So', thoughtSignature: 'Ckt=' },
          { functionCall: { name: 'f' }, thoughtSignature: carried.replaceAll('+', '-').replaceAll('/', '_') },
        ],
      },
    ],
  })
  const google = { vendor: 'google', kind: 'thought-signature', value: 'Ckt=' }
  assert.deepEqual(
    messages[0]?.parts.map(({ type, sealed: own }) => [type, own]),
    [
      ['reasoning', [sealed]],
      ['text', [google]],
      ['reasoning', [sealed]],
      ['tool-call', undefined],
    ],
  )
})

test('reads the format under any of its names', () => {
  const format = (generationConfig: JsonObject) => decode({ contents: 'x', generationConfig })
  assert.equal(format({ responseMimeType: 'application/json' }).format?.type, 'json')
  const schema = { type: 'object', properties: { a: { const: 1 } } }
  assert.deepEqual(format({ responseMimeType: 'application/json', responseJsonSchema: schema }).format, {
    type: 'schema',
    path: 'generationConfig.responseJsonSchema',
    schema,
  })
  const choice = format({ responseMimeType: 'text/x.enum', responseSchema: { type: 'STRING', enum: ['a', 'b'] } })
  assert.deepEqual(choice.format?.type === 'schema' && choice.format.schema, { type: 'string', enum: ['a', 'b'] })
  assert.deepEqual(choice.extras, { 'generationConfig.responseMimeType': 'text/x.enum' })
})

test('reads every way to choose tools', () => {
  const choice = (functionCallingConfig: JsonObject) => decode({ contents: 'x', toolConfig: { functionCallingConfig } }).toolChoice
  const path = 'toolConfig.functionCallingConfig'
  assert.deepEqual(choice({ mode: 'AUTO' }), { type: 'auto', path })
  assert.deepEqual(choice({ mode: 'none' }), { type: 'none', path })
  assert.deepEqual(choice({ mode: 'ANY' }), { type: 'required', path })
  assert.deepEqual(choice({ mode: 'ANY', allowedFunctionNames: ['f'] }), { type: 'named', name: 'f', path })
  assert.deepEqual(choice({ mode: 'ANY', allowed_function_names: ['f', 'g'] }), {
    type: 'allowed',
    names: ['f', 'g'],
    required: true,
    path,
  })
  assert.deepEqual(choice({ mode: 'VALIDATED', allowedFunctionNames: ['f'] }), { type: 'allowed', names: ['f'], required: false, path })
})

test('lets no field vanish: what has no meaning is kept by its path', () => {
  const call = decode({
    contents: [{ role: 'user', parts: [{ text: 'x', videoMetadata: { fps: 1 } }], note: 1 }],
    safetySettings: [],
    toolConfig: {
      retrievalConfig: { languageCode: 'en' },
      functionCallingConfig: { mode: 'VALIDATED', streamFunctionCallArguments: true },
    },
    generationConfig: { speechConfig: {}, thinkingConfig: { thinkingLevel: 'HUGE' } },
    future: true,
  })
  assert.deepEqual(call.extras, {
    'toolConfig.functionCallingConfig.streamFunctionCallArguments': true,
    'toolConfig.retrievalConfig': { languageCode: 'en' },
    'toolConfig.functionCallingConfig.mode': 'VALIDATED',
    'generationConfig.speechConfig': {},
    safetySettings: [],
    future: true,
  })
  assert.deepEqual(call.reasoning?.extras, { thinkingLevel: 'HUGE' })
  assert.deepEqual(call.messages[0]?.extras, { note: 1 })
  assert.deepEqual(call.messages[0]?.parts[0]?.extras, { videoMetadata: { fps: 1 } })
})

test('reads a count request whose whole request is one level down', () => {
  const call = decode({ generateContentRequest: { model: 'models/m', contents: [user({ text: 'x' })], generationConfig: { seed: 1 } } })
  assert.equal(call.messages[0]?.path, 'generateContentRequest.contents[0]')
  assert.equal(call.paths.seed, 'generateContentRequest.generationConfig.seed')
})

const wrong: [string, JsonObject, string][] = [
  ['no contents', {}, 'contents'],
  ['empty contents', { contents: [] }, 'contents'],
  ['a number as contents', { contents: [5] }, 'contents[0]'],
  ['an unknown role', { contents: [{ role: 'narrator', parts: [] }] }, 'contents[0].role'],
  ['a text that is no string', { contents: [user({ text: 5 })] }, 'contents[0].parts[0].text'],
  [
    'arguments that are no object',
    { contents: [{ role: 'model', parts: [{ functionCall: { name: 'f', args: 'x' } }] }] },
    'contents[0].parts[0].functionCall.args',
  ],
  ['a limit that is no number', { contents: 'x', generationConfig: { maxOutputTokens: 'many' } }, 'generationConfig.maxOutputTokens'],
  ['a tool without a name', { contents: 'x', tools: [{ functionDeclarations: [{}] }] }, 'tools[0].functionDeclarations[0].name'],
  ['an unknown mode', { contents: 'x', toolConfig: { functionCallingConfig: { mode: 'SOON' } } }, 'toolConfig.functionCallingConfig.mode'],
]
for (const [what, body, path] of wrong)
  test(`refuses ${what}, with the place`, () => {
    assert.throws(
      () => decode(body),
      (error) => error instanceof GatewayError && error.id === 'invalid-request' && error.path === path,
    )
  })
