/** One more thread: the same gateway on the same port, told what to do by the first thread. */
import { parentPort, workerData } from 'node:worker_threads'
import { startFrom } from '../serve-from.ts'
import type { Serving } from '../start.ts'
import { type Line, lineOver, type ThreadStart } from './messages.ts'

const port = parentPort
if (!port) throw new Error('this is a thread of the gateway, not a program')
const { index, threads, flags, host, port: listenOn, file, ownerKey, balance, counters } = workerData as ThreadStart

let serving: Serving | undefined
const line: Line = lineOver(port, {
  answers: {
    metrics: async () => serving?.metrics() ?? '',
    reload: async ({ quietly }) => await serving?.reload({ quietly, here: true }),
    async stop() {
      await serving?.stop()
      setImmediate(() => process.exit(0))
      return undefined
    },
  },
})

try {
  const started = await startFrom(file, { ...flags, host, port: listenOn }, () => ({
    index,
    threads,
    balance,
    counters,
    first: {
      ownerKey,
      reload: (quietly) => line.ask('reload', { quietly }),
      metrics: () => line.ask('allMetrics', undefined),
    },
  }))
  if ('problem' in started) throw new Error(started.problem)
  serving = started.serving
  line.tell({ kind: 'ready' })
} catch (error) {
  line.tell({ kind: 'failed', why: error instanceof Error ? error.message : String(error) })
  setImmediate(() => process.exit(1))
}
