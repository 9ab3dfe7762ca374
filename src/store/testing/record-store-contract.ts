/** What every record store does. Each is made anew for each test; `again` opens the same data a second time, as another process would. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { GatewayError } from '../../core/error.ts'
import type { NewRecord, RecordChange, RecordStore, StoredRecord } from '../../core/records.ts'

export interface RecordStoreRig {
  readonly store: RecordStore
  /** Where data outlives the object that holds it. */
  readonly again?: () => Promise<RecordStore>
}

/** Undefined: there is no such store here, and the test is marked as skipped. */
export type RecordStoreMaker = (t: TestContext) => Promise<RecordStoreRig | undefined>

const key = (id: string, more: Partial<NewRecord> = {}): NewRecord => ({ kind: 'key', id, data: { alias: id }, ...more })
const hasId = (id: string) => (error: GatewayError) => error.id === id
const idsOf = (records: readonly StoredRecord[]): string[] => records.map(({ id }) => id)

/** Waits until it is so; fails after `ms`. */
export async function until(holds: () => boolean, ms: number, what: string): Promise<number> {
  const began = performance.now()
  while (!holds()) {
    if (performance.now() - began > ms) assert.fail(`not within ${ms} ms: ${what}`)
    await sleep(5)
  }
  return performance.now() - began
}

export function recordStoreContract(name: string, make: RecordStoreMaker): void {
  const on = (sentence: string, body: (rig: RecordStoreRig, t: TestContext) => Promise<void>): void => {
    test(`records, ${name}: ${sentence}`, async (t) => {
      const rig = await make(t)
      if (rig) await body(rig, t)
    })
  }

  on('what was created is found by id and by lookup', async ({ store }) => {
    const data = { alias: 'a', models: ['x', 'y'], budget: { limit: '0.50', none: null }, odd: 'ü \u0000 \ud83d\ude00 "', n: 0.1 }
    const made = await store.create(key('k1', { lookup: 'digest-1', organisation: 'acme', data }))
    assert.equal(made.version, 1)
    assert.ok(Math.abs(Date.now() - made.createdAt) < 10_000)
    for (const found of [made, await store.get('key', 'k1'), await store.find('key', 'digest-1')]) {
      assert.deepEqual(found, { ...made, kind: 'key', id: 'k1', lookup: 'digest-1', organisation: 'acme', data })
    }
  })

  on('what is not there is undefined, whatever is asked', async ({ store }) => {
    await store.create(key('k1', { lookup: 'd1' }))
    for (const id of ['', 'k', 'k11', 'K1', 'd1', "' or 1=1 --", '\0', '\ud800', 'k1\0']) {
      assert.equal(await store.get('key', id), undefined)
      assert.equal(await store.find('key', id === 'd1' ? 'k1' : id), undefined)
    }
    assert.equal(await store.get('team', 'k1'), undefined)
    assert.equal(await store.find('team', 'd1'), undefined)
    assert.equal(await store.remove('key', 'k1\0'), false)
  })

  on('absent members stay absent', async ({ store }) => {
    const made = await store.create(key('k1'))
    assert.deepEqual(Object.keys((await store.get('key', 'k1')) ?? {}).sort(), Object.keys(made).sort())
    assert.ok(!('lookup' in made) && !('organisation' in made))
  })

  on('an id or a lookup that exists is a conflict, and changes nothing', async ({ store }) => {
    await store.create(key('k1', { lookup: 'd1' }))
    await assert.rejects(store.create(key('k1', { data: { alias: 'other' } })), hasId('conflict'))
    await assert.rejects(store.create(key('k2', { lookup: 'd1' })), hasId('conflict'))
    assert.equal((await store.get('key', 'k1'))?.data['alias'], 'k1')
    assert.equal(await store.get('key', 'k2'), undefined)
    // Kinds do not share their names.
    await store.create({ kind: 'team', id: 'k1', lookup: 'd1', data: {} })
  })

  on('an update replaces all of it and counts the version up', async ({ store }) => {
    const made = await store.create(key('k1', { lookup: 'd1', organisation: 'acme' }))
    const updated = await store.update({ ...key('k1', { lookup: 'd2', data: { alias: 'new' } }), version: 1 })
    assert.equal(updated.version, 2)
    assert.equal(updated.createdAt, made.createdAt)
    assert.deepEqual(await store.get('key', 'k1'), updated)
    assert.deepEqual(await store.find('key', 'd2'), updated)
    assert.equal(await store.find('key', 'd1'), undefined)
    assert.equal(updated.organisation, undefined)
    // The old lookup is free.
    await store.create(key('k2', { lookup: 'd1' }))
  })

  on('an update of an old version is a conflict, of nothing a not-found', async ({ store }) => {
    await store.create(key('k1'))
    await store.update({ ...key('k1', { data: { by: 'first' } }), version: 1 })
    await assert.rejects(store.update({ ...key('k1', { data: { by: 'second' } }), version: 1 }), hasId('conflict'))
    assert.equal((await store.get('key', 'k1'))?.data['by'], 'first')
    await assert.rejects(store.update({ ...key('none'), version: 1 }), hasId('not-found'))
  })

  on("an update to another's lookup is a conflict", async ({ store }) => {
    await store.create(key('k1', { lookup: 'd1' }))
    await store.create(key('k2', { lookup: 'd2' }))
    await assert.rejects(store.update({ ...key('k2', { lookup: 'd1' }), version: 1 }), hasId('conflict'))
    assert.equal((await store.find('key', 'd1'))?.id, 'k1')
    assert.equal((await store.find('key', 'd2'))?.id, 'k2')
  })

  on('of many at once who update the same version, one wins', async ({ store, again }) => {
    const other = (await again?.()) ?? store
    await store.create(key('k1', { data: { n: 0 } }))
    const tries = Array.from({ length: 20 }, (_, n) =>
      (n % 2 ? store : other).update({ ...key('k1', { data: { n } }), version: 1 }).then(
        () => 'won',
        (error: GatewayError) => error.id,
      ),
    )
    const ends = await Promise.all(tries)
    assert.equal(ends.filter((end) => end === 'won').length, 1)
    assert.equal(ends.filter((end) => end === 'conflict').length, 19)
    assert.equal((await store.get('key', 'k1'))?.version, 2)
  })

  on('of many at once who create the same id, one wins', async ({ store, again }) => {
    const other = (await again?.()) ?? store
    const tries = Array.from({ length: 20 }, (_, n) =>
      (n % 2 ? store : other).create(key('k1', { lookup: `d${n}` })).then(
        () => 1,
        () => 0,
      ),
    )
    assert.equal(
      (await Promise.all(tries)).reduce<number>((sum, won) => sum + won, 0),
      1,
    )
  })

  on('what is removed is gone, and its names are free', async ({ store }) => {
    await store.create(key('k1', { lookup: 'd1' }))
    assert.equal(await store.remove('key', 'k1'), true)
    assert.equal(await store.remove('key', 'k1'), false)
    assert.equal(await store.get('key', 'k1'), undefined)
    assert.equal(await store.find('key', 'd1'), undefined)
    assert.deepEqual((await store.list('key')).data, [])
    assert.equal((await store.create(key('k1', { lookup: 'd1' }))).version, 1)
  })

  on('lists are in the order of ids, in pages, without gaps or repeats', async ({ store }) => {
    const ids = ['b', 'a', 'B', '_', 'z10', 'z9', 'é', '\u{1f600}', '\uffee', 'k', 'ä1'].sort((a, b) =>
      Buffer.compare(Buffer.from(a), Buffer.from(b)),
    )
    for (const id of ids.toReversed()) await store.create(key(id))
    await store.create({ kind: 'team', id: 'c', data: {} })
    assert.deepEqual(idsOf((await store.list('key')).data), ids)
    for (const limit of [1, 2, 5, 11]) {
      const seen: string[] = []
      let after: string | undefined
      do {
        const page: Awaited<ReturnType<RecordStore['list']>> = await store.list('key', { limit, after })
        assert.ok(page.data.length > 0 && page.data.length <= limit)
        seen.push(...idsOf(page.data))
        after = page.next
      } while (after !== undefined)
      assert.deepEqual(seen, ids)
    }
  })

  on("lists of one organisation hold nothing of another's", async ({ store }) => {
    for (let n = 0; n < 12; n++) await store.create(key(`k${10 + n}`, n % 3 === 2 ? {} : { organisation: n % 3 ? 'acme' : 'other' }))
    const first = await store.list('key', { organisation: 'acme', limit: 3 })
    const second = await store.list('key', { organisation: 'acme', limit: 3, after: first.next })
    assert.deepEqual(idsOf([...first.data, ...second.data]), ['k11', 'k14', 'k17', 'k20'])
    assert.equal(second.next, undefined)
    assert.deepEqual((await store.list('key', { organisation: '' })).data, [])
  })

  on('what was handed in or out may be changed without changing what is kept', async ({ store }) => {
    const data = { list: [1] }
    await store.create(key('k1', { data }))
    data.list.push(2)
    assert.deepEqual((await store.get('key', 'k1'))?.data, { list: [1] })
  })

  on('watchers are told of every own change at once, and of nothing that failed', async ({ store }) => {
    await store.create(key('before'))
    const told: RecordChange[] = []
    const stop = store.watch((changes) => told.push(...changes))
    await store.create(key('k1'))
    await store.update({ ...key('k1'), version: 1 })
    await assert.rejects(store.update({ ...key('k1'), version: 1 }))
    await assert.rejects(store.create(key('k1')))
    await store.remove('key', 'none')
    await store.remove('key', 'k1')
    const own = told.filter(({ id }) => id === 'k1')
    assert.equal(own.length, 3)
    assert.ok(
      own.every(({ seq }, index) => index === 0 || seq > (own[index - 1]?.seq ?? 0)),
      'numbers count up',
    )
    await sleep(700)
    assert.equal(told.filter(({ id }) => id === 'k1').length, 3, 'and once only')
    stop()
    await store.create(key('k2'))
    assert.ok(!told.some(({ id }) => id === 'k2'))
  })

  on('a watcher that throws does not keep the others from hearing', async ({ store }, t) => {
    const warnings: unknown[] = []
    const note = (warning: unknown) => warnings.push(warning)
    process.on('warning', note)
    t.after(() => process.off('warning', note))
    let told = 0
    store.watch(() => {
      throw new Error('watcher of a test')
    })
    store.watch(() => told++)
    await store.create(key('k1'))
    assert.equal(told, 1)
    await until(() => warnings.length > 0, 1_000, 'the error is reported')
  })

  on('changes by another process are told within a second, in order, none missing', async ({ store, again }, t) => {
    if (!again) return t.skip('nobody else sees this store')
    const other = await again()
    const told: RecordChange[] = []
    store.watch((changes) => told.push(...changes))
    await other.create(key('k0'))
    const took = await until(() => told.length > 0, 1_000, 'the first change')
    t.diagnostic(`told after ${Math.round(took)} ms`)
    for (let n = 1; n < 50; n++) await other.create(key(`k${n}`))
    await until(() => told.length >= 50, 1_000, 'all changes')
    assert.deepEqual(
      idsOf(told as unknown as StoredRecord[]),
      Array.from({ length: 50 }, (_, n) => `k${n}`),
    )
    await other.update({ ...key('k7'), version: 1 })
    await other.remove('key', 'k8')
    await until(() => told.length >= 52, 1_000, 'update and removal')
    assert.deepEqual(
      told.slice(50).map(({ id }) => id),
      ['k7', 'k8'],
    )
    assert.equal(await store.get('key', 'k8'), undefined)
  })

  on('with many writers at once no change is passed over', async ({ store, again }, t) => {
    if (!again) return t.skip('nobody else sees this store')
    const told = new Set<string>()
    store.watch((changes) => {
      for (const { id } of changes) told.add(id)
    })
    const writers = [await again(), await again(), store]
    await Promise.all(
      writers.flatMap((writer, w) =>
        Array.from({ length: 40 }, (_, n) => sleep(Math.random() * 300).then(() => writer.create(key(`w${w}-${n}`)))),
      ),
    )
    await until(() => told.size === 120, 1_500, 'all of 120 changes')
  })

  on('when it is closed it says so', async ({ store }) => {
    await store.close()
    await assert.rejects(store.get('key', 'k1'), hasId('store-unavailable'))
    await assert.rejects(store.create(key('k1')), hasId('store-unavailable'))
    await assert.rejects(store.list('key'), hasId('store-unavailable'))
  })
}
