/** Pages of calls, newest first. The index on (at, id) is read backwards, so many entries for a page and no more, however few of them fit. */
import { setImmediate } from 'node:timers/promises'
import type { EntryPage, EntryPlace, LedgerEntry, RecentQuery } from '../../core/ledger.ts'
import type { Database } from '../sql/database.ts'
import { type Sql, sql } from '../sql/sql.ts'
import { entryOf } from './codec.ts'
import { bounded, conditions } from './queries.ts'
import { states } from './rows.ts'

/** Entries that one page looks at, and that one statement does. */
const PAGE_LOOKS = 20_000
const STEP_LOOKS = 1_000
const MOST_NANOS = 2n ** 63n - 1n

interface Row {
  readonly id: string
  readonly at: number
  /** Null: the entry does not fit, or nothing but its end is known yet. */
  readonly opening: string | null
  readonly settlement: string | null
}

/** `looks`: entries that the page looks at, roughly. */
export async function recentFrom(database: Database, query: RecentQuery, looks = PAGE_LOOKS): Promise<EntryPage> {
  const { limit, where, after } = query
  const fits = sql.join([sql`opening is not null`, ...conditionsOf(query)], sql` and `)
  const entries: LedgerEntry[] = []
  let place = after
  let last: EntryPlace | undefined
  let looked = 0
  for (let step = Math.min(limit + 1, STEP_LOOKS); ; step = Math.min(step * 4, STEP_LOOKS)) {
    const rows = await database.query(
      sql<Row>`select id, at, case when ${fits} then opening end as opening, case when ${fits} then settlement end as settlement
        from ledger_entries where ${spanOf(query, place)} order by at desc, id desc limit ${sql.lit(step)}`,
    )
    for (const { id, at, opening, settlement } of rows) {
      // Where a page ends for what it looked at, it ends between two milliseconds: its place need not name an entry that is not in it.
      if (looked >= looks && place && at < place.at) return { entries, next: { at: place.at } }
      looked++
      place = { at, id }
      if (opening === null) continue
      const entry = entryOf(opening, settlement)
      // Tags are chosen roughly by the database, exactly here.
      if (where?.tag !== undefined && !entry.tags?.includes(where.tag)) continue
      if (entries.length === limit) return last ? { entries, next: last } : { entries }
      entries.push(entry)
      last = place
    }
    if (rows.length < step) return { entries }
    await setImmediate()
  }
}

function spanOf({ from, to }: RecentQuery, after: EntryPlace | undefined): Sql {
  const all: Sql[] = []
  if (from !== undefined) all.push(sql`at >= ${Math.ceil(bounded(from))}`)
  if (to !== undefined) all.push(sql`at < ${Math.ceil(bounded(to))}`)
  if (after?.id !== undefined) all.push(sql`at <= ${after.at} and (at < ${after.at} or id < ${after.id})`)
  else if (after) all.push(sql`at < ${after.at}`)
  return all.length === 0 ? sql`1 = 1` : sql.join(all, sql` and `)
}

function conditionsOf({ where = {}, state, status, least }: RecentQuery): Sql[] {
  const all = conditions(where)
  if (state !== undefined) all.push(sql`state = ${states[state]}`)
  if (status) all.push(sql`status >= ${status[0]} and status <= ${status[1]}`)
  if (least) all.push(sql`${sql.ref(least.of)} >= ${String(least.nanos < MOST_NANOS ? least.nanos : MOST_NANOS)}`)
  return all
}
