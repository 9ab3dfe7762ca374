import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TargetHealth } from '../core/health.ts'
import { timeoutsFor } from './adaptive-timeouts.ts'

const configured = { connectMs: 2_000, firstTokenMs: 60_000, idleMs: 30_000, answerMs: 300_000, totalMs: 600_000 }
const slowest = (ms: number | undefined) => ({ quantileMs: (q: number) => (q === 0.99 ? ms : undefined) }) as unknown as TargetHealth
const learnt = (ms: number | undefined, streamed = true) => timeoutsFor(configured, slowest(ms), 100, streamed, 0)

test('a target that answers fast is given up on sooner, but never too soon', () => {
  assert.equal(learnt(5_000).firstTokenMs, 15_000)
  assert.equal(learnt(100).firstTokenMs, 8_000)
  assert.equal(learnt(20_000, false).answerMs, 60_000)
  assert.equal(learnt(100, false).answerMs, 30_000)
})

test('what is configured is the most there is, and all where nothing is known', () => {
  assert.equal(learnt(50_000), configured)
  assert.equal(learnt(undefined), configured)
  assert.equal(timeoutsFor(configured, undefined, 100, true, 0), configured)
  const short = { ...configured, firstTokenMs: 2_000 }
  assert.equal(timeoutsFor(short, slowest(10), 100, true, 0), short)
})

test('only the one that matters for this call changes', () => {
  assert.deepEqual(learnt(5_000), { ...configured, firstTokenMs: 15_000 })
})
