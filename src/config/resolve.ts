/** Fills in what depends on other keys, turns units into numbers, and merges route settings with the defaults. */

import type { Constraints } from '../core/constraints.ts'
import { compact, isObject, type JsonObject } from '../core/json.ts'
import { nanosOf } from '../core/money.ts'
import { parsePreferences } from '../core/preferences.ts'
import { parseRequirements } from '../core/requirements.ts'
import { parseDuration, parseSize } from '../core/units.ts'
import { accessConfig } from './access.ts'
import {
  type CommitConfig,
  type Config,
  type DrillsConfig,
  type EventsConfig,
  type GroupConfig,
  laterSections,
  type MoneyConfig,
  type ProviderConfig,
  type ReconcileConfig,
  type RouteConfig,
  type RouteSettings,
  type TargetConfig,
  type TimeoutConfig,
} from './config.ts'
import { isLoopback } from './known.ts'
import type { ParseContext } from './parse.ts'
import type { ConfigOutput } from './schema.ts'
import { rulesOf } from './schema-money.ts'
import { secretsConfigOf } from './schema-secrets.ts'
import { expandVariables } from './secrets.ts'

type Timeouts = { readonly [Name in 'connect' | 'firstToken' | 'idle' | 'answer' | 'total']?: string | undefined }

/** Only for what the schema and the cross-check have let through. */
export function resolve(input: ConfigOutput, { env = {}, overrides, embedded }: ParseContext): Config {
  const host = overrides?.host ?? input.server.host
  const defaults: RouteSettings = {
    ...input.defaults,
    timeouts: timeoutsOf(input.defaults.timeouts),
    commit: commitOf(input.defaults.commit),
  }
  return {
    server: {
      host,
      port: overrides?.port ?? input.server.port,
      threads: input.server.threads,
      drainMs: ms(input.server.drain),
      limits: {
        body: bytes(input.server.limits.body),
        answer: bytes(input.server.limits.answer),
        event: bytes(input.server.limits.event),
        calls: input.server.limits.calls,
        held: bytes(input.server.limits.held),
        depth: input.server.limits.depth,
      },
      ...(input.server.tls && { tls: { ...input.server.tls, http2: input.server.http2 } }),
    },
    store: { url: embedded && input.store.url === 'sqlite:./signalbox.db' ? 'memory:' : input.store.url },
    shared: input.shared,
    access: accessConfig(input.access, input.access.mode ?? (embedded || isLoopback(host) ? 'open' : 'keys')),
    admin: input.admin,
    providers: new Map(Object.entries(input.providers).map(([id, provider]) => [id, providerOf(id, provider, env)])),
    defaults,
    models: new Map(Object.entries(input.models).map(([name, route]) => [name, routeOf(route, defaults)])),
    secrets: secretsConfigOf(input.secrets),
    money: moneyOf(input),
    ...(input.reconcile && { reconcile: reconcileOf(input.reconcile) }),
    telemetry: input.telemetry,
    ...(input.events && { events: eventsOf(input.events) }),
    ...(input.catalog && { catalog: { refreshMs: ms(input.catalog.refresh), url: input.catalog.url } }),
    ...(input.drills && { drills: drillsOf(input.drills) }),
    later: laterOf(input),
  }
}

function providerOf(id: string, provider: ConfigOutput['providers'][string], env: NonNullable<ParseContext['env']>): ProviderConfig {
  return {
    preset: provider.preset ?? id,
    baseUrl: provider.baseUrl === undefined ? undefined : expandVariables(provider.baseUrl, env).text,
    wire: provider.wire,
    keys: provider.keys,
    region: provider.region,
    trust: provider.trust,
    retention: provider.retention,
    headers: provider.headers,
    body: provider.body,
  }
}

type WrittenRoute = ConfigOutput['models'][string]

function memberOf({
  provider,
  model,
  route,
  weight,
  when,
  wire,
  price,
  headers,
  body,
}: WrittenRoute['targets'][number]): TargetConfig | GroupConfig {
  if (route !== undefined) return { route, weight, when }
  // The cross-check has seen to it that both are there.
  return { provider: provider ?? '', model: model ?? '', weight, when, wire, price, headers, body }
}

function constraintsOf(written: NonNullable<WrittenRoute['constraints']>): Constraints {
  const { region, trust, retention, maxPrice, maxCost, maxLatency, providers, require } = written
  return compact<Constraints>({
    region: wordsOf(region),
    trust: wordsOf(trust),
    retention,
    maxPrice: maxPrice && compact(maxPrice),
    maxCost: maxCost === undefined ? undefined : Number(maxCost),
    maxLatencyMs: maxLatency === undefined ? undefined : ms(maxLatency),
    allow: providers?.allow,
    deny: providers?.deny,
    require: require === undefined ? undefined : parseRequirements(require),
  })
}

const wordsOf = (words: string | readonly string[] | undefined): readonly string[] | undefined =>
  typeof words === 'string' ? [words] : words

function routeOf(route: WrittenRoute, defaults: RouteSettings): RouteConfig {
  const members = route.targets.map(memberOf)
  return {
    strategy: route.strategy,
    targets: members.flatMap((member) => ('route' in member ? [] : [member])),
    ...(members.some((member) => 'route' in member) && { members }),
    ...(route.pool && { pool: route.pool }),
    ...(route.constraints && { constraints: constraintsOf(route.constraints) }),
    ...(route.prefer !== undefined && { prefer: parsePreferences(route.prefer) }),
    fallback: route.fallback,
    retries: { attempts: route.retries?.attempts ?? defaults.retries.attempts },
    timeouts: timeoutsOf(route.timeouts ?? {}, defaults.timeouts),
    breaker: { enabled: route.breaker?.enabled ?? defaults.breaker.enabled },
    onBreak: route.onBreak ?? defaults.onBreak,
    commit: commitOf(route.commit ?? {}, defaults.commit),
    onPolicy: route.onPolicy ?? defaults.onPolicy,
    hedge: route.hedge,
    priority: route.priority,
  }
}

function commitOf(
  { hold, events }: { readonly hold?: string | undefined; readonly events?: number | undefined },
  over?: CommitConfig,
): CommitConfig {
  return { holdMs: hold === undefined ? over?.holdMs : ms(hold), events: events ?? over?.events }
}

function timeoutsOf({ connect, firstToken, idle, answer, total }: Timeouts, over?: TimeoutConfig): TimeoutConfig {
  return {
    connectMs: connect === undefined ? over?.connectMs : ms(connect),
    firstTokenMs: firstToken === undefined ? over?.firstTokenMs : ms(firstToken),
    idleMs: idle === undefined ? over?.idleMs : ms(idle),
    answerMs: answer === undefined ? over?.answerMs : ms(answer),
    totalMs: total === undefined ? over?.totalMs : ms(total),
  }
}

function drillsOf({ every, routes, faults, live, wait, webhook }: NonNullable<ConfigOutput['drills']>): DrillsConfig {
  return {
    everyMs: ms(every),
    routes,
    faults,
    live,
    waitMs: wait === undefined ? undefined : ms(wait),
    webhook: webhook && { url: webhook.url, secret: webhook.secret, when: webhook.when },
  }
}

function eventsOf({ webhook: { url, secret, when } }: NonNullable<ConfigOutput['events']>): EventsConfig {
  return { webhook: { url, secret, when } }
}

function moneyOf({ budgets, limits, prices, reservation: { queue, ...reservation }, ledger }: ConfigOutput): MoneyConfig {
  return {
    ...rulesOf(compact({ budgets, limits })),
    prices,
    reservation: { ...reservation, queueMs: queue === undefined ? 30_000 : ms(queue) },
    ledger,
  }
}

function reconcileOf({ every, days, lag, tolerance, sources, webhook }: NonNullable<ConfigOutput['reconcile']>): ReconcileConfig {
  return {
    everyMs: every === undefined ? 3_600_000 : ms(every),
    days,
    lagMs: lag === undefined ? 7_200_000 : ms(lag),
    tolerance: { relative: tolerance.relative, cost: nanosOf(String(tolerance.cost)) ?? 0n, tokens: tolerance.tokens },
    sources,
    webhook: webhook && { url: webhook.url, secret: webhook.secret, when: webhook.when },
  }
}

const laterOf = (input: ConfigOutput): Config['later'] =>
  Object.fromEntries(
    laterSections.map((section) => {
      const value: unknown = input[section]
      return [section, isObject(value) || Array.isArray(value) ? (value as JsonObject | JsonObject[]) : undefined]
    }),
  ) as Config['later']

// The schema has seen to it that these are durations and sizes.
const ms = (text: string): number => parseDuration(text) ?? 0
const bytes = (text: string): number => parseSize(text) ?? 0
