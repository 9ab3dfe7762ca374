/** A hundred and sixty thousand schedules; their invariants stand above each function in `admission-schedules.ts`. */
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { limiterSchedule } from './admission-schedules.ts'
import { play } from './play.ts'

const inThread = (count: number, from: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./admission-worker.ts', import.meta.url), { workerData: { count, from } })
    worker.once('error', reject)
    worker.once('exit', () => resolve())
  })

test('no place is lost or given twice, and nobody waits for ever, in 100,000 schedules', async () => {
  await Promise.all([inThread(50_000, 1_000_000), inThread(50_000, 2_000_000)])
})

test('the limiter keeps to its ends and follows the loop, in 60,000 schedules', () => play(limiterSchedule, 60_000, 1_000_000))
