/** The claim of docs/guide/routing.md, on a smaller hour: `node bench/strategies.ts` prints the whole one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { replay, traceOf } from '../../bench/strategy-trace.ts'
import { strategies } from '../../src/routing/strategies/index.ts'

const trace = traceOf(7, { perSecond: 4 })
const of = (name: string) => {
  const strategy = strategies[name]
  assert.ok(strategy)
  return replay(strategy, trace)
}

test('adaptive is quicker and cheaper than priority, weighted and round robin, on the same hour of calls', () => {
  const adaptive = of('adaptive')
  for (const other of ['priority', 'weighted', 'round-robin'].map(of)) {
    assert.ok(adaptive.p95 < other.p95, `p95 of ${other.strategy}: ${other.p95} ms, of adaptive: ${adaptive.p95} ms`)
    assert.ok(adaptive.cost < other.cost, `cost of ${other.strategy}: ${other.cost}, of adaptive: ${adaptive.cost}`)
  }
})

test('through incidents and limits no call fails, and hardly any is sent twice', () => {
  for (const name of ['priority', 'weighted', 'round-robin', 'least-latency', 'least-busy', 'adaptive', 'sticky']) {
    const { failed, attempts } = of(name)
    assert.equal(failed, 0, name)
    assert.ok(attempts < 1.05, `${name}: ${attempts} requests per call`)
  }
})
