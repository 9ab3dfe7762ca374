import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FaultId, GatewayError, type GatewayErrorOptions } from '../../core/error.ts'
import type { TargetHealth } from '../../core/health.ts'
import type { Candidate } from '../../core/target.ts'
import { createHealth, type Transition } from './health.ts'

const candidate = (provider = 'a', memory?: 'none' | 'load'): Candidate => ({
  provider,
  model: 'm',
  wires: ['openai-chat'],
  weight: 1,
  timeouts: { connectMs: 1, firstTokenMs: 1, idleMs: 1, answerMs: 1, totalMs: 1 },
  attempts: 1,
  ...(memory && { memory }),
  on: () => ({ provider, model: 'm', wire: 'openai-chat', capabilities: {}, quirks: {} }),
})

/** A registry at a time of our choosing, without chance. */
function rig({ keys = 1, memory }: { keys?: number; memory?: 'none' | 'load' } = {}) {
  const clock = { now: 1_000_000 }
  const transitions: Transition[] = []
  const health = createHealth({ now: () => clock.now, random: () => 0, onTransition: (one) => transitions.push(one) })
  health.configure(new Map([['a', keys]]))
  const target = health.of(candidate('a', memory), 'openai-chat') as TargetHealth
  const call = (fault?: FaultId, options?: GatewayErrorOptions & { key?: number; headers?: Record<string, string> }) => {
    const visit = target?.enter(options?.key ?? 0, 100, true)
    if (fault) visit.ended(new GatewayError(fault, 'words', options), options?.headers)
    else {
      visit.began(50, options?.headers ?? {})
      visit.ended()
    }
  }
  return { clock, health, target, call, transitions, standing: () => target.standing(clock.now) }
}

test('five hard failures in a row make a target rest; half a rest later it may be probed by one call', () => {
  const { clock, target, call, standing, transitions } = rig()
  for (let count = 0; count < 4; count++) call('upstream-failed')
  assert.equal(standing(), 'ready')
  call('upstream-timeout')
  assert.equal(standing(), 'resting')
  assert.equal(target.restMs(clock.now), 2_500)
  clock.now += 2_500
  assert.equal(standing(), 'probe')
  const probe = target.enter(0, 1, true)
  assert.equal(standing(), 'resting', 'others wait for what the probe finds')
  probe.began(10, {})
  probe.ended()
  call()
  assert.equal(standing(), 'probe')
  call()
  assert.equal(standing(), 'ready')
  assert.equal(target.share(clock.now), 0.1)
  clock.now += 15_000
  assert.equal(target.share(clock.now), 0.5)
  clock.now += 15_000
  assert.equal(target.share(clock.now), 1)
  assert.deepEqual(
    transitions.map(({ from, to }) => `${from} > ${to}`),
    ['closed > open', 'open > half-open', 'half-open > closed'],
  )
})

test('what the caller did wrong says nothing of the target', () => {
  const { call, standing } = rig()
  for (let count = 0; count < 50; count++) call('upstream-rejected')
  for (let count = 0; count < 50; count++) call('client-closed')
  for (let count = 0; count < 50; count++) call('deadline')
  assert.equal(standing(), 'ready')
})

test('too low a rate of success makes an outlier, and good calls in between do not save it', () => {
  const { clock, call, standing } = rig()
  for (let count = 0; count < 40; count++) {
    clock.now += 100
    call(count % 4 === 0 ? 'upstream-failed' : undefined)
    if (standing() !== 'ready') break
  }
  assert.equal(standing(), 'outlier')
})

test('a 429 rests that key for that model, as long as the provider says, and the next key goes on', () => {
  const { clock, target, call, standing } = rig({ keys: 2 })
  call('upstream-rate-limited', { key: 0, retryAfterMs: 90_000 })
  assert.equal(standing(), 'ready')
  assert.equal(target.keyFor([], false, clock.now), 1)
  assert.equal(target.keyFor([1], false, clock.now), undefined)
  assert.equal(target.limitedMs(clock.now), undefined)
  call('upstream-rate-limited', { key: 1, retryAfterMs: 20_000 })
  assert.equal(standing(), 'resting')
  assert.equal(target.limitedMs(clock.now), 20_000)
  assert.equal(target.keyFor([], true, clock.now), 1, 'forced, the key that is free soonest')
  clock.now += 20_000
  assert.equal(standing(), 'ready')
})

test('429s never open the breaker', () => {
  const { clock, call, standing } = rig()
  for (let count = 0; count < 100; count++) call('upstream-rate-limited', { retryAfterMs: 10 })
  clock.now += 300_000
  assert.equal(standing(), 'ready')
})

test('after its rest a key is tried by one call first', () => {
  const { clock, target, call, standing } = rig()
  call('upstream-rate-limited', { retryAfterMs: 1_000 })
  clock.now += 1_000
  const visit = target.enter(0, 1, true)
  assert.equal(standing(), 'resting')
  visit.began(5, {})
  assert.equal(standing(), 'ready')
  visit.ended()
})

test('a refused key is retired until the configuration changes; a key without money comes back', () => {
  const { clock, health, target, call, standing } = rig({ keys: 2 })
  call('upstream-credential', { key: 0, upstreamStatus: 401 })
  clock.now += 10_000_000
  assert.equal(target.keyFor([], false, clock.now), 1)
  const other = health.of({ ...candidate(), model: 'n' }, 'openai-chat')
  assert.equal(other?.keyFor([], false, clock.now), 1, 'refused for every model')
  call('upstream-credential', { key: 1, upstreamStatus: 402 })
  assert.equal(standing(), 'resting')
  clock.now += 60_000
  assert.equal(standing(), 'ready')
  health.configure(new Map([['a', 2]]))
  assert.equal(target.keyFor([1], false, clock.now), 0)
})

test('a 403 may be about one model only', () => {
  const { clock, health, target, call } = rig()
  call('upstream-credential', { upstreamStatus: 403 })
  assert.equal(target.standing(clock.now), 'resting')
  assert.equal(health.of({ ...candidate(), model: 'n' }, 'openai-chat')?.standing(clock.now), 'ready')
})

test('a host that says when to come back is left alone until then', () => {
  const { clock, call, standing } = rig()
  call('upstream-overloaded', { retryAfterMs: 7_000 })
  assert.equal(standing(), 'resting')
  clock.now += 7_000
  assert.equal(standing(), 'ready')
})

test('headroom is learnt from headers and comes back evenly', () => {
  const { clock, target, call, standing } = rig()
  const told = { 'x-ratelimit-limit-requests': '100', 'x-ratelimit-remaining-requests': '20', 'x-ratelimit-reset-requests': '10s' }
  call(undefined, { headers: told })
  assert.equal(target.headroom(clock.now), 0.2)
  clock.now += 5_000
  assert.ok(Math.abs(target.headroom(clock.now) - 0.6) < 1e-9)
  call(undefined, { headers: { ...told, 'x-ratelimit-remaining-requests': '0' } })
  assert.equal(standing(), 'resting', 'nothing is left until the reset')
  clock.now += 10_000
  assert.equal(standing(), 'ready')
  assert.equal(target.headroom(clock.now), 1)
})

test('long prompts do not make a host look slow', () => {
  const { clock, target } = rig()
  const visit = (tokens: number, ms: number) => {
    const one = target.enter(0, tokens, true)
    one.began(ms, {})
    one.ended()
  }
  visit(100, 200)
  visit(50_000, 9_000)
  assert.equal(target.latencyMs(100, true, clock.now), 200)
  assert.equal(target.latencyMs(50_000, true, clock.now), 9_000)
  assert.equal(target.latencyMs(20_000, false, clock.now), 9_000, 'the nearest size stands in for one never seen')
})

test('quantiles need calls to speak, and forget after a while', () => {
  const { clock, target } = rig()
  for (let count = 1; count <= 100; count++) {
    const one = target.enter(0, 1, true)
    one.began(count * 10, {})
    one.ended()
    if (count === 10) assert.equal(target.quantileMs(0.5, 1, true, clock.now), undefined)
  }
  const [half, most] = [target.quantileMs(0.5, 1, true, clock.now) ?? 0, target.quantileMs(0.99, 1, true, clock.now) ?? 0]
  assert.ok(half >= 500 && half <= 600, String(half))
  assert.ok(most >= 990 && most <= 1_190, String(most))
  clock.now += 700_000
  assert.equal(target.quantileMs(0.5, 1, true, clock.now), undefined)
})

test('what is switched off is not remembered', () => {
  assert.equal(rig({ memory: 'none' }).target, undefined)
  const { clock, target, call } = rig({ memory: 'load' })
  for (let count = 0; count < 30; count++) call('upstream-failed')
  call('upstream-rate-limited', { retryAfterMs: 60_000 })
  call('upstream-credential', { upstreamStatus: 401 })
  assert.equal(target.standing(clock.now), 'ready')
  call()
  assert.equal(target.latencyMs(100, true, clock.now), 50)
  assert.equal(target.inFlight, 0)
})

test('a reload keeps what is known, by place of the key, and forgets providers that are gone', () => {
  const { clock, health, call, target } = rig({ keys: 2 })
  for (let count = 0; count < 5; count++) call('upstream-failed')
  health.configure(new Map([['a', 1]]))
  assert.equal(health.of(candidate(), 'openai-chat')?.standing(clock.now), 'resting')
  assert.equal(target.keyFor([], true, clock.now), 0)
  health.configure(new Map())
  assert.deepEqual(health.snapshot(), [])
})

test('names that callers invent do not fill the memory', () => {
  const { health } = rig()
  for (let count = 0; count < 12_000; count++) health.of({ ...candidate(), model: `m${count}` }, 'openai-chat')
  assert.ok(health.snapshot().length <= 10_000)
})

test('what another replica found failing rests here too, shorter, and is probed like any other', () => {
  const { clock, health, standing, transitions } = rig()
  health.hear({ provider: 'a', wire: 'openai-chat', model: 'm', restMs: 300_000 })
  assert.equal(standing(), 'resting')
  assert.deepEqual(
    transitions.map(({ to, heard }) => [to, heard]),
    [['open', true]],
  )
  clock.now += 5_000
  assert.equal(standing(), 'probe')
})

test('a good answer of a moment ago is believed more than what others say; unknown targets are nobody’s business', () => {
  const { clock, health, call, standing } = rig()
  call()
  health.hear({ provider: 'a', wire: 'openai-chat', model: 'm', restMs: 5_000 })
  assert.equal(standing(), 'ready')
  clock.now += 2_000
  health.hear({ provider: 'b', wire: 'openai-chat', model: 'm', restMs: 5_000 })
  health.hear({ provider: 'a', wire: 'openai-chat', model: 'm', restMs: 5_000 })
  assert.equal(standing(), 'resting')
})
