import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rig } from '../../routing/fixtures/rig.ts'

const lab = (id: string, extra: object = {}) => ({
  preset: 'openai-compatible',
  baseUrl: `http://${id}.test/v1`,
  keys: ['env:KEY'],
  ...extra,
})
const vendor = (id: string) => ({ baseUrl: `http://${id}.test/v1`, keys: ['env:KEY'], wire: 'openai-chat' as const })
const once = { retries: { attempts: 1 } }

const two = {
  defaults: once,
  providers: { groq: vendor('groq'), mistral: vendor('mistral'), deepseek: vendor('deepseek') },
  models: {
    fast: {
      targets: [
        { provider: 'groq', model: 'a', price: { input: 5, output: 5 } },
        { provider: 'mistral', model: 'b', price: { input: 1, output: 1 } },
        { provider: 'deepseek', model: 'c', price: { input: 3, output: 3 } },
      ],
    },
  },
}

test("OpenRouter's `models` are tried behind the model, unknown names are skipped", async () => {
  const { chat, sent, outcomes } = rig(two, { fails: ['groq'] })
  const { status, headers } = await chat({ model: 'groq/x', models: ['nobody/here', 'mistral/y'] })
  assert.equal(status, 200)
  assert.deepEqual(
    sent.map(({ host, body }) => [host, body['model']]),
    [
      ['groq', 'x'],
      ['mistral', 'y'],
    ],
  )
  assert.equal(headers.get('x-signalbox-route'), 'direct')
  assert.ok(sent.every(({ body }) => !('models' in body)))
  assert.match(outcomes[0]?.decision?.notes.join() ?? '', /models\[0\]: nothing here answers to nobody\/here/)
})

test('a request that names its model only in `models` goes to the first that answers', async () => {
  const { chat, sent } = rig(two)
  assert.equal((await chat({ models: ['nobody/here', 'mistral/y'] })).status, 200)
  assert.deepEqual(sent[0]?.body['model'], 'y')
  assert.equal((await chat({ models: ['nobody/here'] })).status, 404)
})

test("OpenRouter's `provider` object orders, includes, excludes, sorts and limits the price", async () => {
  const cases: readonly (readonly [object, readonly string[]])[] = [
    [{ order: ['deepseek', 'Mistral'] }, ['deepseek', 'mistral', 'groq']],
    [{ order: ['deepseek'], allow_fallbacks: false }, ['deepseek']],
    [{ only: ['mistral', 'groq'] }, ['groq', 'mistral']],
    [{ ignore: ['groq'] }, ['mistral', 'deepseek']],
    [{ sort: 'price' }, ['mistral', 'deepseek', 'groq']],
    [{ sort: { by: 'price', partition: 'none' } }, ['mistral', 'deepseek', 'groq']],
    [{ max_price: { prompt: '3', completion: 4 } }, ['mistral', 'deepseek']],
  ]
  for (const [provider, order] of cases) {
    const { chat, hosts, sent } = rig(two, { fails: ['groq', 'mistral', 'deepseek'] })
    await chat({ model: 'fast', provider })
    assert.deepEqual([...new Set(hosts())], order, JSON.stringify(provider))
    assert.ok(sent.every(({ body }) => !('provider' in body)))
  }
})

test('a limit that no target meets is refused with each reason, before anything is sent', async () => {
  const { chat, sent } = rig(two)
  const { status, json, headers } = await chat({ model: 'fast', provider: { data_collection: 'deny' } })
  assert.equal(status, 400)
  assert.equal(headers.get('x-signalbox-error'), 'no_eligible_target')
  assert.match(JSON.stringify(json), /groq\/a: its data retention is not known.*mistral\/b.*deepseek\/c/)
  assert.equal(sent.length, 0)
})

test('`:floor` sorts by price and is taken off; a host that knows the suffix gets it', async () => {
  const { chat, sent } = rig({ ...two, providers: { ...two.providers, lab: lab('lab') } })
  await chat({ model: 'fast:floor' })
  assert.deepEqual([sent[0]?.host, sent[0]?.body['model']], ['mistral', 'b'])
  await chat({ model: 'groq/x:nitro' })
  assert.equal(sent[1]?.body['model'], 'x')
  await chat({ model: 'lab/x:nitro' })
  assert.equal(sent[2]?.body['model'], 'x:nitro')
})

test('a host that takes the fields itself gets them as they were sent', async () => {
  const { chat, sent } = rig({ providers: { lab: lab('lab') } })
  const fields = {
    models: ['x/y'],
    provider: { order: ['OpenAI'], allow_fallbacks: false },
    fallbacks: ['z'],
    tags: ['a'],
    metadata: { tags: ['b'] },
  }
  assert.equal((await chat({ model: 'lab/x', ...fields })).status, 200)
  for (const [name, value] of Object.entries(fields)) assert.deepEqual(sent[0]?.body[name], value)
})

test('`require_parameters` leaves out targets that cannot be told everything', async () => {
  const { chat, hosts } = rig({
    providers: { anthropic: { baseUrl: 'http://anthropic.test/v1', keys: ['env:KEY'] }, groq: vendor('groq') },
    models: {
      mixed: {
        targets: [
          { provider: 'anthropic', model: 'claude-sonnet-4-5' },
          { provider: 'groq', model: 'a' },
        ],
      },
    },
  })
  await chat({ model: 'mixed', seed: 7, provider: { require_parameters: true } })
  await chat({ model: 'mixed', provider: { require_parameters: true } })
  assert.deepEqual(hosts(), ['groq', 'anthropic'])
})

test("LiteLLM's `fallbacks` are tried behind the model, in each of their forms", async () => {
  for (const fallbacks of [['mistral/y'], [{ model: 'mistral/y' }], [{ 'groq/x': ['mistral/y'] }, { other: ['deepseek/z'] }]]) {
    const { chat, hosts, sent } = rig(two, { fails: ['groq'] })
    assert.equal((await chat({ model: 'groq/x', fallbacks })).status, 200)
    assert.deepEqual([...new Set(hosts())], ['groq', 'mistral'])
    assert.ok(sent.every(({ body }) => !('fallbacks' in body)))
  }
})

test('tags steer and are kept from a vendor that knows none', async () => {
  const { chat, sent } = rig({
    providers: { openai: vendor('openai') },
    models: { fast: { targets: [{ provider: 'openai', model: 'gpt-5-mini' }] } },
  })
  await chat({ model: 'fast', metadata: { tags: ['paid'], team: 'a' }, tags: ['x'] })
  assert.deepEqual(sent[0]?.body['metadata'], { team: 'a' })
  assert.ok(!('tags' in (sent[0]?.body ?? {})))
  await chat({ model: 'fast', metadata: { tags: ['paid'] } })
  assert.ok(!('metadata' in (sent[1]?.body ?? {})))
  await chat({ model: 'fast', metadata: { team: 'b' } })
  assert.deepEqual(sent[2]?.body['metadata'], { team: 'b' })
})

test("Portkey's config header names targets; its credentials are never used", async () => {
  const config = {
    strategy: { mode: 'fallback' },
    retry: { attempts: 0 },
    targets: [
      { provider: 'groq', api_key: 'theirs', override_params: { model: 'x', temperature: 0.2 } },
      { provider: '@mistral', override_params: { model: 'y' } },
      { provider: 'nobody', override_params: { model: 'z' } },
    ],
  }
  const { chat, sent, outcomes } = rig(two, { fails: ['groq'] })
  const { status } = await chat({ model: 'whatever' }, { 'x-portkey-config': JSON.stringify(config) })
  assert.equal(status, 200)
  assert.deepEqual(
    sent.map(({ host, body }) => [host, body['model'], body['temperature']]),
    [
      ['groq', 'x', 0.2],
      ['mistral', 'y', undefined],
    ],
  )
  assert.match(outcomes[0]?.decision?.notes.join('\n') ?? '', /api_key: credentials of a request are never used/)
  assert.ok(!JSON.stringify(outcomes).includes('theirs'))
})

test("Portkey's weights share the calls out, nested targets too", async () => {
  const config = {
    strategy: { mode: 'loadbalance' },
    targets: [
      { provider: 'groq', weight: 0 },
      { weight: 1, strategy: { mode: 'fallback' }, targets: [{ provider: 'mistral' }, { provider: 'deepseek' }] },
    ],
  }
  const { chat, hosts } = rig(two, { fails: ['mistral'] })
  for (let call = 0; call < 3; call++)
    assert.equal((await chat({ model: 'm' }, { 'x-portkey-config': JSON.stringify(config) })).status, 200)
  assert.deepEqual([...new Set(hosts())].sort(), ['deepseek', 'mistral'])
})

test('a config header that is no JSON is refused by its name; a stored one is passed over', async () => {
  const { chat } = rig(two)
  const { status, json } = await chat({ model: 'fast' }, { 'x-portkey-config': '{oops' })
  assert.equal(status, 400)
  assert.match(JSON.stringify(json), /x-portkey-config/)
  assert.equal((await chat({ model: 'fast' }, { 'x-portkey-config': 'pc-abc' })).status, 200)
})

test("Anthropic's dialect keeps its own words", async () => {
  const { post, sent } = rig({
    providers: { anthropic: { baseUrl: 'http://anthropic.test/v1', keys: ['env:KEY'] }, groq: vendor('groq') },
  })
  const body = {
    model: 'anthropic/claude-sonnet-4-5',
    max_tokens: 5,
    messages: [{ role: 'user', content: 'Hi' }],
    fallbacks: [{ model: 'claude-haiku-4-5' }],
  }
  assert.equal((await post('/v1/messages', body, { 'anthropic-version': '2023-06-01' })).status, 200)
  assert.deepEqual(sent[0]?.body['fallbacks'], body.fallbacks)
})

test('a list of a thousand names is no thousand calls', async () => {
  const { chat, sent, outcomes } = rig(two, { fails: ['groq', 'mistral'] })
  await chat({ model: 'groq/x', models: Array.from({ length: 1_000 }, (_, index) => `mistral/${index}`) })
  assert.ok(sent.length <= 17, String(sent.length))
  assert.match(outcomes[0]?.decision?.notes.join() ?? '', /models\[16\]: only the first 16 are tried/)
  const targets = Array.from({ length: 33 }, () => ({ provider: 'groq', override_params: { model: 'x' } }))
  const { status } = await chat({ model: 'x' }, { 'x-portkey-config': JSON.stringify({ strategy: { mode: 'fallback' }, targets }) })
  assert.equal(status, 400)
})
