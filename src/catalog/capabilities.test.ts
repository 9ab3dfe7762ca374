import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Capabilities } from '../core/target.ts'
import { capabilitiesOf, isReasoningModel } from './capabilities.ts'
import { createCatalog } from './catalog.ts'

const catalog = createCatalog()
const of = (model: string, provider = 'lab'): Capabilities => capabilitiesOf(provider, model, catalog)

suite('Claude', () => {
  for (const model of ['claude-opus-4-7', 'claude-opus-4.8', 'claude-sonnet-5', 'claude-opus-5', 'claude-fable-5', 'claude-haiku-5-5'])
    test(`${model} refuses sampling and a prefill`, () => {
      assert.equal(of(model).sampling, false)
      assert.equal(of(model).prefill, false)
    })
  for (const model of ['claude-opus-4-6', 'claude-sonnet-4-6', 'claude-opus-4-5', 'claude-sonnet-4-20250514', 'claude-3-5-haiku-20241022'])
    test(`${model} takes sampling`, () => assert.equal(of(model).sampling, undefined))

  for (const [model, modes] of Object.entries({
    'claude-opus-5-5': ['adaptive'],
    'claude-sonnet-5-5': ['adaptive', 'between_tools'],
    'claude-haiku-5-5': ['adaptive', 'disabled'],
    'claude-fable-5': ['adaptive'],
    'claude-fable-5-2': ['adaptive'],
    'claude-opus-5': ['adaptive', 'enabled', 'disabled'],
    'claude-sonnet-4-6': ['adaptive', 'enabled', 'disabled'],
    'claude-haiku-4-5': ['enabled', 'disabled'],
    'claude-3-7-sonnet-20250219': ['enabled', 'disabled'],
    'claude-3-opus-20240229': [],
  }))
    test(`${model} thinks by ${modes.join(', ') || 'no switch'}`, () => assert.deepEqual(of(model).thinkingModes, modes))

  for (const [model, forced] of Object.entries({
    'claude-opus-5-5': false,
    'claude-sonnet-5-5': false,
    'claude-fable-5-1': false,
    'claude-fable-5-2': false,
    'claude-fable-5': undefined,
    'claude-haiku-5-5': undefined,
    'claude-opus-5': undefined,
  }))
    test(`${model} ${forced === false ? 'rejects' : 'takes'} a forced tool choice`, () => assert.equal(of(model).forcedToolChoice, forced))

  test('takes xhigh from opus-4-7 on, max from 4.6 on, and no level on budget models', () => {
    assert.deepEqual(of('claude-opus-4-7').efforts, ['low', 'medium', 'high', 'xhigh', 'max'])
    assert.deepEqual(of('claude-sonnet-4-6').efforts, ['low', 'medium', 'high', 'max'])
    assert.deepEqual(of('claude-opus-4-5').efforts, ['low', 'medium', 'high'])
    assert.deepEqual(of('claude-sonnet-4-5').efforts, [])
    assert.deepEqual(of('claude-sonnet-4-5').thinkingBudget, { min: 1024, max: 63_999 })
    assert.equal(of('claude-opus-5-5').thinkingBudget, undefined)
  })

  test('has the output limit of its generation, and no more than its host allows', () => {
    assert.equal(of('claude-opus-5-5').maxOutput, 128_000)
    assert.equal(of('claude-sonnet-4-5').maxOutput, 64_000)
    assert.equal(of('claude-opus-4-1').maxOutput, 32_000)
    assert.equal(of('claude-3-haiku-20240307').maxOutput, 4096)
    assert.equal(of('claude-sonnet-4-6', 'anthropic').maxOutput, 64_000)
  })

  test('has native schemas from opus-4-1 and the 4.5 generation on', () => {
    for (const model of ['claude-opus-4-1', 'claude-haiku-4-5', 'claude-opus-5-5']) assert.equal(of(model).jsonSchema, true, model)
    for (const model of ['claude-opus-4-20250514', 'claude-sonnet-4-0', 'claude-3-7-sonnet-20250219'])
      assert.equal(of(model).jsonSchema, false, model)
  })

  test('takes system turns in mid-conversation on newer models only', () => {
    assert.equal(of('claude-opus-4-8').midSystem, true)
    assert.equal(of('claude-sonnet-4-5').midSystem, false)
  })

  test('is itself under every name that hosts give it', () => {
    for (const name of [
      'anthropic/claude-opus-4.5',
      'us.anthropic.claude-opus-4-5-20251101-v1:0',
      'claude-opus-4-5@20251101',
      'databricks-claude-opus-4-5',
      'anthropic--claude-4.5-opus',
      'CLAUDE-OPUS-4-5',
    ])
      assert.deepEqual(of(name), of('claude-opus-4-5'), name)
  })
})

suite('Gemini', () => {
  test('has budgets up to 2.5 and levels from 3 on', () => {
    assert.deepEqual(of('gemini-2.5-pro').thinkingBudget, { min: 128, max: 32_768 })
    assert.deepEqual(of('gemini-2.5-flash').thinkingBudget, { min: 0, max: 24_576 })
    assert.equal(of('gemini-2.5-flash').efforts, undefined)
    assert.equal(of('gemini-3-pro-preview').thinkingBudget, undefined)
    assert.equal(of('gemini-flash-latest', 'google').thinkingBudget, undefined, 'stale facts give way')
  })

  for (const [model, efforts] of Object.entries({
    'gemini-3-pro-preview': ['low', 'medium', 'high'],
    'gemini-3.5-flash': ['minimal', 'low', 'medium', 'high'],
    'gemini-3.6-flash': ['minimal', 'low', 'medium', 'high'],
    'gemini-3.7-flash': ['low', 'medium', 'high'],
    'gemini-3.8-flash': ['low', 'medium', 'high'],
    'gemini-3.5-flash-lite': ['minimal', 'low', 'medium', 'high'],
    'gemini-4-carbon': ['minimal', 'low', 'medium', 'high'],
    'gemini-4-hydrogen': ['low', 'medium', 'high', 'xhigh'],
  }))
    test(`${model} thinks at ${efforts.join(', ')}`, () => assert.deepEqual(of(model).efforts, efforts))

  test('wants signatures, and takes schemas with tools and pictures in results, from 3 on', () => {
    const { needsThoughtSignature, jsonSchemaWithTools, toolResultMedia } = of('gemini-3.5-flash')
    assert.deepEqual([needsThoughtSignature, jsonSchemaWithTools, toolResultMedia], [true, true, true])
    const older = of('gemini-2.5-pro')
    assert.deepEqual([older.needsThoughtSignature, older.jsonSchemaWithTools, older.toolResultMedia], [undefined, false, false])
  })

  test('refuses penalties on 2.5, and Gemma has no place for a system prompt', () => {
    assert.ok(of('gemini-2.5-flash').refuses?.includes('presencePenalty'))
    assert.equal(of('gemma-3-27b-it').systemPrompt, false)
    assert.equal(of('models/gemma-4-31b-it').systemPrompt, false)
  })
})

suite('OpenAI', () => {
  for (const [model, efforts] of Object.entries({
    'gpt-5': ['minimal', 'low', 'medium', 'high'],
    'gpt-5.1': ['none', 'low', 'medium', 'high'],
    'gpt-5.2': ['none', 'low', 'medium', 'high', 'xhigh'],
    'gpt-5.6-sol': ['none', 'low', 'medium', 'high', 'xhigh', 'max'],
    'gpt-6-astra': ['low', 'medium', 'high', 'xhigh', 'max'],
    'gpt-6-sol': ['none', 'low', 'medium', 'high', 'xhigh', 'max'],
    'gpt-6-luna': ['none', 'low', 'medium', 'high', 'xhigh', 'max'],
    'gpt-6.1-terra': ['none', 'low', 'medium', 'high', 'xhigh', 'max'],
    'gpt-6.1-sol': ['low', 'medium', 'high', 'xhigh', 'max'],
    'gpt-5-pro': ['high'],
    o3: ['low', 'medium', 'high'],
    'o3-mini-2025-01-31': ['low', 'medium', 'high'],
  }))
    test(`${model} thinks at ${efforts.join(', ')}`, () => assert.deepEqual(of(model).efforts, efforts))

  test('reasoning models take a developer role and refuse sampling, some only while they think', () => {
    for (const model of ['gpt-5', 'gpt-5.1', 'gpt-6-astra', 'o3', 'openai/gpt-5.4-mini']) {
      assert.equal(of(model).developerRole, true, model)
      assert.equal(of(model).sampling, false, model)
    }
    assert.equal(of('gpt-5.1').samplingWithoutReasoning, true)
    assert.equal(of('gpt-5').samplingWithoutReasoning, undefined)
    assert.equal(of('gpt-6.1-sol').samplingWithoutReasoning, undefined)
  })

  test('older and open models sample freely', () => {
    for (const model of ['gpt-4o', 'gpt-4.1', 'gpt-4-0613', 'gpt-3.5-turbo', 'gpt-35-turbo', 'gpt-oss-120b', 'openai/gpt-oss-20b']) {
      assert.equal(of(model).sampling, undefined, model)
      assert.equal(of(model).developerRole, undefined, model)
    }
  })
})

suite('a name that no family knows', () => {
  for (const name of ['rec-00042', 'qwen2.5-7b', 'smart', 'o', 'my-o3', 'gpt', 'claude', '', '__proto__', 'constructor', 'llama-3.3-70b'])
    test(`${JSON.stringify(name)} is assumed capable`, () => assert.deepEqual(of(name), {}))
})

suite('a host', () => {
  test('has the last word on schemas and tools', () => {
    assert.equal(of('openai/gpt-oss-120b', 'groq').jsonSchemaWithTools, false)
    assert.equal(of('sonar-pro', 'perplexity').tools, false)
    assert.equal(of('deepseek-v4-pro', 'deepseek').jsonSchema, false)
    assert.equal(of('qwen3.8-max', 'qwen').jsonSchema, true)
    assert.equal(of('qwen3-max', 'alibaba').jsonSchema, false)
    assert.equal(of('deepseek/deepseek-v4-pro', 'openrouter').jsonSchema, true)
  })
})

suite('facts', () => {
  test('fill in what no family says', () => {
    const model = of('llama-3.3-70b-versatile', 'groq')
    assert.equal(model.contextWindow, 131_072)
    assert.equal(model.tools, true)
    assert.equal(model.jsonSchema, undefined)
  })

  test('tell which models think before they answer', () => {
    for (const [provider, model] of [
      ['openai', 'gpt-5'],
      ['deepseek', 'deepseek-v4-pro'],
      ['lab', 'claude-opus-5-5'],
      ['lab', 'qwen3-30b-a3b-thinking-2507'],
      ['groq', 'openai/gpt-oss-120b'],
    ] as const)
      assert.equal(isReasoningModel(provider, model, catalog), true, model)
    for (const [provider, model] of [
      ['openai', 'gpt-4o'],
      ['lab', 'rec-00042'],
      ['anthropic', 'claude-3-5-haiku-20241022'],
    ] as const)
      assert.equal(isReasoningModel(provider, model, catalog), false, model)
  })

  test('know the levels of DeepSeek', () => assert.deepEqual(of('deepseek-v4-pro', 'deepseek').efforts, ['none', 'low', 'high', 'max']))
})
