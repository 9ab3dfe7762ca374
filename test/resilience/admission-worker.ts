/** Plays admission's schedules in a thread of their own: the test runner's hooks on promises would make them three times as slow. */
import { workerData } from 'node:worker_threads'
import { admissionSchedule } from './admission-schedules.ts'
import { playInTurn } from './play.ts'

const { count, from } = workerData as { readonly count: number; readonly from: number }
await playInTurn(admissionSchedule, count, from)
