/** Real calls through a ledger, priced by the gateway, against what a provider reports of the same calls over sockets. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { costOf } from '../../src/accounting/price.ts'
import { createPricing } from '../../src/accounting/pricing.ts'
import { fakeOpenAi, seeded, type Used } from '../../src/accounting/reconcile/fake-providers.fixtures.ts'
import { usageOfLedger } from '../../src/accounting/reconcile/ledger-usage.ts'
import { openAiStatement } from '../../src/accounting/reconcile/openai.ts'
import { createReconciler } from '../../src/accounting/reconcile/reconciler.ts'
import { reportText } from '../../src/accounting/reconcile/report.ts'
import { DAY_MS, dayOf } from '../../src/accounting/reconcile/statement.ts'
import { createCatalog } from '../../src/catalog/catalog.ts'
import { createMemoryLedger } from '../../src/store/ledger/memory-ledger.ts'

const from = Date.parse('2026-11-17T00:00:00Z')
const models = ['gpt-4o', 'gpt-4o-mini', 'gpt-5', 'o3'] as const
const rates = {
  'gpt-4o': { input: 2.5, cacheRead: 1.25, cacheWrite: 2.5, output: 10 },
  'gpt-4o-mini': { input: 0.15, cacheRead: 0.075, cacheWrite: 0.15, output: 0.6 },
  'gpt-5': { input: 1.25, cacheRead: 0.125, cacheWrite: 1.25, output: 10 },
  o3: { input: 2, cacheRead: 0.5, cacheWrite: 2, output: 8 },
}

test('two thousand calls agree with the statement; half a per cent of one model on one day does not', async (t) => {
  const pricing = createPricing({ catalog: createCatalog() })
  const ledger = createMemoryLedger()
  const upTo = seeded(42)
  const used = new Map<string, { -readonly [Name in keyof Used]: Used[Name] }>()
  for (let call = 0; call < 2_000; call++) {
    const model = models[upTo(models.length - 1)] ?? 'o3'
    const at = from + upTo(4 * DAY_MS - 2)
    const [plain, cached, output] = [1_000 + upTo(20_000), upTo(8_000), 100 + upTo(3_000)]
    const id = `call-${call}`
    const common = { id, at, key: 'k', dialect: 'openai-chat', requestedModel: model, streamed: false, provider: 'openai', model } as const
    ledger.open(common)
    // A call that was refused is in the ledger, and on no statement.
    const refused = upTo(20) === 0
    const usage = { input: plain + cached, cacheRead: cached, output }
    const price = pricing.priceOf('openai', model)
    const cost = price && costOf(usage, price, new Date(at))
    assert.ok(cost)
    const done = {
      id,
      endedAt: at + 900,
      state: 'settled',
      provider: 'openai',
      model,
      estimated: false,
      attempts: 1,
      totalMs: 900,
    } as const
    ledger.settle(refused ? { ...done, status: 429 } : { ...done, status: 200, usage, cost: cost.nanos, charge: cost.nanos })
    if (refused) continue
    const key = `${model} ${dayOf(at)}`
    const own = used.get(key) ?? {
      model: `${model}-2026-01-01`,
      day: dayOf(at),
      requests: 0,
      plain: 0,
      cached: 0,
      written: 0,
      output: 0,
      rates: rates[model],
    }
    used.set(key, {
      ...own,
      requests: own.requests + 1,
      plain: own.plain + plain,
      cached: own.cached + cached,
      output: own.output + output,
    })
  }
  t.after(() => ledger.close())

  let reported = [...used.values()]
  const server = await fakeOpenAi(() => reported)
  t.after(() => server.close())
  const reconciler = createReconciler({
    sources: [openAiStatement({ name: 'openai', providers: ['openai'], baseUrl: server.baseUrl, adminKey: () => 'sk-admin-right' })],
    usage: usageOfLedger(ledger),
    days: 4,
    now: () => from + 4 * DAY_MS + 3 * 3_600_000,
  })
  const clean = await reconciler.run()
  assert.equal(clean.clean, true, reportText(clean))
  assert.equal(clean.sources[0]?.compared, 16)

  reported = reported.map((one) =>
    one.model.startsWith('gpt-5') && one.day === '2026-11-19' ? { ...one, output: Math.round(one.output * 1.005) } : one,
  )
  const byTokens = await reconciler.run()
  assert.deepEqual(
    byTokens.sources[0]?.drifts?.map(({ model, day, kind }) => `${day} ${model} ${kind}`),
    ['2026-11-19 gpt-5 tokens'],
  )
  reported = [...used.values()].map((one) =>
    one.model.startsWith('o3') && one.day === '2026-11-18'
      ? { ...one, rates: { input: 2.01, cacheRead: 0.5025, cacheWrite: 2.01, output: 8.04 } }
      : one,
  )
  const byPrice = await reconciler.run()
  assert.deepEqual(
    byPrice.sources[0]?.drifts?.map(({ model, day, kind }) => `${day} ${model} ${kind}`),
    ['2026-11-18 o3 price'],
  )
})
