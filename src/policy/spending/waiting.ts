/** Calls that wait for room under a budget: in line, woken when something was settled there, for a bounded time. */
import type { Cancellation } from '../../core/cancellation.ts'
import { MAX_TIMER_MS } from '../../core/units.ts'

/** Room may also come from other replicas, which nobody tells of. */
const LOOK_MS = 1_000
const MOST_WAITING = 1_000

interface Waiter {
  wake(): void
  /** Woken while it was looking. */
  again: boolean
}

export interface Line {
  /** Whether anybody waits there: who comes later goes behind them. */
  busy(counter: string): boolean
  full(): boolean
  /** Something was settled there. */
  moved(counter: string): void
  /**
   * Tries until it gives something, the first in line at each change, until so many milliseconds have passed. Undefined: no room in time.
   * Rejects with what trying throws, and with the reason for which the call was cancelled.
   */
  wait<T>(
    counter: string,
    forMs: number,
    cancellation: Cancellation,
    attempt: () => T | undefined | Promise<T | undefined>,
  ): Promise<T | undefined>
  readonly size: number
}

export function createLine(): Line {
  const lines = new Map<string, Waiter[]>()
  let size = 0

  const moved = (counter: string): void => lines.get(counter)?.[0]?.wake()

  /** Resolves when woken, when it is time to look again, or when the call is cancelled. */
  const sleep = (waiter: Waiter, ms: number, cancellation: Cancellation): Promise<void> =>
    new Promise((resolve) => {
      const lookAgain = waiter.wake
      if (waiter.again) {
        waiter.again = false
        resolve()
        return
      }
      const done = (): void => {
        clearTimeout(timer)
        forget()
        waiter.wake = lookAgain
        waiter.again = false
        resolve()
      }
      const timer = setTimeout(done, Math.min(Math.max(ms, 1), MAX_TIMER_MS))
      waiter.wake = done
      let forget = (): void => {}
      forget = cancellation.onCancel(done)
    })

  return {
    busy: (counter) => lines.has(counter),
    full: () => size >= MOST_WAITING,
    moved,
    get size() {
      return size
    },
    async wait(counter, forMs, cancellation, attempt) {
      const line = lines.get(counter) ?? []
      lines.set(counter, line)
      const waiter: Waiter = {
        again: false,
        wake: () => {
          waiter.again = true
        },
      }
      line.push(waiter)
      size++
      const until = performance.now() + forMs
      try {
        for (;;) {
          const left = until - performance.now()
          if (left <= 0) return undefined
          await sleep(waiter, Math.min(left, LOOK_MS), cancellation)
          if (cancellation.cancelled) throw cancellation.reason
          if (line[0] !== waiter) continue
          const got = await attempt()
          if (got !== undefined) return got
        }
      } finally {
        line.splice(line.indexOf(waiter), 1)
        size--
        if (line.length === 0) lines.delete(counter)
        // There may be room for the next one as well.
        else moved(counter)
      }
    },
  }
}
