/** What is true at the moment of a scrape: nothing is kept for it, everything is read then. */
import { type KeptSources, keptMetrics } from './kept-metrics.ts'
import type { Gauge } from './registry.ts'

/** The parts of others' reports that are told here. */
export interface StateSources {
  admission(): {
    readonly limit: number
    readonly inFlight: number
    readonly waiting: number
    readonly heldBytes: number
    readonly delayMs: number
    readonly memory: number
    readonly shed: Readonly<Record<string, number>>
    readonly waited: { readonly count: number; readonly sumMs: number }
    readonly left: number
  }
  targets(): readonly {
    readonly provider: string
    readonly wire: string
    readonly model: string
    readonly breaker: 'closed' | 'open' | 'half-open'
    readonly inFlight: number
    readonly errors: number
    readonly headroom: number
  }[]
  process?(): { readonly rssBytes: number; readonly heapBytes: number; readonly cpuSeconds: number; readonly upSeconds: number }
  /** What outlives a call. Absent: nothing does. */
  readonly kept?: KeptSources | undefined
  /** Names that may be labels. */
  knownModel?(provider: string, model: string): boolean
}

const BREAKERS = { closed: 0, 'half-open': 1, open: 2 } as const

export function stateMetrics({ admission, targets, process, kept, knownModel = () => true }: StateSources): readonly Gauge[] {
  const one = (name: string, help: string, read: () => number, type: Gauge['type'] = 'gauge'): Gauge => ({
    name,
    help,
    type,
    labels: [],
    read: () => [[[], read()]],
  })
  type Target = ReturnType<StateSources['targets']>[number]
  const each = (name: string, help: string, amount: (target: Target) => number): Gauge => ({
    name,
    help,
    type: 'gauge',
    labels: ['provider', 'wire', 'model'],
    *read() {
      for (const target of targets())
        if (knownModel(target.provider, target.model)) yield [[target.provider, target.wire, target.model], amount(target)]
    },
  })
  return [
    one('signalbox_calls_in_flight', 'Calls that have a place now.', () => admission().inFlight),
    one('signalbox_calls_waiting', 'Calls that wait for a place now.', () => admission().waiting),
    one('signalbox_calls_limit', 'Places there are now.', () => admission().limit),
    one('signalbox_held_bytes', 'Bytes of request bodies of calls that have a place.', () => admission().heldBytes),
    {
      name: 'signalbox_shed_total',
      help: 'Calls that were refused because the gateway was at its limits, by why.',
      type: 'counter',
      labels: ['reason'],
      read: () => Object.entries(admission().shed).map(([reason, count]) => [[reason], count] as const),
    },
    one('signalbox_waited_total', 'Calls that waited for a place and got one.', () => admission().waited.count, 'counter'),
    one('signalbox_waited_seconds_total', 'How long they waited, together.', () => admission().waited.sumMs / 1000, 'counter'),
    one('signalbox_left_waiting_total', 'Callers who hung up while they waited for a place.', () => admission().left, 'counter'),
    one(
      'signalbox_event_loop_delay_seconds',
      'How late the event loop was lately; measured only while the gateway is busy.',
      () => admission().delayMs / 1000,
    ),
    one(
      'signalbox_memory_share',
      'Share of its memory that the process uses, 0 to 1; looked at only while there are calls.',
      () => admission().memory,
    ),
    each('signalbox_breaker_state', '0 closed, 1 half-open, 2 open.', ({ breaker }) => BREAKERS[breaker]),
    each('signalbox_target_in_flight', 'Attempts on their way to the target.', ({ inFlight }) => inFlight),
    each('signalbox_target_errors', 'Share of recent attempts that failed, 0 to 1.', ({ errors }) => errors),
    each('signalbox_target_headroom', 'What is left under its rate limits, 0 to 1.', ({ headroom }) => headroom),
    ...(kept ? keptMetrics(kept) : []),
    ...(process
      ? [
          one('process_resident_memory_bytes', 'Memory of the process.', () => process().rssBytes),
          one('nodejs_heap_size_used_bytes', "What of V8's heap is in use.", () => process().heapBytes),
          one('process_cpu_seconds_total', 'Processor time.', () => process().cpuSeconds, 'counter'),
          one('process_uptime_seconds', 'Since the process began.', () => process().upSeconds),
        ]
      : []),
  ]
}
