/** Entries as files: CSV, JSON Lines, and CSV with the columns of FOCUS 1.2. Streamed, so that a year costs no more memory than a day. */
import type { LedgerEntry } from '../../core/ledger.ts'
import { dollarsOf, type Nanos } from '../../core/money.ts'

export const exportFormats = ['csv', 'jsonl', 'focus'] as const
export type ExportFormat = (typeof exportFormats)[number]

export const contentTypeOf = (format: ExportFormat): string => (format === 'jsonl' ? 'application/x-ndjson' : 'text/csv; charset=utf-8')

type Cell = string | number | boolean | undefined
type Column = readonly [name: string, of: (entry: LedgerEntry) => Cell]

/** Text, a batch of lines at a time. */
export async function* exported(batches: AsyncIterable<readonly LedgerEntry[]>, format: ExportFormat): AsyncGenerator<string> {
  if (format === 'jsonl') {
    for await (const batch of batches) yield batch.map((entry) => `${JSON.stringify(plainEntry(entry))}\n`).join('')
    return
  }
  const columns = format === 'csv' ? csvColumns : focusColumns
  yield `${columns.map(([name]) => name).join(',')}\r\n`
  for await (const batch of batches) {
    yield batch.map((entry) => `${columns.map(([, of]) => cellText(of(entry))).join(',')}\r\n`).join('')
  }
}

/** Money as decimal dollars, times as ISO 8601. Flat but for usage, tags and the decision record. */
export function plainEntry({ settlement, ...opening }: LedgerEntry): Record<string, unknown> {
  const { estimate, at, ...rest } = opening
  const { id: _, state = 'running', cost, charge, endedAt, ...ended } = settlement ?? { id: '' }
  return {
    ...rest,
    at: timeOf(at),
    ...(estimate !== undefined && { estimate: dollarsOf(estimate) }),
    state,
    ...ended,
    ...(endedAt !== undefined && { endedAt: timeOf(endedAt) }),
    ...(cost !== undefined && { cost: dollarsOf(cost) }),
    ...(charge !== undefined && { charge: dollarsOf(charge) }),
  }
}

const csvColumns: readonly Column[] = [
  ['id', ({ id }) => id],
  ['at', ({ at }) => timeOf(at)],
  ['ended_at', ({ settlement }) => settlement && timeOf(settlement.endedAt)],
  ['state', ({ settlement }) => settlement?.state ?? 'running'],
  ['key', ({ key }) => key],
  ['alias', ({ alias }) => alias],
  ['user', ({ user }) => user],
  ['organisation', ({ organisation }) => organisation],
  ['team', ({ team }) => team],
  ['project', ({ project }) => project],
  ['tags', ({ tags }) => tags?.join(';')],
  ['tier', ({ tier }) => tier],
  ['dialect', ({ dialect }) => dialect],
  ['requested_model', ({ requestedModel }) => requestedModel],
  ['route', ({ route }) => route],
  ['provider', (entry) => providerOf(entry)],
  ['model', (entry) => modelOf(entry)],
  ['region', ({ settlement }) => settlement?.region],
  ['status', ({ settlement }) => settlement?.status],
  ['error', ({ settlement }) => settlement?.error],
  ['streamed', ({ streamed }) => streamed],
  ['attempts', ({ settlement }) => settlement?.attempts],
  ['cache', ({ settlement }) => settlement?.cache],
  ['first_ms', ({ settlement }) => settlement?.firstMs],
  ['total_ms', ({ settlement }) => settlement?.totalMs],
  ['input_tokens', ({ settlement }) => settlement?.usage?.input],
  ['output_tokens', ({ settlement }) => settlement?.usage?.output],
  ['cache_read_tokens', ({ settlement }) => settlement?.usage?.cacheRead],
  ['cache_write_tokens', ({ settlement }) => settlement?.usage?.cacheWrite],
  ['reasoning_tokens', ({ settlement }) => settlement?.usage?.reasoning],
  ['cost_usd', ({ settlement }) => moneyOf(settlement?.cost)],
  ['charge_usd', ({ settlement }) => moneyOf(settlement?.charge)],
  ['estimated', ({ settlement }) => settlement?.estimated],
]

/** What FOCUS has no word for has a name that begins with `x_`. Of unknown cost is empty, not zero. */
const focusColumns: readonly Column[] = [
  ['BilledCost', ({ settlement }) => moneyOf(settlement?.charge)],
  ['BillingAccountId', ({ organisation }) => organisation ?? 'default'],
  ['BillingCurrency', () => 'USD'],
  ['BillingPeriodStart', ({ at }) => monthOf(at, 0)],
  ['BillingPeriodEnd', ({ at }) => monthOf(at, 1)],
  ['ChargeCategory', () => 'Usage'],
  ['ChargeClass', () => undefined],
  ['ChargeDescription', (entry) => `${entry.streamed ? 'Streamed call' : 'Call'} of ${modelOf(entry) ?? entry.requestedModel}`],
  ['ChargeFrequency', () => 'Usage-Based'],
  ['ChargePeriodStart', ({ at }) => timeOf(at)],
  ['ChargePeriodEnd', ({ at, settlement }) => timeOf(Math.max(at, settlement?.endedAt ?? at))],
  ['ConsumedQuantity', (entry) => tokensOf(entry)],
  ['ConsumedUnit', () => 'Tokens'],
  ['ContractedCost', ({ settlement }) => moneyOf(settlement?.cost)],
  ['EffectiveCost', ({ settlement }) => moneyOf(settlement?.charge)],
  ['InvoiceIssuerName', (entry) => providerOf(entry)],
  ['ListCost', ({ settlement }) => moneyOf(settlement?.cost)],
  ['PricingCategory', () => 'Standard'],
  ['PricingQuantity', (entry) => tokensOf(entry)],
  ['PricingUnit', () => 'Tokens'],
  ['ProviderName', (entry) => providerOf(entry)],
  ['PublisherName', (entry) => providerOf(entry)],
  ['RegionId', ({ settlement }) => settlement?.region],
  ['ResourceId', (entry) => modelOf(entry) ?? entry.requestedModel],
  ['ResourceName', ({ requestedModel }) => requestedModel],
  ['ResourceType', () => 'Model'],
  ['ServiceCategory', () => 'AI and Machine Learning'],
  ['ServiceName', (entry) => providerOf(entry)],
  ['SkuId', (entry) => modelOf(entry)],
  ['SubAccountId', ({ project, team, key }) => project ?? team ?? key],
  ['SubAccountName', ({ project, team, alias }) => project ?? team ?? alias],
  ['Tags', (entry) => JSON.stringify(focusTags(entry))],
  ['x_RequestId', ({ id }) => id],
  ['x_KeyId', ({ key }) => key],
  ['x_User', ({ user }) => user],
  ['x_Route', ({ route }) => route],
  ['x_Status', ({ settlement }) => settlement?.status],
  ['x_InputTokens', ({ settlement }) => settlement?.usage?.input],
  ['x_OutputTokens', ({ settlement }) => settlement?.usage?.output],
  ['x_CostBasis', (entry) => basisOf(entry)],
]

const providerOf = ({ settlement, provider }: LedgerEntry): string | undefined => settlement?.provider ?? provider
const modelOf = ({ settlement, model }: LedgerEntry): string | undefined => settlement?.model ?? model
const moneyOf = (nanos: Nanos | undefined): string | undefined => (nanos === undefined ? undefined : dollarsOf(nanos))
const timeOf = (at: number): string => new Date(at).toISOString()

function basisOf({ settlement }: LedgerEntry): string {
  if (!settlement) return 'running'
  if (settlement.cost === undefined) return 'unknown'
  return settlement.estimated ? 'estimated' : 'exact'
}

function monthOf(at: number, later: number): string {
  const date = new Date(at)
  return timeOf(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + later, 1))
}

function tokensOf({ settlement }: LedgerEntry): number | undefined {
  const { input, output } = settlement?.usage ?? {}
  return input === undefined && output === undefined ? undefined : (input ?? 0) + (output ?? 0)
}

function focusTags({ tags = [], team, project, user, tier }: LedgerEntry): Record<string, string> {
  const named = Object.entries({ team, project, user, tier }).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return { ...Object.fromEntries(named), ...Object.fromEntries(tags.map((tag) => [`tag:${tag}`, 'true'])) }
}

/** Words of callers: a spreadsheet takes what begins so for a formula. */
const formula = /^[=+\-@\t\r]/

function cellText(cell: Cell): string {
  if (cell === undefined) return ''
  if (typeof cell !== 'string') return String(cell)
  const safe = formula.test(cell) && !/^-?\d+(\.\d+)?$/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
