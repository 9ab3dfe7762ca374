/** What a process holds: timers (those that keep no process alive too), sockets, listeners, memory. */
import { createHook } from 'node:async_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

export interface Footprint {
  readonly timers: number
  readonly sockets: number
  readonly listeners: number
  /** After collecting garbage. */
  readonly heapMB: number
  readonly rssMB: number
}

const kinds = { Timeout: 'timers', TCPWRAP: 'sockets' } as const

/** Counts from here on what is made and given back. */
export function footprints(): { take(): Footprint; end(): void } {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const live = new Map<number, 'timers' | 'sockets'>()
  const hook = createHook({
    init(id, type) {
      const kind = kinds[type as keyof typeof kinds]
      if (kind) live.set(id, kind)
    },
    destroy: (id) => void live.delete(id),
  }).enable()
  const count = (kind: string): number => [...live.values()].filter((one) => one === kind).length
  return {
    take() {
      collect()
      const { heapUsed, rss } = process.memoryUsage()
      return {
        timers: count('timers'),
        sockets: count('sockets'),
        listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
        heapMB: Math.round(heapUsed / 104_857.6) / 10,
        rssMB: Math.round(rss / 104_857.6) / 10,
      }
    },
    end: () => void hook.disable(),
  }
}
