import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openFor, sqliteUrl } from '../testing/databases.ts'
import { recordStoreContract, until } from '../testing/record-store-contract.ts'
import { openSqlRecords } from './records.ts'
import { sql } from './sql.ts'

async function storeAt(t: TestContext, url: string) {
  const store = await openSqlRecords(await openFor(t, url))
  t.after(() => store.close())
  return store
}

recordStoreContract('SQLite', async (t) => {
  const url = sqliteUrl(t)
  return { store: await storeAt(t, url), again: () => storeAt(t, url) }
})

test('removals are remembered for readers that were away, but not for ever; what exists is never forgotten', async (t) => {
  const database = await openFor(t, sqliteUrl(t))
  let time = 1_000_000
  const store = await openSqlRecords(database, { now: () => time })
  t.after(() => store.close())
  const churn = async (prefix: string): Promise<void> => {
    for (let n = 0; n < 500; n++) {
      await store.create({ kind: 'token', id: `${prefix}${n}`, data: {} })
      await store.remove('token', `${prefix}${n}`)
    }
  }
  const remembered = async (): Promise<readonly string[]> =>
    (await database.query(sql<{ id: string }>`select id from changes order by id`)).map(({ id }) => id)

  await store.create({ kind: 'key', id: 'stays', data: {} })
  await churn('old')
  assert.equal((await remembered()).length, 501)
  time += 8 * 24 * 3_600_000
  await churn('new')
  const left = await remembered()
  assert.equal(left.length, 501)
  assert.ok(left.includes('stays') && left.includes('new0') && !left.includes('old0'))
})

test('after an older database was put back, all of its records are told', async (t) => {
  const url = sqliteUrl(t)
  const store = await storeAt(t, url)
  const other = await openFor(t, url)
  for (let n = 0; n < 5; n++) await store.create({ kind: 'key', id: `k${n}`, data: {} })
  const told = new Set<string>()
  store.watch((changes) => {
    for (const { id } of changes) told.add(id)
  })
  await until(() => told.size === 5, 1_000, 'what was there')
  await sleep(300)
  told.clear()
  other.sqlite?.exec(
    `delete from changes where seq > 2; delete from records where id > 'k1'; update sqlite_sequence set seq = 2 where name = 'changes'`,
  )
  await until(() => told.has('k0') && told.has('k1'), 1_000, 'the records of the older database')
})
