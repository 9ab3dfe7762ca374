/** Records in SQL tables. */
import type { RecordKind, RecordStore, StoredRecord } from '../../core/records.ts'
import { changedMeanwhile, closed, gone, pageSize, taken } from '../record-rules.ts'
import { openChangeFeed } from './change-feed.ts'
import type { Database } from './database.ts'
import { sql } from './sql.ts'
import { countOf, rowsOf } from './steps.ts'
import type { RecordsTable } from './tables.ts'
import { isDuplicate } from './trouble.ts'

/** A removal is remembered for readers that were away, for this long. */
const REMEMBER_MS = 7 * 24 * 3_600_000
/** Old removals are swept once in this many. */
const SWEEP_EVERY = 500

/** The database stays open when the store is closed: others may use it. */
export async function openSqlRecords(database: Database, { now = Date.now }: { readonly now?: () => number } = {}): Promise<RecordStore> {
  const { transaction, lookup } = database
  const feed = await openChangeFeed(database)
  let removals = 0
  let open = true
  const check = (): void => {
    if (!open) throw closed()
  }

  async function one(kind: RecordKind, column: 'id' | 'lookup', value: string): Promise<StoredRecord | undefined> {
    check()
    // No text in PostgreSQL holds it, and asking is an error there.
    if (value.includes('\0')) return undefined
    const query = sql<Row>`select ${columns} from records where kind = ${kind} and ${sql.ref(column)} = ${value}`
    const [row] = await lookup(() => database.query(query))
    return row && recordOf(kind, row)
  }

  const sweep = (): Promise<void> =>
    transaction(function* () {
      yield sql`delete from changes where at < ${now() - REMEMBER_MS}
        and not exists (select 1 from records where records.kind = changes.kind and records.id = changes.id)`
    })

  return {
    get: (kind, id) => one(kind, 'id', id),
    find: (kind, value) => one(kind, 'lookup', value),
    async list(kind, { organisation, after, limit } = {}) {
      check()
      const size = pageSize(limit)
      const inOrganisation = organisation === undefined ? sql`` : sql`and organisation = ${organisation}`
      const rows = await database.query(
        sql<Row>`select ${columns} from records where kind = ${kind} ${inOrganisation} and id > ${after ?? ''} order by id limit ${size + 1}`,
      )
      const page = rows.slice(0, size)
      // One parse of many is twice as quick as many of one.
      const contents = JSON.parse(`[${page.map((row) => row.data).join(',')}]`) as Data[]
      const data = page.map((row, index) => recordOf(kind, row, contents[index]))
      const last = data.at(-1)
      return rows.length > size && last ? { data, next: last.id } : { data }
    },
    async create(record) {
      check()
      const at = now()
      const { kind, id, lookup = null, organisation = null } = record
      const data = JSON.stringify(record.data)
      const change = await transaction(function* () {
        const inserted = yield* countOf(
          sql`insert into records (kind, id, lookup, organisation, version, data, created_at, updated_at)
            values (${kind}, ${id}, ${lookup}, ${organisation}, 1, ${data}, ${at}, ${at}) on conflict do nothing`,
        )
        if (inserted === 0) throw taken(record)
        return yield* feed.note(kind, id, at)
      })
      feed.tell(change)
      return recordOf(kind, { id, lookup, organisation, version: 1, data, created_at: at, updated_at: at })
    },
    async update(record) {
      check()
      const { kind, id, lookup = null, organisation = null, version } = record
      const at = now()
      try {
        const { row, change } = await transaction(function* () {
          const [row] = yield* rowsOf(
            sql<Row>`update records set lookup = ${lookup}, organisation = ${organisation}, data = ${JSON.stringify(record.data)},
              version = version + 1, updated_at = ${at}
              where kind = ${kind} and id = ${id} and version = ${version} returning ${columns}`,
          )
          if (row) return { row, change: yield* feed.note(kind, id, at) }
          const [other] = yield* rowsOf(sql`select id from records where kind = ${kind} and id = ${id}`)
          throw other ? changedMeanwhile(kind, id) : gone(kind, id)
        })
        feed.tell(change)
        return recordOf(kind, row)
      } catch (error) {
        throw isDuplicate(error) ? taken(record) : error
      }
    },
    async remove(kind, id) {
      check()
      if (id.includes('\0')) return false
      const change = await transaction(function* () {
        const removed = yield* countOf(sql`delete from records where kind = ${kind} and id = ${id}`)
        return removed === 0 ? undefined : yield* feed.note(kind, id, now())
      })
      if (!change) return false
      feed.tell(change)
      // Nobody waits for it, and nobody needs it today.
      if (++removals % SWEEP_EVERY === 0) void sweep().catch(() => {})
      return true
    },
    watch: (listener) => feed.watch(listener),
    async close() {
      open = false
      feed.close()
    },
  }
}

type Row = Omit<RecordsTable, 'kind'>

const columns = sql`id, lookup, organisation, version, data, created_at, updated_at`

type Data = StoredRecord['data']

const recordOf = (kind: RecordKind, row: Row, data = JSON.parse(row.data) as Data): StoredRecord => ({
  kind,
  id: row.id,
  ...(row.lookup === null ? {} : { lookup: row.lookup }),
  ...(row.organisation === null ? {} : { organisation: row.organisation }),
  version: row.version,
  data,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})
