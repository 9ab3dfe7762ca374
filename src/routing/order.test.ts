import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HealthView, Plan, Standing, TargetHealth } from '../core/health.ts'
import type { Candidate } from '../core/target.ts'
import { askedOf } from './asked.ts'
import type { RateCard } from './expected-cost.ts'
import { planOf } from './order.ts'
import { strategies } from './strategies/index.ts'
import { chanceOf } from './strategies/sticky.ts'
import type { RoutingStrategy } from './strategy.ts'

const candidate = (provider: string, weight = 1): Candidate => ({
  provider,
  model: 'm',
  wires: ['openai-chat'],
  weight,
  timeouts: { connectMs: 1, firstTokenMs: 1, idleMs: 1, answerMs: 1, totalMs: 1 },
  attempts: 1,
  on: () => ({ provider, model: 'm', wire: 'openai-chat', capabilities: {}, quirks: {} }),
})

interface State {
  readonly standing?: Standing
  readonly share?: number
  readonly inFlight?: number
  readonly errors?: number
  readonly headroom?: number
  readonly latencyMs?: number
  readonly limitedMs?: number
  readonly lastFailedAt?: number
  readonly meanOutput?: number
  readonly meanCachedShare?: number
}

const healthOf = (state: State): TargetHealth => ({
  standing: () => state.standing ?? 'ready',
  share: () => state.share ?? 1,
  restMs: () => 0,
  limitedMs: () => state.limitedMs,
  failing: () => false,
  lastFailedAt: state.lastFailedAt ?? 0,
  inFlight: state.inFlight ?? 0,
  errors: () => state.errors ?? 0,
  headroom: () => state.headroom ?? 1,
  latencyMs: () => state.latencyMs,
  quantileMs: () => undefined,
  meanOutput: state.meanOutput,
  meanCachedShare: state.meanCachedShare,
  tokensPerSecond: undefined,
  keyFor: () => 0,
  enter: () => ({ began() {}, ended() {} }),
})

interface Scene {
  readonly strategy?: string | RoutingStrategy
  readonly states?: Readonly<Record<string, State>>
  readonly rates?: Readonly<Record<string, RateCard>>
  readonly weights?: Readonly<Record<string, number>>
  readonly fallback?: readonly string[]
  /** Throws of the die, over and over. */
  readonly random?: readonly number[]
  readonly json?: Parameters<typeof askedOf>[0]['json']
  readonly session?: string
  readonly text?: string
  readonly turns?: { count: number }
}

function plan(names: string, scene: Scene = {}): Plan {
  const { strategy = 'priority', states = {}, rates, weights = {}, fallback = [], random = [0.5], json = {}, session, text = '' } = scene
  const chosen = typeof strategy === 'string' ? strategies[strategy] : strategy
  assert.ok(chosen)
  const known = new Map<string, TargetHealth>()
  const health: HealthView = {
    of({ provider }) {
      const state = known.get(provider) ?? healthOf(states[provider] ?? {})
      known.set(provider, state)
      return state
    },
  }
  let thrown = 0
  return planOf(
    {
      strategy: chosen,
      candidates: [...names].map((name) => candidate(name, weights[name])),
      fallback: fallback.map((name) => candidate(name)),
      ...(scene.turns && { turns: scene.turns }),
    },
    askedOf({ wire: 'openai-chat', streamed: true, json, text }, session),
    {
      health,
      ratesOf: ({ provider }) => rates?.[provider],
      now: () => 1_000,
      random: () => random[thrown++ % random.length] ?? 0,
    },
  )
}

const order = ({ candidates, ready }: Plan): string => {
  const names = candidates.map(({ provider }) => provider).join('')
  return ready === candidates.length ? names : `${names.slice(0, ready)}|${names.slice(ready)}`
}
const ordered = (names: string, scene?: Scene): string => order(plan(names, scene))

test('priority is the operator’s order; what rests stands behind, longest ago first', () => {
  assert.equal(ordered('abc'), 'abc')
  assert.equal(ordered('abc', { states: { a: { standing: 'resting' } } }), 'bc|a')
  const states = { a: { standing: 'resting', lastFailedAt: 9 }, b: { standing: 'resting', lastFailedAt: 3 } } as const
  assert.equal(ordered('abc', { states }), 'c|ba')
  assert.equal(ordered('ab', { states }), '|ba')
})

test('of those that wait for a rate limit, the first to be free comes first, and they come last of all', () => {
  const states = {
    a: { standing: 'resting', limitedMs: 9_000 },
    b: { standing: 'resting', limitedMs: 2_000 },
    c: { standing: 'resting', lastFailedAt: 900 },
  } as const
  assert.equal(ordered('abc', { states }), '|cba')
})

test('targets of fallback routes come before what rests', () => {
  assert.equal(ordered('ab', { fallback: ['x'], states: { a: { standing: 'resting' } } }), 'bx|a')
  assert.equal(ordered('a', { fallback: ['x', 'y'], states: { a: { standing: 'resting' }, x: { standing: 'resting' } } }), 'y|ax')
})

test('a probe waits for its turn where the first gets every call, and comes first where all get some', () => {
  const states = { b: { standing: 'probe' } } as const
  assert.equal(ordered('abc', { states }), 'abc')
  assert.equal(ordered('abc', { states: { a: { standing: 'probe' } } }), 'abc')
  const spread = plan('abc', { strategy: 'round-robin', states })
  assert.equal(order(spread), 'bac')
  assert.equal(spread.why, 'probe')
})

test('one that has just recovered gets its share of the calls, and the next one the others', () => {
  const states = { a: { share: 0.3 } }
  assert.equal(ordered('abc', { states, random: [0.2] }), 'abc')
  assert.equal(ordered('abc', { states, random: [0.4] }), 'bca')
})

test('the rate of success alone leaves out half at most, the worst first', () => {
  const outlier = (errors: number): State => ({ standing: 'outlier', errors })
  assert.equal(ordered('abcd', { states: { a: outlier(0.3) } }), 'bcd|a')
  assert.equal(ordered('abcd', { states: { a: outlier(0.3), b: outlier(0.6), c: outlier(0.9) } }), 'ad|cb')
  assert.equal(ordered('abcd', { states: { a: outlier(0.3), b: { standing: 'resting' }, c: { standing: 'resting' } } }), 'ad|bc')
  const alone = plan('a', { states: { a: outlier(0.9) } })
  assert.equal(order(alone), 'a')
  assert.match(alone.why ?? '', /too many/)
})

test('weighted draws in proportion', () => {
  let seed = 1
  const random = (): number => chanceOf(String(seed++))
  let first = 0
  const strategy = strategies['weighted']
  assert.ok(strategy)
  const [a, b, c] = [candidate('a', 3), candidate('b', 1), candidate('c', 0)]
  for (let count = 0; count < 4_000; count++) {
    const drawn: readonly Candidate[] = planOf(
      { strategy, candidates: [a, b, c], fallback: [] },
      askedOf({ wire: 'gemini', streamed: false, json: {}, text: '' }),
      {
        now: () => 0,
        random,
      },
    ).candidates
    assert.equal(drawn[2], c, 'no weight, no calls')
    if (drawn[0] === a) first++
  }
  assert.ok(Math.abs(first / 4_000 - 0.75) < 0.03, String(first))
})

test('round robin takes turns among those that are well', () => {
  const turns = { count: 0 }
  const rounds = Array.from({ length: 4 }, () => ordered('abc', { strategy: 'round-robin', turns }))
  assert.deepEqual(rounds, ['abc', 'bca', 'cab', 'abc'])
  assert.equal(ordered('abc', { strategy: 'round-robin', turns: { count: 1 }, states: { b: { standing: 'resting' } } }), 'ca|b')
})

test('least latency asks whom nobody has asked, then the quickest', () => {
  const states = { a: { latencyMs: 900 }, b: { latencyMs: 300 }, c: {} }
  assert.equal(ordered('abc', { strategy: 'least-latency', states }), 'cba')
  assert.equal(
    ordered('abc', { strategy: 'least-latency', states: { ...states, c: { inFlight: 1 } } }),
    'bac',
    'one call is enough to find out',
  )
})

test('least busy goes by what is on its way, in proportion to weights', () => {
  const states = { a: { inFlight: 4 }, b: { inFlight: 1 }, c: { inFlight: 2 } }
  assert.equal(ordered('abc', { strategy: 'least-busy', states }), 'bca')
  assert.equal(ordered('abc', { strategy: 'least-busy', states, weights: { a: 10 } }), 'abc')
})

test('cheapest knows this very call: long input or long answer, and what a cache serves', () => {
  const rates = { a: { input: 1, output: 10 }, b: { input: 3, output: 3 }, c: { input: 2, output: 9, cacheRead: 0.1 } }
  const scene: Scene = { strategy: 'cheapest', rates, states: {} }
  assert.equal(ordered('abc', { ...scene, text: 'x'.repeat(400) }), 'bca', 'a short question has a longer answer')
  assert.equal(ordered('abc', { ...scene, text: 'x'.repeat(400_000) }), 'acb')
  assert.equal(ordered('abc', { ...scene, text: 'x'.repeat(400), json: { max_tokens: 1 } }), 'acb', 'an answer of one token')
  assert.equal(ordered('abc', { ...scene, text: 'x'.repeat(400_000), states: { c: { meanCachedShare: 0.9 } } }), 'cab')
  assert.equal(ordered('abcd', { ...scene, text: 'x'.repeat(400) }), 'bcad', 'an unknown price is not a low one')
})

test('sticky keeps a session at its target, and moves only the sessions of one that rests', () => {
  const names = 'abcdefgh'
  const firstOf = (session: string, scene: Scene = {}): string => ordered(names, { strategy: 'sticky', session, ...scene })[0] ?? ''
  const homes = new Map(Array.from({ length: 400 }, (_, index) => [`s${index}`, firstOf(`s${index}`)]))
  for (const name of names) {
    const share = [...homes.values()].filter((home) => home === name).length
    assert.ok(share > 20 && share < 90, `${name} has ${share} of 400`)
  }
  for (const [session, home] of homes) {
    assert.equal(firstOf(session, { random: [0.1, 0.9] }), home, 'chance has no say')
    const without = firstOf(session, { states: { c: { standing: 'resting' } } })
    if (home !== 'c') assert.equal(without, home)
    else assert.notEqual(without, 'c')
  }
})

test('a session is what the caller says, or what the dialect has for it', () => {
  const session = (json: Parameters<typeof askedOf>[0]['json'], header?: string) =>
    askedOf({ wire: 'openai-chat', streamed: false, json, text: '' }, header).session
  assert.equal(session({ user: 'u' }, 'h'), 'h')
  assert.equal(session({ prompt_cache_key: 'p', user: 'u' }), 'p')
  assert.equal(session({ metadata: { user_id: 'm' } }), 'm')
  assert.equal(session({ user: 3 as never }), undefined)
})

test('adaptive weighs latency, load, price, failures and headroom', () => {
  const best = (states: Readonly<Record<string, State>>, rates?: Scene['rates']): string =>
    ordered('ab', { strategy: 'adaptive', states, ...(rates && { rates }), random: [0] })[0] ?? ''
  const even = { latencyMs: 400 }
  assert.equal(best({ a: { latencyMs: 900 }, b: even }), 'b')
  assert.equal(best({ a: { ...even, inFlight: 1 }, b: even }), 'b')
  assert.equal(best({ a: { ...even, errors: 0.2 }, b: even }), 'b')
  assert.equal(best({ a: { ...even, headroom: 0.02 }, b: even }), 'b')
  assert.equal(best({ a: { ...even, share: 0.1 }, b: even }), 'b')
  assert.equal(best({ a: even, b: even }, { a: { input: 3, output: 9 }, b: { input: 1, output: 3 } }), 'b')
  assert.equal(best({ a: even, b: even }, { b: { input: 1, output: 3 } }), 'b', 'an unknown price is not a low one')
})

test('adaptive draws among those close to the best only', () => {
  const states = { a: { latencyMs: 400 }, b: { latencyMs: 420 }, c: { latencyMs: 4_000 } }
  const firsts = new Set<string>()
  for (const one of [0, 0.3, 0.6, 0.99])
    for (const two of [0, 0.3, 0.6, 0.99]) firsts.add(ordered('abc', { strategy: 'adaptive', states, random: [one, two] })[0] ?? '')
  assert.deepEqual([...firsts].toSorted(), ['a', 'b'])
})

test('an operator’s own strategy sees what the others see', () => {
  const dearest: RoutingStrategy = {
    name: 'dearest',
    order: (candidates, view) => candidates.toSorted((a, b) => (view.cost(b) ?? 0) - (view.cost(a) ?? 0)),
  }
  assert.equal(ordered('ab', { strategy: dearest, rates: { a: { input: 1, output: 1 }, b: { input: 2, output: 2 } } }), 'ba')
})
