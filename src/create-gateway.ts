/** `createGateway`: the whole gateway in one's own process. No server, no database, nothing native. */
import type { Sink } from './accounting/outcome.ts'
import { createCatalog } from './catalog/catalog.ts'
import { assemble } from './config/assemble.ts'
import type { Config } from './config/config.ts'
import { parseConfig } from './config/parse.ts'
import type { ConfigInput } from './config/schema.ts'
import type { Transport } from './core/http.ts'
import type { UsageQuery, UsageRow } from './core/ledger.ts'
import type { Spending } from './core/policy.ts'
import { fetchTransport } from './egress/transport-fetch.ts'
import { fetchOf, type GatewayFetch } from './embed.ts'
import type { Line } from './gateway.ts'
import { createSimulator } from './testing/simulator/simulator.ts'
import { simulatorTransport } from './testing/simulator/transport.ts'

export interface GatewayOptions {
  /** Where `env:` references are looked up. Default: the process's environment, where there is one. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Reads what `file:` references name. Default: there are no files. */
  readonly readFile?: (path: string) => string
  /** How providers are called. Default: undici pools on Node, `fetch` elsewhere. */
  readonly transport?: Transport
  /** Are told of every call when it has ended. */
  readonly sinks?: readonly Sink[]
}

export interface Gateway {
  /** Give it to any SDK that takes a `fetch`. */
  readonly fetch: GatewayFetch
  /** Opens connections to the targets of a model (a route, or `provider/model`) before the first call needs them. */
  warm(model: string): void
  /**
   * What was used and what it cost, by any dimension, since this gateway was made. Kept only where the configuration has `budgets` or `limits`;
   * else there are no rows.
   */
  usage(query: UsageQuery): Promise<readonly UsageRow[]>
  /** Closes the connections to providers. */
  close(): Promise<void>
}

/** Thrown when the configuration has problems; `message` lists them all with path and remedy. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/** Takes what a config file holds, `env:` references included. */
export function createGateway(
  config: ConfigInput,
  { env = globalThis.process?.env ?? {}, readFile, transport = ownTransport(), sinks }: GatewayOptions = {},
): Gateway {
  const catalog = createCatalog()
  const parsed = parseConfig(config, { env, readFile, catalog: () => catalog, embedded: true })
  if (!parsed.config)
    throw new ConfigError(
      parsed.problems.map(({ path, message, remedy }) => `${path || 'config'}: ${message}${remedy ? `; ${remedy}` : ''}`).join('\n'),
    )
  const { money, secrets } = parsed.config
  const governed = money.budgets.length + money.limits.length > 0
  const spending = governed ? import('./embedded-spending.ts').then(({ embeddedSpending }) => embeddedSpending(money)) : undefined
  const build = (held?: Spending): Line =>
    assemble({
      config: parsed.config as Config,
      catalog,
      secrets: { env, readFile, allowPlaintext: secrets.allowPlaintext },
      transport,
      simulatorTransport: () => simulatorTransport(createSimulator({ maxCalls: 0 })),
      sinks,
      spending: held,
    })
  // Without rules there is nothing to wait for, and nothing to load.
  const line: Line | Promise<Line> = spending ? spending.then(({ desk }) => build(desk)) : build()
  return {
    fetch: fetchOf(() => line),
    warm: (model) => (line instanceof Promise ? void line.then((one) => one.warm(model)) : line.warm(model)),
    usage: async (query) => (await spending)?.usage(query) ?? [],
    async close() {
      ;(await spending)?.close()
      await transport.close()
    },
  }
}

/** undici on Node, loaded with the first call; `fetch` elsewhere. */
function ownTransport(): Transport {
  if (globalThis.process?.versions?.node === undefined) return fetchTransport()
  let loaded: Promise<Transport> | undefined
  const load = (): Promise<Transport> => {
    loaded ??= import('./egress/transport-node.ts').then(({ nodeTransport }) => nodeTransport())
    return loaded
  }
  return {
    send: async (request, cancellation) => (await load()).send(request, cancellation),
    warm: (url) => void load().then((transport) => transport.warm?.(url)),
    close: async () => (await loaded)?.close(),
  }
}
