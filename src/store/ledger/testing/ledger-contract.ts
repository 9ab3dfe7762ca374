/** What every ledger does, whatever it keeps its entries in. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { EntryPage, EntryPlace, LedgerEntry, Opening, RecentQuery, Settlement, UsageDimension } from '../../../core/ledger.ts'
import type { StoreLedger } from '../ledger.ts'

const HOUR = 3_600_000
export const noon = Date.parse('2026-03-14T12:00:00Z')

export function openingFor(id: string, more: Partial<Opening> = {}): Opening {
  return { id, at: noon, key: 'key_a', dialect: 'openai-chat', requestedModel: 'fast', streamed: false, ...more }
}

export function settlementFor(id: string, more: Partial<Settlement> = {}): Settlement {
  return { id, endedAt: noon + 500, state: 'settled', status: 200, estimated: false, attempts: 1, totalMs: 500, ...more }
}

/** `make` returns undefined where the suite cannot run and has marked the test as skipped. */
export function ledgerContract(kind: string, make: (t: TestContext) => Promise<StoreLedger | undefined>): void {
  const check = (name: string, work: (ledger: StoreLedger) => Promise<void>): void =>
    void test(`${kind}: ${name}`, async (t) => {
      const ledger = await make(t)
      if (ledger) await work(ledger)
    })
  const all = { from: 0, to: noon * 2 }
  const list = async (ledger: StoreLedger, query: Parameters<StoreLedger['entries']>[0] = all): Promise<LedgerEntry[]> => {
    const found: LedgerEntry[] = []
    for await (const batch of ledger.entries(query)) found.push(...batch)
    return found
  }

  check('an entry is found whole, to the nano-dollar, before and after it is settled', async (ledger) => {
    const opening = openingFor('req_1', {
      ...{ alias: 'ci', user: 'ada', organisation: 'org_1', team: 'core', project: 'p', tags: ['b', 'a'], tier: 'gold', route: 'fast' },
      ...{ provider: 'groq', model: 'llama', estimate: 12_345_678_901_234_567n, markup: 1_100, streamed: true },
    })
    ledger.open(opening)
    assert.deepEqual(await ledger.find('req_1'), opening)
    const settlement = settlementFor('req_1', {
      ...{
        provider: 'lab',
        model: 'qwen',
        region: 'eu',
        cost: 9_007_199_254_740_993n,
        charge: 9_907_919_180_215_092n,
        cache: 'miss',
        firstMs: 12,
      },
      ...{
        usage: { input: 7, output: 5, cacheRead: 3, reasoning: 2 },
        record: { attempts: [{ provider: 'lab', sent: true }], note: 'ü\0' },
      },
    })
    ledger.settle(settlement)
    assert.deepEqual(await ledger.find('req_1'), { ...opening, settlement })
    await ledger.flush()
    assert.deepEqual(await ledger.find('req_1'), { ...opening, settlement })
    assert.equal(await ledger.find('req_2'), undefined)
  })

  check('usage counts every call: running, settled, failed and of unknown cost', async (ledger) => {
    for (const id of ['req_1', 'req_2', 'req_3', 'req_4']) ledger.open(openingFor(id, { model: 'llama' }))
    ledger.settle(
      settlementFor('req_1', {
        model: 'llama',
        cost: 10n,
        charge: 11n,
        usage: { input: 1, output: 2, cacheRead: 3, cacheWrite: 4, reasoning: 5 },
      }),
    )
    ledger.settle(settlementFor('req_2', { model: 'qwen', cost: 20n, charge: 22n, estimated: true, usage: { input: 10, output: 20 } }))
    ledger.settle(settlementFor('req_3', { model: 'llama', status: 502, error: 'upstream_unavailable' }))
    const rows = await ledger.usage({ by: ['key', 'model'], ...all })
    const none = { cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 }
    assert.deepEqual(rows, [
      {
        by: { key: 'key_a', model: 'llama' },
        ...{ requests: 3, inputTokens: 1, outputTokens: 2, cacheReadTokens: 3, cacheWriteTokens: 4, reasoningTokens: 5 },
        ...{ cost: 10n, charge: 11n, estimated: 0, unpriced: 1 },
      },
      {
        by: { key: 'key_a', model: 'qwen' },
        ...{ requests: 1, inputTokens: 10, outputTokens: 20, ...none, cost: 20n, charge: 22n, estimated: 1, unpriced: 0 },
      },
    ])
  })

  check('usage is attributed by any dimension', async (ledger) => {
    const opening = openingFor('req_1', {
      ...{ alias: 'ci', user: 'ada', organisation: 'org_1', team: 'core', project: 'p', tier: 'gold', route: 'r', tags: ['red'] },
    })
    ledger.open(opening)
    ledger.settle(settlementFor('req_1', { provider: 'groq', model: 'llama', region: 'eu', status: 200, cost: 5n, charge: 5n }))
    const expected: Record<UsageDimension, string> = {
      ...{
        key: 'key_a',
        alias: 'ci',
        user: 'ada',
        organisation: 'org_1',
        team: 'core',
        project: 'p',
        tag: 'red',
        tier: 'gold',
        route: 'r',
      },
      ...{ requestedModel: 'fast', model: 'llama', provider: 'groq', region: 'eu', status: '200' },
      ...{ day: '2026-03-14', hour: '2026-03-14T12:00:00Z' },
    }
    const every = Object.keys(expected) as UsageDimension[]
    const [row, ...others] = await ledger.usage({ by: every, ...all })
    assert.deepEqual({ ...row?.by }, expected)
    assert.equal(others.length, 0)
    for (const dimension of every) {
      const [one] = await ledger.usage({ by: [dimension], ...all, where: { [dimension]: expected[dimension] } })
      assert.deepEqual([one?.by, one?.cost], [{ [dimension]: expected[dimension] }, 5n], dimension)
      assert.deepEqual(await ledger.usage({ by: [dimension], ...all, where: { [dimension]: 'else' } }), [], dimension)
    }
  })

  check('a call with two tags counts under each, one without under none', async (ledger) => {
    ledger.open(openingFor('req_1', { tags: ['a"%_\\', 'b'] }))
    ledger.open(openingFor('req_2', { tags: ['b'] }))
    ledger.open(openingFor('req_3'))
    const rows = await ledger.usage({ by: ['tag'], ...all })
    assert.deepEqual(
      rows.map(({ by, requests }) => [by.tag, requests]),
      [
        [undefined, 1],
        ['a"%_\\', 1],
        ['b', 2],
      ],
    )
    const [total] = await ledger.usage({ by: [], ...all, where: { tag: 'a"%_\\' } })
    assert.equal(total?.requests, 1)
    assert.deepEqual(
      (await list(ledger, { ...all, where: { tag: 'b' } })).map(({ id }) => id),
      ['req_1', 'req_2'],
    )
    assert.deepEqual(await list(ledger, { ...all, where: { tag: 'a"%x\\' } }), [])
  })

  check('times are those of opening; the end is excluded', async (ledger) => {
    for (let hour = 0; hour < 48; hour++) ledger.open(openingFor(`req_${hour}`, { at: noon + hour * HOUR }))
    const requests = async (from: number, to: number): Promise<number> => (await ledger.usage({ by: [], from, to }))[0]?.requests ?? 0
    assert.equal(await requests(noon, noon + HOUR), 1)
    assert.equal(await requests(noon, noon + HOUR + 1), 2)
    assert.equal(await requests(noon + 1, noon + HOUR), 0)
    assert.equal(await requests(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY), 48)
    const days = await ledger.usage({ by: ['day'], ...all })
    assert.deepEqual(
      days.map(({ by, requests: count }) => [by.day, count]),
      [
        ['2026-03-14', 12],
        ['2026-03-15', 24],
        ['2026-03-16', 12],
      ],
    )
    assert.equal((await ledger.usage({ by: ['hour'], ...all })).length, 48)
    assert.equal((await ledger.usage({ by: [], ...all, where: { day: '2026-03-15' } }))[0]?.requests, 24)
  })

  check('nothing of one organisation shows in another', async (ledger) => {
    ledger.open(openingFor('req_1', { organisation: 'org_1' }))
    ledger.open(openingFor('req_2', { organisation: 'org_2' }))
    ledger.open(openingFor('req_3'))
    const where = { organisation: 'org_1' }
    assert.deepEqual(
      (await list(ledger, { ...all, where })).map(({ id }) => id),
      ['req_1'],
    )
    assert.equal((await ledger.usage({ by: [], ...all, where }))[0]?.requests, 1)
  })

  check('entries come oldest first, each once, over many batches', async (ledger) => {
    const ids: string[] = []
    for (let index = 0; index < 1_234; index++) {
      const id = `req_${String(index).padStart(5, '0')}`
      ids.push(id)
      ledger.open(openingFor(id, { at: noon + Math.floor(index / 10) }))
      ledger.settle(settlementFor(id, { cost: 1n, charge: 1n }))
    }
    assert.deepEqual(
      (await list(ledger)).map(({ id }) => id),
      ids,
    )
    assert.equal((await list(ledger, { from: noon + 5, to: noon + 7 })).length, 20)
  })

  check('the first settlement counts; telling it again changes nothing', async (ledger) => {
    ledger.open(openingFor('req_1'))
    ledger.settle(settlementFor('req_1', { cost: 10n, charge: 10n }))
    ledger.settle(settlementFor('req_1', { cost: 99n, charge: 99n }))
    await ledger.flush()
    ledger.settle(settlementFor('req_1', { cost: 77n, charge: 77n }))
    await ledger.flush()
    const [row] = await ledger.usage({ by: [], ...all })
    assert.deepEqual([row?.requests, row?.cost], [1, 10n])
  })

  const idsOf = ({ entries }: EntryPage): string[] => entries.map(({ id }) => id)

  check('the newest calls come first, page by page, each once, running ones among them', async (ledger) => {
    // Several in one millisecond: a page may end between them.
    for (let index = 0; index < 23; index++) ledger.open(openingFor(`req_${String(index).padStart(2, '0')}`, { at: noon + (index >> 2) }))
    for (let index = 0; index < 23; index += 2) ledger.settle(settlementFor(`req_${String(index).padStart(2, '0')}`, { cost: 1n }))
    const newest = Array.from({ length: 23 }, (_, index) => `req_${String(22 - index).padStart(2, '0')}`)
    for (const limit of [1, 4, 5, 22, 23, 100]) {
      const found: string[] = []
      let after: EntryPlace | undefined
      do {
        const page = await ledger.recent({ limit, after })
        assert.ok(page.entries.length <= limit)
        found.push(...idsOf(page))
        after = page.next
      } while (after)
      assert.deepEqual(found, newest, `${limit} a page`)
    }
    const { entries } = await ledger.recent({ limit: 2 })
    assert.deepEqual(entries, [
      { ...openingFor('req_22', { at: noon + 5 }), settlement: settlementFor('req_22', { cost: 1n }) },
      openingFor('req_21', { at: noon + 5 }),
    ])
    assert.deepEqual(idsOf(await ledger.recent({ limit: 9, from: noon + 1, to: noon + 2 })), ['req_07', 'req_06', 'req_05', 'req_04'])
    assert.deepEqual(idsOf(await ledger.recent({ limit: 9, after: { at: noon + 1 } })), ['req_03', 'req_02', 'req_01', 'req_00'])
    assert.deepEqual(await ledger.recent({ limit: 9, to: noon }), { entries: [] })
  })

  check('what is new does not shift the pages that follow', async (ledger) => {
    for (const [index, id] of ['req_1', 'req_2', 'req_3'].entries()) ledger.open(openingFor(id, { at: noon + index }))
    const { next } = await ledger.recent({ limit: 1 })
    ledger.open(openingFor('req_4', { at: noon + 9 }))
    assert.deepEqual(idsOf(await ledger.recent({ limit: 9, after: next })), ['req_2', 'req_1'])
  })

  check('the newest calls are narrowed by what they were, how they ended and what they cost', async (ledger) => {
    const whose = { organisation: 'org_1', team: 'core', project: 'p', user: 'ada', route: 'r', tags: ['x', 'y'] }
    ledger.open(openingFor('req_1', { ...whose, at: noon }))
    ledger.settle(settlementFor('req_1', { provider: 'groq', model: 'llama', status: 200, cost: 5n, charge: 7n }))
    ledger.open(openingFor('req_2', { key: 'key_b', tags: ['xy'], at: noon + 1 }))
    ledger.settle(settlementFor('req_2', { provider: 'lab', model: 'qwen', status: 429, error: 'rate_limited' }))
    ledger.open(openingFor('req_3', { ...whose, user: 'bob', provider: 'groq', at: noon + 2 }))
    ledger.open(openingFor('req_4', { requestedModel: 'smart', at: noon + 3 }))
    ledger.settle(settlementFor('req_4', { state: 'lost', status: 500, error: 'lost', cost: 9n, charge: 9n, estimated: true }))
    const cases: readonly (readonly [Partial<RecentQuery>, ...ids: string[]])[] = [
      [{}, 'req_4', 'req_3', 'req_2', 'req_1'],
      [{ where: { key: 'key_b' } }, 'req_2'],
      [{ where: { organisation: 'org_1' } }, 'req_3', 'req_1'],
      [{ where: { organisation: 'org_1', user: 'ada' } }, 'req_1'],
      [{ where: { team: 'core', project: 'p', route: 'r', user: 'bob' } }, 'req_3'],
      [{ where: { provider: 'groq' } }, 'req_3', 'req_1'],
      [{ where: { model: 'qwen' } }, 'req_2'],
      [{ where: { requestedModel: 'smart' } }, 'req_4'],
      [{ where: { tag: 'x' } }, 'req_3', 'req_1'],
      [{ where: { tag: '%' } }],
      [{ where: { status: '429' } }, 'req_2'],
      [{ status: [400, 499] }, 'req_2'],
      [{ status: [400, 599] }, 'req_4', 'req_2'],
      [{ status: [200, 299], where: { organisation: 'org_1' } }, 'req_1'],
      [{ state: 'running' }, 'req_3'],
      [{ state: 'lost' }, 'req_4'],
      [{ state: 'settled' }, 'req_2', 'req_1'],
      [{ least: { of: 'cost', nanos: 6n } }, 'req_4'],
      [{ least: { of: 'charge', nanos: 7n } }, 'req_4', 'req_1'],
      [{ least: { of: 'cost', nanos: 10n ** 30n } }],
      [{ least: { of: 'cost', nanos: 0n } }, 'req_4', 'req_1'],
    ]
    for (const [query, ...ids] of cases) {
      assert.deepEqual(
        idsOf(await ledger.recent({ limit: 10, ...query })),
        ids,
        JSON.stringify(query, (_, one) => (typeof one === 'bigint' ? `${one}` : one)),
      )
      if (ids.length > 1) assert.deepEqual(idsOf(await ledger.recent({ limit: 1, ...query })), ids.slice(0, 1))
    }
  })

  check('what was spent is what was charged for ended calls of that selection', async (ledger) => {
    ledger.open(openingFor('req_1', { user: 'ada', requestedModel: 'fast', tags: ['x'] }))
    ledger.open(openingFor('req_2', { user: 'ada', requestedModel: 'smart' }))
    ledger.open(openingFor('req_3', { user: 'bob', requestedModel: 'fast' }))
    ledger.open(openingFor('req_4', { user: 'ada', estimate: 1_000n }))
    ledger.settle(settlementFor('req_1', { cost: 1n, charge: 10n, provider: 'groq' }))
    ledger.settle(settlementFor('req_2', { cost: 2n, charge: 9_223_372_036_854_775_000n }))
    ledger.settle(settlementFor('req_3', { cost: 3n, charge: 30n, provider: 'groq' }))
    const spent = (where: Parameters<StoreLedger['spent']>[0]['where'], requestedModels?: readonly string[]): Promise<bigint> =>
      ledger.spent({ where, ...(requestedModels && { requestedModels }) }, noon, noon + 1)
    assert.equal(await spent({ user: 'ada' }, ['fast']), 10n)
    assert.equal(await spent({}, ['fast', 'smart', 'other']), 9_223_372_036_854_775_040n)
    assert.equal(await spent({ provider: 'groq' }), 40n)
    assert.equal(await spent({ tag: 'x' }), 10n)
    assert.equal(await spent({ user: 'eve' }), 0n)
    assert.equal(await spent({ user: 'ada' }, []), 0n)
    assert.equal(await ledger.spent({ where: {} }, noon + 1, noon + 2), 0n)
  })

  check('words that no database likes are kept all the same', async (ledger) => {
    const awkward = { user: 'nul\0 half\ud800', alias: `'; drop table ledger_entries; --`, tags: ['\0', 'ü'.repeat(400)] }
    ledger.open(openingFor('req_1', awkward))
    ledger.settle(settlementFor('req_1', { totalMs: 1.5, endedAt: noon + 0.25, firstMs: 0.1, usage: { input: 1.4, output: Number.NaN } }))
    ledger.open(openingFor('req_2'))
    await ledger.flush()
    assert.equal((await ledger.usage({ by: [], ...all }))[0]?.requests, 2)
    assert.equal((await ledger.find('req_1'))?.alias, awkward.alias)
  })
}
