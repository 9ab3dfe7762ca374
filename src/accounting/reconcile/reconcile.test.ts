import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { anthropicStatement } from './anthropic.ts'
import { compare } from './compare.ts'
import { csvStatement } from './csv.ts'
import { costOfUsed, fakeAnthropic, fakeOpenAi, ledgerDay, madeUp, seeded, type Used } from './fake-providers.fixtures.ts'
import { focusStatement } from './focus.ts'
import { openAiStatement } from './openai.ts'
import { createReconciler } from './reconciler.ts'
import { type ReconcileReport, reportJson, reportText } from './report.ts'
import { DAY_MS, type LedgerDay, type Period, type StatementRow, type StatementSource } from './statement.ts'
import { usualTolerance } from './tolerance.ts'

const now = Date.parse('2026-11-21T15:00:00Z')
const from = Date.parse('2026-11-13T00:00:00Z')
/** The week that is compared, in a world with a day more at either end. */
const week: Period = { from: from + DAY_MS, to: from + 8 * DAY_MS }
const DAYS = 9

const gpts = {
  'gpt-5-2025-08-07': { input: 1.25, cacheRead: 0.125, cacheWrite: 1.25, output: 10 },
  'gpt-5-mini-2025-08-07': { input: 0.25, cacheRead: 0.025, cacheWrite: 0.25, output: 2 },
  'gpt-4o-2024-08-06': { input: 2.5, cacheRead: 1.25, cacheWrite: 2.5, output: 10 },
  'gpt-4o-2024-05-13': { input: 5, cacheRead: 5, cacheWrite: 5, output: 15 },
  'o3-2025-04-16': { input: 2, cacheRead: 0.5, cacheWrite: 2, output: 8 },
}
const claudes = {
  'claude-sonnet-4-5-20250929': { input: 3, cacheRead: 0.3, cacheWrite: 3.75, output: 15 },
  'claude-haiku-4-5-20251001': { input: 1, cacheRead: 0.1, cacheWrite: 1.25, output: 5 },
  'claude-opus-4-5-20251101': { input: 5, cacheRead: 0.5, cacheWrite: 6.25, output: 25 },
}

type Drifted = (used: Used) => Used
const moreOutput: Drifted = (used) => ({ ...used, output: Math.round(used.output * 1.005) })
const moreOfAll: Drifted = (used) => ({
  ...used,
  plain: Math.round(used.plain * 1.005),
  cached: Math.round(used.cached * 1.005),
  written: Math.round(used.written * 1.005),
  output: Math.round(used.output * 1.005),
})
const dearer: Drifted = ({ rates, ...used }) => ({
  ...used,
  rates: Object.fromEntries(Object.entries(rates).map(([kind, rate]) => [kind, rate * 1.005])) as Used['rates'],
})
const cheaper: Drifted = ({ rates, ...used }) => ({
  ...used,
  rates: Object.fromEntries(Object.entries(rates).map(([kind, rate]) => [kind, rate * 0.995])) as Used['rates'],
})

const planted = (used: readonly Used[], model: string, day: string, drift: Drifted): Used[] =>
  used.map((one) => (one.model === model && one.day === day ? drift(one) : one))

const ledgerOf = (provider: string, used: readonly Used[], name?: (model: string) => string): LedgerDay[] =>
  used.map((one) => ledgerDay(provider, one, name))

const reconcile = async (sources: readonly StatementSource[], ledger: readonly LedgerDay[], tolerance = {}): Promise<ReconcileReport> =>
  await createReconciler({ sources, usage: async () => ledger, now: () => now, tolerance }).run()

const found = ({ sources }: ReconcileReport) =>
  sources.flatMap(({ drifts = [] }) => drifts.map(({ model, day, kind }) => `${day} ${model} ${kind}`))

/** A statement of the rows themselves. */
const rowsOf = (used: readonly Used[]): StatementRow[] =>
  used.map((one) => ({ ...ledgerDay('x', one), model: one.model, requests: one.requests, cost: costOfUsed(one) }))

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

suite('a report', () => {
  const used = madeUp(gpts, from, DAYS, 21)
  const ledger = ledgerOf('openai', used)
  const source = (rows: readonly StatementRow[]): StatementSource => ({ name: 'bill', providers: ['openai'], read: async () => ({ rows }) })
  const causes = async (rows: readonly StatementRow[], own = ledger) => {
    const { sources } = await reconcile([source(rows)], own)
    return sources.flatMap(({ drifts = [] }) =>
      drifts.map((drift) => drift.causes.map(({ id, calls }) => (calls === undefined ? id : `${id} ${calls}`))),
    )
  }
  const changed = <T extends { readonly model?: string; readonly day: string }>(rows: readonly T[], change: (row: T) => T): T[] =>
    rows.map((row) => (row.model === 'o3-2025-04-16' && row.day === '2026-11-18' ? change(row) : row))

  test('says what is likely behind a drift', async () => {
    const rows = rowsOf(used)
    const one = used.find(({ model, day }) => model === 'o3-2025-04-16' && day === '2026-11-18') as Used
    // The key is used past the gateway.
    assert.deepEqual(
      await causes(rowsOf(planted(used, one.model, one.day, (own) => ({ ...moreOfAll(own), requests: own.requests + 20 })))),
      [['missing-calls 13']],
    )
    assert.deepEqual(
      await causes(
        rows,
        ledger.filter(({ model, day }) => model !== one.model || day !== one.day),
      ),
      [[`missing-calls ${one.requests}`]],
    )
    assert.deepEqual(await causes(rows.filter(({ model, day }) => model !== one.model || day !== one.day)), [
      [`not-billed ${one.requests + 7}`],
    ])
    // Calls without a price, or that were lost.
    assert.deepEqual(
      await causes(
        rows,
        changed(ledger, (day) => ({ ...day, cost: (day.cost * 9n) / 10n, unpriced: 40 })),
      ),
      [['unpriced 40']],
    )
    assert.deepEqual(
      await causes(
        rows,
        changed(ledger, (day) => ({ ...day, outputTokens: day.outputTokens + 30_000, cost: day.cost + 240_000_000n, estimated: 12 })),
      ),
      [['estimated 12', 'not-billed 7']],
    )
    // The cache served more than the ledger knows.
    assert.deepEqual(
      await causes(
        changed(rows, (row) => ({ ...row, cacheReadTokens: (row.cacheReadTokens ?? 0) * 2, cost: ((row.cost ?? 0n) * 8n) / 10n })),
      ),
      [['cache-counts', 'price']],
    )
    // Dearer, and more tokens besides.
    const both = await reconcile([source(rowsOf(planted(used, one.model, one.day, (own) => dearer(moreOfAll(own)))))], ledger)
    assert.deepEqual(found(both), ['2026-11-18 o3-2025-04-16 both'])
  })

  test('compares costs alone where a statement has nothing else, and tokens alone where it has no costs', async () => {
    const costs = rowsOf(planted(used, 'o3-2025-04-16', '2026-11-18', dearer)).map(({ model = '', day, cost = 0n }) => ({
      model,
      day,
      cost,
    }))
    assert.deepEqual(found(await reconcile([source(costs)], ledger)), ['2026-11-18 o3-2025-04-16 cost'])
    const tokens = rowsOf(planted(used, 'o3-2025-04-16', '2026-11-18', moreOutput)).map(({ cost: _, ...row }) => row)
    assert.deepEqual(found(await reconcile([source(tokens)], ledger)), ['2026-11-18 o3-2025-04-16 tokens'])
  })

  test('is JSON with money as text, and differences both absolute and relative', async () => {
    const report = await reconcile([source(rowsOf(planted(used, 'o3-2025-04-16', '2026-11-18', dearer)))], ledger)
    const json = JSON.parse(JSON.stringify(reportJson(report)))
    assert.equal(json.from, '2026-11-14')
    assert.equal(json.to, '2026-11-20')
    const [drift] = json.sources[0].drifts
    const own = ledger.find(({ model, day }) => model === drift.model && day === drift.day)
    assert.equal(drift.kind, 'price')
    assert.equal(Math.round(drift.difference.cost.relative * 1e6), 5000)
    assert.equal(Math.round(Number(drift.difference.cost.absolute) * 1e6), Math.round((Number(own?.cost) / 1e9) * 0.005 * 1e6))
    assert.equal(drift.difference.inputTokens.absolute, 0)
    assert.deepEqual(
      drift.causes.map(({ id }: { id: string }) => id),
      ['price'],
    )
  })

  test('counts the calls of other providers nowhere, and adds up those of one account', async () => {
    const split = ledger.flatMap((day) => [
      { ...day, inputTokens: day.inputTokens - 1000, cost: day.cost - 5000n },
      {
        ...day,
        provider: 'openai-eu',
        inputTokens: 1000,
        outputTokens: 0,
        cacheReadTokens: 0,
        cacheWriteTokens: 0,
        requests: 1,
        cost: 5000n,
      },
    ])
    const others = ledger.map((day) => ({ ...day, provider: 'azure' }))
    const account: StatementSource = { ...source(rowsOf(used)), providers: ['openai', 'openai-eu'] }
    assert.equal((await reconcile([account], [...split, ...others])).clean, true)
  })
})

suite('a reconciler', () => {
  const used = madeUp(gpts, from, DAYS, 2)

  test('tells why a statement could not be read, compares the others, and never shows the key', async (t) => {
    const server = await fakeOpenAi(() => used)
    t.after(() => server.close())
    const wrong = openAiStatement({ name: 'wrong', providers: ['openai'], baseUrl: server.baseUrl, adminKey: () => 'sk-wrong-1234' })
    const right = openAiStatement({ name: 'right', providers: ['openai'], baseUrl: `${server.baseUrl}/`, adminKey: () => 'sk-admin-right' })
    const gone = openAiStatement({
      name: 'gone',
      providers: ['openai'],
      baseUrl: 'http://127.0.0.1:1/v1',
      adminKey: () => 'k',
      betweenMs: 1,
    })
    const report = await reconcile([wrong, right, gone], ledgerOf('openai', used))
    const [first, second, third] = report.sources
    assert.match(first?.failed ?? '', /refuses the key \(401\).*admin key/)
    assert.equal(second?.failed, undefined)
    assert.equal(second?.drifts?.length, 0)
    assert.match(third?.failed ?? '', /cannot be reached/)
    assert.equal(report.clean, false)
    assert.doesNotMatch(reportText(report) + JSON.stringify(reportJson(report)), /sk-wrong|sk-admin/)
  })

  test('asks again when a provider is busy', async (t) => {
    const server = await fakeOpenAi(() => used, { stumbles: 2 })
    t.after(() => server.close())
    const source = openAiStatement({
      name: 'openai',
      providers: ['openai'],
      baseUrl: server.baseUrl,
      adminKey: () => 'sk-admin-right',
      betweenMs: 1,
    })
    assert.equal((await reconcile([source], ledgerOf('openai', used))).clean, true)
  })

  test('waits with a day until its statement is there, and looks no further back than it should', async () => {
    const asked: Period[] = []
    const at = (text: string) =>
      createReconciler({
        sources: [],
        usage: async (period) => {
          asked.push(period)
          return []
        },
        days: 3,
        now: () => Date.parse(text),
      }).run()
    assert.equal((await at('2026-11-21T01:59:00Z')).period.to, Date.parse('2026-11-20T00:00:00Z'))
    const { period } = await at('2026-11-21T02:00:00Z')
    assert.deepEqual(period, { from: Date.parse('2026-11-18T00:00:00Z'), to: Date.parse('2026-11-21T00:00:00Z') })
    assert.deepEqual(asked[1], { from: Date.parse('2026-11-17T00:00:00Z'), to: Date.parse('2026-11-22T00:00:00Z') })
  })

  test('runs on a schedule, one at a time, keeps the last report, and ends', async () => {
    let runs = 0
    let atOnce = 0
    let most = 0
    const told: ReconcileReport[] = []
    const failures: unknown[] = []
    const reconciler = createReconciler({
      every: 10,
      sources: [],
      async usage() {
        runs++
        most = Math.max(most, ++atOnce)
        await sleep(5)
        atOnce--
        return []
      },
      report(report) {
        told.push(report)
        if (told.length === 1) throw new Error('the webhook is away')
      },
      failed: (error) => failures.push(error),
    })
    assert.equal(reconciler.last(), undefined)
    reconciler.start()
    const [one, other] = await Promise.all([reconciler.run(), reconciler.run()])
    assert.equal(one, other)
    // The schedule's timer holds no process open, so the test does.
    while (told.length < 4) await sleep(5)
    await reconciler.stop()
    const count = runs
    await sleep(40)
    assert.equal(runs, count)
    assert.equal(most, 1)
    assert.equal(reconciler.last(), told.at(-1))
    assert.match(String(failures[0]), /the webhook is away/)
  })

  test('looks at whole days and one provider where it is asked to, and keeps only what saw everything', async () => {
    const periods: Period[] = []
    const source = (name: string): StatementSource => ({
      name,
      providers: [name],
      async read(period) {
        periods.push(period)
        return { rows: [] }
      },
    })
    const reconciler = createReconciler({ sources: [source('openai'), source('azure')], usage: async () => [], now: () => now })
    const [one, other] = await Promise.all([
      reconciler.run({ from: Date.parse('2026-11-03T10:00:00Z'), to: Date.parse('2026-11-04T00:00:01Z'), provider: 'azure' }),
      reconciler.run({ provider: 'openai' }),
    ])
    assert.deepEqual(one.period, { from: Date.parse('2026-11-03'), to: Date.parse('2026-11-05') })
    assert.deepEqual(
      [one, other].map(({ sources }) => sources.map(({ name }) => name)),
      [['azure'], ['openai']],
    )
    assert.equal(periods.length, 2)
    assert.equal(reconciler.last(), undefined)
    assert.equal((await reconciler.run()).sources.length, 2)
    assert.notEqual(reconciler.last(), undefined)
  })

  test('says so when the ledger cannot be read', async () => {
    const source: StatementSource = { name: 'bill', providers: ['openai'], read: async () => ({ rows: [] }) }
    const reconciler = createReconciler({ sources: [source], usage: () => Promise.reject(new Error('no database')) })
    assert.equal((await reconciler.run()).sources[0]?.failed, 'the ledger: no database')
  })
})
