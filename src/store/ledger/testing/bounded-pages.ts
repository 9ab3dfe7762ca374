/** What one page of the newest calls looks at is bounded, on either database. */
import assert from 'node:assert/strict'
import type { EntryPlace } from '../../../core/ledger.ts'
import type { Database } from '../../sql/database.ts'
import { type Sql, sql } from '../../sql/sql.ts'
import type { StoreLedger } from '../ledger.ts'
import { recentFrom } from '../recent.ts'
import { noon, openingFor } from './ledger-contract.ts'

const CALLS = 6_000
const LOOKS = 1_500

/** One call in a thousand is of `rare`; three are made in each millisecond. */
export async function assertPagesAreBounded(database: Database, ledger: StoreLedger): Promise<void> {
  const idOf = (index: number): string => `req_${String(index).padStart(5, '0')}`
  for (let index = 0; index < CALLS; index++)
    ledger.open(openingFor(idOf(index), { at: noon + Math.floor(index / 3), organisation: index % 1_000 === 0 ? 'rare' : 'busy' }))
  await ledger.flush()
  let read = 0
  const counting: Database = {
    ...database,
    async query(query) {
      const rows = await database.query(query)
      read += rows.length
      return rows
    },
  }
  const found: string[] = []
  let pages = 0
  let after: EntryPlace | undefined
  do {
    read = 0
    const page = await recentFrom(counting, { limit: 100, where: { organisation: 'rare' }, after }, LOOKS)
    assert.ok(read <= LOOKS + 1_000, `one page read ${read} entries`)
    // A place that is between entries of others names none of them.
    if (page.next && page.entries.at(-1)?.id !== page.next.id) assert.equal(page.next.id, undefined)
    found.push(...page.entries.map(({ id }) => id))
    pages++
    after = page.next
  } while (after)
  await assertReadsByIndex(database)
  assert.deepEqual(found, [5_000, 4_000, 3_000, 2_000, 1_000, 0].map(idOf))
  assert.ok(pages >= CALLS / (LOOKS + 1_000) && pages <= CALLS / LOOKS + 1, `${pages} pages`)
}

/** The database says itself how it would go about a page: along the index, with nothing sorted. Of a table this small, it reads the rest as it likes. */
async function assertReadsByIndex(database: Database): Promise<void> {
  await database.query(sql`analyze ledger_entries`)
  const plans: string[] = []
  const asking: Database = {
    ...database,
    async query<Row>(query: Sql<Row>) {
      const how = database.kind === 'sqlite' ? sql`explain query plan ${query}` : sql`explain ${query}`
      plans.push(JSON.stringify(await database.query(how)))
      return []
    },
  }
  const where = { organisation: 'rare' }
  await recentFrom(asking, { limit: 10, where, status: [400, 499], after: { at: noon + 1_000, id: 'req_03000' } })
  await recentFrom(asking, { limit: 10, where, from: noon, after: { at: noon + 1_000 } })
  await recentFrom(asking, { limit: 10 })
  assert.equal(plans.length, 3)
  for (const plan of plans) {
    assert.match(plan, /INDEX ledger_entries_at|Index Scan Backward using ledger_entries_at/)
    assert.doesNotMatch(plan, /TEMP B-TREE|Sort/)
  }
}
