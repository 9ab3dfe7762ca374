import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { rig } from '../routing/fixtures/rig.ts'
import { type ScoreFacts, scored } from '../routing/strategies/score.ts'
import type { RoutingStrategy } from '../routing/strategy.ts'
import { checkScore } from './check-routing.ts'
import { strategy } from './schema-routing.ts'
import { compileScore } from './scores.ts'

const facts: ScoreFacts = {
  request: { tokens: 5000, stream: true },
  key: { alias: 'ci' },
  metadata: { team: 'a' },
  labels: {},
  tags: ['night'],
  target: { provider: 'lab', model: 'm', region: 'eu', trust: '', tier: '', weight: 2 },
  cost: 0.5,
  latency: 300,
  errors: 0.25,
  headroom: 1,
  inFlight: 3,
  share: 1,
  hour: 12.5,
  random: 0.75,
}

const scoreOf = (text: string): ((facts: ScoreFacts) => number) => {
  const compiled = compileScore(text)
  assert.ok('score' in compiled, 'problem' in compiled ? compiled.problem : '')
  return compiled.score
}

suite('a score in CEL', () => {
  test('mixes whole numbers and fractions, asks about call, target and how it does', () => {
    const worth = (text: string): number => scoreOf(text)(facts)
    assert.equal(worth('cost * 1000 + latency / 100'), 503)
    assert.equal(worth('7'), 7)
    assert.equal(worth('2 * inFlight - 1'), 5)
    assert.equal(worth('hour >= 7 && hour < 19 ? latency : cost'), 300)
    assert.equal(worth('request.tokens > 1000 ? cost : latency'), 0.5)
    assert.equal(worth('target.provider == "lab" && metadata.team == "a" ? 0 : 1'), 0)
    assert.equal(worth('random / target.weight'), 0.375)
    assert.equal(worth('"night" in tags && key.alias == "ci" ? 1.5 : 2.5'), 1.5)
    assert.equal(worth('max(cost, 2) + min(errors, headroom)'), 2.25)
    assert.equal(worth('cost * (1 + 10 * errors) / (share * headroom)'), 1.75)
  })

  test('is nothing where it cannot be worked out', () => {
    assert.ok(Number.isNaN(scoreOf('metadata.level + 1')(facts)))
    assert.ok(Number.isNaN(scoreOf('metadata.team')(facts)))
    assert.ok(Number.isNaN(scoreOf('labels.task.x')(facts)))
  })

  test('is refused when it cannot be compiled or is no number', () => {
    const problem = (text: string): string => {
      const compiled = compileScore(text)
      return 'problem' in compiled ? compiled.problem : ''
    }
    assert.match(problem('cost +'), /unexpected/i)
    assert.match(problem('price * 2'), /unknown variable: price/)
    assert.equal(problem('cost > 1'), 'is a bool, not a number')
    assert.equal(problem('"a"'), 'is a string, not a number')
    assert.deepEqual(checkScore('fast', { strategy: { score: 'cost' } }), [])
    assert.deepEqual(checkScore('fast', { strategy: 'cheapest' }), [])
    assert.deepEqual(
      checkScore('fast', { strategy: { score: 'cost >' } }).map(({ path }) => path),
      ['models.fast.strategy.score'],
    )
  })

  test('stands in the configuration where a name could', () => {
    assert.equal(strategy.parse(undefined), 'priority')
    assert.equal(strategy.parse('cheapest'), 'cheapest')
    assert.deepEqual(strategy.parse({ score: 'cost', spreads: true }), { score: 'cost', spreads: true })
    const [unknown] = strategy.safeParse('cheap').error?.issues ?? []
    assert.match(unknown?.message ?? '', /^not a strategy\nuse one of priority, /)
    assert.equal(strategy.safeParse({ score: '' }).success, false)
    assert.equal(strategy.safeParse({ score: 'cost', speads: true }).success, false)
  })
})

suite('a route that is ordered by a score', () => {
  const hosts = {
    dear: { preset: 'openai-compatible', baseUrl: 'http://dear.test/v1' },
    cheap: { preset: 'openai-compatible', baseUrl: 'http://cheap.test/v1' },
    odd: { preset: 'openai-compatible', baseUrl: 'http://odd.test/v1' },
  }
  const targets = [
    { provider: 'odd', model: 'm' },
    { provider: 'dear', model: 'm', price: { input: 10, output: 10 } },
    { provider: 'cheap', model: 'm', price: { input: 1, output: 1 } },
  ]
  const by = (text: string): RoutingStrategy => scored(scoreOf(text))
  const route = (text: string, more: Parameters<typeof rig>[1] = {}) =>
    rig({ providers: hosts, models: { fast: { strategy: by(text), targets } } }, more)

  test('goes to the lowest, and what has none comes last', async () => {
    const { chat, hosts: called } = route('cost')
    const { headers } = await chat({ model: 'fast' })
    assert.deepEqual(called(), ['cheap'])
    assert.equal(headers.get('x-signalbox-reason'), 'first-choice')
    // The dearest first; a price that nobody knows is endless, and so even before it.
    const other = route('target.provider == "odd" ? 0.0 : -cost')
    await other.chat({ model: 'fast' })
    assert.deepEqual(other.hosts(), ['dear'])
  })

  test('falls over in the order of the scores', async () => {
    const { chat, hosts: called } = route('cost', { fails: ['cheap', 'dear'] })
    assert.equal((await chat({ model: 'fast' })).status, 200)
    assert.deepEqual([...new Set(called())], ['cheap', 'dear', 'odd'])
  })

  test('knows what the caller says of itself, for each call anew', async () => {
    const { chat, hosts: called } = route('metadata.team == target.provider ? 0 : 1')
    for (const team of ['dear', 'cheap', 'nobody']) await chat({ model: 'fast' }, { 'x-signalbox-metadata': JSON.stringify({ team }) })
    // Equal ones as written, and a call that says nothing too.
    await chat({ model: 'fast' })
    assert.deepEqual(called(), ['dear', 'cheap', 'odd', 'odd'])
  })

  test('knows the size of the request', async () => {
    const { chat, hosts: called } = route('request.tokens > 500 ? cost : (target.provider == "dear" ? 0.0 : 1.0)')
    await chat({ model: 'fast' })
    await chat({ model: 'fast', messages: [{ role: 'user', content: 'word '.repeat(1000) }] })
    assert.deepEqual(called(), ['dear', 'cheap'])
  })

  test('orders within a group, and a group among others', async () => {
    const { chat, hosts: called } = rig({
      providers: hosts,
      models: {
        all: { targets: [{ route: 'own' }, { provider: 'odd', model: 'm' }] },
        own: { strategy: by('metadata.want == target.provider ? 0 : 1'), targets: targets.slice(1) },
      },
    })
    await chat({ model: 'all' }, { 'x-signalbox-metadata': '{"want":"cheap"}' })
    await chat({ model: 'all' }, { 'x-signalbox-metadata': '{"want":"dear"}' })
    assert.deepEqual(called(), ['cheap', 'dear'])
  })
})
