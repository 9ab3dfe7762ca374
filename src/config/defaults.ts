/** What runs when there is no configuration at all: something to talk to, and whatever this machine can reach. */
import type { Config, ProviderConfig } from './config.ts'
import { isLoopback } from './known.ts'
import { expandVariables } from './secrets.ts'

/** An empty configuration's values, without the schema: a start without a file need not load it. */
export const baseConfig: Config = {
  server: {
    host: '127.0.0.1',
    port: 8484,
    threads: 1,
    drainMs: 30_000,
    limits: { body: 67_108_864, answer: 67_108_864, event: 16_777_216, calls: 2_000, held: 268_435_456, depth: 1000 },
  },
  store: { url: 'sqlite:./signalbox.db' },
  shared: undefined,
  access: {
    mode: 'open',
    staleMs: 600_000,
    trustedProxies: [],
    proxyHeader: 'x-forwarded-for',
    tokens: { ttlMs: 900_000, maxTtlMs: 86_400_000 },
    jwt: [],
    plans: {},
  },
  admin: { key: 'env:SIGNALBOX_ADMIN_KEY', console: true },
  providers: new Map(),
  defaults: {
    retries: { attempts: 2 },
    timeouts: { connectMs: undefined, firstTokenMs: undefined, idleMs: undefined, answerMs: undefined, totalMs: undefined },
    breaker: { enabled: true },
    onBreak: 'error',
    commit: { holdMs: undefined, events: undefined },
    onPolicy: 'refuse',
  },
  models: new Map(),
  secrets: {
    allowPlaintext: false,
    masterKey: undefined,
    previousMasterKeys: [],
    rereadMs: 300_000,
    keepMs: 86_400_000,
    overlapMs: 3_600_000,
    vault: undefined,
    aws: undefined,
    gcp: undefined,
    azure: undefined,
    kubernetes: undefined,
  },
  money: {
    budgets: [],
    limits: [],
    prices: { unknown: 'refuse', estimate: { input: 5, output: 25 } },
    reservation: { inputMargin: 1.25, output: 4_096, outputCap: 32_768, queueMs: 30_000 },
    ledger: { durability: 'relaxed' },
  },
  telemetry: { log: 'errors' },
  later: {
    guards: undefined,
    cache: undefined,
    tiers: undefined,
    mcp: undefined,
    prompts: undefined,
    workflows: undefined,
  },
}

/** What must be known of the catalogue to find providers by their usual variables. */
export interface KeyedProviders {
  provider(id: string): { readonly baseUrl?: string; readonly limitation?: string } | undefined
  /** Variables named `…_API_KEY` that exactly one provider claims, with its id. */
  keyVariables(): ReadonlyMap<string, string>
}

export interface DefaultOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Asked only when a variable looks like a key. */
  readonly catalog: () => KeyedProviders
  /** Local servers that answer: `findLocalServers`. */
  readonly local?: readonly string[]
  /** What the command line says. */
  readonly overrides?: { readonly host?: string | undefined; readonly port?: number | undefined }
}

/** The simulator, every provider whose usual variable is set, and the local servers that answer. */
export function defaultConfig({ env, catalog, local = [], overrides }: DefaultOptions): Config {
  const providers = new Map<string, ProviderConfig>([['simulator', providerOf('simulator')]])
  const set = Object.keys(env).filter((name) => name.endsWith('_API_KEY') && env[name]?.trim())
  if (set.length > 0) {
    const known = catalog()
    const claims = known.keyVariables()
    for (const name of set.toSorted()) {
      const id = claims.get(name)
      const entry = id === undefined ? undefined : known.provider(id)
      const callable =
        entry?.baseUrl !== undefined && entry.limitation === undefined && expandVariables(entry.baseUrl, env).missing.length === 0
      if (id !== undefined && callable && !providers.has(id)) providers.set(id, providerOf(id, [`env:${name}`]))
    }
  }
  for (const id of local) if (!providers.has(id)) providers.set(id, providerOf(id))
  const host = overrides?.host ?? baseConfig.server.host
  return {
    ...baseConfig,
    server: { ...baseConfig.server, host, port: overrides?.port ?? baseConfig.server.port },
    access: { ...baseConfig.access, mode: isLoopback(host) ? 'open' : 'keys' },
    providers,
  }
}

const providerOf = (preset: string, keys: readonly string[] = []): ProviderConfig => ({
  preset,
  baseUrl: undefined,
  wire: undefined,
  keys,
  region: undefined,
  trust: undefined,
  retention: undefined,
  headers: undefined,
  body: undefined,
})
