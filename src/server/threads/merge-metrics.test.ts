import assert from 'node:assert/strict'
import test from 'node:test'
import { mergeMetrics } from './merge-metrics.ts'

const page = (calls: number, rss: number, headroom: number, extra = ''): string =>
  `# HELP signalbox_calls_total Calls.\n# TYPE signalbox_calls_total counter\nsignalbox_calls_total{code="ok"} ${calls}\n${extra}# HELP process_resident_memory_bytes Memory.\n# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes ${rss}\n# HELP signalbox_target_headroom Left.\n# TYPE signalbox_target_headroom gauge\nsignalbox_target_headroom{provider="a b"} ${headroom}\n`

test('what is counted adds up, what all see is told once', () => {
  const merged = mergeMetrics([page(3, 100, 0.5), page(4, 120, 0.25, 'signalbox_calls_total{code="x"} 2\n')])
  assert.match(merged, /^signalbox_calls_total\{code="ok"\} 7$/m)
  assert.match(merged, /^signalbox_calls_total\{code="x"\} 2$/m)
  assert.match(merged, /^process_resident_memory_bytes 120$/m)
  assert.match(merged, /^signalbox_target_headroom\{provider="a b"\} 0.25$/m)
  assert.equal(merged.match(/# TYPE signalbox_calls_total/g)?.length, 1)
})

test('one page stays as it is', () => {
  assert.equal(mergeMetrics([page(3, 100, 0.5)]), page(3, 100, 0.5))
})
