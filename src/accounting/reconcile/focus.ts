/** Statements in FOCUS (FinOps Open Cost and Usage Specification), as clouds and billing tools export them. */
import { GatewayError } from '../../core/error.ts'
import { amountOf } from './amount.ts'
import { dayOfText, inPeriod, rounded } from './csv.ts'
import { type CsvRow, parseCsv } from './csv-text.ts'
import type { StatementRow, StatementSource } from './statement.ts'

export interface FocusStatement {
  readonly name: string
  readonly providers: readonly string[]
  /** Where the model's name stands. Default: the first of `x_Model`, `ResourceName`, `ResourceId`, `SkuId` that is there. */
  readonly model?: string | undefined
  /** Default `BilledCost`. */
  readonly cost?: string | undefined
  /** Only lines with this value in the column of this name: `{ ServiceName: 'Amazon Bedrock' }`. */
  readonly where?: Readonly<Record<string, string>> | undefined
  text(): Promise<string>
}

const MODEL_COLUMNS = ['x_Model', 'ResourceName', 'ResourceId', 'SkuId']
/** What tells input from output, where quantities are tokens. */
const METER_COLUMNS = ['x_TokenType', 'SkuMeter', 'ChargeDescription', 'SkuPriceId', 'SkuId']

export function focusStatement(options: FocusStatement): StatementSource {
  const { name, providers, cost: costColumn = 'BilledCost', where = {} } = options
  return {
    name,
    providers,
    async read(period) {
      const { columns, rows } = parseCsv(await options.text())
      const modelColumn = options.model ?? MODEL_COLUMNS.find((column) => columns.includes(column))
      const missing = ['ChargePeriodStart', costColumn, modelColumn ?? 'x_Model', ...Object.keys(where)].filter(
        (column) => !columns.includes(column),
      )
      if (missing.length > 0)
        throw new GatewayError(
          'invalid-request',
          `${name}: the statement has no column ${missing.map((column) => `\`${column}\``).join(', ')}; FOCUS has it.`,
        )
      const chosen = rows.filter((row) => Object.entries(where).every(([column, value]) => row[column] === value) && isUsage(row))
      const read = chosen.map((row) => rowOf(row, name, costColumn, modelColumn ?? ''))
      const kept = read.map((row, index) => [row, chosen[index] as CsvRow] as const).filter(([{ day }]) => inPeriod(day, period))
      return {
        rows: rounded(
          kept.map(([row]) => row),
          kept.map(([, row]) => row),
          { columns: { day: 'ChargePeriodStart', cost: costColumn }, unit: 'usd' },
        ),
      }
    },
  }
}

/** Credits, taxes and purchases of commitments are no calls. */
const isUsage = ({ ChargeCategory: category = 'Usage' }: CsvRow): boolean => category === '' || category.toLowerCase() === 'usage'

function rowOf(row: CsvRow, name: string, costColumn: string, modelColumn: string): StatementRow {
  const start = row['ChargePeriodStart'] ?? ''
  const day = dayOfText(start)
  if (day === undefined) throw new GatewayError('invalid-request', `${name}: \`${start}\` in \`ChargePeriodStart\` is no time.`)
  const currency = row['BillingCurrency'] ?? ''
  if (currency !== '' && currency.toUpperCase() !== 'USD')
    throw new GatewayError('invalid-request', `${name}: the statement is in ${currency}; the ledger is in USD. Export it in USD.`)
  const cost = amountOf(row[costColumn] || '0')
  if (cost === undefined) throw new GatewayError('invalid-request', `${name}: \`${row[costColumn]}\` in \`${costColumn}\` is no amount.`)
  const model = row[modelColumn]
  return { ...(model ? { model } : { item: row['ChargeDescription'] || 'lines without a model' }), day, cost, ...tokensOf(row) }
}

function tokensOf(row: CsvRow): Pick<StatementRow, 'inputTokens' | 'outputTokens' | 'cacheReadTokens' | 'cacheWriteTokens'> {
  const per = tokensPer(row['ConsumedUnit'] ?? '')
  const quantity = Number(row['ConsumedQuantity'] || Number.NaN)
  if (per === undefined || !Number.isFinite(quantity)) return {}
  const tokens = Math.round(quantity * per)
  const meter = METER_COLUMNS.map((column) => row[column] ?? '').join(' ')
  if (/output|completion|response/i.test(meter)) return { outputTokens: tokens }
  if (/cache[\s_-]*(write|creation)/i.test(meter)) return { inputTokens: tokens, cacheWriteTokens: tokens }
  if (/cache/i.test(meter)) return { inputTokens: tokens, cacheReadTokens: tokens }
  return /input|prompt/i.test(meter) ? { inputTokens: tokens } : {}
}

/** `Tokens`, `1K tokens`, `1M Tokens`. */
function tokensPer(unit: string): number | undefined {
  const [, count = '1', scale = ''] = /^(\d+)? ?([km])? ?tokens?$/i.exec(unit.trim()) ?? []
  if (!/tokens?$/i.test(unit.trim())) return undefined
  return Number(count) * (scale.toLowerCase() === 'k' ? 1_000 : scale.toLowerCase() === 'm' ? 1_000_000 : 1)
}
