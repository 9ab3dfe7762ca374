import type { TestContext } from 'node:test'
import { withPostgres } from '../../../test/services/postgres.ts'
import { openFor } from '../testing/databases.ts'
import { recordStoreContract } from '../testing/record-store-contract.ts'
import { openSqlRecords } from './records.ts'

async function storeAt(t: TestContext, url: string) {
  const store = await openSqlRecords(await openFor(t, url))
  t.after(() => store.close())
  return store
}

recordStoreContract('PostgreSQL', async (t) => {
  const service = await withPostgres(t)
  return service && { store: await storeAt(t, service.url), again: () => storeAt(t, service.url) }
})
