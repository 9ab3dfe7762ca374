/**
 * CPU per call of opening and settling, shipping included: `node bench/ledger-cost.ts memory|sqlite|sqlite-at-commit|postgres://…`.
 * The least of many short rounds, since other work on the machine only ever adds.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMemoryLedger } from '../src/store/ledger/memory-ledger.ts'
import { createSqlLedger } from '../src/store/ledger/sql-ledger.ts'
import { openDatabase } from '../src/store/sql/database.ts'

const ROUND = 1_000
const ROUNDS = 60

const kind = process.argv[2] ?? 'sqlite'
const folder = mkdtempSync(join(tmpdir(), 'ledger-cost-'))
const url = kind.startsWith('postgres') ? kind : `sqlite:${join(folder, 'bench.db')}`
const database = kind === 'memory' || kind === 'none' ? undefined : await openDatabase(url)
const ledger = database
  ? createSqlLedger({ database, directory: join(folder, 'journal'), openings: kind === 'sqlite-at-commit' ? 'at-commit' : 'at-once' })
  : createMemoryLedger()

let calls = 0
function call(): void {
  const id = `req_bench${folder.slice(-6)}${calls++}`
  const at = Date.now()
  const where = { provider: 'groq', model: 'llama-3.3-70b' }
  const opening = {
    ...{ id, at, key: 'key_abcdefgh', alias: 'ci', user: 'ada', organisation: 'org_1', team: 'core', project: 'p', tags: ['a', 'b'] },
    ...({ dialect: 'openai-chat', requestedModel: 'fast', route: 'fast', streamed: true, ...where, estimate: 123_456_789n } as const),
  }
  const attempt = { ...where, wire: 'openai-chat', startedMs: 0.2, endedMs: 4.4, sent: true }
  const settlement = {
    ...({ id, endedAt: at + 5, state: 'settled', status: 200, usage: { input: 100, output: 20 }, cost: 1_234n, charge: 1_234n } as const),
    ...{ ...where, estimated: false, attempts: 1, firstMs: 3, totalMs: 5, record: { attempts: [attempt], reason: 'first' } },
  }
  if (kind === 'none') return
  ledger.open(opening)
  setImmediate(() => ledger.settle(settlement))
}

const costs: number[] = []
for (let round = 0; round < ROUNDS; round++) {
  const before = process.cpuUsage()
  for (let done = 0; done < ROUND; done += 8) {
    for (let index = 0; index < 8; index++) call()
    ledger.commit()
    await new Promise(setImmediate)
  }
  // A round fits in memory: nothing is read back from the journal.
  await ledger.flush()
  const { user, system } = process.cpuUsage(before)
  costs.push((user + system) / ROUND)
}
costs.sort((a, b) => a - b)
console.log(`${kind}: ${costs[0]?.toFixed(1)} µs CPU per call at best, median ${costs[ROUNDS / 2]?.toFixed(1)}`, ledger.state)
await ledger.close()
await database?.close()
rmSync(folder, { recursive: true, force: true })
