import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openFor, sqliteUrl } from '../testing/databases.ts'
import { openSqlRecords } from './records.ts'
import { sql } from './sql.ts'

const COUNT = 100_000

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

test('100,000 keys are listed in well under a second of CPU, and a lookup among them costs what it costs among few', async (t) => {
  const database = await openFor(t, sqliteUrl(t))
  const records = await openSqlRecords(database)
  const data = {
    alias: 'a key',
    models: ['fast', 'groq/llama'],
    budgets: [{ limit: '0.50', window: 'day' }],
    limits: [{ requests: 100, window: '1m' }],
  }
  const fill = (from: number, to: number): Promise<void> =>
    database.transaction(function* () {
      for (let n = from; n < to; n++) {
        yield sql`insert into records (kind, id, lookup, organisation, version, data, created_at, updated_at)
          values ('key', ${`key_${((n * 7919) % COUNT).toString(36)}`}, ${`digest-${n}`}, ${`org-${n % 100}`}, 1, ${JSON.stringify(data)}, 1, 1)`
      }
    })
  const lookupMs = async (among: number): Promise<number> => {
    const began = cpuMs()
    for (let n = 0; n < 2_000; n++) await records.find('key', `digest-${(n * 31) % among}`)
    return cpuMs() - began
  }
  await fill(0, 1_000)
  await lookupMs(1_000)
  const few = Math.min(await lookupMs(1_000), await lookupMs(1_000))
  for (let from = 1_000; from < COUNT; from += 1_000) await fill(from, from + 1_000)
  const many = Math.min(await lookupMs(COUNT), await lookupMs(COUNT))

  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < 3; round++) {
    const began = cpuMs()
    let seen = 0
    let after: string | undefined
    do {
      const page: Awaited<ReturnType<typeof records.list>> = await records.list('key', { limit: 10_000, after })
      seen += page.data.length
      after = page.next
    } while (after !== undefined)
    assert.equal(seen, COUNT)
    best = Math.min(best, cpuMs() - began)
  }
  t.diagnostic(
    `all listed in ${Math.round(best)} ms; a lookup ${((1_000 * few) / 2_000).toFixed(0)} µs among 1,000, ${((1_000 * many) / 2_000).toFixed(0)} µs among all`,
  )
  assert.ok(best < 1_000, `${best} ms`)
  assert.ok(many < 2 * few + 20, `${few} → ${many} ms`)
})
