/** From a configuration to a listening gateway, and to its end. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { flushCompileCache } from 'node:module'
import { logSink } from '../accounting/log-sink.ts'
import { type Catalog, createCatalog } from '../catalog/catalog.ts'
import { assemble } from '../config/assemble.ts'
import type { Config } from '../config/config.ts'
import { GatewayError } from '../core/error.ts'
import type { Transport } from '../core/http.ts'
import { connectTime } from '../egress/connect-time.ts'
import { type ReasoningMemory, reasoningMemory } from '../egress/reasoning-memory.ts'
import { createRoundTrips, type RoundTrips } from '../egress/round-trips.ts'
import { undiciTransport } from '../egress/transport-undici.ts'
import type { Line } from '../gateway.ts'
import { type Idempotency, idempotency } from '../ingress/idempotency.ts'
import { type ResponseStore, responseStore } from '../ingress/response-store.ts'
import { ownerOnly } from '../policy/owner-key.ts'
import { createHealth, type Health } from '../routing/health/health.ts'
import { greeting } from './greeting.ts'
import { createHttpServer } from './http-server.ts'
import { lineWriter } from './line-writer.ts'
import { readFileText } from './read-file.ts'

export interface ServeOptions {
  readonly config: Config
  /** Default: the built one. */
  readonly catalog?: Catalog
  /** Where the configuration came from; undefined when there is none. */
  readonly source?: string
  /** Reads the configuration again, for a reload. Returns undefined after telling what is wrong with it. */
  readonly reload?: () => Promise<Config | undefined>
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly write?: (text: string) => void
  readonly readFile?: (path: string) => string
  readonly quiet?: boolean
}

export interface Serving {
  readonly url: string
  /** Resolves when the process may end. Running calls get `drainMs`. */
  stop(): Promise<void>
  reload(): Promise<void>
}

/** What a call that is ended by the drain's limit has, to tell its caller. */
const LAST_WORDS_MS = 500

/** Thrown when the gateway cannot start: one line with the remedy. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

export async function startServing({
  config,
  catalog = createCatalog(),
  source,
  reload,
  env = process.env,
  readFile = readFileText,
  write = (text) => void process.stdout.write(text),
  quiet = false,
}: ServeOptions): Promise<Serving> {
  const transport = undiciTransport()
  const memory = reasoningMemory()
  const store = responseStore()
  const health = createHealth()
  const roundTrips = createRoundTrips({ probe: connectTime })
  const idempotent = idempotency()
  const log = lineWriter(write)
  const owner = ownerKey(config, env)
  let simulator: Transport | undefined
  const { createSimulator } = await simulatorModule(config)
  const build = (next: Config): Line =>
    buildLine({
      config: next,
      catalog,
      transport,
      memory,
      store,
      health,
      roundTrips,
      idempotent,
      env,
      readFile,
      log,
      owner: owner?.key,
      simulatorTransport: () => (simulator ??= createSimulator()),
    })

  let line = build(config)
  let ready = false
  const server = createHttpServer({ line: () => line, maxBody: config.server.limits.body, ready: () => ready })
  try {
    await server.listen({ host: config.server.host, port: config.server.port })
  } catch (error) {
    throw startError(error, config)
  }
  ready = true
  // What was compiled for this start is there for the next one, however this process ends.
  flushCompileCache()
  const address = server.server.address()
  const port = typeof address === 'object' && address ? address.port : config.server.port
  const url = `http://${config.server.host.includes(':') ? `[${config.server.host}]` : config.server.host}:${port}`
  if (!quiet) write(greeting({ url, config, source, madeKey: owner?.made ? owner.key : undefined }))

  let stopping: Promise<void> | undefined
  return {
    url,
    stop() {
      stopping ??= drain()
      return stopping
    },
    async reload() {
      const next = await reload?.()
      if (!next) return
      line = build(next)
      write(`reloaded ${source ?? 'the configuration'}\n`)
    },
  }

  async function drain(): Promise<void> {
    ready = false
    const closed = server.close()
    let lastWords: ReturnType<typeof setTimeout> | undefined
    const limit = setTimeout(() => {
      server.cancelAll(
        new GatewayError('shutting-down', 'The gateway is stopping; this call did not end in time.', { retryAfterMs: 1_000 }),
      )
      // Uploads that never end, and callers that do not read.
      lastWords = setTimeout(() => server.destroyAll(), LAST_WORDS_MS)
    }, config.server.drainMs)
    await closed
    clearTimeout(limit)
    clearTimeout(lastWords)
    log.flush()
    await transport.close()
  }
}

interface LineInputs {
  readonly config: Config
  readonly catalog: Catalog
  readonly transport: Transport
  readonly memory: ReasoningMemory
  readonly store: ResponseStore
  readonly health: Health
  readonly roundTrips: RoundTrips
  readonly idempotent: Idempotency
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: ReturnType<typeof lineWriter>
  readonly owner: string | undefined
  readonly readFile: (path: string) => string
  readonly simulatorTransport: () => Transport
}

function buildLine({
  config,
  catalog,
  transport,
  memory,
  store,
  health,
  roundTrips,
  idempotent,
  env,
  log,
  owner,
  readFile,
  simulatorTransport,
}: LineInputs): Line {
  const { log: level } = config.telemetry
  return assemble({
    config,
    catalog,
    secrets: { env, readFile, allowPlaintext: config.secrets.allowPlaintext },
    transport,
    simulatorTransport,
    memory,
    store,
    health,
    roundTrips,
    idempotent,
    sinks: level === 'off' ? [] : [logSink(level, log.write)],
    authenticate: config.access.mode === 'keys' && owner !== undefined ? ownerOnly(owner, sameSecret) : undefined,
  })
}

/** Digests have one length, so the comparison's time says nothing of the secret's. */
const sameSecret = (one: string, other: string): boolean => timingSafeEqual(digest(one), digest(other))
const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Needed only where callers must show a key; made, and shown once, when the operator gave none. */
function ownerKey(config: Config, env: Readonly<Record<string, string | undefined>>): { key: string; made: boolean } | undefined {
  const given = env['SIGNALBOX_ADMIN_KEY']
  if (given !== undefined && given !== '') {
    if (given.length < 8) throw new StartError('SIGNALBOX_ADMIN_KEY is shorter than 8 characters: choose a longer one')
    return { key: given, made: false }
  }
  return config.access.mode === 'keys' ? { key: `sb-${randomBytes(24).toString('base64url')}`, made: true } : undefined
}

/** The simulator is loaded only where it is configured. */
async function simulatorModule(config: Config): Promise<{ createSimulator: () => Transport }> {
  if (![...config.providers.values()].some(({ preset }) => preset === 'simulator')) return { createSimulator: unavailable }
  const [{ createSimulator }, { simulatorTransport }] = await Promise.all([
    import('../testing/simulator/simulator.ts'),
    import('../testing/simulator/transport.ts'),
  ])
  return { createSimulator: () => simulatorTransport(createSimulator({ maxCalls: 0 })) }
}

const unavailable = (): Transport => ({
  send: () =>
    Promise.reject(
      new GatewayError(
        'upstream-unreachable',
        'A provider with the preset `simulator` was added by a reload: restart the gateway to start it.',
      ),
    ),
  close: async () => {},
})

function startError(error: unknown, { server: { host, port } }: Config): Error {
  switch ((error as { code?: string }).code) {
    case 'EADDRINUSE':
      return new StartError(`port ${port} on ${host} is in use: stop what listens there, or choose another with --port`)
    case 'EACCES':
      return new StartError(`port ${port} on ${host} may not be used by this user: choose one above 1023 with --port`)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new StartError(`${host} is not an address of this machine: choose another with --host`)
    default:
      return error as Error
  }
}
