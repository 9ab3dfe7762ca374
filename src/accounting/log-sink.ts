/** One structured line per call: the decision record, without any of the content. */
import { dollarsOf } from '../core/money.ts'
import type { Outcome, Sink } from './outcome.ts'

const rounded = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : Math.round(ms * 100) / 100)

/** `errors` writes only calls that failed. */
export function logSink(level: 'errors' | 'calls', write: (line: string) => void): Sink {
  return {
    name: 'log',
    record(outcome) {
      if (level === 'errors' && outcome.error === undefined) return
      write(`${JSON.stringify(lineOf(outcome))}\n`)
    },
  }
}

function lineOf({ at, attempts, cost, latency, dropped, id, ...rest }: Outcome): object {
  return {
    time: new Date(at).toISOString(),
    level: rest.error ? 'error' : 'info',
    message: 'call',
    id,
    ...rest,
    cost: cost === undefined ? undefined : dollarsOf(cost),
    costEstimated: rest.costEstimated || undefined,
    attempts: attempts.map(({ startedMs, endedMs, ...attempt }) => ({
      ...attempt,
      startedMs: rounded(startedMs),
      endedMs: rounded(endedMs),
    })),
    dropped: dropped.length > 0 ? dropped.map(({ path, reason }) => `${path};${reason}`) : undefined,
    latency: { total: rounded(latency.total), first: rounded(latency.first), overhead: rounded(latency.overhead) },
  }
}
