/**
 * What calls add up to: a sink that counts each outcome as it is written down. Where the GenAI semantic conventions have a name
 * for something, it has that name. Labels hold names of the configuration and the catalogue; other names are `other`.
 */
import type { Usage } from '../../core/event.ts'
import type { Outcome, Sink } from '../outcome.ts'
import { type CounterSeries, type HistogramSeries, OTHER, Registry } from './registry.ts'

/** Seconds; the conventions' own. */
const DURATIONS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
const FIRST_TOKENS = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
const BETWEEN_TOKENS = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5]
const TOKENS = [1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864]
/** Seconds of the gateway's own, and of connecting. */
const SHORT = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

export interface CallMetrics extends Sink {
  readonly registry: Registry
  /** A breaker changed its state. */
  transition(change: { readonly provider: string; readonly model: string; readonly to: string }): void
  /** A connection to a provider came to stand. */
  connected(ms: number): void
}

export interface CallMetricsOptions {
  /** Names that may be labels: configured, or in the catalogue. */
  readonly knownModel?: (provider: string, model: string) => boolean
  readonly registry?: Registry
}

/** Names under which calls were counted lately; found again without asking for them one by one. */
const MAX_PLACES = 1_000

/** The series of calls with one route, provider and model. */
interface Place {
  readonly codes: Map<string, CounterSeries>
  readonly provider: string
  readonly model: string
  duration?: HistogramSeries
  overhead?: HistogramSeries
  cost?: CounterSeries
  first?: HistogramSeries
  between?: HistogramSeries
  input?: HistogramSeries
  output?: HistogramSeries
  readonly kinds: Map<string, CounterSeries>
}

export function callMetrics({ knownModel = () => true, registry = new Registry() }: CallMetricsOptions = {}): CallMetrics {
  const semantic = ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model'] as const
  const calls = registry.counter(
    'signalbox_calls_total',
    'Calls that have ended, by how: `ok` or the code of the error.',
    'route',
    'provider',
    'model',
    'code',
  )
  const attempts = registry.counter(
    'signalbox_attempts_total',
    'Requests to providers; where `sent` is false no connection stood.',
    'provider',
    'model',
    'sent',
  )
  const faults = registry.counter('signalbox_faults_total', 'Attempts that failed, by fault.', 'provider', 'model', 'fault')
  const tokens = registry.counter(
    'signalbox_tokens_total',
    'Tokens, by kind. Cache and reasoning tokens are part of input and output.',
    'provider',
    'model',
    'kind',
  )
  const cost = registry.counter('signalbox_cost_usd_total', 'What calls cost, in US dollars.', 'route', 'provider', 'model')
  const transitions = registry.counter('signalbox_breaker_transitions_total', 'Changes of state of breakers.', 'provider', 'model', 'to')
  const duration = registry.histogram(
    'gen_ai_client_operation_duration_seconds',
    'Whole calls, from the request to the end of the answer.',
    DURATIONS,
    ...semantic,
  )
  const first = registry.histogram(
    'gen_ai_server_time_to_first_token_seconds',
    'Until the first event of a streamed answer.',
    FIRST_TOKENS,
    ...semantic,
  )
  const between = registry.histogram(
    'gen_ai_server_time_per_output_token_seconds',
    'Between two tokens of a streamed answer, its mean.',
    BETWEEN_TOKENS,
    ...semantic,
  )
  const usage = registry.histogram('gen_ai_client_token_usage', 'Tokens of a call.', TOKENS, ...semantic, 'gen_ai_token_type')
  const overhead = registry.histogram(
    'signalbox_overhead_seconds',
    'What the gateway itself adds until an answer goes out, waiting for a place included.',
    SHORT,
    'route',
  )
  const connect = registry.histogram('signalbox_connect_seconds', 'New connections to providers, TLS included.', SHORT).of()
  const places = new Map<string, Place>()
  let last: { readonly route: string; readonly provider: string; readonly model: string; readonly place: Place } | undefined

  const labelOf = (provider: string, model: string): string => (provider === '' || knownModel(provider, model) ? model : OTHER)

  /** Calls come in runs of the same kind. */
  function placeOf(route: string, provider: string, model: string): Place {
    if (last?.route === route && last.provider === provider && last.model === model) return last.place
    const name = `${route}\n${provider}\n${model}`
    let place = places.get(name)
    if (!place) {
      if (places.size >= MAX_PLACES) places.clear()
      const label = labelOf(provider, model)
      place = {
        codes: new Map(),
        kinds: new Map(),
        provider,
        model: label,
      }
      places.set(name, place)
    }
    last = { route, provider, model, place }
    return place
  }

  return {
    name: 'metrics',
    registry,
    transition({ provider, model, to }) {
      transitions.of(provider, labelOf(provider, model), to).value++
    },
    connected: (ms) => connect.observe(ms / 1000),
    record(outcome) {
      const { route = '', provider = '', model = '', error, latency, attempts: tries, streamed, cost: nanos } = outcome
      const place = placeOf(route, provider, model)
      countOf(place.codes, error?.code ?? 'ok', (code) => calls.of(route, provider, place.model, code)).value++
      for (const attempt of tries) {
        const label = attempt.model === model && attempt.provider === provider ? place.model : labelOf(attempt.provider, attempt.model)
        attempts.of(attempt.provider, label, attempt.sent ? 'true' : 'false').value++
        if (attempt.fault !== undefined) faults.of(attempt.provider, label, attempt.fault).value++
      }
      if (provider === '') return
      place.duration ??= duration.of('chat', provider, place.model)
      place.duration.observe(latency.total / 1000)
      if (latency.overhead !== undefined) {
        place.overhead ??= overhead.of(route)
        place.overhead.observe(latency.overhead / 1000)
      }
      if (streamed && latency.first !== undefined) {
        place.first ??= first.of('chat', provider, place.model)
        place.first.observe(latency.first / 1000)
      }
      if (nanos !== undefined) {
        place.cost ??= cost.of(route, provider, place.model)
        place.cost.value += Number(nanos) / 1e9
      }
      if (outcome.usage) countTokens(outcome, outcome.usage, place)
    },
  }

  function countTokens({ streamed, latency }: Outcome, { input, output, cacheRead, cacheWrite, reasoning }: Usage, place: Place): void {
    const { provider, model, kinds } = place
    const count = (kind: string, amount: number | undefined): void => {
      if (amount !== undefined && amount > 0) countOf(kinds, kind, () => tokens.of(provider, model, kind)).value += amount
    }
    count('input', input)
    count('output', output)
    count('cache_read', cacheRead)
    count('cache_write', cacheWrite)
    count('reasoning', reasoning)
    if (input !== undefined) {
      place.input ??= usage.of('chat', provider, model, 'input')
      place.input.observe(input)
    }
    if (output === undefined) return
    place.output ??= usage.of('chat', provider, model, 'output')
    place.output.observe(output)
    if (!streamed || latency.first === undefined || output < 2) return
    place.between ??= between.of('chat', provider, model)
    place.between.observe((latency.total - latency.first) / 1000 / (output - 1))
  }
}

function countOf(series: Map<string, CounterSeries>, name: string, create: (name: string) => CounterSeries): CounterSeries {
  let found = series.get(name)
  if (!found) {
    found = create(name)
    series.set(name, found)
  }
  return found
}
