/**
 * Calls of known price while everything under them breaks: gateways are killed and frozen, stores frozen, cut and restarted, callers hang
 * up. Afterwards the ledger has to tell exactly what the provider counted.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Chance, chanceOf } from '../random.ts'
import { type PostgresService, startPostgres } from '../services/postgres.ts'
import { type RedisService, startRedis } from '../services/redis.ts'
import { createKey, ledgerLines, usageByKey } from './admin.ts'
import { Callers, type KeyInHand } from './callers.ts'
import { type GatewayProcess, gatewayProcess } from './gateway.ts'
import { judge, PRICE, type Verdict } from './judge.ts'
import { startProvider } from './provider.ts'

export interface NemesisOptions {
  /** `fleet`: two replicas on PostgreSQL and Redis. `threads`: one process of two threads on SQLite. */
  readonly shape: 'fleet' | 'threads'
  readonly rounds: number
  readonly seed: number
  /** Calls of a round. Default 40. */
  readonly calls?: number
  readonly tell?: (line: string) => void
}

export interface NemesisResult extends Verdict {
  readonly rounds: number
  readonly calls: number
  readonly received: number
  readonly refused: number
  readonly events: Readonly<Record<string, number>>
}

interface World {
  readonly gateways: readonly GatewayProcess[]
  readonly postgres: PostgresService | undefined
  readonly redis: RedisService | undefined
  readonly kills: { readonly gateway: string; readonly at: number }[]
}

type Event = { readonly name: string; act(world: World, random: Chance): Promise<void> }

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const events: readonly (Event & { readonly needs?: 'postgres' | 'redis' })[] = [
  { name: 'nothing', act: async () => {} },
  {
    name: 'kill a gateway',
    async act({ gateways, kills }, random) {
      const gateway = random.pick(gateways)
      kills.push({ gateway: gateway.name, at: Date.now() })
      await gateway.kill()
      await sleep(random.below(300))
      await gateway.start()
    },
  },
  {
    name: 'freeze a gateway',
    async act({ gateways }, random) {
      const gateway = random.pick(gateways)
      gateway.freeze()
      await sleep(200 + random.below(1_500))
      gateway.thaw()
    },
  },
  ...(['postgres', 'redis'] as const).flatMap((what) => [
    {
      name: `freeze ${what}`,
      needs: what,
      async act(world: World, random: Chance) {
        world[what]?.freeze()
        await sleep(200 + random.below(1_200))
        world[what]?.thaw()
      },
    },
    {
      name: `restart ${what}`,
      needs: what,
      async act(world: World) {
        await world[what]?.restart()
      },
    },
  ]),
]

/** Calls that the poor key may make in one round. */
const POOR = 5
/** What is in flight when counters are lost is not seen by those that come after. */
const BOUND_CALLS = 64

export async function nemesis({ shape, rounds, seed, calls = 40, tell = () => {} }: NemesisOptions): Promise<NemesisResult> {
  const random = chanceOf(seed)
  const directory = mkdtempSync(join(tmpdir(), 'signalbox-nemesis-'))
  const provider = await startProvider()
  const postgres = shape === 'fleet' ? await startPostgres() : undefined
  const redis = shape === 'fleet' ? await startRedis() : undefined
  const config = {
    server: { threads: shape === 'threads' ? 2 : 1 },
    store: { url: postgres?.url ?? 'sqlite:./signalbox.db' },
    ...(redis && { shared: { url: redis.url, onFailure: 'open' } }),
    access: { mode: 'keys' },
    providers: { work: { preset: 'openai-compatible', baseUrl: provider.url, keys: ['env:NEMESIS_KEY'] } },
    // In thousands of requests: each costs the same, however much of its answer came.
    models: { work: { targets: [{ provider: 'work', model: 'm', price: { input: 0, output: 0, request: PRICE / 1e6 } }] } },
    telemetry: { log: 'off' },
  }
  const names = shape === 'fleet' ? ['one', 'two'] : ['one']
  const gateways = await Promise.all(names.map((name) => gatewayProcess(name, directory, config)))
  const world: World = { gateways, postgres, redis, kills: [] }
  const callers = new Callers()
  const possible = events.filter(({ needs }) => needs === undefined || world[needs] !== undefined)
  const happened: Record<string, number> = {}
  const began = Date.now() - 1_000
  const budgets = new Map<string, { limit: number; bound: number }>()
  try {
    await Promise.all(gateways.map((gateway) => gateway.start()))
    const [first] = gateways
    if (!first) throw new Error('no gateway')
    const keys: KeyInHand[] = []
    for (let count = 0; count < 4; count++) keys.push(await createKey(first.url, { alias: `rich-${count}` }))
    for (let round = 0; round < rounds; round++) {
      const poor = await createKey(first.url, {
        alias: `poor-${round}`,
        budgets: [{ limit: String((POOR * PRICE) / 1e9), window: 'total' }],
      })
      budgets.set(poor.id, { limit: POOR * PRICE, bound: BOUND_CALLS * PRICE })
      const what = random.pick(possible)
      happened[what.name] = (happened[what.name] ?? 0) + 1
      await oneRound({ world, callers, keys: [...keys, poor], calls, random, event: what })
      if ((round + 1) % 10 === 0)
        tell(`round ${round + 1} of ${rounds}: ${callers.made.length} calls, ${provider.received.size} reached the provider`)
    }
    const ledger = await settled(first.url, began, provider.received)
    const usage = await usageByKey(first.url, began)
    const verdict = judge({ calls: callers.made, received: provider.received, ledger, usage, kills: world.kills, budgets })
    const refused = callers.made.filter(({ status }) => status !== undefined && status >= 400).length
    return { ...verdict, rounds, calls: callers.made.length, received: provider.received.size, refused, events: happened }
  } catch (error) {
    for (const gateway of gateways) tell(`${gateway.name}: ${gateway.output()}`)
    throw error
  } finally {
    callers.close()
    postgres?.thaw()
    redis?.thaw()
    await Promise.all(gateways.map((gateway) => gateway.stop()))
    await Promise.all([postgres?.stop(), redis?.stop(), provider.stop()])
    rmSync(directory, { recursive: true, force: true })
  }
}

interface Round {
  readonly world: World
  readonly callers: Callers
  readonly keys: readonly KeyInHand[]
  readonly calls: number
  readonly random: Chance
  readonly event: Event
}

/** Calls spread over half a second, in the middle of which something happens; ends when all is whole again. */
async function oneRound({ world, callers, keys, calls, random, event }: Round): Promise<void> {
  const { gateways } = world
  const running: Promise<unknown>[] = []
  const strike = random.below(calls)
  let struck: Promise<void> = Promise.resolve()
  for (let count = 0; count < calls; count++) {
    if (count === strike) struck = event.act(world, random)
    const gateway = random.pick(gateways)
    running.push(callers.call(gateway.url, gateway.name, random.pick(keys), random))
    await sleep(random.below(25))
  }
  await struck
  await Promise.all(running)
  await Promise.all(gateways.map((gateway) => gateway.ready()))
}

/** The ledger, once all that it knows of has been settled. */
async function settled(url: string, from: number, received: ReadonlyMap<string, number>): ReturnType<typeof ledgerLines> {
  const until = Date.now() + 30_000
  for (;;) {
    const lines = await ledgerLines(url, from).catch(() => undefined)
    const known = new Set(lines?.flatMap(({ tags }) => tags))
    const complete = lines?.every(({ state }) => state !== 'running') && [...received.keys()].every((name) => known.has(name))
    if (complete || Date.now() > until) return lines ?? (await ledgerLines(url, from))
    await sleep(250)
  }
}
