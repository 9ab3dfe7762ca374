// Loaded into every process that is measured (`--import`): answers the bench's questions about itself over the IPC channel. It costs
// nothing between two questions, and works where there is no /proc.

import { getHeapStatistics } from 'node:v8'

/** Totals since the process began. */
export interface Reading {
  /** User and system time of all threads, µs. */
  readonly cpuUs: number
  readonly rss: number
  /** Bytes ever allocated on the JavaScript heap; undefined where V8 does not tell. */
  readonly allocated: number | undefined
}

function reading(): Reading {
  const { user, system } = process.cpuUsage()
  const heap = getHeapStatistics() as { total_allocated_bytes?: number }
  return { cpuUs: user + system, rss: process.memoryUsage.rss(), allocated: heap.total_allocated_bytes }
}

if (process.send !== undefined) {
  process.on('message', (message: unknown) => {
    const ask = message as { probe?: number }
    if (ask.probe !== undefined) process.send?.({ probe: ask.probe, reading: reading() })
  })
  // The channel must not keep a process alive that wants to end.
  process.channel?.unref()
  process.on('disconnect', () => process.exit())
}
