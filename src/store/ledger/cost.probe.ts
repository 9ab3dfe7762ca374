import { mkdtempSync, rmSync } from 'node:fs'
import { openDatabase } from '../sql/database.ts'
import { createMemoryLedger } from './memory-ledger.ts'
import { createSqlLedger } from './sql-ledger.ts'

const dir = mkdtempSync('/tmp/lprobe-')
const which = process.argv[2]
const db = which === 'memory' || which === 'none' ? undefined : await openDatabase(which === 'pg' ? process.argv[3]! : `sqlite:${dir}/x.db`)
const ledger = db
  ? createSqlLedger({ database: db, directory: `${dir}/j`, openings: which === 'batched' ? 'at-commit' : 'at-once' })
  : which === 'none'
    ? ({ open() {}, settle() {}, flush() {}, close() {}, state: 0 } as unknown as ReturnType<typeof createMemoryLedger>)
    : createMemoryLedger()
let n = 0
function call(): void {
  const id = `req_mabcdef${n++}`
  const at = Date.now()
  ledger.open({
    id,
    at,
    key: 'key_abcdefgh',
    alias: 'team-alias',
    user: 'u1',
    tags: ['a', 'b'],
    organisation: 'org_1',
    team: 't1',
    project: 'p',
    dialect: 'openai-chat',
    requestedModel: 'fast',
    route: 'fast',
    streamed: true,
    provider: 'groq',
    model: 'llama-3.3-70b',
    estimate: 123456789n,
  })
  setImmediate(() =>
    ledger.settle({
      id,
      endedAt: at + 5,
      state: 'settled',
      provider: 'groq',
      model: 'llama-3.3-70b',
      status: 200,
      usage: { input: 100, output: 20 },
      cost: 1234n,
      charge: 1234n,
      estimated: false,
      attempts: 1,
      firstMs: 3,
      totalMs: 5,
      record: {
        attempts: [{ provider: 'groq', model: 'llama-3.3-70b', wire: 'openai-chat', startedMs: 0.2, endedMs: 4.4, sent: true }],
        reason: 'first',
      },
    }),
  )
}
async function run(count: number): Promise<void> {
  for (let done = 0; done < count; done += 16) {
    for (let i = 0; i < 16; i++) call()
    await new Promise(setImmediate)
  }
  await ledger.flush()
}
await run(20000)
for (let round = 0; round < 3; round++) {
  const c = process.cpuUsage(),
    t = performance.now()
  await run(50000)
  const d = process.cpuUsage(c)
  console.log(
    which,
    ((d.user + d.system) / 50000).toFixed(2),
    'µs CPU/call',
    (((performance.now() - t) * 1000) / 50000).toFixed(2),
    'µs wall',
    JSON.stringify(ledger.state),
    d.system / 50000,
  )
}
await ledger.close()
rmSync(dir, { recursive: true })
