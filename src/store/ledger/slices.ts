/** Sums of entries, asked for in pieces. */
import type { Database, DatabaseKind } from '../sql/database.ts'
import { type Sql, sql } from '../sql/sql.ts'

export type SumsRow = Readonly<Record<string, string | number | null>>

/** Entries of one question: in SQLite a few milliseconds, between two of which the loop serves calls; in PostgreSQL far less than its deadline. */
const sliceOf = (kind: DatabaseKind): number => (kind === 'sqlite' ? 1_000 : 100_000)

/** What is summed, under the names of the columns of `ledger_sums`; as text, since sums may pass 2^53. */
const sumsOfEntries: Readonly<Record<string, Sql>> = {
  requests: sql`count(*)`,
  input_tokens: sql`sum(input_tokens)`,
  output_tokens: sql`sum(output_tokens)`,
  cache_read_tokens: sql`sum(cache_read_tokens)`,
  cache_write_tokens: sql`sum(cache_write_tokens)`,
  reasoning_tokens: sql`sum(reasoning_tokens)`,
  cost: sql`sum(cost)`,
  charge: sql`sum(charge)`,
  estimated: sql`sum(estimated)`,
  unpriced: sql`count(case when state <> 0 and cost is null then 1 end)`,
}

export const sumColumns: readonly string[] = Object.keys(sumsOfEntries)

const asText = (of: (name: string) => Sql): Sql[] =>
  sumColumns.map((name) => sql`cast(coalesce(${of(name)}, 0) as text) as ${sql.ref(name)}`)

const fromEntries = asText((name) => sumsOfEntries[name]!)
const fromSums = asText((name) => sql`sum(${sql.ref(name)})`)

/** Entries of the span, grouped by columns and, with `bucket`, by so many milliseconds. A group may come several times. */
export async function* groupedSlices(
  database: Database,
  columns: readonly string[],
  condition: Sql,
  from: number,
  to: number,
  bucket?: number,
): AsyncGenerator<readonly SumsRow[]> {
  const groups = columns.map((name) => sql.ref(name))
  const selected = [...groups]
  if (bucket !== undefined) {
    groups.push(sql`at / ${sql.lit(bucket)}`)
    selected.push(sql`at / ${sql.lit(bucket)} as bucket`)
  }
  for await (const [start, end] of slices(database, from, to)) {
    yield await rowsOfGroups(
      database,
      [...selected, ...fromEntries],
      groups,
      sql`ledger_entries where at >= ${start} and at < ${end} and ${condition}`,
    )
  }
}

/** The same from the sums of days. */
export async function* groupedDays(
  database: Database,
  columns: readonly string[],
  condition: Sql,
  runs: readonly (number | null)[],
  withDay: boolean,
): AsyncGenerator<readonly SumsRow[]> {
  const groups = [...columns, ...(withDay ? ['day'] : [])].map((name) => sql.ref(name))
  const most = database.kind === 'sqlite' ? 1 : 1_000
  for (let start = 0; start < runs.length; start += most) {
    const some = runs.slice(start, start + most)
    yield await rowsOfGroups(database, [...groups, ...fromSums], groups, sql`ledger_sums where run in (${sql.join(some)}) and ${condition}`)
    if (database.kind === 'sqlite') await new Promise(setImmediate)
  }
}

async function rowsOfGroups(
  database: Database,
  selected: readonly Sql[],
  groups: readonly Sql[],
  source: Sql,
): Promise<readonly SumsRow[]> {
  const grouping = groups.length > 0 ? sql` group by ${sql.join(groups)}` : sql``
  return database.query(sql<SumsRow>`select ${sql.join(selected)} from ${source}${grouping}`)
}

async function* slices(database: Database, from: number, to: number): AsyncGenerator<readonly [number, number]> {
  const size = sql.lit(sliceOf(database.kind))
  for (let start = from; start < to; ) {
    const [next] = await database.query(
      sql<{ at: number }>`select at from ledger_entries where at >= ${start} and at < ${to} order by at limit 1 offset ${size}`,
    )
    const end = next ? Math.max(next.at, start + 1) : to
    yield [start, end]
    start = end
    await new Promise(setImmediate)
  }
}
