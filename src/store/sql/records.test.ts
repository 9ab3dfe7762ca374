import type { TestContext } from 'node:test'
import { openFor, sqliteUrl } from '../testing/databases.ts'
import { recordStoreContract } from '../testing/record-store-contract.ts'
import { openSqlRecords } from './records.ts'

async function storeAt(t: TestContext, url: string) {
  const store = await openSqlRecords(await openFor(t, url))
  t.after(() => store.close())
  return store
}

recordStoreContract('SQLite', async (t) => {
  const url = sqliteUrl(t)
  return { store: await storeAt(t, url), again: () => storeAt(t, url) }
})
