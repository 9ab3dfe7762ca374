/** From a configuration to a listening gateway, and to its end. */
import { flushCompileCache } from 'node:module'
import { dirname, isAbsolute, join } from 'node:path'
import { callMetrics } from '../accounting/metrics/call-metrics.ts'
import { createDoor } from '../admin/door.ts'
import { createAdmission } from '../admission/admission.ts'
import { type Catalog, createCatalog } from '../catalog/catalog.ts'
import type { Config } from '../config/config.ts'
import type { Differences } from '../config/differences.ts'
import { GatewayError } from '../core/error.ts'
import { createTally } from '../core/tally.ts'
import { connectTime } from '../egress/connect-time.ts'
import { reasoningMemory } from '../egress/reasoning-memory.ts'
import { createRetryBudgets } from '../egress/retry-budget.ts'
import { createRoundTrips } from '../egress/round-trips.ts'
import { nodeTransport } from '../egress/transport-node.ts'
import type { Line } from '../gateway.ts'
import { idempotency } from '../ingress/idempotency.ts'
import { responseStore } from '../ingress/response-store.ts'
import { createHealth, type Failing } from '../routing/health/health.ts'
import { checkPort } from './acceptors.ts'
import { buildLine } from './build-line.ts'
import { countsFor, originsOf } from './configured-targets.ts'
import { greeting } from './greeting.ts'
import { createHttpServer } from './http-server.ts'
import { knownModels } from './known-models.ts'
import { lineWriter } from './line-writer.ts'
import { memoryUse } from './memory-use.ts'
import { metricsPage, watchConnections } from './metrics.ts'
import { type Owner, ownerOf, sameSecret } from './owner.ts'
import { readFileText } from './read-file.ts'
import { createReloader, type ReloadResult, type Reread, reloadText } from './reload.ts'
import { scheduledCatalog } from './scheduled-catalog.ts'
import { scheduledDrills } from './scheduled-drills.ts'
import { absent, simulatorFor } from './simulator-way.ts'
import { StartError, startError } from './start-error.ts'
import { openGossip } from './state/gossip.ts'
import type { GatewayState } from './state/open-state.ts'
import { createBalance } from './threads/balance.ts'
import { threadShare } from './threads/share.ts'
import type { Others, Siblings, ThreadOptions } from './threads/siblings.ts'
import type { ServingTls } from './tls/serving-tls.ts'

export interface ServeOptions {
  readonly config: Config
  /** Default: the built one. */
  readonly catalog?: Catalog
  /** The file that refreshed facts are kept in. Absent: they are not refreshed. */
  readonly catalogFile?: string
  /** Where the configuration came from; undefined when there is none. */
  readonly source?: string
  /** Reads the configuration again, for a reload. */
  readonly reload?: () => Promise<Reread>
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly write?: (text: string) => void
  readonly readFile?: (path: string) => string
  readonly quiet?: boolean
  /** Absent: it serves alone. */
  readonly thread?: ThreadOptions | undefined
}

export interface Serving {
  readonly url: string
  /** This thread's page of metrics. */
  metrics(): string
  /** To the first thread: the others are there. */
  join(others: (siblings: Siblings) => Others): void
  /** Resolves when the process may end. Running calls get `drainMs`. */
  stop(): Promise<void>
  /**
   * `quietly`: leaves everything alone when the configuration says what it said before. `here`: in this thread only. Undefined while stopping.
   */
  reload(options?: { readonly quietly?: boolean; readonly here?: boolean }): Promise<ReloadResult | undefined>
}

/** What a call that is ended by the drain's limit has, to tell its caller. */
const LAST_WORDS_MS = 500

export async function startServing({
  config,
  catalog: firstCatalog = createCatalog(),
  catalogFile,
  source,
  reload,
  env = process.env,
  readFile = readFileText,
  write = (text) => void process.stdout.write(text),
  quiet = false,
  thread,
}: ServeOptions): Promise<Serving> {
  const transport = nodeTransport({ beforeSending: () => state.commit() })
  const memory = reasoningMemory()
  const store = responseStore()
  let current = config
  let catalog = firstCatalog
  const knownModel = knownModels(
    () => current,
    () => catalog,
  )
  const metrics = callMetrics({ knownModel })
  const share = threadShare(thread?.index ?? 0)
  const health = createHealth({
    onTransition(transition) {
      metrics.transition(transition)
      const { provider, wire, model, restMs, to, heard } = transition
      if (to === 'open' && !heard) gossip.tell({ provider, wire, model, restMs })
    },
  })
  const gossip = openGossip<Failing>({
    topic: 'failing-targets',
    url: config.shared?.url,
    threads: thread !== undefined,
    hear: health.hear,
  })
  const unwatch = watchConnections(metrics.connected)
  const budgets = createRetryBudgets(health.now)
  const roundTrips = createRoundTrips({ probe: connectTime })
  const idempotent = idempotency()
  const admission = createAdmission({ memory: memoryUse })
  const log = lineWriter(write)
  let owner = ownerFor(config, undefined)
  if (!thread?.first) await checkPort(config.server).catch((error) => Promise.reject(startError(error, config)))
  const tls = await tlsFor(config)
  const state = await stateFor(config, owner.key)
  let simulator = await simulatorFor(config, undefined)
  const build = (next: Config): Line =>
    buildLine({
      config: next,
      catalog,
      transport,
      memory,
      store,
      health,
      budgets,
      roundTrips,
      idempotent,
      admission,
      metrics: thread ? [metrics, share] : [metrics],
      env,
      readFile,
      log,
      credentialsOf: state.secrets.credentialsOf,
      access: state.access,
      spending: state.spending,
      simulatorTransport: () => simulator ?? absent,
    })

  let line = build(config)
  let ready = false
  let stopping: Promise<void> | undefined
  let others: Others | undefined
  const balance = thread && createBalance(thread.balance, thread.index)
  const drills = scheduledDrills({ config: () => current, catalog: () => catalog, transport, env, readFile, write })
  const refreshes =
    catalogFile !== undefined && !thread?.first
      ? scheduledCatalog({ path: catalogFile, tell: write, reload: () => reloadNow({ quietly: true }) })
      : undefined
  const reloader = createReloader({
    config,
    catalog,
    read: async () => (await reload?.()) ?? { config: current, problems: [], notices: [] },
    apply,
    tell: (result) => thread?.first || write(reloadText(result, source ?? 'the configuration')),
  })
  const reloadNow: Serving['reload'] = async ({ quietly = false, here = false } = {}) => {
    if (stopping) return undefined
    if (thread?.first && !here) return await thread.first.reload(quietly)
    const result = await reloader.reload({ quietly })
    if (!here) await others?.reload(quietly)
    return result
  }
  const adminRequests = createTally()
  const kept = { ...state.kept, adminRequests: adminRequests.read }
  const page = metricsPage(metrics, { admission: admission.report, targets: health.snapshot, knownModel, kept })
  const door = createDoor({ audit: (event) => void state.store.audit.append(event).catch(() => {}) })
  const ownPage = thread ? () => page() + share.page() : page
  const server = createHttpServer({
    line: () => line,
    maxBody: () => current.server.limits.body,
    ready: () => ready && state.ready(),
    joins: thread?.first !== undefined,
    balance,
    secure: tls?.listener,
    admin: {
      isOwner: (credential) => sameSecret(credential, owner.key),
      reload: () => reloadNow(),
      services: state.services,
      door,
      answered: (operation, status) => adminRequests.add(operation, String(status)),
    },
    metrics: {
      page: () => thread?.first?.metrics() ?? others?.metrics() ?? ownPage(),
      allowed: (credential) => current.access.mode === 'open' || (credential !== undefined && sameSecret(credential, owner.key)),
      guessed: (caller) => door.unknown(state.services.addressOf?.(caller) ?? caller.ip, caller.credential ?? '', 'metrics'),
    },
  })
  try {
    await server.listen({ host: config.server.host, port: config.server.port })
  } catch (error) {
    throw startError(error, config)
  }
  ready = true
  if (!thread?.first) drills.configure(config.drills)
  refreshes?.configure(config.catalog)
  // What was compiled for this start is there for the next one, however this process ends.
  flushCompileCache()
  const address = server.server.address()
  const port = typeof address === 'object' && address ? address.port : config.server.port
  const url = `${tls ? 'https' : 'http'}://${config.server.host.includes(':') ? `[${config.server.host}]` : config.server.host}:${port}`
  if (!quiet && !thread?.first) write(greeting({ url, config, source, madeKey: owner.made ? owner.key : undefined }))

  return {
    url,
    metrics: ownPage,
    join(begin) {
      if (!thread) return
      const start = {
        threads: thread.threads,
        host: config.server.host,
        port,
        ownerKey: owner.key,
        balance: thread.balance,
        counters: thread.counters,
      }
      others = begin({ start, tell: write, reload: (quietly) => reloadNow({ quietly }), metrics: ownPage })
    },
    stop() {
      stopping ??= Promise.all([drain(), others?.stop()]).then(() => {})
      return stopping
    },
    reload: reloadNow,
  }

  /** Whatever can fail comes first: a refused configuration leaves nothing behind. */
  async function apply(next: Config, { changed, removed }: Differences, facts = catalog): Promise<void> {
    const nextOwner = ownerFor(next, owner)
    const renewTls = next.server.tls && tls?.prepare(next.server.tls)
    const secrets = await state.secrets.prepare(next)
    try {
      simulator = await simulatorFor(next, simulator)
    } catch (error) {
      await secrets.abandon()
      throw error
    }
    await secrets.commit()
    renewTls?.()
    catalog = facts
    line = build(next)
    // A provider that is another one now is not judged by what the old one did.
    const other = new Set([...changed, ...removed].map((path) => path.replace(/^providers\./, '')))
    const counts = countsFor(next, state.secrets.counts())
    health.configure(new Map([...counts].filter(([id]) => !other.has(id))))
    health.configure(counts)
    transport.keepOnly?.(originsOf(next, catalog))
    if (nextOwner.made && nextOwner !== owner) write(`owner's key, shown this once: ${nextOwner.key}\n`)
    owner = nextOwner
    state.configure(next, owner.key)
    current = next
    if (!thread?.first) drills.configure(next.drills)
    refreshes?.configure(next.catalog)
  }

  async function tlsFor({ server }: Config): Promise<ServingTls | undefined> {
    if (!server.tls) return undefined
    const { servingTls } = await import('./tls/serving-tls.ts')
    try {
      return servingTls({
        config: server.tls,
        env,
        readFile,
        pathOf: (file) => (isAbsolute(file) || source === undefined ? file : join(dirname(source), file)),
        tell: (line) => void (thread?.first || write(`${line}\n`)),
      })
    } catch (error) {
      throw new StartError((error as Error).message)
    }
  }

  async function stateFor(first: Config, ownerKey: string): Promise<GatewayState> {
    // Loaded once the port is known to be free: what cannot start says so at once.
    const { openState } = await import('./state/open-state.ts')
    try {
      return await openState({
        config: first,
        ownerKey,
        sharedMemory: thread?.counters,
        first: thread?.first === undefined,
        env,
        readFile,
        tell: (line) => write(`${line}\n`),
        keysChanged: (counts) => health.configure(countsFor(current, counts)),
      })
    } catch (error) {
      if (error instanceof GatewayError) throw new StartError(error.message)
      throw error
    }
  }

  function ownerFor(next: Config, before: Owner | undefined): Owner {
    // Where nobody gave one, the first thread has made it.
    const made = thread?.first && { key: thread.first.ownerKey, made: true }
    try {
      return ownerOf(next, { env, readFile, allowPlaintext: next.secrets.allowPlaintext }, before ?? made)
    } catch (error) {
      throw new StartError((error as Error).message)
    }
  }

  async function drain(): Promise<void> {
    ready = false
    drills.stop()
    refreshes?.stop()
    tls?.stop()
    const closed = server.close()
    let lastWords: ReturnType<typeof setTimeout> | undefined
    const limit = setTimeout(() => {
      server.cancelAll(
        new GatewayError('shutting-down', 'The gateway is stopping; this call did not end in time.', { retryAfterMs: 1_000 }),
      )
      // Uploads that never end, and callers that do not read.
      lastWords = setTimeout(() => server.destroyAll(), LAST_WORDS_MS)
    }, current.server.drainMs)
    await closed
    clearTimeout(limit)
    clearTimeout(lastWords)
    log.flush()
    unwatch()
    await transport.close()
    gossip.close()
    await state.close()
  }
}
