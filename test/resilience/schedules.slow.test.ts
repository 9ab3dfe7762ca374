/** A hundred and ten thousand schedules; their invariants stand above each function in `schedules.ts`. */
import { test } from 'node:test'
import { play } from './play.ts'
import { breakerSchedule, budgetSchedule, callsSchedule } from './schedules.ts'

test('a breaker opens, rests, probes and closes as it must, in 50,000 schedules', () => play(breakerSchedule, 50_000, 1_000_000))
test('a retry budget never gives more than its floor and its share, in 30,000 schedules', () => play(budgetSchedule, 30_000, 1_000_000))
test('calls find the target that is well, within the budget, in 30,000 schedules', () => play(callsSchedule, 30_000, 1_000_000))
