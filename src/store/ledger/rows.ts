/** Entries as rows of the table, and the statement that puts a row there in whatever order rows come, however often. */
import type { Opening, Settlement } from '../../core/ledger.ts'
import type { Nanos } from '../../core/money.ts'
import type { DatabaseKind } from '../sql/database.ts'

/** What is known of one entry: its opening, its settlement, or both, with their texts. */
export interface Known {
  readonly id: string
  readonly opening?: Opening | undefined
  readonly openingText?: string | undefined
  readonly settlement?: Settlement | undefined
  readonly settlementText?: string | undefined
}

export type RowKind = 'opened' | 'settled' | 'whole'
export const rowKindOf = ({ opening, settlement }: Known): RowKind => (opening ? (settlement ? 'whole' : 'opened') : 'settled')

export type Value = string | number | bigint | null

/** As the column `state` has them. */
export const states = { running: 0, lost: 1, settled: 2 } as const

const ofOpening = [
  'instance',
  'at',
  'key_id',
  'alias',
  'user_id',
  'organisation',
  'team',
  'project',
  'tags',
  'tier',
  'route',
  'requested_model',
  'opening',
]
const ofSettlement = [
  ...['state', 'region', 'status', 'input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens', 'reasoning_tokens'],
  ...['cost', 'charge', 'estimated', 'settlement'],
]
/** The settlement's where there is one, else the opening's. */
const ofEither = ['model', 'provider']
export const columns: readonly string[] = ['id', ...ofOpening, ...ofSettlement, ...ofEither]

const integers = new Set(
  'at state status input_tokens output_tokens cache_read_tokens cache_write_tokens reasoning_tokens cost charge estimated'.split(' '),
)

/** In the order of `columns`. */
export function rowOf({ id, opening, openingText, settlement, settlementText }: Known, instance: string): Value[] {
  const usage = settlement?.usage
  return [
    id,
    instance,
    wholeOf(opening ? opening.at : settlement ? settlement.endedAt - settlement.totalMs : 0) ?? 0,
    wordOf(opening?.key),
    wordOf(opening?.alias),
    wordOf(opening?.user),
    wordOf(opening?.organisation),
    wordOf(opening?.team),
    wordOf(opening?.project),
    tagsTextOf(opening?.tags),
    wordOf(opening?.tier),
    wordOf(opening?.route),
    wordOf(opening?.requestedModel),
    openingText ?? null,
    states[settlement?.state ?? 'running'],
    wordOf(settlement?.region),
    wholeOf(settlement?.status),
    wholeOf(usage?.input),
    wholeOf(usage?.output),
    wholeOf(usage?.cacheRead),
    wholeOf(usage?.cacheWrite),
    wholeOf(usage?.reasoning),
    nanosOf(settlement?.cost),
    nanosOf(settlement?.charge),
    settlement?.estimated ? 1 : 0,
    settlementText ?? null,
    wordOf(settlement?.model ?? opening?.model),
    wordOf(settlement?.provider ?? opening?.provider),
  ]
}

/** One row from `?`s for SQLite; as many as the JSON array in `$1` has for PostgreSQL. */
export function upsertOf(kind: RowKind, database: DatabaseKind): string {
  const source =
    database === 'sqlite'
      ? `values (${columns.map(() => '?').join(', ')})`
      : `select ${columns.join(', ')} from json_to_recordset($1::json) as r(${columns.map((name) => `${name} ${integers.has(name) ? 'bigint' : 'text'}`).join(', ')})`
  return `insert into ledger_entries as e (${columns.join(', ')}) ${source} on conflict (id) do update set ${changes[kind].join(', ')}`
}

/** What only grows: a settlement over none, one that was settled over one that was lost, never back. */
const newer = (name: string): string => `${name} = case when excluded.state > e.state then excluded.${name} else e.${name} end`

const opens = ofOpening.map((name) => `${name} = excluded.${name}`)
const settles = ofSettlement.map(newer)
const changes: Readonly<Record<RowKind, readonly string[]>> = {
  opened: [...opens, ...ofEither.map((name) => `${name} = coalesce(e.${name}, excluded.${name})`)],
  settled: [
    ...settles,
    ...ofEither.map((name) => `${name} = case when excluded.state > e.state then coalesce(excluded.${name}, e.${name}) else e.${name} end`),
  ],
  whole: [...opens, ...settles, ...ofEither.map(newer)],
}

const MOST_CHARACTERS = 300
// PostgreSQL's texts hold no NUL, and no database holds half a character.
const unfit = /[\0\ud800-\udfff]/

/** A word to group by. The JSON texts keep it as it was. */
function wordOf(text: string | undefined): string | null {
  if (text === undefined) return null
  if (text.length <= MOST_CHARACTERS && !unfit.test(text)) return text
  return text.slice(0, MOST_CHARACTERS).replaceAll('\0', '\ufffd').toWellFormed()
}

/** The same set of tags is the same text. */
export function tagsTextOf(tags: readonly string[] | undefined): string | null {
  if (!tags || tags.length === 0) return null
  if (tags.length === 1) return JSON.stringify([wordOf(tags[0])])
  return JSON.stringify([...new Set(tags.map((tag) => wordOf(tag) ?? ''))].sort())
}

function wholeOf(value: number | undefined): number | null {
  if (value === undefined || !Number.isFinite(value)) return null
  const whole = Math.round(value)
  return Number.isSafeInteger(whole) ? whole : null
}

const MOST_NANOS = 2n ** 63n - 1n

function nanosOf(value: Nanos | undefined): bigint | null {
  if (value === undefined) return null
  return value > MOST_NANOS ? MOST_NANOS : value < -MOST_NANOS ? -MOST_NANOS : value
}
