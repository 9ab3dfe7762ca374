/** The scripts as functions: one command each, by digest; the text goes along only where Redis does not know it. */
import { createHash, randomUUID } from 'node:crypto'
import type { CounterState, Hold, Reserved } from '../../core/counters.ts'
import { isNoScript, type RedisLink, redisDown } from './redis-link.ts'
import { beatScript, readScript, reserveScript, settleScript } from './redis-scripts.ts'
import { actualOf, checkHold, endOf, rollingSliceMs } from './windows.ts'

/** A call that has ended, to be told. */
export interface Ended {
  readonly id: string
  /** In which it was reserved; empty: not in Redis, or nobody knows. */
  readonly epoch: string
  /** By `performance.now()`. */
  readonly endedAt: number
  readonly holds: readonly Hold[]
  readonly actual: readonly number[]
}

export interface Seeded {
  /** By Redis' clock. */
  readonly askedAt: number
  /** By index of the hold. */
  readonly seeds: ReadonlyMap<number, number>
}

export type Answer =
  | { readonly what: 'reserved'; readonly epoch: string; readonly reserved: Reserved }
  | { readonly what: 'unknown'; readonly epoch: string; readonly at: number; readonly indexes: readonly number[] }

export interface RedisCommands {
  reserve(id: string, holds: readonly Hold[], leaseMs: number, seeded?: Seeded): Promise<Answer>
  settle(calls: readonly Ended[]): Promise<{ readonly epoch: string }>
  read(counters: readonly string[]): Promise<readonly (CounterState | undefined)[]>
  beat(replica: string, keepMs: number): Promise<number>
}

interface Script {
  readonly text: string
  readonly digest: string
}
const scriptOf = (text: string): Script => ({ text, digest: createHash('sha1').update(text).digest('hex') })
const keyOf = (counter: string): string => `{sb}c:${counter}`
/** Settlements may be many, and nobody waits for them. */
const SETTLE_MS = 1_000

export function createRedisCommands(link: RedisLink): RedisCommands {
  const [reserve, settle, read, beat] = [reserveScript, settleScript, readScript, beatScript].map(scriptOf) as [
    Script,
    Script,
    Script,
    Script,
  ]

  const origin = randomUUID()
  let epochs = 0
  const freshEpoch = (): string => `${origin}.${++epochs}@${Date.now()}`

  // Known before the first use: a script that has to be sent twice would come after what was sent behind it.
  link.onUp(() => {
    for (const { text } of [reserve, settle, read, beat]) void link.command(['SCRIPT', 'LOAD', text], SETTLE_MS).catch(() => {})
  })

  async function run({ text, digest }: Script, keys: readonly string[], args: readonly string[], withinMs?: number): Promise<unknown[]> {
    const rest = [String(keys.length), ...keys, ...args]
    let answer: unknown
    try {
      answer = await link.command(['EVALSHA', digest, ...rest], withinMs)
    } catch (error) {
      if (!isNoScript(error)) throw error
      answer = await link.command(['EVAL', text, ...rest], withinMs)
    }
    return Array.isArray(answer) ? answer : [answer]
  }

  return {
    async reserve(id, holds, leaseMs, seeded) {
      const args = [id, whole(leaseMs), freshEpoch(), whole(seeded?.askedAt ?? 0)]
      for (const [index, hold] of holds.entries()) {
        checkHold(hold)
        const seed = seeded?.seeds.get(index)
        args.push(whole(hold.amount), hold.limit === undefined ? '' : whole(hold.limit), ...windowArgs(hold))
        args.push(seedable(hold), seed === undefined ? '' : whole(seed), kindOf(hold))
      }
      const [what, at, epoch, ...rest] = await run(
        reserve,
        holds.map(({ counter }) => keyOf(counter)),
        args,
      )
      const numbers = rest.map(Number)
      if (what === 2) return { what: 'unknown', epoch: String(epoch), at: Number(at), indexes: numbers }
      if (what !== 0 && what !== 1) throw redisDown('The shared counters gave an answer that nobody understands.')
      return { what: 'reserved', epoch: String(epoch), reserved: what === 1 ? takenOf(numbers) : refusedOf(numbers) }
    },
    async settle(calls) {
      const args: string[] = [freshEpoch()]
      const now = performance.now()
      for (const { id, epoch, endedAt, holds, actual } of calls) {
        args.push(id, epoch, whole(Math.max(0, now - endedAt)), String(holds.length))
        for (const [index, hold] of holds.entries()) {
          args.push(keyOf(hold.counter), whole(actualOf(actual[index], hold)), ...windowArgs(hold), seedable(hold), kindOf(hold))
        }
      }
      const [, epoch] = await run(settle, [], args, SETTLE_MS)
      return { epoch: String(epoch) }
    },
    async read(counters) {
      const numbers = (await run(read, counters.map(keyOf), [], SETTLE_MS)).map(Number)
      return counters.map((_, index) => {
        const [spent = -1, held = -1] = numbers.slice(2 * index)
        return spent < 0 ? undefined : { spent, held }
      })
    },
    beat: async (replica, keepMs) => Number((await run(beat, [], [replica, whole(keepMs), freshEpoch()], SETTLE_MS))[0]),
  }
}

/** Since when Redis has lost nothing, by the clock of the replica that noticed. Infinity: nobody knows. */
export function bornAt(epoch: string): number {
  const at = /@(\d+)$/.exec(epoch)?.[1]
  return at === undefined ? Number.POSITIVE_INFINITY : Number(at)
}

/** Without exponent, which Lua reads and Redis does not. */
const whole = (value: number): string => Math.round(value).toFixed(0)
const seedable = (hold: Hold): string => (hold.spentBefore ? '1' : '0')
const kindOf = (hold: Hold): string => (hold.kind === 'spend' ? 's' : 'g')

function windowArgs(hold: Hold): [string, string] {
  const endsAt = endOf(hold)
  return [whole(rollingSliceMs(hold)), Number.isFinite(endsAt) ? whole(endsAt) : '0']
}

function takenOf(numbers: readonly number[]): Reserved {
  const states: CounterState[] = []
  for (let at = 0; at + 1 < numbers.length; at += 2) states.push({ spent: numbers[at] ?? 0, held: numbers[at + 1] ?? 0 })
  return { ok: true, states }
}

function refusedOf([index = 0, spent = 0, held = 0, wait = -1]: readonly number[]): Reserved {
  return { ok: false, index, state: { spent, held }, ...(wait >= 0 && { retryAfterMs: wait }) }
}
