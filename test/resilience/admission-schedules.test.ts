/** The short form of `admission-schedules.slow.test.ts`. */
import { test } from 'node:test'
import { admissionSchedule, limiterSchedule } from './admission-schedules.ts'
import { play, playInTurn } from './play.ts'

test('no place is lost or given twice, and nobody waits for ever, in a thousand schedules', () => playInTurn(admissionSchedule, 1_000))
test('the limiter keeps to its ends and follows the loop, in a thousand schedules', () => play(limiterSchedule, 1_000))
