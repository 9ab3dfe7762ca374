import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ReasoningWish, Tool } from '../../core/call.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Capabilities } from '../../core/target.ts'
import { assistant, encoded, toolCall, toolResult, user } from './fixtures.ts'

const tool: Tool = { type: 'function', name: 'f', path: 'tools[0]', schema: { type: 'object', properties: { a: { type: 'string' } } } }
const loop = [user('Go'), assistant([toolCall('a', 'f')]), { role: 'user' as const, path: 'messages[2]', parts: [toolResult('a', 'one')] }]

// ---- tools ---------------------------------------------------------------------------------------------------------

const inputOf = (schema: JsonObject) => {
  const { body, dropped } = encoded({ tools: [{ ...tool, schema }] })
  return { schema: (body['tools'] as unknown as { input_schema: JsonObject }[])[0]?.input_schema, dropped }
}

test('a tool schema has an object at its root and no union', () => {
  assert.deepEqual(inputOf({}).schema, { type: 'object', properties: {} })
  const all = inputOf({
    allOf: [{ $ref: '#/$defs/A' }, { properties: { b: { type: 'number' } }, required: ['b'] }],
    $defs: { A: { type: 'object', properties: { a: {} }, required: ['a'] } },
  })
  assert.deepEqual(all.schema?.['required'], ['a', 'b'])
  assert.deepEqual(Object.keys(all.schema?.['properties'] as JsonObject), ['a', 'b'])
  assert.deepEqual(all.dropped, [])
  const any = inputOf({
    type: 'object',
    anyOf: [
      { properties: { a: {} }, required: ['a'] },
      { properties: { b: {} }, required: ['b'] },
    ],
  })
  assert.equal(any.schema?.['anyOf'], undefined)
  assert.deepEqual(Object.keys(any.schema?.['properties'] as JsonObject), ['a', 'b'])
  assert.deepEqual(any.dropped, ['tools[0].anyOf;not allowed at the root of a tool schema'])
})

test('a strict tool stays strict only while its schema says no more than strictness can', () => {
  const strict = (schema: JsonObject) => encoded({ tools: [{ ...tool, schema, strict: true }] })
  const plain = strict({ type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false })
  assert.equal((plain.body['tools'] as unknown as JsonObject[])[0]?.['strict'], true)
  const bound = strict({ type: 'object', properties: { a: { type: 'string', maxLength: 3 } } })
  assert.equal((bound.body['tools'] as unknown as JsonObject[])[0]?.['strict'], undefined)
  assert.match(bound.dropped[0] ?? '', /^tools\[0\]\.strict;/)
})

test('a freeform tool is a function with one text, and its grammar is told in words', () => {
  const { body, dropped } = encoded({
    tools: [{ type: 'freeform', name: 'patch', path: 'tools[0]', format: { type: 'grammar', syntax: 'lark', definition: 'start: "x"' } }],
  })
  const [first] = body['tools'] as unknown as { description: string; input_schema: JsonObject }[]
  assert.match(first?.description ?? '', /start: "x"/)
  assert.deepEqual(Object.keys(first?.input_schema['properties'] as JsonObject), ['input'])
  assert.deepEqual(dropped, ['tools[0].format;a freeform tool, as a function'])
})

test("another vendor's search is the API's own, unless it may not go out", () => {
  const search = (value: JsonObject): Tool => ({
    type: 'hosted',
    wire: 'openai-responses',
    kind: 'web_search',
    family: 'web-search',
    value: { type: 'web_search', ...value },
    path: 'tools[0]',
  })
  const open = encoded({ tools: [search({ user_location: { type: 'approximate', country: 'NL' } })] })
  assert.deepEqual(open.body['tools'], [
    { type: 'web_search_20250305', name: 'web_search', user_location: { type: 'approximate', country: 'NL' } },
  ])
  assert.deepEqual(open.dropped, [])
  const closed = encoded({ tools: [search({ external_web_access: false })] })
  assert.equal(closed.body['tools'], undefined)
  assert.match(closed.dropped[0] ?? '', /^tools\[0\];/)
})

test('a server of tools is named in the body, with the beta that reads it', () => {
  const mcp: Tool = {
    type: 'hosted',
    wire: 'openai-responses',
    kind: 'mcp',
    family: 'mcp',
    value: { type: 'mcp', server_label: 'docs', server_url: 'https://mcp.example', require_approval: 'never' },
    path: 'tools[0]',
  }
  const { body, headers, dropped } = encoded({ tools: [mcp] })
  assert.deepEqual(body['mcp_servers'], [{ type: 'url', url: 'https://mcp.example', name: 'docs' }])
  assert.deepEqual(body['tools'], [{ type: 'mcp_toolset', mcp_server_name: 'docs' }])
  assert.match(headers['anthropic-beta'] ?? '', /^mcp-client-/)
  assert.deepEqual(dropped, ['tools[0].require_approval;not supported by the target'])
})

test('a forced choice is kept, or given up where the model refuses it', () => {
  const other: Tool = { ...tool, name: 'g', path: 'tools[1]' }
  const call = { tools: [tool, other], toolChoice: { type: 'named', name: 'g', path: 'tool_choice' } } as const
  assert.deepEqual(encoded(call).body['tool_choice'], { type: 'tool', name: 'g' })
  const { body, dropped } = encoded(call, { forcedToolChoice: false })
  assert.deepEqual(body['tool_choice'], { type: 'auto' })
  assert.deepEqual(
    (body['tools'] as unknown as JsonObject[]).map(({ name }) => name),
    ['g'],
  )
  assert.match(dropped[0] ?? '', /^tool_choice;/)
})

test('a choice of some tools sends only those', () => {
  const { body } = encoded({
    tools: [tool, { ...tool, name: 'g', path: 'tools[1]' }],
    toolChoice: { type: 'allowed', names: ['g'], required: true, path: 'tool_choice' },
  })
  assert.deepEqual(
    (body['tools'] as unknown as JsonObject[]).map(({ name }) => name),
    ['g'],
  )
  assert.deepEqual(body['tool_choice'], { type: 'tool', name: 'g' })
})

test('one call at a time is part of the choice', () => {
  assert.deepEqual(encoded({ tools: [tool], settings: { parallelTools: false } }).body['tool_choice'], {
    type: 'auto',
    disable_parallel_tool_use: true,
  })
})

test('calls in the history keep their tools when the client offers none any more', () => {
  const { body } = encoded({ messages: loop })
  assert.deepEqual(
    (body['tools'] as unknown as JsonObject[]).map(({ name }) => name),
    ['f'],
  )
  assert.deepEqual(body['tool_choice'], { type: 'none' })
})

// ---- thinking ------------------------------------------------------------------------------------------------------

const modern: Capabilities = {
  thinkingModes: ['adaptive', 'enabled', 'disabled'],
  efforts: ['low', 'medium', 'high', 'max'],
  maxOutput: 128_000,
}
const byBudget: Capabilities = {
  thinkingModes: ['enabled', 'disabled'],
  efforts: [],
  thinkingBudget: { min: 1024, max: 63_999 },
  maxOutput: 64_000,
}
const thinking = (wish: Partial<ReasoningWish>, capabilities?: Capabilities) => {
  const { body, dropped } = encoded({ reasoning: { path: 'reasoning_effort', ...wish } }, capabilities)
  return { thinking: body['thinking'], config: body['output_config'], limit: body['max_tokens'], dropped }
}

test('a level is a level where the model takes one, and a Chat client sees the thinking', () => {
  for (const capabilities of [undefined, modern]) {
    const { thinking: said, config, dropped } = thinking({ effort: 'high' }, capabilities)
    assert.deepEqual(said, { type: 'adaptive', display: 'summarized' })
    assert.deepEqual(config, { effort: 'high' })
    assert.deepEqual(dropped, [])
  }
  assert.deepEqual(thinking({ effort: 'minimal' }).config, { effort: 'low' })
  assert.deepEqual(thinking({ effort: 'xhigh' }, modern), {
    ...thinking({ effort: 'high' }, modern),
    dropped: ['reasoning_effort;effort xhigh as high'],
  })
})

test('a level is a share of the output where the model takes a budget', () => {
  const { thinking: said, limit, dropped } = thinking({ effort: 'high' }, byBudget)
  assert.deepEqual(said, { type: 'enabled', budget_tokens: 38_400 })
  assert.equal(limit, 64_000)
  assert.deepEqual(dropped, [])
})

test('a budget stays itself, or becomes a level where the model takes none', () => {
  assert.deepEqual(thinking({ budget: 5000 }, byBudget).thinking, { type: 'enabled', budget_tokens: 5000 })
  const { thinking: said, config } = thinking(
    { budget: 60_000 },
    { thinkingModes: ['adaptive'], efforts: ['low', 'medium', 'high'], maxOutput: 128_000 },
  )
  assert.deepEqual(said, { type: 'adaptive', display: 'summarized' })
  assert.deepEqual(config, { effort: 'high' })
  assert.deepEqual(thinking({ budget: 10 }, byBudget).dropped, ['reasoning_effort;thinking budget 10 as 1024'])
})

test('the limit exceeds the budget', () => {
  const { body, dropped } = encoded(
    { reasoning: { path: 'thinking', budget: 4000 }, settings: { maxTokens: 1000 }, paths: { maxTokens: 'max_tokens' } },
    byBudget,
  )
  assert.equal(body['max_tokens'], 5000)
  assert.equal(dropped.length, 1)
  const small = encoded({ reasoning: { path: 'thinking', budget: 9000 }, settings: { maxTokens: 4000 } }, { ...byBudget, maxOutput: 8192 })
  assert.equal(small.body['max_tokens'], 8192)
  assert.deepEqual(small.body['thinking'], { type: 'enabled', budget_tokens: 4192 })
})

test('off is said where it can be, else named', () => {
  assert.deepEqual(thinking({ effort: 'none' }).thinking, { type: 'disabled' })
  assert.equal(thinking({ on: false }, { reasoning: false }).thinking, undefined)
  const always = thinking({ on: false }, { thinkingModes: ['adaptive', 'between_tools'] })
  assert.deepEqual(always.thinking, { type: 'between_tools' })
  assert.deepEqual(always.dropped, ['reasoning_effort;thinking cannot be switched off'])
})

test('while the model thinks sampling is left out and no tool is forced', () => {
  const { body, dropped } = encoded(
    {
      tools: [tool],
      toolChoice: { type: 'required', path: 'tool_choice' },
      reasoning: { path: 'thinking', budget: 2000 },
      settings: { temperature: 0.2, topK: 3, topP: 0.5 },
      paths: { temperature: 'temperature', topK: 'top_k', topP: 'top_p' },
    },
    byBudget,
  )
  assert.deepEqual(body['tool_choice'], { type: 'auto' })
  for (const name of ['temperature', 'top_k', 'top_p']) {
    assert.equal(body[name], undefined)
    assert.ok(dropped.some((entry) => entry.startsWith(`${name};`)))
  }
})

test('a loop of calls that was begun without thinking goes on without', () => {
  const { body, dropped } = encoded({ messages: loop, tools: [tool], reasoning: { path: 'reasoning_effort', effort: 'low' } }, byBudget)
  assert.deepEqual(body['thinking'], { type: 'disabled' })
  assert.match(dropped[0] ?? '', /^reasoning_effort;/)
})

// ---- format --------------------------------------------------------------------------------------------------------

const schema = {
  type: 'object',
  properties: { age: { type: 'integer', minimum: 0 }, tags: { type: 'array', items: { type: 'string' } } },
  required: ['age'],
} as const
const format = { type: 'schema', path: 'response_format', schema, name: 'person' } as const

test('a schema constrains the answer natively; what it cannot say becomes words and is named', () => {
  const { body, dropped } = encoded({ format })
  const said = (body['output_config'] as { format: { type: string; schema: JsonObject } }).format
  assert.equal(said.type, 'json_schema')
  assert.equal(said.schema['additionalProperties'], false)
  const age = (said.schema['properties'] as JsonObject)['age'] as JsonObject
  assert.equal(age['minimum'], undefined)
  assert.match(String(age['description']), /minimum 0/)
  assert.deepEqual(dropped, ['response_format.schema;in words only: minimum'])
})

test('a schema becomes a forced tool where the model has no native way, or the schema refers to itself', () => {
  const old = encoded({ format }, { jsonSchema: false })
  assert.equal(old.formatTool, 'json')
  assert.deepEqual(old.body['tool_choice'], { type: 'tool', name: 'json' })
  assert.deepEqual((old.body['tools'] as unknown as JsonObject[])[0]?.['input_schema'], schema)
  assert.deepEqual(old.dropped, ['response_format;as a tool'])
  const tree: JsonObject = {
    type: 'object',
    properties: { next: { $ref: '#/$defs/T' } },
    $defs: { T: { type: 'object', properties: { next: { $ref: '#/$defs/T' } } } },
  }
  assert.equal(encoded({ format: { ...format, schema: tree } }).formatTool, 'json')
})

test('with other tools the answer is one of them', () => {
  const { body } = encoded({ format, tools: [{ ...tool, name: 'json' }] }, { jsonSchemaWithTools: false })
  assert.deepEqual(body['tool_choice'], { type: 'any' })
  assert.deepEqual(
    (body['tools'] as unknown as JsonObject[]).map(({ name }) => name),
    ['json', 'json_'],
  )
})

test('a list, or a model that cannot be forced, is told in words', () => {
  const list = encoded({ format: { ...format, schema: { type: 'array', items: { type: 'string' } } } }, { jsonSchema: false })
  assert.match(String(list.body['system']), /JSON Schema/)
  assert.equal(list.formatTool, undefined)
  assert.match(String(encoded({ format }, { jsonSchema: false, forcedToolChoice: false }).body['system']), /JSON Schema/)
  const json = encoded({ format: { type: 'json', path: 'response_format' } })
  assert.match(String(json.body['system']), /JSON object/)
  assert.deepEqual(json.dropped, ['response_format;as an instruction'])
})

// ---- single values -------------------------------------------------------------------------------------------------

test('what the API has is said in its words, the rest is named', () => {
  const { body, dropped } = encoded({
    settings: {
      maxTokens: 50,
      temperature: 1.5,
      stop: ['END', '\n'],
      user: 'u',
      serviceTier: 'default',
      seed: 7,
      n: 1,
      presencePenalty: 0.5,
      modalities: ['text'],
    },
    paths: { temperature: 'temperature', stop: 'stop', seed: 'seed', presencePenalty: 'presence_penalty' },
  })
  assert.deepEqual(
    { ...body, messages: undefined },
    {
      model: 'claude-test',
      max_tokens: 50,
      temperature: 1,
      stop_sequences: ['END'],
      metadata: { user_id: 'u' },
      service_tier: 'standard_only',
      messages: undefined,
    },
  )
  assert.deepEqual(
    dropped.map((entry) => entry.split(';')[0]),
    ['temperature', 'stop', 'seed', 'presence_penalty'],
  )
})

test('a model without sampling is sent none, and limits are kept to what it can', () => {
  const { body, dropped } = encoded(
    { settings: { temperature: 0.5, maxTokens: 9000 }, paths: { temperature: 'temperature', maxTokens: 'max_tokens' } },
    { sampling: false, maxOutput: 8192 },
  )
  assert.equal(body['temperature'], undefined)
  assert.equal(body['max_tokens'], 8192)
  assert.deepEqual(dropped, ['max_tokens;clamped to 8192', 'temperature;not supported by the target'])
})

test('fields of another vendor are named', () => {
  assert.deepEqual(encoded({ extras: { logit_magic: 1 } }).dropped, ['logit_magic;unknown to the target'])
})
