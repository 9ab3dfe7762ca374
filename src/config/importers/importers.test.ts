import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCatalog } from '../../catalog/catalog.ts'
import { genericPresets } from '../known.ts'
import { parseConfig } from '../parse.ts'
import type { Imported } from './imported.ts'
import { type ImportContext, importLitellm } from './litellm.ts'
import { importPortkey } from './portkey.ts'

const catalog = createCatalog()
const context: ImportContext = {
  knows: (preset) => Object.hasOwn(genericPresets, preset) || catalog.provider(preset) !== undefined,
  keyVariable: (preset) => catalog.provider(preset)?.env.find((name) => name.endsWith('_API_KEY')),
}
const env = { OPENAI_API_KEY: 'x', ANTHROPIC_API_KEY: 'x', GROQ_API_KEY: 'x', MASTER: 'owner-key', BASE: 'https://x.test' }

/** What was imported is a configuration that can be used. */
function usable({ config }: Imported) {
  const parsed = parseConfig(config, { env, catalog: () => catalog })
  assert.deepEqual(parsed.problems, [])
  return config
}
const lostPaths = ({ lost }: Imported): readonly string[] => lost.map(({ path }) => path)

test('LiteLLM: deployments of one name become targets of one route', () => {
  const imported = importLitellm(
    {
      model_list: [
        {
          model_name: 'main',
          litellm_params: {
            model: 'openai/gpt-5-mini',
            api_key: 'os.environ/OPENAI_API_KEY',
            weight: 2,
            timeout: 60,
            tags: ['paid'],
            temperature: 0.2,
          },
        },
        {
          model_name: 'main',
          litellm_params: { model: 'anthropic/claude-sonnet-4-5', input_cost_per_token: 0.000003, api_key: 'os.environ/ANTHROPIC_API_KEY' },
        },
        { model_name: 'lab', litellm_params: { model: 'openai/qwen', api_base: 'http://10.0.0.7:8000/v1' } },
        { model_name: 'other', litellm_params: { model: 'hosted_vllm/qwen', api_base: 'os.environ/BASE' } },
      ],
      router_settings: {
        routing_strategy: 'latency-based-routing',
        num_retries: 2,
        fallbacks: [{ main: ['lab'] }],
        model_group_alias: { 'gpt-4': 'main' },
      },
      general_settings: { master_key: 'os.environ/MASTER' },
    },
    context,
  )
  const { models, providers, defaults, admin } = usable(imported)
  assert.deepEqual(models?.['main'], {
    strategy: 'least-latency',
    targets: [
      { provider: 'openai', model: 'gpt-5-mini', weight: 2, body: { temperature: 0.2 }, when: '"paid" in tags' },
      { provider: 'anthropic', model: 'claude-sonnet-4-5', price: { input: 3 } },
    ],
    timeouts: { answer: '60s' },
    fallback: ['lab'],
  })
  assert.deepEqual(models?.['gpt-4'], { targets: [{ route: 'main' }] })
  assert.deepEqual(providers?.['openai-compatible'], { baseUrl: 'http://10.0.0.7:8000/v1' })
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable as it is written in the file
  assert.deepEqual(providers?.['vllm'], { baseUrl: '${BASE}' })
  assert.deepEqual(defaults, { retries: { attempts: 3 } })
  assert.deepEqual(admin, { key: 'env:MASTER' })
  assert.deepEqual(imported.lost, [])
})

test('LiteLLM: `order` is the order, and two keys are two providers', () => {
  const imported = importLitellm(
    {
      model_list: [
        { model_name: 'm', litellm_params: { model: 'groq/b', order: 2, api_key: 'os.environ/GROQ_API_KEY' } },
        { model_name: 'm', litellm_params: { model: 'groq/a', order: 1, api_key: 'os.environ/OPENAI_API_KEY' } },
      ],
    },
    context,
  )
  const { models, providers } = usable(imported)
  assert.deepEqual(models?.['m']?.targets, [
    { provider: 'groq-2', model: 'a' },
    { provider: 'groq', model: 'b' },
  ])
  assert.deepEqual(providers?.['groq-2'], { preset: 'groq', keys: ['env:OPENAI_API_KEY'] })
})

test('LiteLLM: what cannot be carried is named, and no credential is copied', () => {
  const imported = importLitellm(
    {
      model_list: [
        { model_name: 'a', litellm_params: { model: 'openai/x', api_key: 'sk-secret', rpm: 5, vertex_location: 'eu' } },
        { model_name: 'b', litellm_params: { model: 'unheard/of' } },
        { model_name: 'groq/*', litellm_params: { model: 'groq/*' } },
        { model_name: 'e', litellm_params: { model: 'text-embedding-3-small' }, model_info: { mode: 'embedding' } },
      ],
      router_settings: { cooldown_time: 5, fallbacks: [{ a: ['nowhere'] }] },
      litellm_settings: { callbacks: ['otel'] },
      guardrails: [],
    },
    context,
  )
  usable(imported)
  assert.ok(!JSON.stringify(imported).includes('sk-secret'))
  assert.deepEqual(lostPaths(imported).toSorted(), [
    'guardrails',
    'litellm_settings.callbacks',
    'model_list[0].litellm_params.api_key',
    'model_list[0].litellm_params.rpm',
    'model_list[0].litellm_params.vertex_location',
    'model_list[1].litellm_params.model',
    'model_list[2]',
    'model_list[3]',
    'router_settings.cooldown_time',
    'router_settings.fallbacks[0]',
  ])
})

test('Portkey: a tree of targets becomes routes and groups, conditions become CEL', () => {
  const imported = importPortkey(
    {
      retry: { attempts: 3 },
      request_timeout: 10_000,
      cache: { mode: 'semantic', max_age: 3600 },
      strategy: {
        mode: 'conditional',
        // biome-ignore lint/suspicious/noThenProperty: Portkey's own name
        conditions: [{ query: { 'metadata.tier': { $eq: 'paid' }, 'metadata.n': { $gte: 3 } }, then: 'best' }],
        default: 'cheap',
      },
      targets: [
        {
          name: 'cheap',
          strategy: { mode: 'loadbalance' },
          override_params: { model: 'm' },
          targets: [
            { provider: 'openai', weight: 0.7 },
            { provider: 'groq', weight: 0.3 },
          ],
        },
        { name: 'best', provider: 'anthropic', api_key: 'sk-secret', override_params: { model: 'claude-sonnet-4-5', max_tokens: 9 } },
      ],
    },
    context,
  )
  const { models, defaults, cache } = usable(imported)
  assert.deepEqual(models?.['main']?.targets, [
    { provider: 'anthropic', model: 'claude-sonnet-4-5', body: { max_tokens: 9 }, when: 'metadata.tier == "paid" && metadata.n >= 3' },
    { route: 'main-cheap' },
  ])
  assert.deepEqual(models?.['main-cheap'], {
    strategy: 'weighted',
    targets: [
      { provider: 'openai', model: 'm', weight: 0.7 },
      { provider: 'groq', model: 'm', weight: 0.3 },
    ],
  })
  assert.deepEqual(defaults, { retries: { attempts: 4 }, timeouts: { total: '10s' } })
  assert.deepEqual(cache, { semantic: { enabled: true, ttl: '3600s' } })
  assert.deepEqual(lostPaths(imported), ['targets[1].api_key'])
})

test('Portkey: what cannot be carried is named', () => {
  const imported = importPortkey(
    {
      strategy: { mode: 'fallback', on_status_codes: [429] },
      targets: [{ provider: 'openai' }, { provider: 'unheard', override_params: { model: 'x' } }],
      input_guardrails: [{}],
    },
    context,
  )
  assert.deepEqual(lostPaths(imported).toSorted(), ['input_guardrails', 'strategy.on_status_codes', 'targets[0]', 'targets[1]'])
  assert.equal(imported.config.models, undefined)
})
