/**
 * CPU of this process for one reservation and its settlement, with 3 limits and 2 budgets, on every form of counters:
 * `node bench/counters-cost.ts`. Redis' own CPU is not in it.
 */
import type { Counters, Hold } from '../src/core/counters.ts'
import { createMemoryCounters } from '../src/store/counters/memory.ts'
import { openRedisCounters } from '../src/store/counters/open-redis.ts'
import { createSharedCounters, sharedCountersBuffer } from '../src/store/counters/shared.ts'
import { startRedis } from '../test/services/redis.ts'

const KEYS = 100
const LEASE_MS = 600_000
/** Calls at the same time. */
const ABREAST = 32
const endsAt = Date.now() + 3_600_000
const actual = [1, 400, 1, 10_000, 10_000]

const holdsOf = (key: number): readonly Hold[] => [
  { counter: `requests:${key}`, kind: 'spend', amount: 1, limit: 1e9, window: { rollingMs: 60_000 } },
  { counter: `tokens:${key}`, kind: 'spend', amount: 500, limit: 1e12, window: { rollingMs: 60_000 } },
  { counter: `running:${key}`, kind: 'gauge', amount: 1, limit: 1e9 },
  { counter: `budget-day:${key}`, kind: 'spend', amount: 12_345, limit: 1e15, window: { endsAt }, spentBefore: () => 0 },
  { counter: `budget-team:${key}`, kind: 'spend', amount: 12_345, limit: 1e15, window: { endsAt }, spentBefore: () => 0 },
]
const sets = Array.from({ length: KEYS }, (_, key) => holdsOf(key))

async function measure(counters: Counters, calls: number): Promise<number> {
  let next = 0
  const caller = async (): Promise<void> => {
    for (let index = next++; index < calls; index = next++) {
      const holds = sets[index % KEYS] ?? []
      const id = `req_${calls}_${index}`
      const reserved = counters.reserve(id, holds, LEASE_MS)
      // What answers at once must not pay for a promise.
      if (reserved instanceof Promise) await reserved
      void counters.settle(id, holds, actual)
    }
  }
  const begun = process.cpuUsage()
  await Promise.all(Array.from({ length: ABREAST }, caller))
  const { user, system } = process.cpuUsage(begun)
  return (user + system) / calls
}

async function report(form: string, counters: Counters, calls: number): Promise<void> {
  await measure(counters, calls / 2)
  const rounds: number[] = []
  for (let round = 0; round < 5; round++) rounds.push(await measure(counters, calls + round))
  const median = rounds.toSorted((a, b) => a - b)[2] ?? Number.NaN
  process.stdout.write(`${form.padEnd(14)} ${median.toFixed(2)} µs of CPU per reservation and settlement\n`)
  await counters.close()
}

await report('memory', createMemoryCounters(), 100_000)
await report('shared memory', createSharedCounters({ buffer: sharedCountersBuffer() }), 100_000)
const redis = await startRedis().catch((error: unknown) => {
  process.stdout.write(`Redis          not measured: ${String(error)}\n`)
})
if (redis) {
  await report('Redis', await openRedisCounters({ url: redis.url, replica: 'bench', onFailure: 'closed', deadlineMs: 5_000 }), 4_000)
  await redis.stop()
}
