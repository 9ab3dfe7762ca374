/** Usage as tables for other programs: CSV, JSON Lines, and the columns of FOCUS (the FinOps Open Cost and Usage Specification). */

import type { UsageDimension, UsageRow } from '../core/ledger.ts'
import { dollarsOf } from '../core/money.ts'

export type Cell = string | number | undefined

/** What is told of one row; members by dimension first. */
export function plainRow(by: readonly UsageDimension[], row: UsageRow, ownView: boolean): Record<string, Cell> {
  const plain: Record<string, Cell> = {}
  for (const dimension of by) plain[dimension] = row.by[dimension] ?? ''
  return {
    ...plain,
    requests: row.requests,
    inputTokens: row.inputTokens,
    outputTokens: row.outputTokens,
    cacheReadTokens: row.cacheReadTokens,
    cacheWriteTokens: row.cacheWriteTokens,
    reasoningTokens: row.reasoningTokens,
    // What the providers charge is between them and whoever runs the gateway.
    cost: dollarsOf(ownView ? row.charge : row.cost),
    charge: dollarsOf(row.charge),
    estimated: row.estimated,
    unpriced: row.unpriced,
  }
}

export function csvOf(columns: readonly string[], rows: Iterable<Readonly<Record<string, Cell>>>): string {
  let text = `${columns.map(csvCell).join(',')}\r\n`
  for (const row of rows) text += csvLine(columns, row)
  return text
}

export const csvLine = (columns: readonly string[], row: Readonly<Record<string, Cell>>): string =>
  `${columns.map((column) => csvCell(row[column])).join(',')}\r\n`

/** A text that a spreadsheet would take for a formula is made one no longer. */
export function csvCell(value: Cell): string {
  if (value === undefined) return ''
  if (typeof value === 'number') return String(value)
  const harmless = /^[=+\-@\t\r]/.test(value) && !/^-?\d+(\.\d+)?$/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}

/** What FOCUS rows are told apart by. */
export const focusDimensions = [
  'day',
  'organisation',
  'team',
  'project',
  'key',
  'provider',
  'model',
  'region',
] as const satisfies readonly UsageDimension[]

export const focusColumns = [
  'BilledCost',
  'BillingAccountId',
  'BillingAccountName',
  'BillingCurrency',
  'BillingPeriodEnd',
  'BillingPeriodStart',
  'ChargeCategory',
  'ChargeClass',
  'ChargeDescription',
  'ChargeFrequency',
  'ChargePeriodEnd',
  'ChargePeriodStart',
  'ConsumedQuantity',
  'ConsumedUnit',
  'ContractedCost',
  'EffectiveCost',
  'InvoiceIssuerName',
  'ListCost',
  'PricingQuantity',
  'PricingUnit',
  'ProviderName',
  'PublisherName',
  'RegionId',
  'ResourceId',
  'ResourceType',
  'ServiceCategory',
  'ServiceName',
  'SkuId',
  'SubAccountId',
  'SubAccountName',
  'Tags',
] as const

const DAY_MS = 86_400_000

export function focusRow({ by, ...row }: UsageRow, ownView: boolean): Record<string, Cell> {
  const day = Date.parse(`${by.day ?? '1970-01-01'}T00:00:00Z`)
  const start = new Date(day)
  const month = (offset: number): string => new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + offset, 1)).toISOString()
  const billed = dollarsOf(row.charge)
  const cost = ownView ? billed : dollarsOf(row.cost)
  const tokens = row.inputTokens + row.outputTokens
  const account = by.organisation ?? 'signalbox'
  const tags = Object.fromEntries(
    Object.entries({
      team: by.team,
      project: by.project,
      key: by.key,
      'signalbox/requests': String(row.requests),
      'signalbox/inputTokens': String(row.inputTokens),
      'signalbox/outputTokens': String(row.outputTokens),
      'signalbox/cacheReadTokens': String(row.cacheReadTokens),
    }).filter(([, value]) => value),
  )
  return {
    BilledCost: billed,
    BillingAccountId: account,
    BillingAccountName: account,
    BillingCurrency: 'USD',
    BillingPeriodStart: month(0),
    BillingPeriodEnd: month(1),
    ChargeCategory: 'Usage',
    ChargeClass: '',
    ChargeDescription: `${by.model ?? 'unknown model'} at ${by.provider ?? 'unknown provider'}`,
    ChargeFrequency: 'Usage-Based',
    ChargePeriodStart: new Date(day).toISOString(),
    ChargePeriodEnd: new Date(day + DAY_MS).toISOString(),
    ConsumedQuantity: tokens,
    ConsumedUnit: 'Tokens',
    ContractedCost: cost,
    EffectiveCost: billed,
    InvoiceIssuerName: 'Signalbox',
    ListCost: cost,
    PricingQuantity: tokens,
    PricingUnit: 'Tokens',
    ProviderName: by.provider,
    PublisherName: by.provider,
    RegionId: by.region,
    ResourceId: by.key,
    ResourceType: 'Gateway key',
    ServiceCategory: 'AI and Machine Learning',
    ServiceName: by.model,
    SkuId: by.provider === undefined ? by.model : `${by.provider}/${by.model}`,
    SubAccountId: by.team,
    SubAccountName: by.team,
    Tags: JSON.stringify(tags),
  }
}
