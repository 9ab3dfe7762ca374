/**
 * Counters in Redis that survive Redis. While it does not answer, `open` counts in this process against this replica's share of what was
 * left, `closed` refuses every call with `store-unavailable`. What happened meanwhile is told to Redis when it is back, once.
 *
 * The share: of a budget, what was left when this replica last saw the counter (or what the ledger says, if that is less) divided by the
 * replicas, beside what its own running calls hold. Of rates and gauges, the limit divided by the replicas, at least 1.
 * So all replicas together exceed a budget by no more than the others used on it between this replica's last look and the outage.
 */
import type { CounterState, Counters, Hold, Reserved } from '../../core/counters.ts'
import { GatewayError } from '../../core/error.ts'
import { createMemoryCounters } from './memory.ts'
import type { RedisCounters } from './redis.ts'
import { redisDown } from './redis-link.ts'
import { LEDGER_MS, soon } from './seeds.ts'
import { rollingSliceMs } from './windows.ts'

export interface FallbackOptions {
  readonly redis: RedisCounters
  readonly onFailure: 'open' | 'closed'
  /** How many replicas there are at least; used until Redis has told, and never below. Default 1. */
  readonly replicas?: number
  readonly now?: () => number
}

export interface FallbackCounters extends Counters {
  /** Where calls are counted at present. */
  readonly mode: 'redis' | 'local' | 'refusing'
  /** Settlements that Redis has not been told of. */
  readonly untold: number
}

const MEND_MS = 100

/** What was known of a counter when this process began to count by itself. */
interface Base {
  /** Spent and held by anybody. */
  readonly used: number
  /** Of that, held by calls of this process that still run. */
  readonly own: number
}

export function createFallbackCounters({ redis, onFailure, replicas = 1, now = Date.now }: FallbackOptions): FallbackCounters {
  let local = createMemoryCounters({ now })
  let bases = new Map<string, Base>()
  const basing = new Map<string, Promise<Base>>()
  /** Calls whose holds are in `local` only. */
  const here = new Map<string, { readonly holds: readonly Hold[]; readonly until: number }>()
  /** What calls of before the outage hold, by counter. They are counted in `local` as well, so that their end frees what they hold. */
  let carried: Map<string, number> | undefined
  let mending = false
  const atLeast = (): number => Math.max(1, replicas, redis.replicas)

  /** Redis is back: calls that run are held there from now on, and the local counters are forgotten. */
  async function comeBack(): Promise<void> {
    local = createMemoryCounters({ now })
    bases = new Map()
    carried = undefined
    const moving = [...here]
    here.clear()
    const lost = [...redis.live()].filter(([, call]) => call.epoch !== redis.epoch)
    const all = [...moving, ...lost.map(([id, { holds, until }]) => [id, { holds, until }] as const)]
    await Promise.all(
      all.map(([id, { holds, until }]) => {
        const left = until - performance.now()
        // Without limits: they run already. A call that cannot be moved counts when it ends.
        return left > 0 ? redis.reserve(id, holds.map(unlimited), left).catch(() => {}) : undefined
      }),
    )
  }
  redis.onReady(() => void comeBack())

  /** What the calls that run already hold is held here too. */
  function carry(): Map<string, number> {
    if (carried) return carried
    carried = new Map()
    const live = [...redis.live()].filter(([, { until }]) => until > performance.now())
    for (const [, { holds }] of live) for (const { counter, amount } of holds) carried.set(counter, (carried.get(counter) ?? 0) + amount)
    for (const [id, { holds, until }] of live) local.reserve(id, holds.map(carriedHold), until - performance.now())
    return carried
  }

  function carriedHold(hold: Hold): Hold {
    return shared({ ...hold, limit: undefined }, { used: usedOf(hold.counter), own: carried?.get(hold.counter) ?? 0 })
  }

  /** Spent and held by anybody, as far as this process has seen. */
  function usedOf(counter: string): number {
    const seen = redis.lastSeen(counter)
    return (seen?.spent ?? 0) + Math.max(seen?.held ?? 0, carried?.get(counter) ?? 0)
  }

  async function readBase(hold: Hold, own: number): Promise<Base> {
    const asked = hold.spentBefore && !rollingSliceMs(hold) ? askLedger(hold.spentBefore) : undefined
    const told = await (redis.lastSeen(hold.counter) ? soon(asked, LEDGER_MS) : asked)
    // A budget of which nobody knows what is left of it stays closed.
    if (hold.spentBefore && hold.limit !== undefined && !redis.lastSeen(hold.counter) && told === undefined) throw redisDown()
    return { used: Math.max(usedOf(hold.counter), (told ?? 0) + own), own }
  }

  function baseOf(hold: Hold): Base | Promise<Base> {
    const known = bases.get(hold.counter)
    if (known) return known
    const asked = basing.get(hold.counter)
    if (asked) return asked
    const asking = readBase(hold, carry().get(hold.counter) ?? 0).then((base) => {
      bases.set(hold.counter, base)
      return base
    })
    basing.set(hold.counter, asking)
    const forget = () => basing.delete(hold.counter)
    asking.then(forget, forget)
    return asking
  }

  /** The hold against this replica's share. */
  function shared(hold: Hold, { used, own }: Base): Hold {
    const { counter, kind, amount, limit, window } = hold
    const parts = atLeast()
    const plain = { counter, kind, amount, ...(window && { window }) }
    const part = limit === undefined ? undefined : Math.max(Math.min(1, limit), Math.floor(limit / parts))
    if (rollingSliceMs(hold)) {
      // What was counted before leaves the window as time goes on.
      const spent = Math.ceil(Math.max(0, used - own) / parts)
      return { ...plain, limit: part, spentBefore: () => spent }
    }
    if (kind === 'gauge' || limit === undefined) return { ...plain, limit: part }
    return { ...plain, limit: own + Math.floor(Math.max(0, limit - used) / parts) }
  }

  async function reserveHere(id: string, holds: readonly Hold[], leaseMs: number): Promise<Reserved> {
    const asked = await Promise.all(holds.map(baseOf))
    mend()
    const reserved = await local.reserve(
      id,
      holds.map((hold, index) => shared(hold, asked[index] ?? { used: 0, own: 0 })),
      leaseMs,
    )
    if (!reserved.ok) return { ...reserved, state: addBase(reserved.state, holds[reserved.index]) }
    here.set(id, { holds, until: performance.now() + leaseMs })
    return { ok: true, states: reserved.states.map((state, index) => addBase(state, holds[index])) }
  }

  /** Redis missed a deadline and is there all the same: what was counted here goes there. */
  function mend(): void {
    if (mending || !redis.ready) return
    mending = true
    const timer = setTimeout(() => {
      mending = false
      if (redis.ready) void comeBack()
    }, MEND_MS)
    timer.unref()
  }

  /** The state as far as this process knows: what was used before, and what it used since. */
  function addBase({ spent, held }: CounterState, hold: Hold | undefined): CounterState {
    const base = hold && bases.get(hold.counter)
    if (!base || !hold || hold.kind === 'gauge' || rollingSliceMs(hold)) return { spent, held }
    return { spent: spent + base.used - base.own, held }
  }

  async function reserve(id: string, holds: readonly Hold[], leaseMs: number): Promise<Reserved> {
    let uncertain = false
    if (redis.ready) {
      try {
        return await redis.reserve(id, holds, leaseMs)
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error
        uncertain = true
      }
    }
    if (onFailure === 'closed') {
      if (uncertain) redis.cancel(id, holds)
      throw redisDown()
    }
    try {
      const reserved = await reserveHere(id, holds, leaseMs)
      if (!reserved.ok && uncertain) redis.cancel(id, holds)
      return reserved
    } catch (error) {
      if (uncertain) redis.cancel(id, holds)
      throw error
    }
  }

  return {
    get mode() {
      if (redis.ready) return 'redis'
      return onFailure === 'open' ? 'local' : 'refusing'
    },
    get untold() {
      return redis.untold
    },
    reserve,
    settle(id, holds, actual) {
      if (here.delete(id) || carried) local.settle(id, holds.map(plainly), actual)
      redis.settle(id, holds, actual)
    },
    read: (counters) => (redis.ready ? redis.read(counters) : local.read(counters)),
    close: () => redis.close(),
  }
}

const askLedger = async (spentBefore: NonNullable<Hold['spentBefore']>): Promise<number | undefined> => {
  try {
    return await spentBefore()
  } catch {
    return undefined
  }
}

const unlimited = (hold: Hold): Hold => ({ ...hold, limit: undefined })
/** As it is counted here: never asked for again. */
const plainly = ({ counter, kind, amount, limit, window }: Hold): Hold => ({ counter, kind, amount, limit, ...(window && { window }) })
