/**
 * The same hour of calls under each routing strategy: one trace of arrivals and sizes, one set of simulated providers with
 * their latencies, prices, limits and bad moments. Time is simulated; what decides is the gateway's own code.
 */
import { GatewayError } from '../src/core/error.ts'
import type { Plan, Visit } from '../src/core/health.ts'
import type { Candidate } from '../src/core/target.ts'
import { nextKey } from '../src/egress/key-pool.ts'
import { nextStep } from '../src/egress/recovery.ts'
import { createRetryBudgets } from '../src/egress/retry-budget.ts'
import { askedOf } from '../src/routing/asked.ts'
import { createHealth } from '../src/routing/health/health.ts'
import { planOf } from '../src/routing/order.ts'
import type { RoutingStrategy } from '../src/routing/strategy.ts'
import { numbersFrom } from '../test/random.ts'

export interface Incident {
  /** Seconds from the beginning. */
  readonly from: number
  readonly to: number
  /** First tokens take this many times as long; Infinity: 503. */
  readonly slow: number
}

export interface SimulatedHost {
  readonly id: string
  /** First token of a short prompt, and what a thousand tokens of input add. */
  readonly firstMs: number
  readonly perThousandMs: number
  readonly tokensPerSecond: number
  /** USD per million tokens. */
  readonly input: number
  readonly output: number
  /** Calls at once from which it slows down. */
  readonly capacity: number
  /** Share of calls that fail for no reason. */
  readonly faults: number
  /** Requests a minute. */
  readonly limit: number
  readonly incidents: readonly Incident[]
}

export interface TracedCall {
  /** Milliseconds from the beginning. */
  readonly at: number
  readonly input: number
  readonly output: number
  /** One for each host, so that chance is the same under every strategy: from 0 to 1, and normally distributed. */
  readonly luck: readonly number[]
  readonly spread: readonly number[]
}

/** In the order an operator might write: the vendor first, then other hosts of the same class of model. */
export const hosts: readonly SimulatedHost[] = [
  {
    id: 'vendor',
    firstMs: 550,
    perThousandMs: 40,
    tokensPerSecond: 70,
    input: 2.5,
    output: 10,
    capacity: 120,
    faults: 0.004,
    limit: 3_000,
    incidents: [
      { from: 600, to: 780, slow: 6 },
      { from: 2_000, to: 2_060, slow: Number.POSITIVE_INFINITY },
    ],
  },
  {
    id: 'cloud',
    firstMs: 480,
    perThousandMs: 35,
    tokensPerSecond: 80,
    input: 2.2,
    output: 9,
    capacity: 80,
    faults: 0.002,
    limit: 900,
    incidents: [{ from: 1_500, to: 1_620, slow: 4 }],
  },
  {
    id: 'quick',
    firstMs: 180,
    perThousandMs: 12,
    tokensPerSecond: 400,
    input: 0.9,
    output: 3.6,
    capacity: 30,
    faults: 0.005,
    limit: 400,
    incidents: [{ from: 2_700, to: 2_790, slow: Number.POSITIVE_INFINITY }],
  },
  {
    id: 'host',
    firstMs: 420,
    perThousandMs: 45,
    tokensPerSecond: 90,
    input: 0.8,
    output: 3.2,
    capacity: 60,
    faults: 0.01,
    limit: 1_500,
    incidents: [
      { from: 1_000, to: 1_120, slow: 8 },
      { from: 3_100, to: 3_160, slow: Number.POSITIVE_INFINITY },
    ],
  },
  {
    id: 'thrifty',
    firstMs: 1_300,
    perThousandMs: 90,
    tokensPerSecond: 45,
    input: 0.5,
    output: 2,
    capacity: 60,
    faults: 0.02,
    limit: 1_500,
    incidents: [],
  },
]

/** A day's rise and fall within the given time, with sizes that are mostly small and sometimes large. */
export function traceOf(seed: number, { seconds = 3_600, perSecond = 12 } = {}): readonly TracedCall[] {
  const chance = numbersFrom(seed)
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance())
  const calls: TracedCall[] = []
  let at = 0
  for (;;) {
    const rate = perSecond * (0.6 + 0.8 * Math.sin((Math.PI * at) / (seconds * 1000)) ** 2)
    at += (-Math.log(1 - chance()) / rate) * 1000
    if (at >= seconds * 1000) return calls
    calls.push({
      at,
      input: Math.min(100_000, Math.round(900 * Math.exp(1.1 * normal()))),
      output: Math.min(4_000, Math.round(250 * Math.exp(0.8 * normal()))),
      luck: hosts.map(() => chance()),
      spread: hosts.map(normal),
    })
  }
}

export interface Replayed {
  readonly strategy: string
  readonly calls: number
  readonly failed: number
  /** Upstream requests for each call. */
  readonly attempts: number
  /** Milliseconds from arrival to the first token, over the calls that were answered. */
  readonly p50: number
  readonly p95: number
  readonly p99: number
  /** USD for a thousand calls. */
  readonly cost: number
  /** Share of the calls that each host answered. */
  readonly shares: Readonly<Record<string, number>>
}

export function replay(strategy: RoutingStrategy, trace: readonly TracedCall[], seed = 1): Replayed {
  const random = numbersFrom(seed)
  const begin = 1_700_000_000_000
  let now = begin
  const queue = createQueue()
  const health = createHealth({ now: () => now, random })
  const budgets = createRetryBudgets(() => now)
  const candidates = hosts.map(candidateOf)
  health.configure(new Map(hosts.map(({ id }) => [id, 1])))
  const route = { strategy, candidates, fallback: [], turns: { count: 0 } }
  const world = { health, now: () => now, random, ratesOf: (candidate: Candidate) => hosts[candidates.indexOf(candidate)] }
  const running = hosts.map(() => 0)
  const minutes = hosts.map(() => ({ minute: -1, count: 0 }))
  const firsts: number[] = []
  const answered = hosts.map(() => 0)
  let attempts = 0
  let failed = 0
  let cost = 0

  for (const call of trace) queue.add(begin + call.at, () => arrive(call))
  for (let next = queue.take(); next; next = queue.take()) {
    now = next.at
    next.act()
  }
  firsts.sort((a, b) => a - b)
  const quantile = (q: number): number => Math.round(firsts[Math.floor(q * (firsts.length - 1))] ?? 0)
  return {
    strategy: strategy.name,
    calls: trace.length,
    failed,
    attempts: attempts / trace.length,
    p50: quantile(0.5),
    p95: quantile(0.95),
    p99: quantile(0.99),
    cost: (cost / trace.length) * 1000,
    shares: Object.fromEntries(hosts.map(({ id }, index) => [id, (answered[index] ?? 0) / trace.length])),
  }

  function arrive(call: TracedCall): void {
    const asked = askedOf({ wire: 'openai-chat', streamed: true, json: {}, text: '' })
    const plan = planOf(
      route,
      { ...asked, wire: 'openai-chat', streamed: true, inputTokens: call.input, maxOutput: undefined, session: undefined },
      world,
    )
    const budget = budgets.begin('route')
    attempt({ call, plan, index: 0, tries: 1, arrived: now, sent: 0, take: () => budget.take() })
  }

  interface Going {
    readonly call: TracedCall
    readonly plan: Plan
    readonly index: number
    readonly tries: number
    readonly arrived: number
    readonly sent: number
    take(): boolean
  }

  /** The attempt loop's steps, each at its simulated moment. */
  function attempt(going: Going): void {
    const { call, plan, index, tries, arrived, sent, take } = going
    const candidate = plan.candidates[index]
    const forced = index >= plan.ready
    if (!candidate || (forced && sent > 0 && tries === 1 && !take())) {
      failed++
      return
    }
    if (!forced && sent > 0 && tries === 1) take()
    const place = candidates.indexOf(candidate)
    const host = hosts[place] as SimulatedHost
    const state = health.of(candidate, 'openai-chat')
    if (!state) return
    const key = nextKey(state, 1, [], true, now) ?? 0
    const visit = state.enter(key, call.input, true)
    attempts++
    running[place] = (running[place] ?? 0) + 1
    const outcome = answerOf(host, place, call)
    queue.add(now + outcome.ms, () => {
      if (!outcome.fault) return answer(host, place, call, visit, outcome, arrived)
      running[place] = (running[place] ?? 0) - 1
      visit.ended(outcome.fault)
      const step = nextStep({
        fault: outcome.fault,
        tries,
        attempts: 2,
        anotherKey: false,
        failing: forced || state.failing(now),
        remainingMs: 60_000 - (now - arrived),
        usualMs: undefined,
        random,
        mayRetry: take,
      })
      if (step.step === 'same') queue.add(now + step.afterMs, () => attempt({ ...going, tries: tries + 1, sent: sent + 1 }))
      else attempt({ ...going, index: index + 1, tries: 1, sent: sent + 1 })
    })
  }

  interface Outcome {
    readonly ms: number
    readonly fault?: GatewayError
    readonly headers: Record<string, string>
  }

  function answerOf(host: SimulatedHost, place: number, { input, luck, spread }: TracedCall): Outcome {
    const second = (now - begin) / 1000
    const window = minutes[place] as { minute: number; count: number }
    const minute = Math.floor(second / 60)
    if (window.minute !== minute) Object.assign(window, { minute, count: 0 })
    const left = 60 - (second % 60)
    if (window.count >= host.limit)
      return { ms: 40, fault: new GatewayError('upstream-rate-limited', 'limit', { retryAfterMs: left * 1000 }), headers: {} }
    window.count++
    const slow = host.incidents.find(({ from, to }) => second >= from && second < to)?.slow ?? 1
    if (slow === Number.POSITIVE_INFINITY) return { ms: 150, fault: new GatewayError('upstream-overloaded', 'down'), headers: {} }
    if ((luck[place] ?? 1) < host.faults) return { ms: 250, fault: new GatewayError('upstream-failed', 'odd'), headers: {} }
    const load = 1 + Math.max(0, (running[place] ?? 0) / host.capacity - 0.5) ** 2 * 4
    const ms = (host.firstMs + (host.perThousandMs * input) / 1000) * Math.exp(0.35 * (spread[place] ?? 0)) * slow * load
    if (ms > FIRST_TOKEN_MS) return { ms: FIRST_TOKEN_MS, fault: new GatewayError('upstream-timeout', 'slow'), headers: {} }
    return {
      ms,
      headers: {
        'x-ratelimit-limit-requests': String(host.limit),
        'x-ratelimit-remaining-requests': String(host.limit - window.count),
        'x-ratelimit-reset-requests': `${left.toFixed(3)}s`,
      },
    }
  }

  function answer(host: SimulatedHost, place: number, call: TracedCall, visit: Visit, outcome: Outcome, arrived: number): void {
    visit.began(outcome.ms, outcome.headers)
    firsts.push(now - arrived)
    answered[place] = (answered[place] ?? 0) + 1
    cost += (call.input * host.input + call.output * host.output) / 1e6
    queue.add(now + (call.output / host.tokensPerSecond) * 1000, () => {
      running[place] = (running[place] ?? 0) - 1
      visit.ended()
      health.learn({ provider: host.id, wire: 'openai-chat', model: 'm' }, { output: call.output })
    })
  }
}

const FIRST_TOKEN_MS = 60_000

const candidateOf = ({ id }: SimulatedHost): Candidate => ({
  provider: id,
  model: 'm',
  wires: ['openai-chat'],
  weight: 1,
  timeouts: { connectMs: 2_000, firstTokenMs: 60_000, idleMs: 30_000, answerMs: 300_000, totalMs: 600_000 },
  attempts: 2,
  on: () => ({ provider: id, model: 'm', wire: 'openai-chat', capabilities: {}, quirks: {} }),
})

interface Due {
  readonly at: number
  act(): void
}

/** Soonest first: a binary heap. */
function createQueue(): { add(at: number, act: () => void): void; take(): Due | undefined } {
  const heap: Due[] = []
  const swap = (one: number, other: number): void => {
    const kept = heap[one] as Due
    heap[one] = heap[other] as Due
    heap[other] = kept
  }
  const sooner = (one: number, other: number): boolean =>
    (heap[one]?.at ?? Number.POSITIVE_INFINITY) < (heap[other]?.at ?? Number.POSITIVE_INFINITY)
  return {
    add(at, act) {
      heap.push({ at, act })
      for (let place = heap.length - 1; place > 0; ) {
        const above = (place - 1) >> 1
        if (!sooner(place, above)) return
        swap(place, above)
        place = above
      }
    },
    take() {
      const first = heap[0]
      const last = heap.pop()
      if (heap.length === 0 || !last) return first
      heap[0] = last
      for (let place = 0; ; ) {
        const left = 2 * place + 1
        const least = sooner(left + 1, left) ? left + 1 : left
        if (!sooner(least, place)) return first
        swap(place, least)
        place = least
      }
    },
  }
}
