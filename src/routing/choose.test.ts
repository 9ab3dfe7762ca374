import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConfigInput } from '../config/schema.ts'
import { rig } from './fixtures/rig.ts'

const lab = (id: string, extra: object = {}) => ({
  preset: 'openai-compatible',
  baseUrl: `http://${id}.test/v1`,
  keys: ['env:KEY'],
  ...extra,
})
const once = { retries: { attempts: 1 } }
const hello = [{ role: 'user', content: 'Hello' }]
const picture = [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://x.test/a.png' } }] }]

const places: ConfigInput = {
  defaults: once,
  providers: {
    here: lab('here', { region: 'eu-west-1', trust: 'private', retention: 'zero' }),
    there: lab('there', { region: 'us-east-1', trust: 'standard', retention: 'standard' }),
    unknown: lab('unknown'),
  },
  models: {
    any: {
      targets: [
        { provider: 'unknown', model: 'u' },
        { provider: 'there', model: 't', price: { input: 1, output: 2 } },
        { provider: 'here', model: 'h', price: { input: 4, output: 8 } },
      ],
    },
  },
}

/** Who is called, in order, when everything fails. */
async function tried(config: ConfigInput, body: Record<string, unknown>, headers: Record<string, string> = {}): Promise<readonly string[]> {
  const { chat, hosts } = rig(config, { fails: ['here', 'there', 'unknown', 'a', 'b', 'c', 'anthropic', 'mistral'] })
  await chat(body, headers)
  return [...new Set(hosts())]
}

test('without constraints the operator’s order stands', async () => {
  assert.deepEqual(await tried(places, { model: 'any' }), ['unknown', 'there', 'here'])
})

test('constraints of a request leave targets out; what is not known of region, trust, retention or price does not meet them', async () => {
  const cases: readonly (readonly [Record<string, string>, readonly string[]])[] = [
    [{ 'x-signalbox-region': 'eu' }, ['here']],
    [{ 'x-signalbox-region': 'us|eu' }, ['there', 'here']],
    [{ 'x-signalbox-require': 'region=eu-west' }, ['here']],
    [{ 'x-signalbox-require': 'region!=eu' }, ['unknown', 'there']],
    [{ 'x-signalbox-require': 'trust=private' }, ['here']],
    [{ 'x-signalbox-require': 'retention=limited' }, ['here']],
    [{ 'x-signalbox-require': 'provider!=there' }, ['unknown', 'here']],
    [{ 'x-signalbox-require': 'input_price<=2' }, ['there']],
    [{ 'x-signalbox-max-cost': '0.003' }, ['there']],
    [{ 'x-signalbox-max-latency': '5s' }, ['unknown', 'there', 'here']],
  ]
  for (const [headers, order] of cases) assert.deepEqual(await tried(places, { model: 'any' }, headers), order, JSON.stringify(headers))
})

test('constraints of a route hold for its fallback too, and a fallback keeps to its own', async () => {
  const config: ConfigInput = {
    ...places,
    models: {
      safe: { targets: [{ provider: 'here', model: 'h' }], fallback: ['any'], constraints: { region: 'eu' } },
      open: { targets: [{ provider: 'unknown', model: 'u' }], fallback: ['private'] },
      private: {
        targets: [
          { provider: 'there', model: 't' },
          { provider: 'here', model: 'p' },
        ],
        constraints: { trust: ['private'], providers: { deny: ['unknown'] } },
      },
      any: places.models?.['any'] ?? {},
    },
  }
  assert.deepEqual(await tried(config, { model: 'safe' }), ['here'])
  assert.deepEqual(await tried(config, { model: 'open' }), ['unknown', 'here'])
  assert.deepEqual(await tried(config, { model: 'private' }), ['here'])
})

test('when nothing is left the answer says which constraint removed which target, and nothing is sent', async () => {
  const { chat, sent, outcomes } = rig(places)
  const { status, headers, json } = await chat({ model: 'any' }, { 'x-signalbox-region': 'ch' })
  assert.equal(status, 400)
  assert.equal(headers.get('x-signalbox-error'), 'no_eligible_target')
  assert.equal(headers.get('x-should-retry'), 'false')
  const text = JSON.stringify(json)
  assert.match(text, /unknown\/u: its region is not known, and must be ch \(x-signalbox-region\)/)
  assert.match(text, /there\/t: it is in us-east-1, not in ch/)
  assert.match(text, /here\/h: it is in eu-west-1/)
  assert.equal(sent.length, 0)
  assert.equal(outcomes[0]?.decision?.candidates.filter(({ removed }) => removed).length, 3)
})

test('a wish that is none is refused by its name', async () => {
  const { chat } = rig(places)
  for (const [name, value] of [
    ['x-signalbox-require', 'telepathy'],
    ['x-signalbox-require', 'context>=many'],
    ['x-signalbox-require', 'retention=none'],
    ['x-signalbox-prefer', 'beauty'],
    ['x-signalbox-prefer', 'cost;q=2'],
  ] as const) {
    const { status, json } = await chat({ model: 'any' }, { [name]: value })
    assert.equal(status, 400, value)
    assert.match(JSON.stringify(json), new RegExp(name))
  }
})

const known: ConfigInput = {
  defaults: once,
  providers: {
    mistral: { baseUrl: 'http://mistral.test/v1', keys: ['env:KEY'] },
    anthropic: { baseUrl: 'http://anthropic.test/v1', keys: ['env:KEY'] },
    a: lab('a'),
  },
  models: {
    mixed: {
      targets: [
        { provider: 'mistral', model: 'open-mixtral-8x7b' },
        { provider: 'anthropic', model: 'claude-sonnet-4-5' },
        { provider: 'a', model: 'unheard-of' },
      ],
    },
  },
}

test('what a request needs leaves out models that are known to lack it; unknown models are assumed capable', async () => {
  assert.deepEqual(await tried(known, { model: 'mixed', messages: hello }), ['mistral', 'anthropic', 'a'])
  assert.deepEqual(await tried(known, { model: 'mixed', messages: picture }), ['anthropic', 'a'])
  const long = [{ role: 'user', content: 'word '.repeat(60_000) }]
  assert.deepEqual(await tried(known, { model: 'mixed', messages: long }), ['anthropic', 'a'])
  assert.deepEqual(await tried(known, { model: 'mixed', messages: hello }, { 'x-signalbox-require': 'context>=128k, vision' }), [
    'anthropic',
    'a',
  ])
})

test('what is only lost in part brings others forward, but leaves nobody out', async () => {
  const order = await tried(known, { model: 'mixed', messages: hello, logprobs: true })
  assert.deepEqual(order, ['mistral', 'a', 'anthropic'])
})

test('preferences weigh cost, features and words against each other', async () => {
  assert.deepEqual(await tried(places, { model: 'any' }, { 'x-signalbox-prefer': 'cost' }), ['there', 'here', 'unknown'])
  assert.deepEqual(await tried(places, { model: 'any' }, { 'x-signalbox-prefer': 'cost;q=0.3, trust=private;q=0.9' }), [
    'here',
    'there',
    'unknown',
  ])
  const route = { ...places, models: { any: { ...places.models?.['any'], prefer: 'region=eu' } } }
  assert.deepEqual(await tried(route, { model: 'any' }), ['here', 'unknown', 'there'])
  assert.deepEqual(await tried(route, { model: 'any' }, { 'x-signalbox-prefer': 'region=us' }), ['there', 'unknown', 'here'])
})

test('a condition in CEL decides on request, metadata and tags', async () => {
  const config: ConfigInput = {
    ...places,
    models: {
      any: {
        targets: [
          { provider: 'here', model: 'h', when: 'metadata.team == "a" && request.tokens < 100' },
          { provider: 'there', model: 't', when: '"paid" in tags || request.stream' },
          { provider: 'unknown', model: 'u' },
        ],
      },
    },
  }
  assert.deepEqual(await tried(config, { model: 'any' }), ['unknown'])
  assert.deepEqual(await tried(config, { model: 'any', metadata: { team: 'a' } }), ['here', 'unknown'])
  assert.deepEqual(await tried(config, { model: 'any' }, { 'x-signalbox-metadata': '{"team":"a","tags":["paid"]}' }), [
    'here',
    'there',
    'unknown',
  ])
  assert.deepEqual(
    await tried(config, { model: 'any', metadata: { team: 'a' }, messages: [{ role: 'user', content: 'word '.repeat(400) }] }),
    ['unknown'],
  )
})

test('a group is one member, whose own strategy chooses within', async () => {
  const config: ConfigInput = {
    defaults: once,
    providers: { a: lab('a'), b: lab('b'), c: lab('c') },
    models: {
      inner: {
        targets: [
          { provider: 'a', model: '1', weight: 0 },
          { provider: 'b', model: '2', weight: 1 },
        ],
        strategy: 'weighted',
      },
      outer: {
        targets: [
          { provider: 'c', model: '3', weight: 0 },
          { route: 'inner', weight: 5 },
        ],
        strategy: 'weighted',
      },
    },
  }
  assert.deepEqual(await tried(config, { model: 'outer' }), ['b', 'a', 'c'])
})

test('losing the models of a tier falls to the next, and a header says so', async () => {
  const config: ConfigInput = {
    defaults: once,
    providers: { a: lab('a'), b: lab('b'), c: lab('c') },
    models: {
      best: { targets: [{ provider: 'a', model: '1' }] },
      good: { targets: [{ provider: 'b', model: '2' }] },
      cheap: { targets: [{ provider: 'c', model: '3' }] },
    },
    tiers: { premium: { models: ['best'], next: 'standard' }, standard: { models: ['good'], next: 'free' }, free: { models: ['cheap'] } },
  }
  assert.deepEqual(await tried(config, { model: 'best' }), ['a', 'b', 'c'])
  assert.deepEqual(await tried(config, { model: 'standard' }), ['b', 'c'])
  const { chat } = rig(config, { fails: ['a'] })
  const { headers } = await chat({ model: 'premium' })
  assert.equal(headers.get('x-signalbox-tier'), 'standard')
  assert.equal(headers.get('x-signalbox-route'), 'premium')
})

test('a pool without targets is filled from the configured providers by category', async () => {
  const { chat, sent, outcomes } = rig({
    providers: { openai: { baseUrl: 'http://openai.test/v1', keys: ['env:KEY'], wire: 'openai-chat' } },
    models: { see: { pool: { category: 'vision', size: 3 } } },
  })
  assert.equal((await chat({ model: 'see', messages: picture })).status, 200)
  assert.equal(sent[0]?.host, 'openai')
  assert.ok((outcomes[0]?.decision?.candidates.length ?? 1) <= 3)
})

test('a model leaves after its last day, and is warned of before', async () => {
  const { isGone, warningOf } = await import('./constraints/shutdown.ts')
  const day = 86_400_000
  const date = Date.parse('2030-06-01')
  assert.equal(warningOf('2030-06-01', date - 61 * day), undefined)
  assert.match(warningOf('2030-06-01', date - 59 * day) ?? '', /is switched off on 2030-06-01/)
  assert.equal(isGone('2030-06-01', date + day - 1), false)
  assert.equal(isGone('2030-06-01', date + day), true)
})
