/** Asks what was spent before, once per counter however many calls wait for the answer. */
import type { Hold } from '../../core/counters.ts'
import { GatewayError } from '../../core/error.ts'

/** So long a call waits for what the ledger says of a counter of which enough is known without it. */
export const LEDGER_MS = 250

export interface Seeds {
  /** What was spent, at once where it is known at once. Rejects with `store-unavailable`; the next call asks again. */
  ask(hold: Hold): number | Promise<number>
}

export function createSeeds(): Seeds {
  const asked = new Map<string, Promise<number>>()
  return {
    ask(hold) {
      const running = asked.get(hold.counter)
      if (running) return running
      let answer: number | Promise<number>
      try {
        answer = hold.spentBefore?.() ?? 0
      } catch (error) {
        answer = Promise.reject(error)
      }
      if (typeof answer === 'number') return whole(answer)
      const asking = answer.then(whole, (error: unknown) => {
        throw unknowable(error)
      })
      asked.set(hold.counter, asking)
      const forget = () => asked.delete(hold.counter)
      asking.then(forget, forget)
      return asking
    },
  }
}

/** Rounded up: what is not known exactly must not open a budget. */
const whole = (spent: number): number => Math.min(Math.max(0, Math.ceil(spent) || 0), Number.MAX_SAFE_INTEGER)

const unknowable = (cause: unknown): GatewayError =>
  cause instanceof GatewayError
    ? cause
    : new GatewayError('store-unavailable', 'What was spent before cannot be read, so the budget cannot be checked.', {
        cause,
        retryAfterMs: 1_000,
      })

/** Undefined: not in time. */
export async function soon<T>(answer: T | Promise<T>, ms: number): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => late.resolve(undefined), ms)
  try {
    return await Promise.race([answer, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
