/** Remembers that something does not answer, so that those who come after need not wait to find out. */

export interface BreakerOptions {
  /** Failures in a row before it opens. Default 3. */
  readonly threshold?: number
  /** How long everybody is refused before one may try. Default 500. */
  readonly restMs?: number
  readonly now?: () => number
  /** Told once when it opens and once when it closes. */
  readonly onState?: (state: { readonly up: boolean; readonly why?: string }) => void
}

export interface Breaker {
  /** False: refuse at once. True for one caller each time it has rested: that one's report decides. */
  mayTry(): boolean
  succeeded(): void
  failed(error: unknown): void
  readonly up: boolean
  /** Successes so far: whoever waited in vain can tell whether others were answered meanwhile. */
  readonly answers: number
}

export function createBreaker({ threshold = 3, restMs = 500, now = () => performance.now(), onState }: BreakerOptions = {}): Breaker {
  let failures = 0
  let up = true
  let next = 0
  let answers = 0
  return {
    get answers() {
      return answers
    },
    get up() {
      return up
    },
    mayTry() {
      if (up) return true
      if (now() < next) return false
      // Whoever tries may never report: the next one gets a turn all the same.
      next = now() + restMs
      return true
    },
    succeeded() {
      answers++
      failures = 0
      if (up) return
      up = true
      onState?.({ up })
    },
    failed(error) {
      failures++
      next = now() + restMs
      if (!up || failures < threshold) return
      up = false
      onState?.({ up, why: error instanceof Error ? error.message : String(error) })
    },
  }
}
