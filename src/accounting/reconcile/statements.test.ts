import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite, test } from 'node:test'
import { amountOf } from './amount.ts'
import { anthropicStatement } from './anthropic.ts'
import { csvStatement, dayOfText } from './csv.ts'
import { parseCsv } from './csv-text.ts'
import { focusStatement } from './focus.ts'
import { usageOfLedger } from './ledger-usage.ts'
import { comparedNames, familyOf } from './model-family.ts'
import { modelOfItem, openAiStatement } from './openai.ts'
import { sourcesOf } from './sources.ts'
import type { Period } from './statement.ts'

const period: Period = { from: Date.parse('2026-11-01'), to: Date.parse('2026-12-01') }
const answering =
  (pages: Readonly<Record<string, object>>): typeof fetch =>
  async (input) => {
    const { pathname } = new URL(String(input))
    const page = Object.entries(pages).find(([path]) => pathname.endsWith(path))?.[1]
    return Response.json(page ?? { data: [], has_more: false })
  }

suite('an amount', () => {
  test('is read exactly, in dollars and in cents, whatever its form', () => {
    assert.equal(amountOf('1234.567890123'), 1_234_567_890_123n)
    assert.equal(amountOf('0.0000000005'), 1n)
    assert.equal(amountOf('-3.5'), -3_500_000_000n)
    assert.equal(amountOf('$12'), 12_000_000_000n)
    assert.equal(amountOf(0.06), 60_000_000n)
    assert.equal(amountOf('1.5e-7'), 150n)
    assert.equal(amountOf('123.45', 100), 1_234_500_000n)
    assert.equal(amountOf('0.00000005', 100), 1n)
    for (const value of ['', 'abc', '1,5', null, Number.NaN, {}]) assert.equal(amountOf(value), undefined)
  })
})

suite('a model’s name', () => {
  test('belongs to a family without dates and versions', () => {
    for (const name of [
      'claude-haiku-4-5-20251001',
      'anthropic.claude-haiku-4-5-20251001-v1:0',
      'eu.anthropic.claude-haiku-4-5-20251001-v1:0',
      'claude-haiku-4-5@20251001',
      'anthropic/claude-haiku-4-5',
    ])
      assert.equal(familyOf(name), 'claude-haiku-4-5')
    assert.equal(familyOf('gpt-5-mini-2025-08-07'), 'gpt-5-mini')
    assert.equal(familyOf('gpt-5'), 'gpt-5')
    assert.equal(familyOf('mistral-large-latest'), 'mistral-large')
    assert.equal(familyOf('llama-3.3-70b-versatile'), 'llama-3.3-70b-versatile')
  })

  test('stays itself where both sides know the same names, and is its family’s where they do not', () => {
    const same = comparedNames(['gpt-4o-2024-05-13', 'gpt-4o-2024-08-06'], ['gpt-4o-2024-08-06', 'gpt-4o-2024-05-13'])
    assert.equal(same('gpt-4o-2024-05-13'), 'gpt-4o-2024-05-13')
    const other = comparedNames(['gpt-4o'], ['gpt-4o-2024-08-06'])
    assert.equal(other('gpt-4o'), 'gpt-4o')
    assert.equal(other('gpt-4o-2024-08-06'), 'gpt-4o')
  })
})

suite('OpenAI’s reports', () => {
  test('name a model in a line item, or something else', () => {
    assert.equal(modelOfItem('gpt-5.5-2026-04-23, cached input'), 'gpt-5.5-2026-04-23')
    assert.equal(modelOfItem('priority | gpt-5.6-sol, output, long context'), 'gpt-5.6-sol')
    assert.equal(modelOfItem('gpt-audio-mini-2025-12-15 audio, input'), 'gpt-audio-mini-2025-12-15')
    assert.equal(modelOfItem('whisper-1, audio'), 'whisper-1')
    for (const item of ['web search tool calls', 'Vector storage', 'file search, storage', '']) assert.equal(modelOfItem(item), undefined)
  })

  test('count sound beside text, are asked for the projects and keys that are named, and keep what has no model apart', async () => {
    const asked: URL[] = []
    const get = answering({
      '/usage/completions': {
        data: [
          {
            start_time: period.from / 1000,
            results: [
              {
                model: 'gpt-realtime',
                input_tokens: 500,
                input_cached_tokens: 100,
                input_audio_tokens: 300,
                output_tokens: 40,
                output_audio_tokens: 20,
                num_model_requests: 5,
              },
            ],
          },
        ],
        has_more: false,
      },
      '/costs': {
        data: [
          {
            start_time: period.from / 1000,
            results: [
              { amount: { value: '0.1230', currency: 'usd' }, line_item: 'web search tool calls' },
              { amount: { value: 1.5 }, line_item: 'gpt-realtime audio, input' },
            ],
          },
        ],
        has_more: false,
      },
    })
    const source = openAiStatement({
      name: 'o',
      providers: ['openai'],
      adminKey: async () => 'k',
      projects: ['proj_1', 'proj_2'],
      apiKeys: ['key_1'],
      fetch: (input, init) => {
        asked.push(new URL(String(input)))
        return get(input, init)
      },
    })
    const { rows } = await source.read(period)
    assert.deepEqual(rows, [
      { model: 'gpt-realtime', day: '2026-11-01', requests: 5, inputTokens: 800, outputTokens: 60, cacheReadTokens: 100 },
      { item: 'web search tool calls', day: '2026-11-01', cost: 123_000_000n, rounding: 1n },
      { model: 'gpt-realtime', day: '2026-11-01', cost: 1_500_000_000n, rounding: 1n },
    ])
    assert.ok(
      asked.every(
        ({ searchParams }) => searchParams.getAll('project_ids').join() === 'proj_1,proj_2' && searchParams.get('api_key_ids') === 'key_1',
      ),
    )
  })

  test('that make no sense are refused, in words', async () => {
    const read = (fetched: typeof fetch) =>
      openAiStatement({ name: 'o', providers: [], adminKey: () => 'k', fetch: fetched, betweenMs: 1 }).read(period)
    await assert.rejects(
      read(async () => new Response('<html>')),
      /does not answer with a report/,
    )
    await assert.rejects(
      read(async () => Response.json({ data: [], has_more: true, next_page: 'again' })),
      /sends the same page again/,
    )
    let tries = 0
    await assert.rejects(
      read(async () => {
        tries++
        return new Response('', { status: 503 })
      }),
      /api\.openai\.com\/v1\/organization\/usage\/completions answered 503/,
    )
    assert.equal(tries, 4)
    await assert.rejects(
      read(async () => Response.json({ error: { message: 'Bad start_time.' } }, { status: 400 })),
      /answered 400: Bad start_time\.$/,
    )
  })
})

suite('Anthropic’s reports', () => {
  const usage = (more: object) => ({
    model: 'claude-x-1',
    uncached_input_tokens: 10,
    cache_read_input_tokens: 5,
    cache_creation: { ephemeral_5m_input_tokens: 2, ephemeral_1h_input_tokens: 1 },
    output_tokens: 4,
    service_tier: 'standard',
    workspace_id: null,
    ...more,
  })
  const cost = (more: object) => ({
    amount: '12.5',
    currency: 'USD',
    model: 'claude-x-1',
    cost_type: 'tokens',
    workspace_id: null,
    ...more,
  })
  const pages = (used: object[], costs: object[]) => ({
    '/usage_report/messages': { data: [{ starting_at: '2026-11-01T00:00:00Z', results: used }], has_more: false, next_page: null },
    '/cost_report': { data: [{ starting_at: '2026-11-01T00:00:00Z', results: costs }], has_more: false, next_page: null },
  })
  const read = (used: object[], costs: object[], more: object = {}) =>
    anthropicStatement({ name: 'a', providers: [], adminKey: () => 'k', fetch: answering(pages(used, costs)), ...more }).read(period)

  test('count cached input with the rest, and money in cents', async () => {
    assert.deepEqual((await read([usage({})], [cost({})])).rows, [
      { model: 'claude-x-1', day: '2026-11-01', inputTokens: 18, outputTokens: 4, cacheReadTokens: 5, cacheWriteTokens: 3 },
      { model: 'claude-x-1', day: '2026-11-01', cost: 125_000_000n, rounding: 1n },
    ])
  })

  test('leave out the cost of the Priority Tier, so that only tokens are compared there', async () => {
    const { rows, notes } = await read([usage({}), usage({ service_tier: 'priority' })], [cost({})])
    assert.deepEqual(
      rows.map(({ cost: said }) => said),
      [undefined, undefined],
    )
    assert.match(notes?.[0] ?? '', /Priority Tier/)
  })

  test('are kept to the workspaces and keys that are named', async () => {
    const mixed = [usage({}), usage({ workspace_id: 'wrkspc_1', output_tokens: 9 })]
    const chosen = await read(mixed, [cost({}), cost({ workspace_id: 'wrkspc_1', amount: '1' })], { workspaces: ['wrkspc_1'] })
    assert.deepEqual(
      chosen.rows.map(({ outputTokens, cost: said }) => outputTokens ?? said),
      [9, 10_000_000n],
    )
    const byKey = await read(mixed, [cost({})], { apiKeys: ['apikey_1'] })
    assert.ok(byKey.rows.every(({ cost: said }) => said === undefined))
    assert.match(byKey.notes?.[0] ?? '', /only tokens are compared/)
  })
})

suite('a statement in CSV', () => {
  test('may have quotes, other separators, a byte order mark, thousands and empty lines', async () => {
    const text =
      '\ufeffDay\tModel\tIn\tOut\tUSD\r\n2026-11-03\t"m ""x"" 1"\t"1,234"\t5\t"1,200.50"\r\n\r\n2026-11-04T23:59:59+02:00\tm2\t\t7\t0.25\r\n2027-01-01\tm\t1\t1\t1'
    const source = csvStatement({
      name: 'f',
      providers: [],
      columns: { day: 'Day', model: 'Model', inputTokens: 'In', outputTokens: 'Out', cost: 'USD' },
      text: async () => text,
    })
    assert.deepEqual((await source.read(period)).rows, [
      { model: 'm "x" 1', day: '2026-11-03', inputTokens: 1234, outputTokens: 5, cost: 1_200_500_000_000n, rounding: 5_000_000n },
      { model: 'm2', day: '2026-11-04', inputTokens: 0, outputTokens: 7, cost: 250_000_000n, rounding: 5_000_000n },
    ])
  })

  test('may count cached tokens apart and money in cents', async () => {
    const columns = { day: 'd', model: 'm', inputTokens: 'i', cacheReadTokens: 'r', cost: 'c' }
    const source = csvStatement({
      name: 'f',
      providers: [],
      columns,
      unit: 'cents',
      cacheApart: true,
      text: async () => 'd,m,i,r,c\n20261103,x,10,90,12.5\n',
    })
    assert.deepEqual((await source.read(period)).rows, [
      { model: 'x', day: '2026-11-03', inputTokens: 100, cacheReadTokens: 90, cost: 125_000_000n, rounding: 500_000n },
    ])
  })

  test('is refused with the line or column at fault', async () => {
    const read = (text: string, columns = { day: 'd', model: 'm', cost: 'c' }) =>
      csvStatement({ name: 'bill', providers: [], columns, text: async () => text }).read(period)
    await assert.rejects(read('d,model,c\n'), /bill: the statement has no column `m`\. It has `d`, `model`, `c`/)
    await assert.rejects(read('d,m,c\n2026-11-01,x,1\nyesterday,x,1\n'), /line 3 has no date in `d`/)
    await assert.rejects(read('d,m,c\n2026-11-01,x,a lot\n'), /line 2 has no amount in `c`/)
    await assert.rejects(read('\n'), /is empty/)
  })

  test('has days in any usual form', () => {
    for (const text of [
      '2026-11-03',
      '20261103',
      '2026-11-03T10:00:00Z',
      '2026-11-03 23:59:59 UTC',
      '2026-11-04T01:00:00+02:00',
      '1793700000',
      '1793700000000',
    ])
      assert.equal(dayOfText(text), '2026-11-03', text)
    for (const text of ['', '2026-13-01', '03.11.2026', 'x']) assert.equal(dayOfText(text), undefined, text)
  })

  test('keeps fields that hold separators and line breaks', () => {
    assert.deepEqual(parseCsv('a,b\n"1,\n2",3').rows, [{ a: '1,\n2', b: '3' }])
  })
})

suite('a statement in FOCUS', () => {
  const head = 'ChargePeriodStart,BilledCost,BillingCurrency,ChargeCategory,ConsumedQuantity,ConsumedUnit,SkuMeter,ServiceName,ResourceName'
  const read = (lines: string[], more: object = {}) =>
    focusStatement({ name: 'focus', providers: [], text: async () => [head, ...lines].join('\n'), ...more }).read(period)

  test('has tokens where quantities are, leaves out what is no usage, and keeps to the lines that are asked for', async () => {
    const { rows } = await read(
      [
        '2026-11-03T00:00:00Z,1.123456789012,USD,Usage,2.5,1M Tokens,Cached Input Tokens,Bedrock,nova-pro',
        '2026-11-03T00:00:00Z,2,USD,Usage,1000,Tokens,Output Tokens,Bedrock,nova-pro',
        '2026-11-03T00:00:00Z,9,USD,Tax,,,,Bedrock,',
        '2026-11-03T00:00:00Z,7,USD,Usage,3,Hours,Node hours,EC2,i-1',
      ],
      { where: { ServiceName: 'Bedrock' } },
    )
    assert.deepEqual(rows, [
      { model: 'nova-pro', day: '2026-11-03', cost: 1_123_456_789n, inputTokens: 2_500_000, cacheReadTokens: 2_500_000 },
      { model: 'nova-pro', day: '2026-11-03', cost: 2_000_000_000n, outputTokens: 1000 },
    ])
  })

  test('is refused in another currency, or without its columns', async () => {
    await assert.rejects(read(['2026-11-03T00:00:00Z,1,EUR,Usage,,,,x,m']), /in EUR; the ledger is in USD/)
    await assert.rejects(
      focusStatement({ name: 'f', providers: [], text: async () => 'a,b\n' }).read(period),
      /no column `ChargePeriodStart`, `BilledCost`, `x_Model`/,
    )
  })
})

suite('the sources of a configuration', () => {
  test('read their key and file anew each time, and bill the provider of their own name unless they say otherwise', async (t) => {
    const server = createServer((request, response) => {
      response.writeHead(request.headers.authorization === 'Bearer s3cret' ? 200 : 403).end('day,model,cost\n2026-11-05,m,1.25\n')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => server.close())
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/bill.csv`
    const columns = { day: 'day', model: 'model', cost: 'cost' }
    const asked: string[] = []
    const [file, web, refused, openai] = sourcesOf(
      {
        file: { kind: 'csv', file: 'bill.csv', columns, providers: ['a', 'b'] },
        web: { kind: 'csv', url, key: 'env:BILL', columns },
        refused: { kind: 'csv', url, columns },
        openai: { kind: 'openai', key: 'env:OPENAI_ADMIN_KEY' },
      },
      {
        secret(reference) {
          asked.push(reference)
          return 's3cret'
        },
        readText: async (name) => {
          if (name === 'bill.csv') return 'day,model,cost\n2026-11-05,m,2.5\n'
          throw new Error(name)
        },
      },
    )
    assert.deepEqual(file?.providers, ['a', 'b'])
    assert.deepEqual(openai?.providers, ['openai'])
    assert.equal((await file?.read(period))?.rows[0]?.cost, 2_500_000_000n)
    assert.equal((await web?.read(period))?.rows[0]?.cost, 1_250_000_000n)
    await assert.rejects(async () => refused?.read(period), /refused: 127\.0\.0\.1:\d+ answered 403/)
    assert.deepEqual(asked, ['env:BILL'])
    const [missing] = sourcesOf({ gone: { kind: 'csv', file: 'no/such/file.csv', columns } }, { secret: () => '' })
    await assert.rejects(async () => missing?.read(period), /gone: `no\/such\/file\.csv`: there is no such file/)
  })
})

suite('the ledger’s side', () => {
  test('is asked by provider, model and day once all is written, and leaves out what went nowhere', async () => {
    const steps: string[] = []
    const amounts = {
      requests: 2,
      inputTokens: 10,
      outputTokens: 5,
      cacheReadTokens: 1,
      cacheWriteTokens: 0,
      cost: 7n,
      estimated: 0,
      unpriced: 0,
    }
    const usage = usageOfLedger({
      flush: async () => void steps.push('flush'),
      async usage({ by, from, to }) {
        steps.push(`${by.join()} ${from} ${to}`)
        return [
          { by: { provider: 'openai', model: 'm', day: '2026-11-01' }, ...amounts, reasoningTokens: 3, charge: 9n },
          { by: { provider: undefined, model: undefined, day: '2026-11-01' }, ...amounts, reasoningTokens: 0, charge: 0n },
        ]
      },
    })
    assert.deepEqual(await usage({ from: 1, to: 2 }), [{ provider: 'openai', model: 'm', day: '2026-11-01', ...amounts }])
    assert.deepEqual(steps, ['flush', 'provider,model,day 1 2'])
  })
})
