// The routing strategies side by side on one simulated hour: `node bench/strategies.ts [--seed N]`. docs/guide/routing.md says how to read it.

import { parseArgs } from 'node:util'
import { strategies } from '../src/routing/strategies/index.ts'
import { hosts, replay, traceOf } from './strategy-trace.ts'

const { values } = parseArgs({ options: { seed: { type: 'string', default: '1' } } })
const trace = traceOf(Number(values.seed))
const results = Object.values(strategies).map((strategy) => replay(strategy, trace))

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
console.log(`${trace.length} calls in a simulated hour, ${hosts.length} hosts, seed ${values.seed}\n`)
console.log(row(['strategy', 'p50 ms', 'p95 ms', 'p99 ms', 'USD per 1,000', 'failed', 'requests per call', ...hosts.map(({ id }) => id)]))
console.log(row(['---', ...Array.from({ length: 6 + hosts.length }, () => '---:')]))
for (const { strategy, p50, p95, p99, cost, failed, attempts, shares } of results)
  console.log(
    row([
      strategy,
      String(p50),
      String(p95),
      String(p99),
      cost.toFixed(2),
      String(failed),
      attempts.toFixed(3),
      ...Object.values(shares).map((share) => `${Math.round(share * 100)} %`),
    ]),
  )
