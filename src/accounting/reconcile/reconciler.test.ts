import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fakeOpenAi, madeUp, type Used } from './fake-providers.fixtures.ts'
import { openAiStatement } from './openai.ts'
import { createReconciler } from './reconciler.ts'
import { type ReconcileReport, reportJson, reportText } from './report.ts'
import type { Period, StatementRow, StatementSource } from './statement.ts'
import { DAYS, dearer, found, from, gpts, ledgerOf, moreOfAll, moreOutput, now, planted, reconcile, rowsOf } from './week.fixtures.ts'

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
