/** From a configuration to a running line: providers, routes, transports and sinks, built once when config loads. */

import { estimateTokens } from '../accounting/estimate.ts'
import type { CostOf, Sink } from '../accounting/outcome.ts'
import { ratesAt } from '../accounting/price.ts'
import { createPricing, type Pricing } from '../accounting/pricing.ts'
import { cacheMarksOf, worstCost } from '../accounting/worst-cost.ts'
import type { Admission } from '../admission/admission.ts'
import { capabilitiesOf, isReasoningModel } from '../catalog/capabilities.ts'
import { baseUrlOf, type Catalog, quirksOf } from '../catalog/catalog.ts'
import { canonicalProvider } from '../catalog/presets/providers.ts'
import type { ProviderEntry } from '../catalog/types.ts'
import type { WireId } from '../core/call.ts'
import type { Credentials } from '../core/credentials.ts'
import { GatewayError } from '../core/error.ts'
import type { Transport } from '../core/http.ts'
import type { Inquiry } from '../core/inquiry.ts'
import { isNumber, stringOf } from '../core/json.ts'
import type { Drop } from '../core/notes.ts'
import type { Access, PricedCandidate, Spending } from '../core/policy.ts'
import { type Candidate, type Target, wireFor } from '../core/target.ts'
import type { Upstreams } from '../egress/attempts.ts'
import { prepare } from '../egress/prepare.ts'
import { createProvider, type Provider } from '../egress/provider.ts'
import { type ReasoningMemory, reasoningMemory } from '../egress/reasoning-memory.ts'
import { createRetryBudgets, type RetryBudgets } from '../egress/retry-budget.ts'
import type { RoundTrips } from '../egress/round-trips.ts'
import { createLine, type Line } from '../gateway.ts'
import { type Idempotency, idempotency } from '../ingress/idempotency.ts'
import type { ListedModel } from '../ingress/models.ts'
import { type ResponseStore, responseStore } from '../ingress/response-store.ts'
import type { RatesOf } from '../routing/expected-cost.ts'
import { createHealth, type Health } from '../routing/health/health.ts'
import { learningSink } from '../routing/health/learning-sink.ts'
import { createRoutes, type Route } from '../routing/routes.ts'
import { priority } from '../routing/strategies/priority.ts'
import { wires } from '../wire/index.ts'
import { buildRoutes, type MakeCandidate, tiersOf } from './build-routes.ts'
import { type Config, type ProviderConfig, type RouteSettings, reasoningTimeouts, timeoutDefaults } from './config.ts'
import { spokenWires } from './known.ts'
import { resolveSecret, type SecretSources } from './secrets.ts'

export interface AssembleOptions {
  readonly config: Config
  readonly catalog: Catalog
  readonly secrets: SecretSources
  /** The keys of providers, where they may change at run time. Absent: they are read once. */
  readonly credentialsOf?: ((provider: string) => Credentials | undefined) | undefined
  readonly transport: Transport
  /** The built-in provider, for those whose preset is `simulator`. */
  readonly simulatorTransport: () => Transport
  /** In place of both: the way out to each provider. */
  readonly transportFor?: (provider: string) => Transport
  readonly sinks?: readonly Sink[]
  /** Handed over from the line before, on reload. */
  readonly memory?: ReasoningMemory
  readonly store?: ResponseStore
  readonly health?: Health
  readonly budgets?: RetryBudgets
  /** Absent: how far away hosts are is not known. */
  readonly roundTrips?: RoundTrips
  readonly idempotent?: Idempotency
  /** Absent: anyone may call. */
  readonly access?: Access | undefined
  /** Absent: nothing is counted and nothing written down. */
  readonly spending?: Spending | undefined
  /** Absent: every call is let in. */
  readonly admission?: Admission
  readonly keepAliveMs?: number
}

const SIMULATOR_URL = 'http://simulator.invalid/v1'

export function assemble({
  config,
  catalog,
  secrets,
  credentialsOf,
  transport,
  simulatorTransport,
  transportFor,
  sinks = [],
  memory = reasoningMemory(),
  store = responseStore(),
  health = createHealth(),
  budgets = createRetryBudgets(health.now),
  idempotent = idempotency(),
  roundTrips,
  access,
  spending,
  admission,
  keepAliveMs = 12_000,
}: AssembleOptions): Line {
  const providers = new Map<string, Provider>()
  for (const [id, provider] of config.providers)
    providers.set(id, providerOf(id, provider, catalog, credentialsOf?.(id) ?? keysOf(id, provider, secrets)))

  admission?.configure({ calls: config.server.limits.calls, bytes: config.server.limits.held })
  health.configure(new Map([...providers].map(([id, { keyCount }]) => [id, keyCount])))

  const candidates = createCandidates(config, catalog)
  const named = buildRoutes({ config, catalog, candidate: candidates })
  const direct = (provider: string, model: string): Route | undefined => {
    if (!config.providers.has(provider) || model === '') return undefined
    const candidate = candidates(
      { provider, model, weight: 1, wire: undefined, price: undefined, headers: undefined, body: undefined },
      config.defaults,
      priority,
    )
    const { totalMs } = candidate.timeouts
    return { name: 'direct', strategy: priority, candidates: [candidate], fallback: [], totalMs, ...onBreakOf(config.defaults) }
  }

  let simulator: Transport | undefined
  const upstreams = {
    providers,
    wires,
    limits: { answer: config.server.limits.answer, event: config.server.limits.event },
    transportOf(provider: string): Transport {
      if (transportFor) return transportFor(provider)
      if (config.providers.get(provider)?.preset !== 'simulator' || config.providers.get(provider)?.baseUrl !== undefined) return transport
      simulator ??= simulatorTransport()
      return simulator
    },
    health,
    budgets,
  }
  const pricing = createPricing({ catalog })
  const priceOf = pricesOf(config, pricing)
  const costOf = costing(pricing, priceOf)
  const ratesOf = rateCards(priceOf)
  // Where there is nothing to choose, nothing need be learnt.
  const learns = [...named.values()].some(({ candidates: own, fallback }) => own.length + fallback.length > 1)
  const roundTripMs = ({ provider, wires: [wire = 'openai-chat'], model }: Candidate): number | undefined => {
    const url = providers.get(provider)?.url(wire, 'chat', model, false)
    return url === undefined ? undefined : roundTrips?.of(url)
  }
  // Where a route goes to what is nearest, that is known before its first call.
  for (const { prefer = [], candidates } of named.values())
    if (prefer.some(({ on }) => on.kind === 'metric' && on.metric === 'nearby')) for (const candidate of candidates) roundTripMs(candidate)
  let listed: readonly ListedModel[] | undefined
  return createLine({
    wires,
    routes: createRoutes(named, direct, providerNames(config)),
    upstreams,
    world: { health, ratesOf, now: health.now, random: health.random },
    facts: {
      estimateTokens,
      ratesOf,
      health,
      losses: (inquiry, candidate) => lossesOf(inquiry, candidate, upstreams),
      ...(roundTrips && { roundTripMs }),
    },
    idempotency: idempotent,
    deliveries: { upstreams, memory, store, costOf, keepAliveMs },
    limits: { bytes: config.server.limits.body, depth: config.server.limits.depth },
    costOf,
    sinks: learns ? [...sinks, learningSink(health)] : sinks,
    door: { access, spending, tiers: tiersOf(config), estimateTokens, priced: pricedBy(priceOf) },
    admission,
    models() {
      listed ??= listModels(config, catalog)
      return listed
    },
  })
}

function keysOf(id: string, { keys }: ProviderConfig, sources: SecretSources): readonly string[] {
  const values: string[] = []
  for (const reference of keys) {
    const secret = resolveSecret(reference, sources)
    if ('value' in secret) values.push(secret.value)
    else throw new GatewayError('internal', `providers.${id}.keys: ${secret.message} (${secret.remedy})`)
  }
  return values
}

function providerOf(
  id: string,
  { preset, baseUrl, headers }: ProviderConfig,
  catalog: Catalog,
  keys: readonly string[] | Credentials,
): Provider {
  const entry = catalog.provider(preset)
  return createProvider({
    id,
    baseUrlOf: (wire) => baseUrl ?? (preset === 'simulator' ? SIMULATOR_URL : ((entry && baseUrlOf(entry, wire)) ?? SIMULATOR_URL)),
    auth: entry?.auth ?? { header: 'authorization', prefix: 'Bearer ' },
    keys,
    headers: { ...entry?.headers, ...headers },
  })
}

function createCandidates(config: Config, catalog: Catalog): MakeCandidate {
  return ({ provider: id, model, weight, wire: forced, price, headers, body }, settings, strategy) => {
    const provider = config.providers.get(id)
    if (!provider) throw new GatewayError('internal', `The provider ${id} is not configured.`)
    const entry = catalog.provider(provider.preset)
    // Without a vendor behind it, a name is what the operator says it is.
    const known = entry?.generic ? undefined : catalog.resolve(provider.preset, model)
    const only = forced ?? provider.wire
    const spoken = (only ? [only] : (known?.entry.wires ?? entry?.wires ?? [])).filter((wire) => spokenWires.has(wire))
    const defaults = isReasoningModel(provider.preset, model, catalog) ? reasoningTimeouts : timeoutDefaults
    const { connectMs, firstTokenMs, idleMs, answerMs, totalMs } = settings.timeouts
    const injected = provider.body || body ? { ...provider.body, ...body } : undefined
    const targets = new Map<WireId, Target>()
    return {
      provider: id,
      model: known?.sendAs ?? model,
      wires: spoken,
      weight,
      region: provider.region,
      trust: provider.trust,
      ...(provider.retention && { retention: provider.retention }),
      price,
      timeouts: {
        connectMs: connectMs ?? defaults.connectMs,
        firstTokenMs: firstTokenMs ?? defaults.firstTokenMs,
        idleMs: idleMs ?? defaults.idleMs,
        answerMs: answerMs ?? defaults.answerMs,
        totalMs: totalMs ?? defaults.totalMs,
        ...(settings.commit.holdMs && { holdMs: settings.commit.holdMs, holdEvents: settings.commit.events }),
      },
      attempts: settings.retries.attempts,
      ...(settings.onPolicy === 'next' && { lenient: true }),
      ...(settings.breaker.enabled ? {} : { memory: strategy.needsLoad ? 'load' : 'none' }),
      headers,
      ...(takesSteering(entry) && { takesSteering: true }),
      ...(known?.entry.shutdown !== undefined && { shutdown: known.entry.shutdown }),
      on(wire) {
        let target = targets.get(wire)
        if (!target) {
          target = {
            provider: id,
            model: known?.sendAs ?? model,
            wire,
            capabilities: capabilitiesOf(provider.preset, model, catalog),
            quirks: quirksOf(entry, wire, known?.entry),
            body: injected,
          }
          targets.set(wire, target)
        }
        return target
      },
    }
  }
}

const onBreakOf = ({ onBreak }: RouteSettings): Pick<Route, 'onBreak'> => (onBreak === 'error' ? {} : { onBreak })

type PriceOf = (candidate: Candidate) => ReturnType<Pricing['priceOf']>

function pricesOf(config: Config, pricing: Pricing): PriceOf {
  const prices = new WeakMap<Candidate, ReturnType<PriceOf>>()
  return (candidate) => {
    let price = prices.get(candidate)
    if (price === undefined && !prices.has(candidate)) {
      const preset = config.providers.get(candidate.provider)?.preset ?? candidate.provider
      price = pricing.priceOf(preset, candidate.model, candidate.price)
      prices.set(candidate, price)
    }
    return price
  }
}

const costing =
  (pricing: Pricing, priceOf: PriceOf): CostOf =>
  (usage, { candidate, at }) => {
    const price = candidate && priceOf(candidate)
    return price && pricing.costOf(usage, price, new Date(at))
  }

/** What a call may cost at worst: every token at the dearest rate, every answer that it asks for as long as it may be. */
const pricedBy =
  (priceOf: PriceOf) =>
  (candidate: Candidate, { text, json }: Inquiry): PricedCandidate => ({
    provider: candidate.provider,
    model: candidate.model,
    region: candidate.region,
    maxOutput: candidate.on(candidate.wires[0] ?? 'openai-chat').capabilities.maxOutput,
    worstCost(inputTokens, outputTokens) {
      const price = priceOf(candidate)
      const answers = isNumber(json['n']) && json['n'] > 1 ? json['n'] : 1
      return (
        price &&
        worstCost(price, {
          at: new Date(),
          inputTokens,
          outputTokens: outputTokens * answers,
          cacheMarks: cacheMarksOf(text),
          serviceTier: json['speed'] === 'fast' ? 'fast' : stringOf(json['service_tier'] ?? json['serviceTier']),
          geo: stringOf(json['inference_geo'])?.toLowerCase(),
        })
      )
    },
  })

/** Prices that change with the hour are looked up again this often. */
const RATES_HOLD_MS = 60_000

/** Rates for routing, which asks for every candidate of every call. */
function rateCards(priceOf: PriceOf): RatesOf {
  const cards = new WeakMap<Candidate, { readonly rates: ReturnType<typeof ratesAt>; readonly until: number; readonly banded: boolean }>()
  return (candidate, inputTokens, now) => {
    let card = cards.get(candidate)
    if (!card || now >= card.until) {
      const price = priceOf(candidate)
      const banded = price?.schedule.some(({ rates }) => rates.bands !== undefined) ?? false
      card = { rates: price && ratesAt(price, new Date(now)), until: now + RATES_HOLD_MS, banded }
      cards.set(candidate, card)
    }
    if (!card.banded) return card.rates
    const price = priceOf(candidate)
    return price && ratesAt(price, new Date(now), inputTokens)
  }
}

/** Hosts that read OpenRouter's fields as it does. */
const STEERED_HOSTS: ReadonlySet<string> = new Set(['openrouter', 'kilo'])

/** Of a host that nobody knows it is assumed. */
const takesSteering = (entry: ProviderEntry | undefined): boolean =>
  entry === undefined || entry.generic === true || STEERED_HOSTS.has(entry.id)

/** By id, else by preset or another name of it: `gemini` for a provider with the preset `google`. */
function providerNames({ providers }: Config): (name: string) => string | undefined {
  const byPreset = new Map<string, string>()
  for (const [id, { preset }] of providers) if (!byPreset.has(preset)) byPreset.set(preset, id)
  return (name) => (providers.has(name) ? name : (byPreset.get(name) ?? byPreset.get(canonicalProvider(name))))
}

/** What a translation to this target would lose. */
function lossesOf(inquiry: Inquiry, candidate: Candidate, { wires, providers }: Upstreams): readonly Drop[] {
  const wire = wires.get(wireFor(candidate, inquiry.wire))
  const provider = providers.get(candidate.provider)
  return wire && provider ? prepare(inquiry, candidate, wire, provider, 0).drops : []
}

function listModels(config: Config, catalog: Catalog): readonly ListedModel[] {
  const routes = [...config.models.keys()].map((id): ListedModel => ({ id, owner: 'signalbox' }))
  const models = [...config.providers].flatMap(([id, { preset }]) => {
    const known = catalog.provider(preset)?.generic && preset !== 'simulator' ? [] : catalog.models(preset)
    return known
      .filter(
        ({ status, outputModalities }) => status !== 'retired' && (outputModalities.length === 0 || outputModalities.includes('text')),
      )
      .map(
        (model): ListedModel => ({
          id: `${id}/${model.id}`,
          name: model.name,
          created: model.released === undefined ? undefined : Math.floor(Date.parse(model.released) / 1000) || undefined,
          owner: id,
          contextWindow: model.contextWindow,
          maxOutput: model.maxOutput,
          reasoning: model.reasoning,
          inputModalities: model.inputModalities,
          shutdown: model.shutdown,
        }),
      )
  })
  const simulators = [...config.providers]
    .filter(([, { preset }]) => preset === 'simulator')
    .map(([id]): ListedModel => ({ id: `${id}/echo`, name: 'Echo', owner: id }))
  const seen = new Set<string>()
  return [...routes, ...simulators, ...models].filter(({ id }) => !seen.has(id) && seen.add(id))
}
