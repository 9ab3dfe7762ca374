/** The other threads, seen from the first: started, told what to do, started again when one falls. */
import { Worker } from 'node:worker_threads'
import { recoverSharedCounters } from '../../store/counters/shared.ts'
import type { ServeFlags } from '../commands/serve.ts'
import { forgetThread } from './balance.ts'
import { mergeMetrics } from './merge-metrics.ts'
import { type Line, lineOver, type ThreadStart } from './messages.ts'
import type { Others, Siblings } from './siblings.ts'

export interface SupervisorOptions extends Siblings {
  readonly flags: ServeFlags
  readonly file: string | undefined
}

/** Before a thread that fell is started again; doubled each time, to a minute, until one has lived that long. */
const REST_MS = 500
const LONGEST_REST_MS = 60_000

interface Thread {
  readonly line: Line
  readonly ended: Promise<void>
}

export function superviseThreads({ start, tell, reload, metrics, flags, file }: SupervisorOptions): Others {
  const { balance } = start
  const threads = new Map<number, Thread>()
  const restarts = new Set<ReturnType<typeof setTimeout>>()
  let stopping = false
  const first = Array.from({ length: start.threads - 1 }, (_, index) => launch(index + 1, REST_MS))

  /** Resolves when it serves, or has failed to. */
  function launch(index: number, rest: number): Promise<void> {
    return new Promise((resolve) => {
      const began = Date.now()
      const workerData: ThreadStart = { ...start, flags, file, index }
      const worker = new Worker(new URL('./thread.ts', import.meta.url), { workerData, name: `signalbox-${index}` })
      const id = worker.threadId
      const line = lineOver(worker, {
        answers: {
          allMetrics: all,
          reload: ({ quietly }) => reload(quietly),
        },
        told(message) {
          if (message.kind === 'failed') tell(`thread ${index} did not start: ${message.why}\n`)
          resolve()
        },
      })
      worker.on('error', (error) => tell(`thread ${index} fell: ${error instanceof Error ? error.message : String(error)}\n`))
      const ended = new Promise<void>((over) => {
        worker.once('exit', () => {
          line.cut()
          threads.delete(index)
          forgetThread(balance, index)
          if (start.counters) recoverSharedCounters(start.counters, id)
          over()
          resolve()
          if (stopping) return
          const next = Date.now() - began > LONGEST_REST_MS ? REST_MS : Math.min(LONGEST_REST_MS, rest * 2)
          const timer = setTimeout(() => {
            restarts.delete(timer)
            void launch(index, next)
          }, rest)
          restarts.add(timer)
        })
      })
      threads.set(index, { line, ended })
    })
  }

  async function all(): Promise<string> {
    const pages = await Promise.allSettled([...threads.values()].map(({ line }) => line.ask('metrics', undefined)))
    return mergeMetrics([metrics(), ...pages.flatMap((page) => (page.status === 'fulfilled' ? [page.value] : []))])
  }

  return {
    ready: Promise.all(first).then(() => {}),
    async reload(quietly) {
      await Promise.allSettled([...threads.values()].map(({ line }) => line.ask('reload', { quietly })))
    },
    metrics: all,
    async stop() {
      stopping = true
      for (const timer of restarts) clearTimeout(timer)
      const running = [...threads.values()]
      for (const { line } of running) line.ask('stop', undefined).catch(() => {})
      await Promise.all(running.map(({ ended }) => ended))
    },
  }
}
