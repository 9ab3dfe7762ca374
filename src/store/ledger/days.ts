/**
 * Sums of whole days, so that a month's usage need not be added up from a million entries. A day is summed when it is over and nothing
 * of it runs; whatever comes later takes the sums back, in the transaction in which it comes.
 */
import type { Database, DatabaseKind } from '../sql/database.ts'
import { sql } from '../sql/sql.ts'
import { type Steps, statement } from '../sql/steps.ts'
import { groupedSlices, type SumsRow, sumColumns } from './slices.ts'
import { HOUR_MS } from './usage-sums.ts'

export const DAY_MS = 24 * HOUR_MS
export const dayStart = (at: number): number => Math.floor(at / DAY_MS) * DAY_MS

/** After its end a day is left alone for so long, for what is on its way. */
const REST_MS = HOUR_MS
/** Clocks of replicas may differ by this. */
const SKEW_MS = 10 * 60_000

/** Whether the sums of this entry's day may exist. */
export const isLate = (at: number, now: number): boolean => dayStart(at) + DAY_MS + REST_MS - SKEW_MS <= now

/** Takes back the sums of the days of these entries. In a transaction, after the entries were written. */
export function* takeBack(kind: DatabaseKind, ids: readonly string[]): Steps<void> {
  const among = kind === 'sqlite' ? 'in (select value from json_each(?))' : 'in (select json_array_elements_text($1::json))'
  const days = yield* statement<{ day: number }>(
    `select distinct at / ${DAY_MS} as day from ledger_entries where id ${among} order by day`,
    [JSON.stringify(ids)],
  )
  const one = kind === 'sqlite' ? '?' : '$1'
  for (const { day } of days) {
    yield* statement(
      `insert into ledger_days (day, generation, summed) values (${one}, 1, 0)
        on conflict (day) do update set generation = ledger_days.generation + 1, summed = 0`,
      [day * DAY_MS],
    )
    yield* statement(`delete from ledger_sums where run = (select run from ledger_days where day = ${one})`, [day * DAY_MS])
  }
}

const dimensions = 'key_id alias user_id organisation team project tags tier route requested_model model provider region status'.split(' ')
const columns = ['run', 'day', ...dimensions, ...sumColumns]

/** Sums up to so many days that are due, oldest first. True: there may be more. */
export async function sumDays(database: Database, now: number, limit = 3): Promise<boolean> {
  const summed = await database.query(sql<{ day: number }>`select day from ledger_days where summed > 0`)
  const done = new Set(summed.map(({ day }) => day))
  let day = Number.NEGATIVE_INFINITY
  for (let count = 0; count < limit; ) {
    // The next day with entries, past those that are done.
    while (done.has(day)) day += DAY_MS
    const [next] = await database.query(
      sql<{ at: number }>`select at from ledger_entries where at >= ${Math.max(day, -8.64e15)} order by at limit 1`,
    )
    if (!next) return false
    day = dayStart(next.at)
    if (day + DAY_MS + REST_MS > now) return false
    if (!done.has(day)) {
      if (await sumDay(database, day)) count++
      day += DAY_MS
    }
  }
  return true
}

/** False: something of it still runs, or comes in. */
async function sumDay(database: Database, day: number): Promise<boolean> {
  await database.query(sql`insert into ledger_days (day, generation, summed) values (${day}, 0, 0) on conflict (day) do nothing`)
  const [before] = await database.query(sql<{ generation: number }>`select generation from ledger_days where day = ${day}`)
  if (!before) return false
  // Few run: their own index finds them, where that of times would go through the whole day.
  const running = await database.query(
    sql`select id from ledger_entries where state = 0 and at + 0 >= ${day} and at + 0 < ${day + DAY_MS} limit 1`,
  )
  if (running.length > 0) return false

  const groups = new Map<string, SumsRow>()
  let entries = 0
  for await (const rows of groupedSlices(database, dimensions, sql`1 = 1`, day, day + DAY_MS)) {
    for (const row of rows) {
      entries += Number(row['requests'])
      const key = JSON.stringify(dimensions.map((name) => row[name]))
      const known = groups.get(key)
      groups.set(key, known ? added(known, row) : row)
    }
  }
  const worth = groups.size < 500 || groups.size * 3 < entries
  const run = Math.floor(Math.random() * 2 ** 52)
  const rows = worth ? [...groups.values()] : []
  for (let start = 0; start < rows.length; start += PIECE) {
    await database.transaction(() => write(database.kind, run, day, rows.slice(start, start + PIECE)))
    await new Promise(setImmediate)
  }
  // Only if nothing came in between: it is missing here.
  const marked = await database.query(
    sql`update ledger_days set ${worth ? sql`summed = 1, run = ${run}` : sql`summed = 2`}
      where day = ${day} and generation = ${before.generation} and summed = 0 returning day`,
  )
  if (marked.length > 0) return true
  await database.query(sql`delete from ledger_sums where run = ${run}`)
  return false
}

/** Rows of one transaction. */
const PIECE = 200

function* write(kind: DatabaseKind, run: number, day: number, rows: readonly SumsRow[]): Steps<void> {
  if (kind === 'sqlite') {
    const text = `insert into ledger_sums (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`
    for (const row of rows) {
      const values = dimensions.map((name) => row[name] ?? null)
      yield* statement(text, [run, day, ...values, ...sumColumns.map((name) => BigInt(row[name] ?? 0))])
    }
    return
  }
  const numbers = new Set(['run', 'day', 'status', ...sumColumns])
  const types = columns.map((name) => `${name} ${numbers.has(name) ? 'bigint' : 'text'}`)
  yield* statement(
    `insert into ledger_sums (${columns.join(', ')}) select ${columns.join(', ')} from json_to_recordset($1::json) as r(${types.join(', ')})`,
    [JSON.stringify(rows.map((row) => ({ ...row, run, day })))],
  )
}

function added(one: SumsRow, other: SumsRow): SumsRow {
  const sum: Record<string, string | number | null> = { ...one }
  for (const name of sumColumns) sum[name] = (BigInt(one[name] ?? 0) + BigInt(other[name] ?? 0)).toString()
  return sum
}

/** Days within the span that are summed, with what tells whether they still are. */
export function summedDays(
  database: Database,
  from: number,
  to: number,
): Promise<readonly { readonly day: number; readonly run: number | null }[]> {
  return database.query(
    sql<{ day: number; run: number | null }>`select day, run from ledger_days
      where summed = 1 and day >= ${from} and day <= ${to - DAY_MS} order by day`,
  )
}
