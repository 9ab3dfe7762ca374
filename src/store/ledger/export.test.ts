import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LedgerEntry } from '../../core/ledger.ts'
import { type ExportFormat, exported } from './export.ts'
import { createMemoryLedger } from './memory-ledger.ts'
import { openingFor, settlementFor } from './testing/ledger-contract.ts'

const all = { from: 0, to: Number.MAX_SAFE_INTEGER }

async function textOf(format: ExportFormat): Promise<string> {
  const ledger = createMemoryLedger()
  ledger.open(openingFor('a', { user: '=HYPERLINK("x")', team: 'one, "two"', tags: ['x', 'y'], provider: 'first', model: 'm1' }))
  ledger.settle(
    settlementFor('a', {
      provider: 'groq',
      model: 'm2',
      cost: -5n,
      charge: 1_234_567_890n,
      usage: { input: 3, output: 4 },
      record: { why: 'ü' },
    }),
  )
  ledger.open(openingFor('b', { user: 'line\nbreak' }))
  ledger.settle(settlementFor('b', { status: 502 }))
  ledger.open(openingFor('c', { model: 'm3', estimate: 1n }))
  let text = ''
  for await (const part of exported(ledger.entries(all), format)) text += part
  return text
}

/** RFC 4180. */
function parsed(csv: string): Record<string, string>[] {
  const rows: string[][] = []
  const row: string[] = []
  for (const [, quoted, plain, end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r"]*))(,|\r\n)/g)) {
    row.push(quoted === undefined ? plain! : quoted.replaceAll('""', '"'))
    if (end !== ',') rows.push(row.splice(0))
  }
  const [names = [], ...values] = rows
  return values.map((cells) => Object.fromEntries(cells.map((cell, index) => [names[index]!, cell])))
}

test('CSV: one line a call, words quoted, no formulas, unknown cost empty', async () => {
  const [a, b, c, ...others] = parsed(await textOf('csv'))
  assert.equal(others.length, 0)
  assert.deepEqual([a?.['user'], a?.['team'], a?.['tags']], [`'=HYPERLINK("x")`, 'one, "two"', 'x;y'])
  assert.deepEqual([a?.['provider'], a?.['model'], a?.['cost_usd'], a?.['charge_usd']], ['groq', 'm2', '-0.000000005', '1.23456789'])
  assert.deepEqual([b?.['user'], b?.['status'], b?.['cost_usd'], b?.['state']], ['line\nbreak', '502', '', 'settled'])
  assert.deepEqual([c?.['model'], c?.['state'], c?.['status'], c?.['at']], ['m3', 'running', '', '2026-03-14T12:00:00.000Z'])
})

test('JSON Lines: all that is known, money in dollars', async () => {
  const [a, b, c] = (await textOf('jsonl'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.deepEqual(
    [a?.['charge'], a?.['usage'], a?.['record'], a?.['tags']],
    ['1.23456789', { input: 3, output: 4 }, { why: 'ü' }, ['x', 'y']],
  )
  assert.deepEqual([a?.['id'], b?.['id'], b?.['cost'], c?.['state'], c?.['estimate']], ['a', 'b', undefined, 'running', '0.000000001'])
})

test('FOCUS: the columns that tools ask for', async () => {
  const [a, b, c] = parsed(await textOf('focus'))
  for (const name of [
    'BilledCost',
    'EffectiveCost',
    'ListCost',
    'ContractedCost',
    'ChargePeriodStart',
    'ChargePeriodEnd',
    'Tags',
    'SkuId',
  ]) {
    assert.ok(name in (a ?? {}), name)
  }
  assert.deepEqual([a?.['BilledCost'], a?.['ListCost'], a?.['ConsumedQuantity']], ['1.23456789', '-0.000000005', '7'])
  assert.deepEqual([a?.['BillingPeriodStart'], a?.['BillingPeriodEnd']], ['2026-03-01T00:00:00.000Z', '2026-04-01T00:00:00.000Z'])
  assert.deepEqual(JSON.parse(a?.['Tags'] ?? ''), { team: 'one, "two"', user: '=HYPERLINK("x")', 'tag:x': 'true', 'tag:y': 'true' })
  assert.deepEqual([a?.['x_CostBasis'], b?.['x_CostBasis'], c?.['x_CostBasis']], ['exact', 'unknown', 'running'])
})

test('no more is asked for than is read', async () => {
  let made = 0
  async function* batches(): AsyncGenerator<readonly LedgerEntry[]> {
    for (;;) yield [{ ...openingFor(`id_${made++}`) }]
  }
  for await (const part of exported(batches(), 'csv')) if (part.startsWith('id_5,')) break
  assert.equal(made, 6)
})
