/** Sums of usage as rows for other programs. Calls one by one are written by `store/ledger/export.ts`. */

import type { UsageDimension, UsageRow } from '../core/ledger.ts'
import { dollarsOf } from '../core/money.ts'

type Cell = string | number | undefined

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
  for (const row of rows) text += `${columns.map((column) => csvCell(row[column])).join(',')}\r\n`
  return text
}

/** A text that a spreadsheet would take for a formula is made one no longer. */
function csvCell(value: Cell): string {
  if (value === undefined) return ''
  if (typeof value === 'number') return String(value)
  const harmless = /^[=+\-@\t\r]/.test(value) && !/^-?\d+(\.\d+)?$/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
