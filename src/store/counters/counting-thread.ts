/** A thread of its own that counts in shared memory, for tests of several. What it does is in its data. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Hold } from '../../core/counters.ts'
import { LIMITS } from './counting-limits.ts'
import { createSharedCounters } from './shared.ts'

export interface ThreadTask {
  readonly buffer: SharedArrayBuffer
  readonly name: string
  /** `race`: so many calls on one counter. `random`: seeded calls of all kinds. `stall`: stops for ever in the middle of a reservation. */
  readonly what: 'race' | 'random' | 'stall'
  readonly calls: number
  readonly seed: number
  readonly leaseMs: number
}

export interface ThreadResult {
  readonly taken: number
  /** By counter: what was settled. */
  readonly spent: Readonly<Record<string, number>>
  /** Answers that a limit does not allow. */
  readonly wrong: readonly string[]
}

/** Same numbers for the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed | 0
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const holdOf = (index: number, amount: number): Hold => ({
  counter: `shared ${index}`,
  kind: index === 3 ? 'gauge' : 'spend',
  amount,
  limit: LIMITS[index],
})

const task: ThreadTask = workerData
const counters = createSharedCounters({ buffer: task.buffer })

async function race(): Promise<ThreadResult> {
  const hold = { counter: 'race', kind: 'spend', amount: 100_000_000, limit: 1_000_000_000, spentBefore: async () => 0 } as const
  const all = Array.from({ length: task.calls }, (_, index) => counters.reserve(`${task.name}.${index}`, [hold], task.leaseMs))
  return { taken: (await Promise.all(all)).filter(({ ok }) => ok).length, spent: {}, wrong: [] }
}

async function random(): Promise<ThreadResult> {
  const dice = randomOf(task.seed)
  const spent: Record<string, number> = {}
  const wrong: string[] = []
  const running: { id: string; holds: Hold[] }[] = []
  let taken = 0
  const settleOne = (): void => {
    const [call] = running.splice(dice(running.length), 1)
    if (!call) return
    const actual = call.holds.map(({ amount }) => dice(amount + 1))
    counters.settle(call.id, call.holds, actual)
    if (dice(10) === 0) counters.settle(call.id, call.holds, actual)
    for (const [index, hold] of call.holds.entries()) {
      if (hold.kind === 'spend') spent[hold.counter] = (spent[hold.counter] ?? 0) + (actual[index] ?? 0)
    }
  }
  for (let index = 0; index < task.calls; index++) {
    const id = `${task.name}.${index}`
    const holds = LIMITS.map((_, which) => holdOf(which, which === 3 ? 1 : dice(20))).filter(() => dice(3) > 0)
    const reserved = await counters.reserve(id, holds, task.leaseMs)
    if (reserved.ok) {
      taken++
      running.push({ id, holds })
    }
    for (const [at, state] of (reserved.ok ? reserved.states : [reserved.state]).entries()) {
      const limit = holds[reserved.ok ? at : reserved.index]?.limit ?? 0
      if (state.spent + state.held > limit || state.spent < 0 || state.held < 0) wrong.push(JSON.stringify({ id, state, limit }))
    }
    if (dice(4) > 0) settleOne()
  }
  while (running.length > 0) settleOne()
  return { taken, spent, wrong }
}

/** Half of a call is held when this thread stops. */
async function stall(): Promise<ThreadResult> {
  let looks = 0
  const trap: Hold = {
    ...holdOf(1, 5),
    get limit() {
      if (++looks === 1) {
        parentPort?.postMessage('stalled')
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
      }
      return 50
    },
  }
  await counters.reserve(task.name, [holdOf(0, 5), trap], task.leaseMs)
  return { taken: 0, spent: {}, wrong: ['it went on'] }
}

const result = await { race, random, stall }[task.what]()
parentPort?.postMessage(result)
