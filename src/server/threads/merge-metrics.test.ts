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

test('threads that see one database alike tell it once, and the worst of it', () => {
  const seen = (up: number, redis: number, keys: number, refusals: number): string =>
    [
      ['signalbox_database_up', 'gauge', '', up],
      ['signalbox_counters_mode', 'gauge', '{mode="local"}', 1 - redis],
      ['signalbox_counters_mode', '', '{mode="redis"}', redis],
      ['signalbox_keys', 'gauge', '', keys],
      ['signalbox_ledger_behind', 'gauge', '', up],
      ['signalbox_spending_refusals_total', 'counter', '{rule="budget"}', refusals],
    ]
      .map(
        ([name, type, labels, value]) => `${type === '' ? '' : `# HELP ${name} H.\n# TYPE ${name} ${type}\n`}${name}${labels} ${value}\n`,
      )
      .join('')
  const merged = mergeMetrics([seen(1, 1, 7, 2), seen(0, 0, 7, 3)])
  for (const line of [
    'signalbox_database_up 0',
    'signalbox_counters_mode{mode="local"} 1',
    'signalbox_counters_mode{mode="redis"} 1',
    'signalbox_keys 7',
    'signalbox_ledger_behind 1',
    'signalbox_spending_refusals_total{rule="budget"} 5',
  ])
    assert.ok(merged.split('\n').includes(line), `${line} in ${merged}`)
})
