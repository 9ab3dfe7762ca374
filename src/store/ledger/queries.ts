/** Questions to the tables, the same for SQLite and PostgreSQL. */
import type { LedgerEntry, UsageDimension, UsageQuery, UsageRow } from '../../core/ledger.ts'
import type { Nanos } from '../../core/money.ts'
import type { Database } from '../sql/database.ts'
import { type Sql, sql } from '../sql/sql.ts'
import { entryOf } from './codec.ts'
import { DAY_MS, dayStart, summedDays } from './days.ts'
import type { SpentSelector } from './ledger.ts'
import { groupedDays, groupedSlices, type SumsRow } from './slices.ts'
import { dayOf, HOUR_MS, hourOf, matches, type Sums, SumsTable } from './usage-sums.ts'

/** Entries of one batch of an export. */
const PAGE = 500

type Word = Exclude<UsageDimension, 'day' | 'hour'>

const columnOf: Readonly<Record<Word, string>> = {
  key: 'key_id',
  alias: 'alias',
  user: 'user_id',
  organisation: 'organisation',
  team: 'team',
  project: 'project',
  tag: 'tags',
  tier: 'tier',
  route: 'route',
  requestedModel: 'requested_model',
  model: 'model',
  provider: 'provider',
  region: 'region',
  status: 'status',
}

const isWord = (name: UsageDimension): name is Word => name !== 'day' && name !== 'hour'

export async function usageFrom(database: Database, query: UsageQuery): Promise<UsageRow[]> {
  const { by, where = {} } = query
  const words = [...new Set([...by.filter(isWord), ...(where.tag === undefined ? [] : (['tag'] as const))])]
  const bucket = by.includes('hour') ? HOUR_MS : by.includes('day') ? DAY_MS : undefined
  return await stably(async () => {
    const table = new SumsTable(by)
    const used = await eachGroup(
      database,
      words.map((name) => columnOf[name]),
      query,
      bucket,
      (row) => {
        const tags = typeof row['tags'] === 'string' ? (JSON.parse(row['tags']) as string[]) : undefined
        if (where.tag !== undefined && !tags?.includes(where.tag)) return
        const values: Partial<Record<UsageDimension, string | undefined>> = {}
        for (const name of words) {
          const value = row[columnOf[name]]
          if (value !== null && value !== undefined && name !== 'tag') values[name] = String(value)
        }
        if (bucket !== undefined) {
          const at = row['day'] === undefined ? Number(row['bucket']) * bucket : Number(row['day'])
          values.day = dayOf(at)
          values.hour = hourOf(at)
        }
        table.add(values, tags, sumsOfRow(row))
      },
    )
    return [used, table.rows()]
  })
}

export async function spentFrom(database: Database, { where, requestedModels }: SpentSelector, from: number, to: number): Promise<Nanos> {
  if (requestedModels?.length === 0) return 0n
  const { tag } = where
  const models = requestedModels && sql`requested_model in (${sql.join(requestedModels)})`
  return await stably(async () => {
    let spent = 0n
    const used = await eachGroup(
      database,
      tag === undefined ? [] : ['tags'],
      { from, to, where },
      undefined,
      ({ tags, charge }) => {
        if (tag === undefined || (typeof tags === 'string' && (JSON.parse(tags) as string[]).includes(tag))) spent += BigInt(charge ?? 0)
      },
      models,
    )
    return [used, spent]
  })
}

/** A question is several queries. Where a day's sums were taken back in between it is asked again. */
async function stably<T>(ask: () => Promise<readonly [(() => Promise<boolean>) | undefined, T]>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const [unchanged, answer] = await ask()
    if (!unchanged || attempt === 5 || (await unchanged())) return answer
  }
}

/** From the sums of days where there are some, from the entries of the rest. Returns how to tell whether those sums still hold. */
async function eachGroup(
  database: Database,
  columns: readonly string[],
  query: Omit<UsageQuery, 'by'>,
  bucket: number | undefined,
  take: (row: SumsRow) => void,
  also?: Sql,
): Promise<(() => Promise<boolean>) | undefined> {
  const { where = {} } = query
  const [from, to] = narrowed(query)
  if (to <= from) return undefined
  const condition = sql.join([sql`1 = 1`, ...conditions(where), ...(also ? [also] : [])], sql` and `)
  const whole = bucket === HOUR_MS || to - from < DAY_MS ? [] : await summedDays(database, from, to)
  const days = whole.map(({ day }) => day)
  const runs = whole.map(({ run }) => run)

  let start = from
  const rest: [number, number][] = []
  for (const day of days) {
    if (day > start) rest.push([start, day])
    start = day + DAY_MS
  }
  if (start < to) rest.push([start, to])

  for await (const rows of groupedDays(database, columns, condition, runs, bucket === DAY_MS)) rows.filter(isFilled).forEach(take)
  for (const [first, end] of rest) {
    for await (const rows of groupedSlices(database, columns, condition, first, end, bucket)) rows.filter(isFilled).forEach(take)
  }
  if (days.length === 0) return undefined
  const told = JSON.stringify(whole)
  return async () => JSON.stringify((await summedDays(database, from, to)).filter(({ day }) => days.includes(day))) === told
}

/** Without groups there is a row for nothing too. */
const isFilled = (row: SumsRow): boolean => row['requests'] !== '0'

function sumsOfRow(row: SumsRow): Sums {
  const number = (name: string): number => Number(row[name] ?? 0)
  return {
    requests: number('requests'),
    inputTokens: number('input_tokens'),
    outputTokens: number('output_tokens'),
    cacheReadTokens: number('cache_read_tokens'),
    cacheWriteTokens: number('cache_write_tokens'),
    reasoningTokens: number('reasoning_tokens'),
    cost: BigInt(row['cost'] ?? 0),
    charge: BigInt(row['charge'] ?? 0),
    estimated: number('estimated'),
    unpriced: number('unpriced'),
  }
}

export async function findIn(database: Database, id: string): Promise<LedgerEntry | undefined> {
  const [row] = await database.query(
    sql<{ opening: string | null; settlement: string | null }>`select opening, settlement from ledger_entries where id = ${id}`,
  )
  return row?.opening ? entryOf(row.opening, row.settlement) : undefined
}

export async function* entriesFrom(database: Database, query: Omit<UsageQuery, 'by'>): AsyncGenerator<readonly LedgerEntry[]> {
  const { where = {} } = query
  const [from, to] = narrowed(query)
  let at = from
  let id = ''
  for (;;) {
    const condition = sql.join([sql`at >= ${at} and at < ${to} and (at > ${at} or id > ${id})`, ...conditions(where)], sql` and `)
    const rows = await database.query(
      sql<{ id: string; at: number; opening: string | null; settlement: string | null }>`
        select id, at, opening, settlement from ledger_entries where ${condition} order by at, id limit ${sql.lit(PAGE)}`,
    )
    const page = rows.flatMap(({ opening, settlement }) => (opening === null ? [] : [entryOf(opening, settlement)]))
    // Tags are chosen roughly by the database, exactly here.
    const chosen = where.tag === undefined ? page : page.filter((entry) => matches(entry, query))
    if (chosen.length > 0) yield chosen
    const last = rows.at(-1)
    if (!last || rows.length < PAGE) return
    at = last.at
    id = last.id
    await new Promise(setImmediate)
  }
}

/** The span in whole milliseconds, within what is asked of day and hour. */
function narrowed({ from, to, where = {} }: Omit<UsageQuery, 'by'>): readonly [number, number] {
  let start = Math.ceil(bounded(from))
  let end = Math.ceil(bounded(to))
  for (const [value, length] of [
    [where.day, DAY_MS],
    [where.hour, HOUR_MS],
  ] as const) {
    if (value === undefined) continue
    const at = Date.parse(value)
    if (Number.isNaN(at) || (length === DAY_MS ? dayOf(at) : hourOf(at)) !== value) return [0, 0]
    start = Math.max(start, at)
    end = Math.min(end, at + length)
  }
  return [start, end]
}

export function conditions(where: NonNullable<UsageQuery['where']>): Sql[] {
  const all: Sql[] = []
  for (const [name, value] of Object.entries(where) as [UsageDimension, string | undefined][]) {
    if (value === undefined || !isWord(name)) continue
    if (name === 'tag') all.push(sql`tags like ${`%${likeLiteral(JSON.stringify(value))}%`} escape '!'`)
    else if (name === 'status') all.push(/^\d{1,9}$/.test(value) ? sql`status = ${Number(value)}` : sql`1 = 0`)
    else all.push(sql`${sql.ref(columnOf[name])} = ${value}`)
  }
  return all
}

const likeLiteral = (text: string): string => text.replaceAll(/[!%_]/g, '!$&')
/** Times that both databases can hold and dates can name. */
export const bounded = (at: number): number => Math.max(dayStart(-8.63e15), Math.min(8.64e15, at))
