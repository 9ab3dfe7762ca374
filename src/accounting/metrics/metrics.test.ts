import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Outcome } from '../outcome.ts'
import { type CallMetrics, callMetrics } from './call-metrics.ts'
import { keptMetrics } from './kept-metrics.ts'
import { Registry, renderGauges } from './registry.ts'
import { stateMetrics } from './state-metrics.ts'

const outcome = (over: Partial<Outcome> = {}): Outcome => ({
  id: 'req_1',
  at: 0,
  dialect: 'openai-chat',
  key: undefined,
  tenant: undefined,
  fell: undefined,
  requestedModel: 'fast',
  route: 'fast',
  provider: 'a',
  model: 'm',
  upstreamModel: 'm',
  wire: 'openai-chat',
  streamed: true,
  status: 200,
  error: undefined,
  finish: 'stop',
  usage: { input: 100, output: 11, cacheRead: 60 },
  cost: 2_500_000n,
  costEstimated: false,
  attempts: [
    { provider: 'b', model: 'n', wire: 'openai-chat', startedMs: 0, sent: true, fault: 'upstream-failed' },
    { provider: 'a', model: 'm', wire: 'openai-chat', startedMs: 10, sent: true },
  ],
  reason: undefined,
  decision: undefined,
  dropped: [],
  latency: { total: 1_300, first: 300, overhead: 0.4 },
  ...over,
})

/** A page in Prometheus' text format, read strictly: every sample by its name and labels. */
function parsed(page: string): { readonly samples: ReadonlyMap<string, number>; readonly types: ReadonlyMap<string, string> } {
  const samples = new Map<string, number>()
  const types = new Map<string, string>()
  const helped = new Set<string>()
  assert.ok(page.endsWith('\n'))
  for (const line of page.split('\n').slice(0, -1)) {
    const help = /^# HELP ([a-z_]+) (.+)$/.exec(line)
    const type = /^# TYPE ([a-z_]+) (counter|gauge|histogram)$/.exec(line)
    if (help) helped.add(help[1] ?? '')
    else if (type) {
      assert.ok(helped.has(type[1] ?? '') && !types.has(type[1] ?? ''), line)
      types.set(type[1] ?? '', type[2] ?? '')
    } else {
      const [, name = '', labels = '', value = ''] =
        /^([a-z_]+)(\{[a-z_]+="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\[\\"n])*")*\})? (\S+)$/.exec(line) ?? assert.fail(line)
      assert.ok(types.has(name) || types.get(name.replace(/_(bucket|sum|count)$/, '')) === 'histogram', line)
      assert.ok(!samples.has(name + labels), `twice: ${line}`)
      assert.ok(Number.isFinite(Number(value)), line)
      samples.set(name + labels, Number(value))
    }
  }
  return { samples, types }
}

const page = (metrics: CallMetrics): ReturnType<typeof parsed> => parsed(metrics.registry.render())

test('a call is counted with its attempts, faults, tokens, times and cost', () => {
  const metrics = callMetrics()
  metrics.record(outcome())
  metrics.record(outcome())
  const { samples } = page(metrics)
  const semantic = 'gen_ai_operation_name="chat",gen_ai_provider_name="a",gen_ai_request_model="m"'
  const expected: Readonly<Record<string, number>> = {
    'signalbox_calls_total{route="fast",provider="a",model="m",code="ok"}': 2,
    'signalbox_attempts_total{provider="a",model="m",sent="true"}': 2,
    'signalbox_attempts_total{provider="b",model="n",sent="true"}': 2,
    'signalbox_faults_total{provider="b",model="n",fault="upstream-failed"}': 2,
    'signalbox_tokens_total{provider="a",model="m",kind="input"}': 200,
    'signalbox_tokens_total{provider="a",model="m",kind="cache_read"}': 120,
    'signalbox_cost_usd_total{route="fast",provider="a",model="m"}': 0.005,
    [`gen_ai_client_operation_duration_seconds_bucket{${semantic},le="1.28"}`]: 0,
    [`gen_ai_client_operation_duration_seconds_bucket{${semantic},le="2.56"}`]: 2,
    [`gen_ai_client_operation_duration_seconds_bucket{${semantic},le="+Inf"}`]: 2,
    [`gen_ai_client_operation_duration_seconds_sum{${semantic}}`]: 2.6,
    [`gen_ai_client_operation_duration_seconds_count{${semantic}}`]: 2,
    [`gen_ai_server_time_to_first_token_seconds_sum{${semantic}}`]: 0.6,
    [`gen_ai_server_time_per_output_token_seconds_sum{${semantic}}`]: 0.2,
    [`gen_ai_client_token_usage_sum{${semantic},gen_ai_token_type="input"}`]: 200,
    [`gen_ai_client_token_usage_bucket{${semantic},gen_ai_token_type="output",le="16"}`]: 2,
    'signalbox_overhead_seconds_count{route="fast"}': 2,
  }
  for (const [name, value] of Object.entries(expected))
    assert.ok(Math.abs((samples.get(name) ?? Number.NaN) - value) < 1e-9, `${name} ${samples.get(name)}`)
})

test('a refused call is counted by its code, and has no times or tokens', () => {
  const metrics = callMetrics()
  const nobody = { route: undefined, provider: undefined, model: undefined, usage: undefined, cost: undefined, attempts: [] }
  metrics.record(outcome({ ...nobody, status: 404, error: { code: 'unknown_model', message: 'secret words' } }))
  const text = metrics.registry.render()
  assert.equal(page(metrics).samples.get('signalbox_calls_total{route="",provider="",model="",code="unknown_model"}'), 1)
  assert.ok(!text.includes('secret words'))
  assert.ok(!text.includes('gen_ai_client_operation_duration_seconds_count{'))
})

test('what is not known is not zero', () => {
  const metrics = callMetrics()
  metrics.record(outcome({ usage: undefined, cost: undefined, latency: { total: 5, first: undefined, overhead: undefined } }))
  const text = metrics.registry.render()
  for (const name of [
    'signalbox_cost_usd_total{',
    'signalbox_tokens_total{',
    'gen_ai_client_token_usage_count{',
    'signalbox_overhead_seconds_count{',
  ])
    assert.ok(!text.includes(name), name)
})

test('names that nobody configured are `other`, and labels are escaped', () => {
  const metrics = callMetrics({ knownModel: (_provider, model) => model === 'm' })
  metrics.record(outcome({ model: 'made up by a caller', attempts: [] }))
  metrics.record(outcome({ route: 'a "quoted"\nroute\\', attempts: [] }))
  const { samples } = page(metrics)
  assert.equal(samples.get('signalbox_calls_total{route="fast",provider="a",model="other",code="ok"}'), 1)
  assert.equal(samples.get('signalbox_calls_total{route="a \\"quoted\\"\\nroute\\\\",provider="a",model="m",code="ok"}'), 1)
})

test('label sets are bounded, whatever callers do, and nothing goes uncounted', () => {
  const metrics = callMetrics()
  for (let i = 0; i < 5_000; i++) metrics.record(outcome({ model: `m${i}`, attempts: [] }))
  assert.ok(metrics.registry.size <= 1_000)
  const { samples } = page(metrics)
  let calls = 0
  let series = 0
  for (const [name, value] of samples)
    if (name.startsWith('signalbox_calls_total{')) {
      calls += value
      series++
    }
  assert.equal(calls, 5_000)
  assert.ok(series <= 1_001)
  assert.ok((samples.get('signalbox_calls_total{route="other",provider="other",model="other",code="other"}') ?? 0) > 0)
})

test('buckets are cumulative and end with all', () => {
  const registry = new Registry()
  const histogram = registry.histogram('h', 'Help.', [1, 2, 3]).of()
  for (const value of [0.5, 1, 1.5, 2.5, 99, Number.NaN, -1]) histogram.observe(value)
  const { samples } = parsed(registry.render())
  assert.deepEqual(
    ['1', '2', '3', '+Inf'].map((le) => samples.get(`h_bucket{le="${le}"}`)),
    [2, 3, 4, 5],
  )
  assert.equal(samples.get('h_count'), 5)
})

const state = stateMetrics({
  admission: () => ({
    limit: 7,
    inFlight: 3,
    waiting: 2,
    heldBytes: 90,
    delayMs: 20,
    memory: 0.5,
    shed: { waited: 4, 'line-full': 5, bytes: 0, memory: 0 },
    waited: { count: 6, sumMs: 1_500 },
    left: 1,
  }),
  targets: () => [
    { provider: 'a', wire: 'openai-chat', model: 'm', breaker: 'open', inFlight: 1, errors: 0.5, headroom: 0.25 },
    { provider: 'a', wire: 'openai-chat', model: 'made up', breaker: 'closed', inFlight: 0, errors: 0, headroom: 1 },
  ],
  process: () => ({ rssBytes: 1, heapBytes: 2, cpuSeconds: 3, upSeconds: 4 }),
  kept: {
    ledger: () => ({ waiting: 5, behind: true, unwritten: 1, refused: 2, dropped: 3 }),
    database: () => false,
    counters: () => ({ mode: 'local', untold: 8 }),
    access: () => ({ keys: 12, loaded: true }),
    strangers: () => [[['guessing'], 11]],
    spending: () => ({ waiting: 4, refusals: [[['limit', 'requests', 'key', 'refused'], 9]] }),
    secretsWithProblem: () => 1,
    adminRequests: () => [[['keys.list', '200'], 6]],
    events: () => ({ waiting: 2, ended: [[['budget-warning', 'taken'], 7]] }),
  },
  knownModel: (_provider, model) => model === 'm',
})

test('the state of the moment is read when it is asked for', () => {
  const { samples } = parsed(renderGauges(state))
  assert.equal(samples.get('signalbox_calls_in_flight'), 3)
  assert.equal(samples.get('signalbox_shed_total{reason="line-full"}'), 5)
  assert.equal(samples.get('signalbox_waited_seconds_total'), 1.5)
  assert.equal(samples.get('signalbox_breaker_state{provider="a",wire="openai-chat",model="m"}'), 2)
  assert.ok(![...samples.keys()].some((name) => name.includes('made up')))
})

test('what outlives a call is told with it', () => {
  const { samples, types } = parsed(renderGauges(state))
  const expected: Readonly<Record<string, number>> = {
    signalbox_ledger_waiting: 5,
    signalbox_ledger_behind: 1,
    signalbox_ledger_dropped_total: 3,
    signalbox_database_up: 0,
    'signalbox_counters_mode{mode="redis"}': 0,
    'signalbox_counters_mode{mode="local"}': 1,
    signalbox_counters_untold: 8,
    signalbox_keys: 12,
    signalbox_access_loaded: 1,
    'signalbox_strangers_total{why="guessing"}': 11,
    signalbox_budget_waiting: 4,
    'signalbox_spending_refusals_total{rule="limit",what="requests",by="key",outcome="refused"}': 9,
    signalbox_secrets_with_problem: 1,
    'signalbox_admin_requests_total{operation="keys.list",status="200"}': 6,
    'signalbox_events_total{type="budget-warning",outcome="taken"}': 7,
  }
  for (const [name, value] of Object.entries(expected)) assert.equal(samples.get(name), value, name)
  assert.equal(types.get('signalbox_spending_refusals_total'), 'counter')
})

test('without a database and Redis nothing is told of them', () => {
  const alone = keptMetrics({
    ledger: () => ({ waiting: 0, behind: false, unwritten: 0, refused: 0, dropped: 0 }),
    database: () => undefined,
    counters: () => undefined,
    access: () => ({ keys: 0, loaded: true }),
    strangers: () => [],
    spending: () => ({ waiting: 0, refusals: [] }),
    secretsWithProblem: () => 0,
    adminRequests: () => [],
    events: () => ({ waiting: 0, ended: [] }),
  })
  const { samples } = parsed(renderGauges(alone))
  assert.ok(![...samples.keys()].some((name) => /database|counters/.test(name)))
  assert.equal(samples.get('signalbox_ledger_behind'), 0)
})

test('the guide has every metric in its table, with its type and labels, and no other', () => {
  const guide = readFileSync(new URL('../../../docs/guide/metrics.md', import.meta.url), 'utf8')
  const rows = [...guide.matchAll(/^\| `([a-z_]+)` \| (\w+) \| (.*?) \|/gm)].map(([, name, type, labels]) => `${name} ${type} ${labels}`)
  const metrics = [...callMetrics().registry.descriptions, ...state]
  assert.deepEqual(
    rows.toSorted(),
    metrics.map(({ name, type, labels }) => `${name} ${type} ${labels.map((label) => `\`${label}\``).join(', ')}`).toSorted(),
  )
})
