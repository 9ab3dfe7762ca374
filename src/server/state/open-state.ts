/**
 * Everything that outlives a call and a reload: the store and what is kept in it, the ledger, the counters, and the policies over them. Opened
 * once for a process or thread. What a configuration may change of it is changed by `configure`.
 */
import { randomUUID } from 'node:crypto'
import { dirname, join, resolve } from 'node:path'
import { courseOf } from '../../accounting/decision-record.ts'
import type { KeptSources } from '../../accounting/metrics/kept-metrics.ts'
import type { Outcome } from '../../accounting/outcome.ts'
import { createDoor } from '../../admin/door.ts'
import type { AdminServices } from '../../admin/parts.ts'
import type { Config } from '../../config/config.ts'
import { addressText } from '../../core/address.ts'
import type { AuditEvent } from '../../core/audit.ts'
import type { Counters } from '../../core/counters.ts'
import type { LedgerEntry } from '../../core/ledger.ts'
import type { Admitted, FallTo, Spending } from '../../core/policy.ts'
import { createTally } from '../../core/tally.ts'
import { type AccessSettings, createAccess, type GatewayAccess } from '../../policy/access/access.ts'
import { fetchJsonWith } from '../../policy/access/fetch-json.ts'
import { nodeCrypto } from '../../policy/access/node-crypto.ts'
import { rotationSchedule } from '../../policy/access/scheduled-rotation.ts'
import type { HoldPolicy } from '../../policy/spending/costs.ts'
import { createSpending, type SpendingDesk } from '../../policy/spending/spending.ts'
import type { FallbackCounters } from '../../store/counters/fallback.ts'
import type { StoreLedger } from '../../store/ledger/ledger.ts'
import { openStore, type Store } from '../../store/open-store.ts'
import { keyAdmin } from './key-admin.ts'
import { budgetReader, creditAdmin } from './money-admin.ts'
import { openEvents } from './open-events.ts'
import { openReconciler } from './open-reconciler.ts'
import { type OpenSecrets, openSecrets } from './open-secrets.ts'

export interface StateOptions {
  readonly config: Config
  readonly ownerKey: string
  /** Counters that the threads of this process share. */
  readonly sharedMemory?: SharedArrayBuffer | undefined
  /** False in all threads but the first: what is done once for the process is not done here. */
  readonly first?: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  readonly readFile: (path: string) => string
  /** Tells the operator: one line. */
  tell(line: string): void
  /** The number of keys of some provider is another one now. */
  keysChanged(counts: ReadonlyMap<string, number>): void
}

export interface GatewayState {
  readonly store: Store
  readonly ledger: StoreLedger
  readonly access: GatewayAccess
  readonly spending: Spending
  readonly secrets: OpenSecrets
  readonly services: AdminServices
  /** For metrics. */
  readonly kept: Omit<KeptSources, 'adminRequests'>
  /** Whether callers can be told from strangers, and what they may spend. Stays so when the store goes away. */
  ready(): boolean
  /** What the ledger has buffered is written: before calls go upstream. */
  commit(): void
  configure(config: Config, ownerKey: string): void
  close(): Promise<void>
}

/** A start waits so long for keys and rules; then it goes on, and what needs them answers 503 until they are there. */
const PATIENCE_MS = 400

export async function openState({
  config,
  ownerKey,
  sharedMemory,
  first = true,
  env,
  readFile,
  tell,
  keysChanged,
}: StateOptions): Promise<GatewayState> {
  let money = config.money
  const store = await openStore(config.store.url, {
    onState: ({ up, why }) => tell(up ? 'the database answers again' : `the database does not answer: ${why}`),
  })
  store.database?.ready.catch((error: Error) => tell(`the database cannot be used: ${error.message}`))
  const secrets = await openSecrets({ config, records: store.records, env, readFile, tell, changed: keysChanged })
  const ledger = await ledgerFor(store, config, (lost) => spending.release(lost), tell)
  const counters = await countersFor(config, sharedMemory, tell)
  const audit = (event: AuditEvent): void => void store.audit.append(event).catch(() => {})
  const door = createDoor({ audit })
  const strangers = createTally()
  const access = createAccess({
    settings: settingsOf(config, ownerKey),
    crypto: nodeCrypto,
    records: store.records,
    fetchJson: fetchJsonWith(),
    audit,
    stranger(address, credential) {
      const refusal = door.stranger(address, credential)
      strangers.add(refusal ? 'guessing' : 'unknown')
      return refusal
    },
  })
  const events = openEvents({ secret: secrets.resolve, tell })
  events.configure(config)
  const spending = createSpending({
    counters,
    ledger,
    alone: !config.shared && !sharedMemory,
    charged: (selector, from, to) => ledger.recovered.then(() => ledger.spent(selector, from, to)),
    records: store.records,
    // The trunk settles with the outcome that accounting made.
    recordOf: (settled) => courseOf(settled as Outcome),
    rules: money,
    policy: policyOf(config),
    warn: (event) => {
      events.spending(event)
      const of = `${event.name ?? event.rule}${event.value === '' ? '' : ` of ${event.value}`}`
      tell(`${event.kind} ${of}: ${event.type === 'budget-exceeded' ? 'used up' : `${(event.share ?? 0) * 100} % used`}`)
    },
    broken: (id, error) => tell(`the rule ${id} does not hold: ${error.message}`),
  })
  const rotation = rotationSchedule({ records: store.records, crypto: nodeCrypto, deliver: secrets.put, audit, tell })
  if (first) rotation.configure(config.access.rotation)
  let rotates = config.access.rotation !== undefined
  const reconciler = openReconciler({ ledger, secret: secrets.resolve, readFile, tell, scheduled: first })
  await reconciler.configure(config)
  let rulesKnown = false
  const rules = spending.ready.then(() => {
    rulesKnown = true
  })
  const loading = Promise.all([access.load(), rules])
  await Promise.race([loading, new Promise((done) => setTimeout(done, PATIENCE_MS).unref())])

  return {
    store,
    ledger,
    access,
    spending: spendingFor(spending, ledger, store, config),
    secrets,
    services: {
      authenticate: (caller) => access.recognize(caller),
      authorize: (principal, wanted) => access.authorize(principal, wanted),
      addressOf(caller) {
        const { address } = access.origin(caller)
        return address === undefined ? undefined : addressText(address)
      },
      records: store.records,
      keys: keyAdmin(store.records, 'key', { rotates: () => rotates }),
      admins: keyAdmin(store.records, 'admin'),
      exchange: (principal, wish) => access.exchange(principal, wish),
      usage: ledger,
      budgets: budgetReader(spending, () => money),
      audit: store.audit,
      secrets: secrets.admin,
      reconciliation: reconciler.admin,
      credits: creditAdmin(store.records, spending),
    },
    kept: {
      ledger: () => ledger.state,
      database: () => store.database?.reachable,
      counters: () => ('mode' in counters ? (counters as FallbackCounters) : undefined),
      access: access.status,
      strangers: strangers.read,
      spending: () => ({ waiting: spending.waiting, refusals: spending.refusals.read() }),
      secretsWithProblem: secrets.withProblem,
      events: () => ({ waiting: events.waiting, ended: events.ended.read() }),
    },
    ready: () => rulesKnown && access.status().loaded,
    commit: () => ledger.commit(),
    configure(next, key) {
      money = next.money
      access.configure(settingsOf(next, key))
      rotates = next.access.rotation !== undefined
      if (first) rotation.configure(next.access.rotation)
      spending.configure(next.money, policyOf(next))
      void reconciler.configure(next)
      events.configure(next)
    },
    async close() {
      await rotation.stop()
      access.close()
      spending.close()
      const parting = events.close()
      await reconciler.close()
      await parting
      await secrets.close()
      await ledger.close()
      await counters.close()
      await store.close()
    },
  }
}

async function ledgerFor(
  { database }: Store,
  config: Config,
  onLost: (entries: readonly LedgerEntry[]) => void,
  tell: (line: string) => void,
): Promise<StoreLedger> {
  if (!database) {
    const { createMemoryLedger } = await import('../../store/ledger/memory-ledger.ts')
    return createMemoryLedger({ forgets: true })
  }
  const { createSqlLedger } = await import('../../store/ledger/sql-ledger.ts')
  return createSqlLedger({
    database,
    directory: journalDirectory(config),
    durability: config.money.ledger.durability === 'strict' ? 'strict' : 'process',
    openings: 'at-commit',
    onLost,
    warn: tell,
  })
}

/** A store that keeps nothing keeps nothing of callers who are nobody in particular, where no rule counts their calls. */
function spendingFor(desk: SpendingDesk, ledger: StoreLedger, { database }: Store, { money }: Config): Spending {
  if (database) return money.ledger.durability === 'strict' ? strictly(desk, ledger) : desk
  return { admit: (call) => desk.admit(call), needless: ({ kind }) => kind === 'anonymous' && desk.ruleless }
}

/** Answers end only when their settlement is on disk. */
function strictly(spending: Spending, ledger: StoreLedger): Spending {
  const kept = (admitted: Admitted | FallTo, id: string): Admitted | FallTo => {
    if ('fallTo' in admitted) return admitted
    const { headers, without } = admitted
    return { headers, without, settle: () => admitted.settle(), durable: () => ledger.settled(id) }
  }
  return {
    admit(call) {
      const admitted = spending.admit(call)
      const { id } = call.exchange
      return admitted instanceof Promise ? admitted.then((one) => kept(one, id)) : kept(admitted, id)
    },
  }
}

/** Beside a SQLite file; else in the working directory. */
function journalDirectory({ store: { url } }: Config): string {
  if (!url.startsWith('sqlite:')) return resolve('signalbox-ledger')
  const file = resolve(url.slice('sqlite:'.length))
  return join(dirname(file), `${file.slice(dirname(file).length + 1)}-ledger`)
}

async function countersFor(
  { shared }: Config,
  sharedMemory: SharedArrayBuffer | undefined,
  tell: (line: string) => void,
): Promise<Counters> {
  if (shared) {
    const { openRedisCounters } = await import('../../store/counters/open-redis.ts')
    return openRedisCounters({ url: shared.url, replica: randomUUID(), onFailure: shared.onFailure, onTrouble: tell })
  }
  if (sharedMemory) {
    const { createSharedCounters } = await import('../../store/counters/shared.ts')
    return createSharedCounters({ buffer: sharedMemory, onTrouble: tell })
  }
  const { createMemoryCounters } = await import('../../store/counters/memory.ts')
  return createMemoryCounters()
}

const settingsOf = ({ access }: Config, ownerKey: string): AccessSettings => ({ ...access, ownerKey })

const policyOf = ({ money: { prices, reservation } }: Config): HoldPolicy => ({ ...prices, ...reservation })
