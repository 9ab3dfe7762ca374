// What choosing costs: `node bench/strategy-cost.ts`. CPU of one call's plan, budget, key, timeouts and what is noted of it, without sending anything.

import type { Candidate } from '../src/core/target.ts'
import { timeoutsFor } from '../src/egress/adaptive-timeouts.ts'
import { nextKey } from '../src/egress/key-pool.ts'
import { createRetryBudgets } from '../src/egress/retry-budget.ts'
import { askedOf } from '../src/routing/asked.ts'
import { createHealth } from '../src/routing/health/health.ts'
import { planOf } from '../src/routing/order.ts'
import { strategies } from '../src/routing/strategies/index.ts'

const CALLS = 200_000
const ROUNDS = 5

const candidateOf = (index: number, memory?: 'none'): Candidate => ({
  provider: `p${index}`,
  model: 'm',
  wires: ['openai-chat'],
  weight: 1,
  timeouts: { connectMs: 2_000, firstTokenMs: 60_000, idleMs: 30_000, answerMs: 300_000, totalMs: 600_000 },
  attempts: 2,
  ...(memory && { memory }),
  on: () => ({ provider: `p${index}`, model: 'm', wire: 'openai-chat', capabilities: {}, quirks: {} }),
})

/** Microseconds of CPU for one call, garbage collection included. */
function costOf(name: string, count: number, memory?: 'none'): () => number {
  const strategy = strategies[name]
  if (!strategy) throw new Error(`no strategy ${name}`)
  const health = createHealth()
  const candidates = Array.from({ length: count }, (_, index) => candidateOf(index, memory))
  health.configure(new Map(candidates.map(({ provider }) => [provider, 1])))
  const budgets = createRetryBudgets()
  const rates = { input: 1, output: 2 }
  const world = { health, now: Date.now, random: Math.random, ratesOf: () => rates }
  const route = { strategy, candidates, fallback: [], turns: { count: 0 } }
  const headers = { 'content-type': 'application/json', 'x-request-id': 'req' }
  const call = (): void => {
    const [first] = planOf(route, askedOf({ wire: 'openai-chat', streamed: false, json: {}, text: 'words' }), world).candidates
    if (!first) return
    if (memory === undefined) budgets.begin('route')
    const target = health.of(first, 'openai-chat')
    const visit = target?.enter(nextKey(target, 1, [], false, Date.now()) ?? 0, 100, false)
    timeoutsFor(first.timeouts, target, 100, false, Date.now())
    visit?.began(100 + Math.random() * 50, headers)
    visit?.ended()
  }
  return () => {
    const before = process.cpuUsage()
    for (let done = 0; done < CALLS; done++) call()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / CALLS
  }
}

const subjects = {
  'priority, one target, breaker off': costOf('priority', 1, 'none'),
  'priority, one target': costOf('priority', 1),
  'priority, eight targets': costOf('priority', 8),
  'adaptive, eight targets': costOf('adaptive', 8),
}
const figures = new Map<string, number[]>()
for (let round = 0; round <= ROUNDS; round++)
  for (const [name, measure] of Object.entries(subjects)) {
    const figure = measure()
    // The first round warms up.
    if (round > 0) figures.set(name, [...(figures.get(name) ?? []), figure])
  }
for (const [name, all] of figures)
  console.log(`${name.padEnd(36)} ${(all.toSorted((a, b) => a - b)[all.length >> 1] ?? 0).toFixed(2)} µs a call`)
