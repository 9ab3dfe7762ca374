import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { anthropicStatement } from './anthropic.ts'
import { compare } from './compare.ts'
import { csvStatement } from './csv.ts'
import { costOfUsed, fakeAnthropic, fakeOpenAi, madeUp, seeded, type Used } from './fake-providers.fixtures.ts'
import { focusStatement } from './focus.ts'
import { openAiStatement } from './openai.ts'
import { reportText } from './report.ts'
import type { StatementRow } from './statement.ts'
import { usualTolerance } from './tolerance.ts'
import {
  cheaper,
  claudes,
  DAYS,
  dearer,
  found,
  from,
  gpts,
  ledgerOf,
  moreOfAll,
  moreOutput,
  planted,
  reconcile,
  rowsOf,
  week,
} from './week.fixtures.ts'

suite('a drift of half a per cent in one model on one day', () => {
  const used = madeUp(gpts, from, DAYS, 7)

  test('is found wherever it is, whichever way, told apart as tokens or price, and nothing else is', () => {
    const ledger = ledgerOf('openai', used)
    let looked = 0
    for (const { model, day } of used) {
      if (day < '2026-11-14' || day > '2026-11-20') continue
      for (const [drift, kind] of [
        [moreOfAll, 'tokens'],
        [moreOutput, 'tokens'],
        [dearer, 'price'],
        [cheaper, 'price'],
      ] as const) {
        const { drifts, explained, compared } = compare({ rows: rowsOf(planted(used, model, day, drift)) }, ledger, week, usualTolerance)
        assert.deepEqual(
          drifts.map((one) => `${one.day} ${one.model} ${one.kind}`),
          [`${day} ${model} ${kind}`],
        )
        assert.equal(explained.length, 0)
        assert.equal(compared, 35)
        looked++
      }
    }
    assert.equal(looked, 140)
  })

  test('is found in OpenAI’s usage and costs, over sockets, page by page', async (t) => {
    let reported: readonly Used[] = used
    const server = await fakeOpenAi(() => reported)
    t.after(() => server.close())
    const source = openAiStatement({ name: 'openai', providers: ['openai'], baseUrl: server.baseUrl, adminKey: () => 'sk-admin-right' })
    const ledger = ledgerOf('openai', used)
    assert.deepEqual(found(await reconcile([source], ledger)), [])
    assert.ok(server.requests.filter(({ path }) => path.includes('page=')).length >= 4, 'read several pages')

    reported = planted(used, 'gpt-4o-2024-08-06', '2026-11-17', moreOfAll)
    const byTokens = await reconcile([source], ledger)
    assert.deepEqual(found(byTokens), ['2026-11-17 gpt-4o-2024-08-06 tokens'])
    assert.equal(byTokens.clean, false)

    reported = planted(used, 'o3-2025-04-16', '2026-11-14', dearer)
    const byPrice = await reconcile([source], ledger)
    assert.deepEqual(found(byPrice), ['2026-11-14 o3-2025-04-16 price'])
    assert.match(
      reportText(byPrice),
      /2026-11-14 {2}o3-2025-04-16: the price differs\n {4}requests[^\n]+\n {4}cost: [^\n]+\(\+0\.5 %\)\n {4}likely: the same tokens, another price/,
    )
  })

  test('is found in Anthropic’s usage and cost reports', async (t) => {
    const own = madeUp(claudes, from, DAYS, 11)
    let reported: readonly Used[] = own
    const server = await fakeAnthropic(() => reported)
    t.after(() => server.close())
    const source = anthropicStatement({
      name: 'anthropic',
      providers: ['anthropic'],
      baseUrl: server.baseUrl,
      adminKey: () => 'sk-ant-admin-right',
    })
    // Clients ask for the undated names.
    const ledger = ledgerOf('anthropic', own, (model) => model.replace(/-\d{8}$/, ''))
    assert.deepEqual(found(await reconcile([source], ledger)), [])

    reported = planted(own, 'claude-haiku-4-5-20251001', '2026-11-20', moreOutput)
    assert.deepEqual(found(await reconcile([source], ledger)), ['2026-11-20 claude-haiku-4-5 tokens'])
    reported = planted(own, 'claude-opus-4-5-20251101', '2026-11-18', cheaper)
    assert.deepEqual(found(await reconcile([source], ledger)), ['2026-11-18 claude-opus-4-5 price'])
  })

  test('is found in a CSV to the cent, and in FOCUS', async () => {
    const csvOf = (rows: readonly Used[]): string =>
      [
        'Date;Modell;Prompt;Completion;"Cost, USD"',
        ...rows.map(
          (one) =>
            `${one.day};"${one.model}";${one.plain + one.cached + one.written};${one.output};${(Number(costOfUsed(one)) / 1e9).toFixed(2)}`,
        ),
      ].join('\r\n')
    const focusOf = (rows: readonly Used[]): string =>
      [
        'BilledCost,BillingCurrency,ChargeCategory,ChargePeriodStart,ConsumedQuantity,ConsumedUnit,SkuMeter,x_Model',
        ...rows.flatMap((one) => {
          const line = (tokens: number, rate: number, meter: string): string =>
            `${(tokens * rate * 1e-6).toFixed(12)},USD,Usage,${one.day}T00:00:00Z,${tokens / 1000},1K tokens,${meter},${one.model}`
          return [
            line(one.plain, one.rates.input, 'Input tokens'),
            line(one.cached, one.rates.cacheRead, 'Cached input tokens'),
            line(one.written, one.rates.cacheWrite, 'Cache write input tokens'),
            line(one.output, one.rates.output, 'Output tokens'),
          ]
        }),
        '-500,USD,Credit,2026-11-15T00:00:00Z,,,,',
      ].join('\n')
    const columns = { day: 'Date', model: 'Modell', inputTokens: 'Prompt', outputTokens: 'Completion', cost: 'Cost, USD' }
    const csv = (rows: readonly Used[]) => csvStatement({ name: 'file', providers: ['openai'], columns, text: async () => csvOf(rows) })
    const focus = (rows: readonly Used[]) => focusStatement({ name: 'focus', providers: ['openai'], text: async () => focusOf(rows) })
    const ledger = ledgerOf('openai', used)
    for (const source of [csv, focus]) {
      assert.deepEqual(found(await reconcile([source(used)], ledger)), [])
      assert.deepEqual(found(await reconcile([source(planted(used, 'gpt-5-2025-08-07', '2026-11-16', moreOfAll))], ledger)), [
        '2026-11-16 gpt-5-2025-08-07 tokens',
      ])
      assert.deepEqual(found(await reconcile([source(planted(used, 'gpt-5-2025-08-07', '2026-11-16', dearer))], ledger)), [
        '2026-11-16 gpt-5-2025-08-07 price',
      ])
    }
  })
})

suite('no alarm is raised', () => {
  const used = madeUp(gpts, from, DAYS, 3)
  const ledger = ledgerOf('openai', used)
  const drifts = (rows: readonly StatementRow[], own = ledger) => compare({ rows }, own, week, usualTolerance)

  test('by rounding of any kind, in a thousand seeded weeks', () => {
    for (let seed = 0; seed < 1000; seed++) {
      const upTo = seeded(seed)
      const week_ = madeUp(gpts, from, DAYS, seed)
      const rows = rowsOf(week_).map((row) => ({
        ...row,
        cost: (row.cost ?? 0n) + BigInt(upTo(2000) - 1000),
        inputTokens: (row.inputTokens ?? 0) + upTo(20) - 10,
      }))
      assert.deepEqual(drifts(rows, ledgerOf('openai', week_)).drifts, [], `seed ${seed}`)
    }
  })

  test('by calls around midnight that the provider counts on the next day', () => {
    const late = 0.01
    const rows = rowsOf(used).map((row) => ({ ...row }))
    const at = rows.findIndex(({ model, day }) => model === 'o3-2025-04-16' && day === '2026-11-15')
    const next = rows.findIndex(({ model, day }) => model === 'o3-2025-04-16' && day === '2026-11-16')
    const [one, other] = [rows[at], rows[next]] as [StatementRow, StatementRow]
    const moved = {
      inputTokens: Math.round((one.inputTokens ?? 0) * late),
      outputTokens: Math.round((one.outputTokens ?? 0) * late),
      cost: (one.cost ?? 0n) / 100n,
    }
    rows[at] = {
      ...one,
      inputTokens: (one.inputTokens ?? 0) - moved.inputTokens,
      outputTokens: (one.outputTokens ?? 0) - moved.outputTokens,
      cost: (one.cost ?? 0n) - moved.cost,
    }
    rows[next] = {
      ...other,
      inputTokens: (other.inputTokens ?? 0) + moved.inputTokens,
      outputTokens: (other.outputTokens ?? 0) + moved.outputTokens,
      cost: (other.cost ?? 0n) + moved.cost,
    }
    const { drifts: left, explained } = drifts(rows)
    assert.deepEqual(left, [])
    assert.deepEqual(
      explained.map(({ day, causes }) => `${day} ${causes[0]?.id}`),
      ['2026-11-15 day-boundary', '2026-11-16 day-boundary'],
    )
  })

  test('by searches that the provider bills apart from the model', async (t) => {
    const own = madeUp(claudes, from, DAYS, 5)
    const searches = 2_500_000_000n
    const server = await fakeAnthropic(() => own, { searches })
    t.after(() => server.close())
    const source = anthropicStatement({
      name: 'anthropic',
      providers: ['anthropic'],
      baseUrl: server.baseUrl,
      adminKey: () => 'sk-ant-admin-right',
    })
    const withSearches = ledgerOf('anthropic', own).map((day) => (day.model.includes('opus') ? { ...day, cost: day.cost + searches } : day))
    const report = await reconcile([source], withSearches)
    assert.equal(report.clean, true)
    assert.equal(report.sources[0]?.explained?.length, 7)
    // What the ledger does not have is shown, not hidden.
    const without = await reconcile([source], ledgerOf('anthropic', own))
    assert.equal(without.sources[0]?.apart?.length, 7)
    assert.match(reportText(without), /billed apart: 2026-11-20 {2}web_search: \$2\.5/)
  })

  test('by names with and without a date, where one side has more of them', () => {
    const undated = ledgerOf('openai', used, (model) => (model === 'gpt-4o-2024-08-06' ? 'gpt-4o' : model))
    assert.deepEqual(drifts(rowsOf(used), undated).drifts, [])
  })
})
