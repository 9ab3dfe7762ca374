/**
 * The system spreads connections among threads by chance, and connections live long: with few of them one thread may have most of the
 * work. Who has clearly more than its share asks some callers to close theirs, which then fall anew.
 */

export interface Balance {
  opened(): void
  closed(): void
  /** Whether the connection of the answer at hand is to be closed after it. Call it once for each answer. */
  sheds(): boolean
}

/** Connections over the mean from which one is asked to go: a share of it, and at least so many. */
const OVER_SHARE = 1.15
const OVER_LEAST = 1
/** Between two of them, so that the ones that left have come back somewhere first. */
const REST_MS = 15

/** Four bytes for each thread. */
export const balanceBuffer = (threads: number): SharedArrayBuffer => new SharedArrayBuffer(4 * threads)

export function createBalance(buffer: SharedArrayBuffer, index: number, now: () => number = () => performance.now()): Balance {
  const open = new Int32Array(buffer)
  let quietUntil = 0

  return {
    opened: () => void Atomics.add(open, index, 1),
    closed: () => void Atomics.sub(open, index, 1),
    sheds() {
      const mine = open[index] ?? 0
      if (mine < 2) return false
      let all = 0
      for (let at = 0; at < open.length; at++) all += open[at] ?? 0
      const mean = all / open.length
      if (mine <= mean * OVER_SHARE || mine - mean < OVER_LEAST) return false
      const at = now()
      if (at < quietUntil) return false
      quietUntil = at + REST_MS
      return true
    },
  }
}

/** A thread that ended takes its connections with it. */
export const forgetThread = (buffer: SharedArrayBuffer, index: number): void => void Atomics.store(new Int32Array(buffer), index, 0)
