/** One page of metrics from those of all threads: what is counted adds up; of what all threads see alike, the largest is told. */

/** Gauges of the process as a whole, or of something outside it. All other series are sums. */
const LARGEST = new Set([
  'process_resident_memory_bytes',
  'process_cpu_seconds_total',
  'process_uptime_seconds',
  'signalbox_event_loop_delay_seconds',
  'signalbox_memory_share',
  'signalbox_breaker_state',
  'signalbox_target_errors',
  'signalbox_ledger_behind',
  'signalbox_counters_mode',
  'signalbox_keys',
  'signalbox_secrets_with_problem',
])
const SMALLEST = new Set(['signalbox_target_headroom', 'signalbox_database_up', 'signalbox_access_loaded'])

function merged(name: string, one: number, other: number): number {
  if (LARGEST.has(name)) return Math.max(one, other)
  return SMALLEST.has(name) ? Math.min(one, other) : one + other
}

export function mergeMetrics(pages: readonly string[]): string {
  if (pages.length === 1) return pages[0] ?? ''
  const order: string[] = []
  const heads = new Map<string, string[]>()
  const series = new Map<string, Map<string, number>>()
  for (const page of pages) {
    let name = ''
    for (const line of page.split('\n')) {
      if (line === '') continue
      if (line.startsWith('#')) {
        const named = line.split(' ', 3)[2] ?? ''
        name = named
        if (!heads.has(name)) {
          heads.set(name, [])
          series.set(name, new Map())
          order.push(name)
        }
        const head = heads.get(name)
        if (head && !head.includes(line)) head.push(line)
        continue
      }
      const space = line.lastIndexOf(' ')
      const key = line.slice(0, space)
      const value = Number(line.slice(space + 1))
      const known = series.get(name)
      if (!known || Number.isNaN(value)) continue
      const before = known.get(key)
      known.set(key, before === undefined ? value : merged(name, before, value))
    }
  }
  return order
    .map((name) => [...(heads.get(name) ?? []), ...[...(series.get(name) ?? [])].map(([key, value]) => `${key} ${value}`), ''].join('\n'))
    .join('')
}
