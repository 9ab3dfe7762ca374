/** Statements in CSV, as downloaded from a provider's console; which column is which is said by the operator. */
import { GatewayError } from '../../core/error.ts'
import type { Nanos } from '../../core/money.ts'
import { amountOf, decimalsOf } from './amount.ts'
import { type CsvRow, parseCsv } from './csv-text.ts'
import { dayOf, type Period, type StatementRow, type StatementSource } from './statement.ts'

export interface CsvColumns {
  /** A date, a time, or seconds since 1970. */
  readonly day: string
  readonly model?: string | undefined
  readonly requests?: string | undefined
  readonly inputTokens?: string | undefined
  readonly outputTokens?: string | undefined
  readonly cacheReadTokens?: string | undefined
  readonly cacheWriteTokens?: string | undefined
  readonly cost?: string | undefined
}

export interface CsvStatement {
  readonly name: string
  readonly providers: readonly string[]
  readonly columns: CsvColumns
  /** Default `usd`. */
  readonly unit?: 'usd' | 'cents' | undefined
  /** Input tokens leave out what was read from and written to a cache. */
  readonly cacheApart?: boolean | undefined
  /** The statement's text, read anew each time. */
  text(): Promise<string>
}

const COUNTS = ['requests', 'inputTokens', 'outputTokens', 'cacheReadTokens', 'cacheWriteTokens'] as const

export function csvStatement(options: CsvStatement): StatementSource {
  const { name, providers, columns } = options
  return {
    name,
    providers,
    async read(period) {
      const { columns: found, rows } = parseCsv(await options.text())
      const missing = Object.values(columns).filter((column) => column !== undefined && !found.includes(column))
      if (missing.length > 0)
        throw new GatewayError('invalid-request', `${name}: the statement has no column ${quoted(missing)}. It has ${quoted(found)}.`)
      const read = rows.map((row, index) => ({ line: index + 2, row, day: dayOfText(row[columns.day] ?? '') }))
      const unreadable = read.find(({ day }) => day === undefined)
      if (unreadable) throw new GatewayError('invalid-request', `${name}: line ${unreadable.line} has no date in \`${columns.day}\`.`)
      const inside = read.filter(({ day }) => day !== undefined && day >= dayOf(period.from) && day < dayOf(period.to))
      return {
        rows: rounded(
          inside.map(({ row, day = '', line }) => rowOf(row, day, line, options)),
          inside.map(({ row }) => row),
          options,
        ),
      }
    },
  }
}

const quoted = (names: readonly (string | undefined)[]): string => names.map((name) => `\`${name}\``).join(', ')

function rowOf(row: CsvRow, day: string, line: number, { name, columns, unit, cacheApart }: CsvStatement): StatementRow {
  const amounts: Partial<Record<(typeof COUNTS)[number], number>> = {}
  for (const kind of COUNTS) {
    const column = columns[kind]
    if (column === undefined) continue
    const text = (row[column] ?? '').replaceAll(/[,_\s](?=\d{3})/g, '')
    const count = text === '' ? 0 : Number(text)
    if (!Number.isFinite(count)) throw new GatewayError('invalid-request', `${name}: line ${line} has no number in \`${column}\`.`)
    amounts[kind] = count
  }
  if (cacheApart && amounts.inputTokens !== undefined)
    amounts.inputTokens += (amounts.cacheReadTokens ?? 0) + (amounts.cacheWriteTokens ?? 0)
  const cost = columns.cost === undefined ? undefined : costOf(row[columns.cost] ?? '', unit)
  if (columns.cost !== undefined && cost === undefined)
    throw new GatewayError('invalid-request', `${name}: line ${line} has no amount in \`${columns.cost}\`.`)
  const model = columns.model === undefined ? undefined : row[columns.model]
  return { ...(model ? { model } : { item: 'lines without a model' }), day, ...amounts, ...(cost !== undefined && { cost }) }
}

const costOf = (text: string, unit: CsvStatement['unit']): Nanos | undefined =>
  text === '' ? 0n : amountOf(plain(text), unit === 'cents' ? 100 : 1)

/** Without the commas of thousands. */
const plain = (text: string): string => text.replaceAll(/,(?=\d{3})/g, '')

/** Where amounts are written to the cent, a day's sum is off by what its lines were rounded by. */
export function rounded(
  statement: readonly StatementRow[],
  rows: readonly CsvRow[],
  { columns, unit }: Pick<CsvStatement, 'columns' | 'unit'>,
): readonly StatementRow[] {
  const { cost: column } = columns
  if (column === undefined) return statement
  const decimals = rows.reduce((most, row) => Math.max(most, decimalsOf(plain(row[column] ?? '')) ?? 12), 0) + (unit === 'cents' ? 2 : 0)
  if (decimals >= 9 || rows.length === 0) return statement
  const half = 10n ** BigInt(9 - decimals) / 2n
  return statement.map((row) => ({ ...row, rounding: half }))
}

/** UTC where the text names no zone. */
export function dayOfText(text: string): string | undefined {
  const trimmed = text.trim()
  if (/^\d{10}(\.\d+)?$/.test(trimmed)) return dayOf(Number(trimmed) * 1000)
  if (/^\d{13}$/.test(trimmed)) return dayOf(Number(trimmed))
  if (/^\d{4}-\d{2}-\d{2}$/.test(trimmed)) return Number.isNaN(Date.parse(trimmed)) ? undefined : trimmed
  const compact = /^(\d{4})(\d{2})(\d{2})$/.exec(trimmed)
  if (compact) return dayOfText(`${compact[1]}-${compact[2]}-${compact[3]}`)
  const time = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?) ?(Z|UTC|[+-]\d{2}:?\d{2})?$/.exec(trimmed)
  if (!time) return undefined
  const [, date, clock, zone = 'Z'] = time
  const at = Date.parse(`${date}T${clock}${zone === 'UTC' ? 'Z' : zone}`)
  return Number.isNaN(at) ? undefined : dayOf(at)
}

export const inPeriod = (day: string, { from, to }: Period): boolean => day >= dayOf(from) && day < dayOf(to)
