/** One structured line per call: the decision record. */
import { decisionRecord } from './decision-record.ts'
import type { Sink } from './outcome.ts'

/** `errors` writes only calls that failed. */
export function logSink(level: 'errors' | 'calls', write: (line: string) => void): Sink {
  return {
    name: 'log',
    record(outcome) {
      if (level === 'errors' && outcome.error === undefined) return
      write(
        `${JSON.stringify({ time: new Date(outcome.at).toISOString(), level: outcome.error ? 'error' : 'info', message: 'call', ...decisionRecord(outcome), at: undefined })}\n`,
      )
    },
  }
}
