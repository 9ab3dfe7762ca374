/** The short form of `schedules.slow.test.ts`. */
import { test } from 'node:test'
import { play } from './play.ts'
import { breakerSchedule, budgetSchedule, callsSchedule } from './schedules.ts'

test('a breaker opens, rests, probes and closes as it must, in a thousand schedules', () => play(breakerSchedule, 1_000))
test('a retry budget never gives more than its floor and its share, in a thousand schedules', () => play(budgetSchedule, 1_000))
test('calls find the target that is well, within the budget, in a thousand schedules', () => play(callsSchedule, 1_000))
