/**
 * A process to be killed: opens and settles entries as fast as it may, and tells its standard output of each only once the ledger
 * was told. Its data is the arguments: database, directory, prefix of ids, seed, threads.
 */
import { writeSync } from 'node:fs'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { createSqlLedger } from '../../src/store/ledger/sql-ledger.ts'
import { openingFor, settlementFor } from '../../src/store/ledger/testing/ledger-contract.ts'
import { openDatabase } from '../../src/store/sql/database.ts'
import { chanceOf } from '../random.ts'

interface Task {
  readonly url: string
  readonly directory: string
  readonly prefix: string
  readonly seed: number
}

export const costOf = (id: string): bigint => [...id].reduce((sum, letter) => (sum * 31n + BigInt(letter.charCodeAt(0))) % 1_000_003n, 7n)
export const estimateOf = (id: string): bigint => costOf(id) + 1_000_000_000n

/** Waits where nobody reads: a pipe is full at once on a busy machine. */
function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, line)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
  }
}

async function work({ url, directory, prefix, seed }: Task): Promise<void> {
  const chance = chanceOf(seed)
  const database = await openDatabase(url)
  // Small files and little memory: every way that records can take is taken.
  const ledger = createSqlLedger({
    ...{ database, directory, warn: () => {} },
    ...{ shipping: { everyMs: 5, patienceMs: 30, batch: 20, memory: 60 }, journal: { segmentBytes: 20_000 } },
  })
  const running: string[] = []
  for (let number = 0; ; number++) {
    const id = `${prefix}_${number}`
    ledger.open(openingFor(id, { at: Date.now(), estimate: estimateOf(id), tags: [prefix] }))
    say(`o ${id}\n`)
    running.push(id)
    while (running.length > 20 || (running.length > 0 && chance.one(0.45))) {
      const [ended] = running.splice(chance.below(running.length), 1)
      const cost = costOf(ended!)
      ledger.settle(settlementFor(ended!, { endedAt: Date.now(), cost, charge: cost, usage: { input: 1, output: 2 } }))
      ledger.commit()
      say(`s ${ended}\n`)
    }
    if (number % 8 === 0) await new Promise((resolve) => setTimeout(resolve, chance.next() * 4))
  }
}

if (process.argv[1]?.endsWith('victim.ts') || !isMainThread) {
  if (isMainThread) {
    const [, , url = '', directory = '', prefix = '', seed = '0', threads = '0'] = process.argv
    const task = { url, directory, prefix, seed: Number(seed) }
    if (threads === '0') await work(task)
    for (let thread = 0; thread < Number(threads); thread++) {
      new Worker(new URL(import.meta.url), { workerData: { ...task, prefix: `${prefix}t${thread}`, seed: task.seed + thread } })
    }
  } else await work(workerData as Task)
}
