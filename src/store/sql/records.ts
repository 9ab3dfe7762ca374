/** Records in SQL tables. */
import type { Selectable } from 'kysely'
import type { Json } from '../../core/json.ts'
import type { RecordKind, RecordStore, StoredRecord } from '../../core/records.ts'
import { changedMeanwhile, closed, gone, pageSize, taken } from '../record-rules.ts'
import { openChangeFeed } from './change-feed.ts'
import type { Database } from './database.ts'
import { countOf, rowsOf } from './steps.ts'
import type { RecordsTable } from './tables.ts'
import { isDuplicate } from './trouble.ts'

/** A removal is remembered for readers that were away, for this long. */
const REMEMBER_MS = 7 * 24 * 3_600_000
/** Old removals are swept once in this many. */
const SWEEP_EVERY = 500

/** The database stays open when the store is closed: others may use it. */
export async function openSqlRecords(database: Database, { now = Date.now }: { readonly now?: () => number } = {}): Promise<RecordStore> {
  const { kysely, transaction, lookup } = database
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
    const row = await lookup(() =>
      kysely.selectFrom('records').selectAll().where('kind', '=', kind).where(column, '=', value).executeTakeFirst(),
    )
    return row && recordOf(row)
  }

  async function sweep(): Promise<void> {
    await transaction(function* () {
      yield kysely
        .deleteFrom('changes')
        .where('at', '<', now() - REMEMBER_MS)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('records').select('id').whereRef('records.kind', '=', 'changes.kind').whereRef('records.id', '=', 'changes.id'),
            ),
          ),
        )
        .compile()
    })
  }

  return {
    get: (kind, id) => one(kind, 'id', id),
    find: (kind, value) => one(kind, 'lookup', value),
    async list(kind, { organisation, after, limit } = {}) {
      check()
      const size = pageSize(limit)
      let query = kysely.selectFrom('records').selectAll().where('kind', '=', kind)
      if (organisation !== undefined) query = query.where('organisation', '=', organisation)
      if (after !== undefined) query = query.where('id', '>', after)
      const rows = await query
        .orderBy('id')
        .limit(size + 1)
        .execute()
      const data = rows.slice(0, size).map(recordOf)
      const last = data.at(-1)
      return rows.length > size && last ? { data, next: last.id } : { data }
    },
    async create(record) {
      check()
      const at = now()
      const row: RecordsTable = {
        kind: record.kind,
        id: record.id,
        lookup: record.lookup ?? null,
        organisation: record.organisation ?? null,
        version: 1,
        data: JSON.stringify(record.data),
        created_at: at,
        updated_at: at,
      }
      const change = await transaction(function* () {
        const inserted = yield* countOf(
          kysely
            .insertInto('records')
            .values(row)
            .onConflict((conflict) => conflict.doNothing()),
        )
        if (inserted === 0) throw taken(record)
        return yield* feed.note(record.kind, record.id, at)
      })
      feed.tell(change)
      return recordOf(row)
    },
    async update(record) {
      check()
      const { kind, id, version } = record
      const at = now()
      try {
        const { row, change } = await transaction(function* () {
          const [row] = yield* rowsOf(
            kysely
              .updateTable('records')
              .set({
                lookup: record.lookup ?? null,
                organisation: record.organisation ?? null,
                data: JSON.stringify(record.data),
                version: version + 1,
                updated_at: at,
              })
              .where('kind', '=', kind)
              .where('id', '=', id)
              .where('version', '=', version)
              .returningAll(),
          )
          if (row) return { row, change: yield* feed.note(kind, id, at) }
          const [other] = yield* rowsOf(kysely.selectFrom('records').select('id').where('kind', '=', kind).where('id', '=', id))
          throw other ? changedMeanwhile(kind, id) : gone(kind, id)
        })
        feed.tell(change)
        return recordOf(row)
      } catch (error) {
        throw isDuplicate(error) ? taken(record) : error
      }
    },
    async remove(kind, id) {
      check()
      if (id.includes('\0')) return false
      const change = await transaction(function* () {
        const removed = yield* countOf(kysely.deleteFrom('records').where('kind', '=', kind).where('id', '=', id))
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

const recordOf = (row: Selectable<RecordsTable>): StoredRecord => ({
  kind: row.kind as RecordKind,
  id: row.id,
  ...(row.lookup === null ? {} : { lookup: row.lookup }),
  ...(row.organisation === null ? {} : { organisation: row.organisation }),
  version: row.version,
  data: JSON.parse(row.data) as Readonly<Record<string, Json>>,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})
