/**
 * Random schedules over the parts that decide, with a clock and a die of their own. Each function plays one schedule and
 * throws when an invariant breaks; the same seed plays the same schedule.
 */
import assert from 'node:assert/strict'
import type { WireId } from '../../src/core/call.ts'
import { GatewayError } from '../../src/core/error.ts'
import type { TargetHealth, Visit } from '../../src/core/health.ts'
import type { Candidate } from '../../src/core/target.ts'
import { nextKey } from '../../src/egress/key-pool.ts'
import { nextStep } from '../../src/egress/recovery.ts'
import { createRetryBudgets, RetryBudget } from '../../src/egress/retry-budget.ts'
import { askedOf } from '../../src/routing/asked.ts'
import { Breaker, type Pass } from '../../src/routing/health/breaker.ts'
import { createHealth } from '../../src/routing/health/health.ts'
import { planOf } from '../../src/routing/order.ts'
import { strategies } from '../../src/routing/strategies/index.ts'
import { type Die, die } from './die.ts'

/**
 * The breaker against a model that remembers every call:
 * it opens on five hard failures in a row or on less than 80 % of 20 or more calls of the last half minute, and for no other
 * reason; while it rests it admits nobody; a rest lasts between half and all of 5 s × 2ⁿ, 300 s at most; half-open it has
 * one short probe at a time; it closes after three good ones, and then trusts from a tenth to all, never less than before.
 */
export function breakerSchedule(seed: number): void {
  const dice = die(seed)
  const breaker = new Breaker({ random: dice.chance })
  const running: { pass: Pass; began: number | undefined; epoch: number }[] = []
  const results: { at: number; good: boolean }[] = []
  let now = 1_000_000 + dice.below(10_000)
  let inRow = 0
  let goodProbes = 0
  let epoch = 0
  let level = 0
  let closedAt = Number.NEGATIVE_INFINITY
  let openedAt = 0
  let share = 1
  let sick = dice.chance()
  let known = breaker.state(now)
  assert.equal(known, 'closed')

  for (let step = 0; step < 120; step++) {
    now += dice.pick([0, 1, 20, 300, 1_000, 4_000, 12_000])
    if (dice.chance() < 0.05) sick = dice.chance()
    const before = breaker.state(now)
    if (known === 'open' && before === 'half-open') goodProbes = 0
    known = before

    if (before === 'open') assert.equal(breaker.admits(now), false, 'an open breaker admits nobody')
    if (before === 'closed') assert.equal(breaker.admits(now), true, 'a closed breaker admits everybody')
    if (before === 'half-open') {
      const short = running.filter(({ pass, began }) => pass.probe && pass.epoch === epoch && (began === undefined || now - began < 5_000))
      assert.ok(short.length <= 1, 'one probe at a time')
      if (short.length === 1) assert.equal(breaker.admits(now), false, 'a second probe is not admitted')
    }
    const trusted = breaker.share(now)
    assert.ok(trusted >= 0.1 && trusted <= 1)
    if (before === 'closed') assert.ok(trusted >= share, 'trust grows while it is closed')
    share = before === 'closed' ? trusted : 0

    const what = dice.chance()
    if (what < 0.5 || running.length === 0) {
      // Some calls go although it does not admit them: there was nothing better.
      if (breaker.admits(now) || dice.chance() < 0.2) running.push({ pass: breaker.enter(now), began: undefined, epoch })
    } else if (what < 0.6) {
      const call = dice.pick(running)
      breaker.began(call.pass, now)
      call.began ??= now
    } else {
      const [call] = running.splice(dice.below(running.length), 1)
      assert.ok(call)
      const news = call.pass.epoch === epoch
      if (dice.chance() < 0.1) breaker.neutral(call.pass)
      else if (dice.chance() < sick) {
        breaker.failure(call.pass, now)
        if (news && before === 'closed') {
          inRow++
          results.push({ at: now, good: false })
        }
        const recent = results.filter(({ at }) => Math.floor(at / 5_000) > Math.floor(now / 5_000) - 6)
        const rate = recent.filter(({ good }) => good).length / recent.length
        const opens = news && ((before === 'closed' && (inRow >= 5 || (recent.length >= 20 && rate < 0.8))) || before === 'half-open')
        assert.equal(breaker.state(now) === 'open', opens || before === 'open', 'it opens when it must, and only then')
        if (breaker.state(now) === 'open' && before !== 'open') {
          if (before === 'closed' && now - closedAt > 60_000) level = 0
          const whole = Math.min(300_000, 5_000 * 2 ** level)
          const rest = breaker.restMs(now)
          assert.ok(rest >= whole / 2 - 1e-6 && rest <= whole + 1e-6, `a rest of ${rest} is not between half and all of ${whole}`)
          level = Math.min(level + 1, 30)
          epoch++
          openedAt = now
          inRow = 0
          goodProbes = 0
          results.length = 0
        }
      } else {
        breaker.success(call.pass, now)
        if (news && before === 'closed') {
          inRow = 0
          results.push({ at: now, good: true })
        }
        if (news && before !== 'closed') goodProbes++
        if (before !== 'closed' && breaker.state(now) === 'closed') {
          assert.ok(goodProbes >= 3, 'it closes after three good calls')
          assert.ok(now >= openedAt)
          closedAt = now
          share = 0
          inRow = 0
          results.length = 0
        }
      }
    }
    known = breaker.state(now)
  }
}

/** The budget: in any window, no more is taken than its floor and its share of the calls in that window and the slice before it. */
export function budgetSchedule(seed: number): void {
  const dice = die(seed)
  const share = dice.pick([0.05, 0.1, 0.2, 0.5])
  const perSecond = dice.pick([0, 1, 3, 10])
  const budget = new RetryBudget({ share, perSecond })
  const deposits: number[] = []
  const takings: number[] = []
  let now = dice.below(1_000_000)
  for (let step = 0; step < 200; step++) {
    now += dice.pick([0, 0, 5, 50, 400, 3_000])
    if (dice.chance() < 0.5) {
      budget.deposit(now)
      deposits.push(now)
    } else {
      const left = budget.left(now)
      const given = budget.take(now)
      assert.equal(given, left >= 1 - 1e-9, 'a token is given when there is one')
      if (given) takings.push(now)
    }
    const taken = takings.filter((at) => at > now - 9_000).length
    const brought = deposits.filter((at) => at > now - 20_000).length * share
    assert.ok(taken <= perSecond * 10 + brought + 1e-6, `${taken} taken, ${brought} brought`)
    assert.ok(budget.left(now) <= perSecond * 10 + brought + 1e-6, 'what is not used expires')
  }
}

const WIRE: WireId = 'openai-chat'

function candidateOf(index: number, dice: Die): Candidate {
  return {
    provider: `p${index}`,
    model: 'm',
    wires: [WIRE],
    weight: dice.pick([0, 1, 1, 5]),
    timeouts: { connectMs: 1_000, firstTokenMs: 2_000, idleMs: 2_000, answerMs: 2_000, totalMs: 8_000 },
    attempts: dice.pick([1, 2, 3]),
    on: () => ({ provider: `p${index}`, model: 'm', wire: WIRE, capabilities: {}, quirks: {} }),
  }
}

type Mood = 'well' | 'dead' | 'flaky' | 'limited' | 'slow'

/**
 * Many calls over several targets that fall ill and recover, with the parts put together as the attempt loop does:
 * a plan holds every target once, none that rests among the ready ones, and half of a group at most is left out for its rate
 * of success alone; while one target is well and none is hidden from the call, the call succeeds; retries stay within the
 * budget; a target that stays dead is called ever more rarely; when all is over, nothing is on its way.
 */
export function callsSchedule(seed: number): void {
  const dice = die(seed)
  let now = 1_700_000_000_000
  const health = createHealth({ now: () => now, random: dice.chance })
  const keyCount = dice.pick([1, 1, 2, 3])
  const candidates = Array.from({ length: dice.pick([1, 2, 3, 5, 8]) }, (_, index) => candidateOf(index, dice))
  health.configure(new Map(candidates.map(({ provider }) => [provider, keyCount])))
  const strategy = strategies[dice.pick(Object.keys(strategies))]
  assert.ok(strategy)
  const split = dice.chance() < 0.3 ? dice.below(candidates.length) : 0
  const route = { strategy, candidates: candidates.slice(split), fallback: candidates.slice(0, split), turns: { count: 0 } }
  const budgets = createRetryBudgets(() => now)
  const moods: Mood[] = candidates.map(() => dice.pick(['well', 'well', 'dead', 'flaky', 'limited', 'slow']))
  const well = dice.below(candidates.length)
  moods[well] = 'well'
  const asked = askedOf({ wire: WIRE, streamed: dice.chance() < 0.5, json: {}, text: 'x'.repeat(dice.below(100_000)) }, `s${dice.below(5)}`)
  const open: { visit: Visit; until: number }[] = []
  let calls = 0
  const retries: number[] = []

  for (let step = 0; step < 60; step++) {
    now += dice.pick([1, 10, 100, 1_000, 10_000])
    if (dice.chance() < 0.05) {
      const index = dice.below(candidates.length)
      if (index !== well) moods[index] = dice.pick(['well', 'dead', 'flaky', 'limited', 'slow'])
    }
    for (const [index, { visit, until }] of [...open.entries()].reverse()) {
      if (until > now) continue
      visit.ended()
      open.splice(index, 1)
    }
    const states = new Map(candidates.map((candidate) => [candidate, stateOf(candidate)]))
    const plan = planOf(route, asked, { health, now: () => now, random: dice.chance })
    checkPlan(plan.candidates, plan.ready, states)
    calls++
    call(plan)
  }
  for (const { visit } of open) visit.ended(new GatewayError('client-closed', 'gone'))
  for (const candidate of candidates) assert.equal(stateOf(candidate).inFlight, 0, 'nothing is on its way at the end')
  for (const at of retries) {
    const near = retries.filter((other) => other <= at && other > at - 9_000).length
    assert.ok(near <= 30 + 0.2 * calls, `${near} retries in nine seconds`)
  }

  function stateOf(candidate: Candidate): TargetHealth {
    const state = health.of(candidate, WIRE)
    assert.ok(state)
    return state
  }

  function checkPlan(planned: readonly Candidate[], ready: number, states: ReadonlyMap<Candidate, TargetHealth>): void {
    assert.equal(new Set(planned).size, candidates.length, 'every target once')
    assert.equal(planned.length, candidates.length)
    const inUse = new Set(planned.slice(0, ready))
    for (const [candidate, state] of states) {
      const standing = state.standing(now)
      if (standing === 'ready') assert.ok(inUse.has(candidate), 'what is ready is in use')
      if (standing === 'resting') assert.ok(!inUse.has(candidate), 'what rests is not')
    }
    for (const group of [route.candidates, route.fallback]) {
      const out = group.filter((candidate) => !inUse.has(candidate))
      const byRate = out.filter((candidate) => states.get(candidate)?.standing(now) === 'outlier')
      if (byRate.length > 0) assert.ok(out.length <= Math.floor(group.length / 2), 'the rate alone leaves out half at most')
    }
  }

  /** What the attempt loop does, without its waiting. */
  function call(plan: ReturnType<typeof planOf>): void {
    const budget = budgets.begin('route')
    let attempts = 0
    for (const [index, candidate] of plan.candidates.entries()) {
      const forced = index >= plan.ready
      if (forced && attempts > 0) {
        if (!budget.take()) return
        retries.push(now)
      } else if (attempts > 0) budget.take()
      if (attempt(candidate, forced)) return
    }
    assert.ok(
      !plan.candidates.slice(0, plan.ready).some((candidate) => moods[candidates.indexOf(candidate)] === 'well'),
      'a call with a well target succeeds',
    )

    function attempt(candidate: Candidate, forced: boolean): boolean {
      const state = stateOf(candidate)
      const mood = moods[candidates.indexOf(candidate)] ?? 'well'
      const used: number[] = []
      let key = nextKey(state, keyCount, used, forced, now) ?? nextKey(state, keyCount, used, true, now) ?? 0
      for (let tries = 1; ; tries++) {
        attempts++
        const visit = state.enter(key, asked.inputTokens, asked.streamed)
        now += mood === 'slow' ? 500 : 5
        const fault = faultOf(mood)
        if (!fault) {
          visit.began(mood === 'slow' ? 500 : 5, {})
          if (dice.chance() < 0.5) visit.ended()
          else open.push({ visit, until: now + dice.below(20_000) })
          return true
        }
        visit.ended(fault)
        used.push(key)
        const another = forced ? undefined : nextKey(state, keyCount, used, false, now)
        const next = nextStep({
          fault,
          tries,
          attempts: candidate.attempts,
          anotherKey: another !== undefined,
          failing: forced || state.failing(now),
          remainingMs: 60_000,
          usualMs: undefined,
          random: dice.chance,
          mayRetry: () => {
            const may = budget.take()
            if (may) retries.push(now)
            return may
          },
        })
        if (next.step === 'key' && another !== undefined) key = another
        else if (next.step === 'same') {
          assert.ok(next.afterMs >= 0 && next.afterMs <= 5_000)
          now += next.afterMs
          used.pop()
        } else return false
      }
    }
  }

  function faultOf(mood: Mood): GatewayError | undefined {
    if (mood === 'dead') return new GatewayError('upstream-failed', 'dead')
    if (mood === 'flaky' && dice.chance() < 0.4) return new GatewayError('upstream-unreachable', 'flaky')
    if (mood === 'limited' && dice.chance() < 0.8)
      return new GatewayError('upstream-rate-limited', 'slow down', dice.chance() < 0.5 ? { retryAfterMs: dice.below(5_000) } : {})
    return undefined
  }
}
