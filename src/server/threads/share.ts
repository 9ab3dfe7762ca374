/** How many calls each thread had, for whoever wants to see that they are spread. */
import type { Sink } from '../../accounting/outcome.ts'

export interface ThreadShare extends Sink {
  page(): string
}

export function threadShare(index: number): ThreadShare {
  let calls = 0
  return {
    name: 'thread-share',
    record() {
      calls++
    },
    page: () =>
      `# HELP signalbox_thread_calls_total Calls that have ended, by the thread that served them.\n# TYPE signalbox_thread_calls_total counter\nsignalbox_thread_calls_total{thread="${index}"} ${calls}\n`,
  }
}
