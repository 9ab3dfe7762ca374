/**
 * The bound that budgets keep, whatever calls do in whatever order: at every moment, what is spent and held is at most the limit and what
 * calls came to beyond their holds; in the end nothing is held, and what counters say is what the ledger says, to the nano-dollar.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { numbersFrom } from '../../../test/random.ts'
import type { Counters } from '../../core/counters.ts'
import type { Admitted, PricedCandidate, SpendingCall } from '../../core/policy.ts'
import type { BudgetRule } from '../../core/rules.ts'
import { createMemoryCounters } from '../../store/counters/memory.ts'
import { budget, end, isAdmitted, key, limit, place, rig } from './fixtures/rig.ts'

const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const ROUNDS = Number(process.env['ROUNDS'] ?? 10)

/** Counters that answer later, in an order of their own, as those over a network do. */
function laggard(counters: Counters, random: () => number): Counters {
  const lag = async (): Promise<void> => {
    for (let turns = Math.floor(random() * 4); turns > 0; turns--) await null
  }
  return {
    ...counters,
    reserve: async (id, holds, leaseMs) => {
      await lag()
      const reserved = await counters.reserve(id, holds, leaseMs)
      await lag()
      return reserved
    },
    settle: async (id, holds, actual) => {
      await lag()
      await counters.settle(id, holds, actual)
    },
  }
}

interface Running {
  readonly call: SpendingCall
  readonly admission: Admitted
  /** At the dearest place it may go to. */
  readonly held: bigint
}

const rules: readonly BudgetRule[] = [
  budget('all', { limit: '0.20', window: 'total' }),
  budget('team', { limit: '0.08', by: 'team', window: 'total' }),
  budget('key', { limit: '0.05', by: 'key', window: 'total' }),
  budget('place', { limit: '0.10', by: 'provider', window: 'total' }),
]
const places = [place('acme/large'), place('beta/dear', { output: 20 })]

for (const lagging of [false, true])
  test(`budgets hold under any interleaving${lagging ? ', with counters that answer later' : ''} (SEED=${SEED})`, async () => {
    let most = 0
    for (let round = 0; round < ROUNDS; round++) most = Math.max(most, await play(SEED + round, lagging))
    assert.ok(most > 2 && most <= 6, `${most} at a time`)
  })

const larger = (one: bigint, other: bigint): bigint => (one > other ? one : other)
/** A call without a maximum holds what is left, where that is less: at least its input. */
const holdAt = (candidate: PricedCandidate, { inputTokens, maxOutputTokens = 0 }: SpendingCall): bigint =>
  candidate.worstCost(inputTokens, maxOutputTokens) ?? 0n

async function play(seed: number, lagging: boolean): Promise<number> {
  const random = numbersFrom(seed)
  const pick = (below: number): number => Math.floor(random() * below)
  const { desk, call, entry } = rig({
    budgets: rules,
    limits: [limit('c', { what: 'concurrent', limit: 6 })],
    counters: (now) => (lagging ? laggard(createMemoryCounters({ now }), random) : createMemoryCounters({ now })),
  })
  const running: Running[] = []
  const all: SpendingCall[] = []
  let beyond = 0n
  // Of budgets of one place: there, what it would cost there is held.
  let beyondThere = 0n
  let most = 0

  const begin = async (): Promise<void> => {
    const at = random() < 0.5 ? places : [places[pick(2)]!]
    const one = call({
      input: pick(2_000),
      output: random() < 0.3 ? undefined : pick(2_000),
      at,
      principal: key(`k${pick(3)}`, { tenant: { team: `t${pick(2)}` } }),
    })
    try {
      const admission = await desk.admit(one)
      assert.ok(isAdmitted(admission))
      const open = at.filter((_, index) => !admission.without?.has(index))
      assert.ok(open.length > 0)
      all.push(one)
      running.push({ call: one, admission, held: open.map((candidate) => holdAt(candidate, one)).reduce(larger) })
      most = Math.max(most, running.length)
    } catch (thrown) {
      assert.match(String(thrown), /budget|limit/)
    }
  }

  const finish = (): void => {
    const [one] = running.splice(pick(running.length), 1)
    if (!one) return
    const { call, admission, held } = one
    const open = call.candidates().filter((_, index) => !admission.without?.has(index))
    const went = open[pick(open.length)]!
    const sent = random() < 0.85
    const output = pick(5_000)
    const cost = sent ? (went.worstCost(call.inputTokens, output) ?? 0n) : 0n
    if (cost > held) beyond += cost - held
    const there = holdAt(went, call)
    if (cost > there) beyondThere += cost - there
    end(call, admission, { input: call.inputTokens, output, cost, sent, at: `${went.provider}/${went.model}` })
  }

  const check = async (): Promise<void> => {
    for (const [rule, values] of [
      [rules[0]!, [{}]],
      [rules[1]!, [{ value: 't0' }, { value: 't1' }]],
      [rules[2]!, [{ value: 'k0' }, { value: 'k1' }, { value: 'k2' }]],
      [rules[3]!, [{ value: 'acme' }, { value: 'beta' }]],
    ] as const)
      for (const { spent, held, limit } of await desk.status(rule, values)) {
        assert.ok(spent >= 0 && held >= 0, `seed ${seed}: nothing is negative`)
        const over = rule.by === 'provider' ? beyondThere : beyond
        assert.ok(
          BigInt(spent + held) <= BigInt(limit) + over,
          `seed ${seed}: ${rule.id} has ${spent} + ${held} of ${limit}, beyond ${over}`,
        )
      }
  }

  for (let step = 0; step < 120; step++) {
    if (lagging) await Promise.all(Array.from({ length: 1 + pick(6) }, () => (random() < 0.6 ? begin() : finish())))
    else if (random() < 0.6) await begin()
    else finish()
    await check()
  }
  while (running.length > 0) finish()
  for (let turns = 0; turns < 40; turns++) await null
  let charged = 0n
  for (const { exchange } of all) charged += (await entry(exchange.id)).settlement?.charge ?? 0n
  const [total] = await desk.status(rules[0]!, [{}])
  assert.deepEqual([BigInt(total!.spent), total!.held], [charged, 0])
  const byPlace = await desk.status(rules[3]!, [{ value: 'acme' }, { value: 'beta' }])
  assert.equal(
    byPlace.reduce((sum, { spent }) => sum + BigInt(spent), 0n),
    charged,
  )
  return most
}
