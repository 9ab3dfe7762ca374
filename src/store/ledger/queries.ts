/** Questions to the table, the same for SQLite and PostgreSQL. */
import { type RawBuilder, sql } from 'kysely'
import type { LedgerEntry, UsageDimension, UsageQuery, UsageRow } from '../../core/ledger.ts'
import type { Nanos } from '../../core/money.ts'
import type { Database } from '../sql/database.ts'
import { entryOf } from './codec.ts'
import type { SpentSelector } from './ledger.ts'
import { dayOf, HOUR_MS, hourOf, matches, type Sums, SumsTable } from './usage-sums.ts'

/** Entries of one batch of an export. */
const PAGE = 500
/** SQLite answers on this thread: a long span is asked for in pieces, with calls served in between. */
const SLICE_MS = 24 * HOUR_MS

const columnOf: Readonly<Record<Exclude<UsageDimension, 'day' | 'hour'>, string>> = {
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

type Where = UsageQuery['where']
type SumsRow = Readonly<Record<string, string | number | null>>

export async function usageFrom(database: Database, query: UsageQuery): Promise<UsageRow[]> {
  const table = new SumsTable(query.by)
  const tag = query.where?.tag
  const grouped = [...new Set([...query.by, ...(tag === undefined ? [] : (['tag'] as const))])]
  const times = [...grouped.filter((name) => name === 'day' || name === 'hour')]
  const names = grouped.filter((name) => name !== 'day' && name !== 'hour')
  const groups: RawBuilder<unknown>[] = names.map((name) => sql.ref(columnOf[name]))
  const bucket = times.includes('hour') ? HOUR_MS : 24 * HOUR_MS
  if (times.length > 0) groups.push(sql`at / ${sql.lit(bucket)}`)
  const selected = [
    ...names.map((name) => sql`${sql.ref(columnOf[name])} as ${sql.ref(name)}`),
    ...(times.length > 0 ? [sql`at / ${sql.lit(bucket)} as bucket`] : []),
  ]
  const list = [...selected, ...sums]

  for await (const [from, to] of slices(database, query.from, query.to)) {
    const { rows } = await sql<SumsRow>`
      select ${sql.join(list)} from ledger_entries where ${conditions(from, to, query.where)}
      ${groups.length > 0 ? sql`group by ${sql.join(groups)}` : sql``}`.execute(database.kysely)
    for (const row of rows) {
      if (row['requests'] === 0) continue
      const tags = typeof row['tag'] === 'string' ? (JSON.parse(row['tag']) as string[]) : undefined
      if (tag !== undefined && !tags?.includes(tag)) continue
      const values: Partial<Record<UsageDimension, string | undefined>> = {}
      for (const name of names) if (row[name] !== null && name !== 'tag') values[name] = String(row[name])
      if (times.length > 0) {
        const at = Number(row['bucket']) * bucket
        values.day = dayOf(at)
        values.hour = hourOf(at)
      }
      table.add(values, tags, sumsOfRow(row))
    }
  }
  return table.rows()
}

const sums: readonly RawBuilder<unknown>[] = [
  sql`count(*) as requests`,
  sql`cast(coalesce(sum(input_tokens), 0) as text) as input`,
  sql`cast(coalesce(sum(output_tokens), 0) as text) as output`,
  sql`cast(coalesce(sum(cache_read_tokens), 0) as text) as cache_read`,
  sql`cast(coalesce(sum(cache_write_tokens), 0) as text) as cache_write`,
  sql`cast(coalesce(sum(reasoning_tokens), 0) as text) as reasoning`,
  sql`cast(coalesce(sum(cost), 0) as text) as cost`,
  sql`cast(coalesce(sum(charge), 0) as text) as charge`,
  sql`cast(coalesce(sum(estimated), 0) as text) as estimated`,
  sql`count(case when state <> 0 and cost is null then 1 end) as unpriced`,
]

function sumsOfRow(row: SumsRow): Sums {
  const number = (name: string): number => Number(row[name] ?? 0)
  return {
    requests: number('requests'),
    inputTokens: number('input'),
    outputTokens: number('output'),
    cacheReadTokens: number('cache_read'),
    cacheWriteTokens: number('cache_write'),
    reasoningTokens: number('reasoning'),
    cost: BigInt(row['cost'] ?? 0),
    charge: BigInt(row['charge'] ?? 0),
    estimated: number('estimated'),
    unpriced: number('unpriced'),
  }
}

export async function spentFrom(database: Database, { where, requestedModels }: SpentSelector, from: number, to: number): Promise<Nanos> {
  if (requestedModels?.length === 0) return 0n
  let spent = 0n
  for await (const [start, end] of slices(database, from, to)) {
    const models = requestedModels ? sql` and requested_model in (${sql.join(requestedModels)})` : sql``
    const { rows } = await sql<{ tags: string | null; charge: string }>`
      select ${where.tag === undefined ? sql`null` : sql`tags`} as tags, cast(coalesce(sum(charge), 0) as text) as charge
      from ledger_entries where ${conditions(start, end, where)} and state <> 0${models}
      ${where.tag === undefined ? sql`` : sql`group by tags`}`.execute(database.kysely)
    for (const { tags, charge } of rows) {
      if (where.tag === undefined || (tags !== null && (JSON.parse(tags) as string[]).includes(where.tag))) spent += BigInt(charge)
    }
  }
  return spent
}

export async function findIn(database: Database, id: string): Promise<LedgerEntry | undefined> {
  const row = await database.kysely.selectFrom('ledger_entries').select(['opening', 'settlement']).where('id', '=', id).executeTakeFirst()
  return row?.opening ? entryOf(row.opening, row.settlement) : undefined
}

export async function* entriesFrom(database: Database, query: Omit<UsageQuery, 'by'>): AsyncGenerator<readonly LedgerEntry[]> {
  let at = query.from
  let id = ''
  for (;;) {
    const { rows } = await sql<{ id: string; at: number; opening: string | null; settlement: string | null }>`
      select id, at, opening, settlement from ledger_entries
      where ${conditions(at, query.to, query.where)} and (at > ${at} or id > ${id})
      order by at, id limit ${sql.lit(PAGE)}`.execute(database.kysely)
    const page = rows.flatMap(({ opening, settlement }) => (opening === null ? [] : [entryOf(opening, settlement)]))
    // Tags are chosen roughly by the database, exactly here.
    const chosen = query.where?.tag === undefined ? page : page.filter((entry) => matches(entry, query))
    if (chosen.length > 0) yield chosen
    const last = rows.at(-1)
    if (!last || rows.length < PAGE) return
    at = last.at
    id = last.id
    await new Promise(setImmediate)
  }
}

/** The first entry's time, so that a span from the beginning of time has no empty slices. */
async function* slices(database: Database, since: number, until: number): AsyncGenerator<readonly [number, number]> {
  const from = Math.ceil(bounded(since))
  const to = Math.ceil(bounded(until))
  if (database.kind !== 'sqlite') {
    yield [from, to]
    return
  }
  const { rows } = await sql<{ first: number | null; last: number | null }>`
    select (select at from ledger_entries where at >= ${from} order by at limit 1) as first,
      (select at from ledger_entries where at < ${to} order by at desc limit 1) as last`.execute(database.kysely)
  const { first, last } = rows[0] ?? { first: null, last: null }
  if (first === null || last === null) return
  for (let start = Math.floor(first / SLICE_MS) * SLICE_MS; start <= last; start += SLICE_MS) {
    yield [Math.max(start, from), Math.min(start + SLICE_MS, to)]
    await new Promise(setImmediate)
  }
}

function conditions(from: number, to: number, where: Where = {}): RawBuilder<unknown> {
  const all: RawBuilder<unknown>[] = [sql`at >= ${Math.ceil(bounded(from))} and at < ${Math.ceil(bounded(to))}`]
  for (const [name, value] of Object.entries(where) as [UsageDimension, string | undefined][]) {
    if (value === undefined) continue
    if (name === 'tag') all.push(sql`tags like ${`%${likeLiteral(JSON.stringify(value))}%`} escape '!'`)
    else if (name === 'status') all.push(/^\d{1,9}$/.test(value) ? sql`status = ${Number(value)}` : sql`1 = 0`)
    else if (name === 'day' || name === 'hour') all.push(inTime(name, value))
    else all.push(sql`${sql.ref(columnOf[name])} = ${value}`)
  }
  return sql.join(all, sql` and `)
}

function inTime(name: 'day' | 'hour', value: string): RawBuilder<unknown> {
  const start = Date.parse(value)
  const exact = !Number.isNaN(start) && (name === 'day' ? dayOf(start) : hourOf(start)) === value
  return exact ? sql`at >= ${start} and at < ${start + (name === 'day' ? 24 : 1) * HOUR_MS}` : sql`1 = 0`
}

const likeLiteral = (text: string): string => text.replaceAll(/[!%_]/g, '!$&')
/** Times that both databases can hold. */
const bounded = (at: number): number => Math.max(-8.64e15, Math.min(8.64e15, at))
