import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { baseUrlOf, createCatalog, quirksOf } from './catalog.ts'
import { compactCatalog } from './compact.ts'
import { providerAliases, providerPresets } from './presets/providers.ts'
import { chatQuirks } from './presets/quirks.ts'

const catalog = createCatalog({ now: () => new Date('2026-11-21') })

/** Providers of the facts that have no URL of their own to give, and why. */
const withoutBaseUrl: Readonly<Record<string, RegExp>> = {
  gitlab: /per-user base URL/,
  'sap-ai-core': /each tenant has its own URL/,
}

suite('catalogue', () => {
  test('holds at least 140 providers and 5,000 models without the network', () => {
    const vendors = catalog.providers().filter(({ generic }) => !generic)
    assert.ok(vendors.length >= 140, `${vendors.length} providers`)
    const models = vendors.flatMap(({ id }) => catalog.models(id))
    assert.ok(models.length >= 5000, `${models.length} models`)
    assert.equal(new Set(models.map(({ provider, id }) => `${provider} ${id}`)).size, models.length, 'no model twice')
  })

  test('gives every provider a base URL that requests can be joined to, or says why not', () => {
    for (const { id, baseUrl, baseUrls, limitation, generic } of catalog.providers()) {
      if (generic) continue
      if (baseUrl === undefined) {
        assert.match(limitation ?? '', withoutBaseUrl[id] ?? /^$/, `${id} has no base URL`)
        assert.ok(withoutBaseUrl[id], `${id} has no base URL`)
        continue
      }
      for (const url of [baseUrl, ...Object.values(baseUrls ?? {})]) {
        assert.match(url, /^(?:https:\/\/|http:\/\/(?:127\.0\.0\.1|localhost)[:/]|\$\{)/, `${id}: ${url}`)
        assert.doesNotMatch(url, /\/(?:chat\/completions|responses|messages|models)\/?$|\/$/, `${id}: ${url}`)
        assert.ok(URL.canParse(url.replace(/^\$\{\w+\}/, 'https://host').replace(/\$\{\w+\}/g, 'x')), `${id}: ${url}`)
      }
    }
  })

  test('completes the vendors whose facts lack a base URL', () => {
    const expected: Readonly<Record<string, string>> = {
      openai: 'https://api.openai.com/v1',
      anthropic: 'https://api.anthropic.com/v1',
      google: 'https://generativelanguage.googleapis.com/v1beta',
      groq: 'https://api.groq.com/openai/v1',
      mistral: 'https://api.mistral.ai/v1',
      xai: 'https://api.x.ai/v1',
      cohere: 'https://api.cohere.com/compatibility/v1',
      cerebras: 'https://api.cerebras.ai/v1',
      togetherai: 'https://api.together.ai/v1',
      perplexity: 'https://api.perplexity.ai',
      bailing: 'https://api.tbox.cn/api/llm/v1',
    }
    for (const [id, url] of Object.entries(expected)) assert.equal(catalog.provider(id)?.baseUrl, url)
  })

  test('has the generic presets, which assume a capable host', () => {
    for (const id of ['openai-compatible', 'anthropic-compatible', 'gemini-compatible', 'simulator']) {
      const preset = catalog.provider(id)
      assert.equal(preset?.baseUrl, undefined)
      assert.deepEqual(preset?.quirks, {})
    }
    assert.deepEqual(catalog.provider('openai-compatible')?.wires, ['openai-chat'])
    assert.deepEqual(catalog.provider('simulator')?.wires.toSorted(), ['anthropic-messages', 'gemini', 'openai-chat', 'openai-responses'])
    for (const id of ['ollama', 'llamacpp', 'vllm', 'sglang', 'lmstudio']) assert.equal(catalog.provider(id)?.local, true, id)
  })

  test('sends credentials the way each vendor wants them', () => {
    assert.deepEqual(catalog.provider('openai')?.auth, { header: 'authorization', prefix: 'Bearer ' })
    assert.deepEqual(catalog.provider('anthropic')?.auth, { header: 'x-api-key' })
    assert.deepEqual(catalog.provider('anthropic-compatible')?.auth, { header: 'x-api-key' })
    assert.deepEqual(catalog.provider('google')?.auth, { header: 'x-goog-api-key' })
    assert.deepEqual(catalog.provider('azure')?.auth, { header: 'api-key' })
  })

  test('knows which wires a provider speaks, the preferred first, and where', () => {
    assert.deepEqual(catalog.provider('openai')?.wires, ['openai-responses', 'openai-chat'])
    assert.deepEqual(catalog.provider('google')?.wires, ['gemini'])
    const deepseek = catalog.provider('deepseek')!
    assert.ok(deepseek.wires.includes('anthropic-messages'))
    assert.equal(baseUrlOf(deepseek, 'anthropic-messages'), 'https://api.deepseek.com/anthropic/v1')
    assert.equal(baseUrlOf(deepseek, 'openai-chat'), 'https://api.deepseek.com/v1')
    assert.deepEqual(catalog.provider('amazon-bedrock')?.wires, ['bedrock-converse'])
    assert.match(catalog.provider('amazon-bedrock')?.limitation ?? '', /not spoken yet/)
  })

  test('follows a model that is spoken to in another way than its provider', () => {
    const zenmux = catalog.provider('zenmux')!
    const model = catalog.model('zenmux', 'anthropic/claude-fable-5')
    assert.deepEqual(model?.wires, ['anthropic-messages'])
    assert.equal(baseUrlOf(zenmux, 'anthropic-messages', model), 'https://zenmux.ai/api/anthropic/v1')
  })

  test('reaches every such model by the URL of its provider and wire alone', () => {
    for (const provider of catalog.providers())
      for (const model of catalog.models(provider.id)) {
        const [wire] = model.wires ?? provider.wires
        // Azure's older model endpoint and Cohere's older host: the base URL of the provider serves the same models.
        if (model.baseUrl === undefined || /services\.ai\.azure\.com\/models$|api\.cohere\.ai/.test(model.baseUrl)) continue
        const expected = model.baseUrl
          .replace(
            /^.*GOOGLE_VERTEX_ENDPOINT.*\/endpoints\//,
            `${catalog.provider('google-vertex')?.baseUrl?.replace('publishers/google', 'endpoints/')}`,
          )
          .replace(/api\.aws\/v1$/, 'api.aws/openai/v1')
        assert.equal(baseUrlOf(provider, wire!), expected, `${provider.id}/${model.id}`)
      }
  })

  test('answers to other names of a provider, none of which hides a provider', () => {
    assert.equal(catalog.provider('gemini')?.id, 'google')
    assert.equal(catalog.model('gemini', 'gemini-2.5-pro')?.provider, 'google')
    for (const nobody of ['nobody', 'constructor', '__proto__', '']) {
      assert.equal(catalog.provider(nobody), undefined)
      assert.deepEqual(catalog.models(nobody), [])
    }
    const ids = new Set(catalog.providers().map(({ id }) => id))
    for (const [alias, id] of Object.entries(providerAliases)) {
      assert.ok(ids.has(id), `${alias} → ${id}`)
      assert.ok(!ids.has(alias), `${alias} is a provider of its own`)
    }
  })

  test('has no preset and no quirks for a provider that does not exist', () => {
    const ids = new Set(catalog.providers().map(({ id }) => id))
    const listed = new Set(catalog.providers().flatMap(({ id }) => (catalog.models(id).length > 0 ? [id] : [])))
    for (const id of Object.keys(chatQuirks)) assert.ok(ids.has(id), id)
    for (const id of Object.keys(providerPresets)) assert.ok(listed.has(id), id)
  })

  test('says which environment variable belongs to exactly one provider', () => {
    const variables = catalog.keyVariables()
    assert.equal(variables.get('OPENAI_API_KEY'), 'openai')
    assert.equal(variables.get('GEMINI_API_KEY'), 'google')
    assert.equal(variables.get('DASHSCOPE_API_KEY'), undefined, 'two providers claim it')
    assert.equal(variables.get('AWS_ACCESS_KEY_ID'), undefined, 'not the usual name of a key')
  })
})

suite('a model is found by', () => {
  const found = (provider: string, asked: string): readonly [string, string] | undefined => {
    const result = catalog.resolve(provider, asked)
    return result && [result.entry.id, result.sendAs]
  }

  for (const [how, provider, asked, id, sendAs] of [
    ['its own id', 'anthropic', 'claude-haiku-4-5', 'claude-haiku-4-5', 'claude-haiku-4-5'],
    ['dots for dashes', 'anthropic', 'claude-opus-5.5', 'claude-opus-5-5', 'claude-opus-5-5'],
    ['dashes for dots', 'openai', 'gpt-4-1-mini', 'gpt-4.1-mini', 'gpt-4.1-mini'],
    ['its provider before it', 'anthropic', 'anthropic/claude-opus-5.5', 'claude-opus-5-5', 'claude-opus-5-5'],
    ['another name of its provider before it', 'google', 'gemini/gemini-2.5-pro', 'gemini-2.5-pro', 'gemini-2.5-pro'],
    ["Google's models/ before it", 'google', 'models/gemini-2.5-pro', 'gemini-2.5-pro', 'gemini-2.5-pro'],
    ['letters in another case', 'google', 'Gemini-2.5-Pro', 'gemini-2.5-pro', 'gemini-2.5-pro'],
    [
      'an id with its vendor, without the vendor',
      'openrouter',
      'claude-opus-4.8',
      'anthropic/claude-opus-4.8',
      'anthropic/claude-opus-4.8',
    ],
    ['a listed date', 'anthropic', 'claude-opus-4-1-20250805', 'claude-opus-4-1-20250805', 'claude-opus-4-1-20250805'],
    ['a date that is not listed, which stays', 'openai', 'gpt-4o-2099-01-01', 'gpt-4o', 'gpt-4o-2099-01-01'],
    ['no date where only dated ones are listed', 'anthropic', 'claude-3-opus', 'claude-3-opus-20240229', 'claude-3-opus-20240229'],
  ] as const)
    test(how, () => assert.deepEqual(found(provider, asked), [id, sendAs]))

  test('nothing else: another model never answers in its place', () => {
    for (const [provider, asked] of [
      ['openai', 'gpt-4o-micro'],
      ['openai', 'gpt'],
      ['openai', ''],
      ['anthropic', 'claude-opus-9-9'],
      ['nobody', 'gpt-4o'],
      ['openai', '__proto__'],
    ] as const)
      assert.equal(found(provider, asked), undefined, asked)
  })

  test('any alias that the catalogue lists for it', () => {
    for (const provider of ['anthropic', 'openai', 'google', 'groq', 'deepseek'])
      for (const { id, aliases } of catalog.models(provider))
        for (const alias of aliases) assert.equal(found(provider, alias)?.[0], id, alias)
  })
})

suite('facts about a model', () => {
  test('carry limits, modalities, prices with bands, and levels of thinking', () => {
    const model = catalog.model('google', 'gemini-2.5-pro')!
    assert.equal(model.contextWindow, 1_048_576)
    assert.equal(model.maxOutput, 65_536)
    assert.ok(model.inputModalities.includes('pdf'))
    assert.deepEqual(model.price, {
      input: 1.25,
      output: 10,
      cacheRead: 0.125,
      bands: [{ above: 200_000, input: 2.5, output: 15, cacheRead: 0.25 }],
    })
    assert.deepEqual(model.thinkingBudget, { min: 128, max: 32_768 })
    assert.deepEqual(catalog.model('openai', 'gpt-5')?.efforts, ['minimal', 'low', 'medium', 'high'])
  })

  test('carry the dates on which vendors take models away', () => {
    const at = (date: string) => createCatalog({ now: () => new Date(date) }).model('openai', 'gpt-5')
    assert.equal(at('2026-11-21')?.shutdown, '2026-12-11')
    assert.equal(at('2026-11-21')?.status, 'deprecated')
    assert.equal(at('2026-12-11')?.status, 'retired')
    assert.equal(catalog.model('google', 'gemini-2.0-flash')?.status, 'deprecated')
  })

  test('say in which field past thinking goes back, where the host does not', () => {
    const model = catalog.model('302ai', 'glm-4.7')
    assert.equal(quirksOf(catalog.provider('302ai'), 'openai-chat', model).reasoningField, 'reasoning_content')
    assert.equal(quirksOf(catalog.provider('302ai'), 'anthropic-messages', model).reasoningField, undefined)
    assert.deepEqual(quirksOf(undefined, 'openai-chat'), {})
  })

  test('are data, whatever their names are', () => {
    const data = compactCatalog({
      constructor: { name: 'Odd', env: [], api: 'https://odd.example/v1', models: { constructor: { name: 'Odd' } } },
    })
    const odd = createCatalog({ data })
    assert.equal(odd.provider('constructor')?.baseUrl, 'https://odd.example/v1')
    assert.deepEqual(odd.provider('constructor')?.quirks, {})
    assert.equal(odd.model('constructor', 'constructor')?.status, 'active')
  })

  test('survive the small form whatever a name holds', () => {
    const data = compactCatalog({
      lab: {
        name: 'Lab',
        env: [],
        models: { 'a.b:c/d': { name: 'A | B\nC', cost: { input: 0.000001, output: 3 }, limit: { context: 1234 } } },
      },
    })
    const [model] = createCatalog({ data }).models('lab')
    assert.equal(model?.id, 'a.b:c/d')
    assert.equal(model?.name, 'A B C')
    assert.deepEqual(model?.price, { input: 0.000001, output: 3 })
    assert.equal(model?.contextWindow, 1234)
    assert.equal(model?.tools, undefined, 'unknown stays unknown')
  })
})

suite('search', () => {
  test('wants every word, in any part of the name', () => {
    const ids = catalog.search('SONNET 4.5', { provider: 'anthropic' }).map(({ id }) => id)
    assert.deepEqual(ids, ['claude-sonnet-4-5', 'claude-sonnet-4-5-20250929'])
  })

  test('filters by what a model can do and costs', () => {
    const found = catalog.search('', { provider: 'openai', tools: true, input: 'image', maxInputPrice: 0.5, deprecated: false })
    assert.ok(found.length > 0)
    for (const model of found) {
      assert.ok(model.tools && model.inputModalities.includes('image'))
      assert.ok(model.price?.input !== undefined && model.price.input <= 0.5)
      assert.equal(model.status, 'active')
    }
  })
})
