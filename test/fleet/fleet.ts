/** Gateways with what they share, as processes of their own: two replicas on PostgreSQL and Redis, or one process on SQLite. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type LedgerLine, ledgerLines } from '../nemesis/admin.ts'
import { type GatewayProcess, gatewayProcess, OWNER } from '../nemesis/gateway.ts'
import { PRICE } from '../nemesis/judge.ts'
import { type CountingProvider, startProvider } from '../nemesis/provider.ts'
import { ServiceMissing } from '../services/install.ts'
import { type PostgresService, startPostgres } from '../services/postgres.ts'
import { type RedisService, startRedis } from '../services/redis.ts'
import { Caller, eventually } from './caller.ts'

export interface FleetOptions {
  /** Default: two. */
  readonly gateways?: number
  /** Of each gateway. Default 1. */
  readonly threads?: number
  /** Default: all are on PostgreSQL and Redis. `alone`: SQLite, and counters of the process. */
  readonly alone?: boolean
  readonly onFailure?: 'open' | 'closed'
  readonly config?: Readonly<Record<string, unknown>>
}

export interface Fleet {
  readonly gateways: readonly GatewayProcess[]
  readonly urls: readonly string[]
  readonly postgres: PostgresService | undefined
  readonly redis: RedisService | undefined
  readonly provider: CountingProvider
  readonly caller: Caller
  stop(): Promise<void>
}

/** What every call costs, in dollars, as the admin API writes it. */
export const dollars = (calls: number): string => ((calls * PRICE) / 1e9).toFixed(9)

/** Throws ServiceMissing where PostgreSQL or Redis cannot be had. */
export async function startFleet({
  gateways: many = 2,
  threads = 1,
  alone = false,
  onFailure = 'open',
  config = {},
}: FleetOptions = {}): Promise<Fleet> {
  const ends: (() => unknown)[] = []
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end()
  }
  try {
    const directory = mkdtempSync(join(tmpdir(), 'signalbox-fleet-'))
    ends.push(() => rmSync(directory, { recursive: true, force: true }))
    const provider = await startProvider()
    ends.push(() => provider.stop())
    const postgres = alone ? undefined : await startPostgres()
    ends.push(() => postgres?.stop())
    const redis = alone ? undefined : await startRedis()
    ends.push(() => redis?.stop())
    const whole = {
      server: { threads },
      store: { url: postgres?.url ?? 'sqlite:./signalbox.db' },
      ...(redis && { shared: { url: redis.url, onFailure } }),
      access: { mode: 'keys' },
      providers: { work: { preset: 'openai-compatible', baseUrl: provider.url, keys: ['env:NEMESIS_KEY'] } },
      // In thousands of requests: each costs the same, however much of its answer came.
      models: { work: { targets: [{ provider: 'work', model: 'm', price: { input: 0, output: 0, request: PRICE / 1e6 } }] } },
      telemetry: { log: 'off' },
      ...config,
    }
    const gateways = await Promise.all(Array.from({ length: many }, (_, index) => gatewayProcess(`g${index + 1}`, directory, whole)))
    ends.push(async () => {
      postgres?.thaw()
      redis?.thaw()
      await Promise.all(gateways.map((gateway) => gateway.stop()))
    })
    const caller = new Caller()
    ends.push(() => caller.close())
    await Promise.all(gateways.map((gateway) => gateway.start()))
    return { gateways, urls: gateways.map(({ url }) => url), postgres, redis, provider, caller, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** For one test. Undefined where it cannot be had: the test is marked as skipped then and should return. */
export async function withFleet(t: TestContext, options?: FleetOptions): Promise<Fleet | undefined> {
  try {
    const fleet = await startFleet(options)
    t.after(() => fleet.stop())
    return fleet
  } catch (error) {
    if (!(error instanceof ServiceMissing)) throw error
    t.skip(error.message)
    return undefined
  }
}

export interface AdminAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  /** When it came. */
  readonly at: number
}

export async function admin(url: string, method: string, path: string, body?: object): Promise<AdminAnswer> {
  const headers = { authorization: `Bearer ${OWNER}`, ...(body && { 'content-type': 'application/json' }) }
  const sent = { method, headers, signal: AbortSignal.timeout(10_000), ...(body && { body: JSON.stringify(body) }) }
  const answer = await fetch(`${url}/admin/v1${path}`, sent)
  const at = performance.now()
  const text = await answer.text()
  return { status: answer.status, body: text === '' ? {} : (JSON.parse(text) as AdminAnswer['body']), at }
}

/** The status of a path of the gateway itself; 0: no answer. */
export const statusOf = (url: string): Promise<number> =>
  fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    async (answer) => {
      await answer.arrayBuffer()
      return answer.status
    },
    () => 0,
  )

/** The lines of the ledger by the call's name, once every one of these calls is there and nothing runs. */
export function ledgerOf(url: string, from: number, names: readonly string[]): Promise<ReadonlyMap<string, readonly LedgerLine[]>> {
  const look = async () => {
    const byName = new Map<string, LedgerLine[]>()
    for (const line of await ledgerLines(url, from).catch(() => [])) {
      for (const tag of line.tags) byName.set(tag, [...(byName.get(tag) ?? []), line])
    }
    return byName
  }
  const complete = (lines: ReadonlyMap<string, readonly LedgerLine[]>): boolean =>
    names.every((name) => lines.get(name)?.every(({ state }) => state !== 'running')) &&
    [...lines.values()].flat().every(({ state }) => state !== 'running')
  return eventually(look, complete, { ms: 30_000, everyMs: 250 })
}
