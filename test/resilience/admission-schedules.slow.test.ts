/** A hundred and sixty thousand schedules; their invariants stand above each function in `admission-schedules.ts`. */
import { test } from 'node:test'
import { admissionSchedule, limiterSchedule } from './admission-schedules.ts'
import { play, playInTurn } from './play.ts'

test('no place is lost or given twice, and nobody waits for ever, in 100,000 schedules', () =>
  playInTurn(admissionSchedule, 100_000, 1_000_000))
test('the limiter keeps to its ends and follows the loop, in 60,000 schedules', () => play(limiterSchedule, 60_000, 1_000_000))
