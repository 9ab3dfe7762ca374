/** What migrating does on every database. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { GatewayError } from '../../core/error.ts'
import { type Migration, migrations } from '../sql/migrations/index.ts'
import { openSqlRecords } from '../sql/records.ts'
import { sql } from '../sql/sql.ts'
import { statement } from '../sql/steps.ts'
import { openFor } from './databases.ts'

const newest = migrations.length

/** A release after this one: a column, a table and an index on a table in use. */
const next: Migration = {
  version: newest + 1,
  name: 'test-next',
  statements: () => [
    'alter table records add column note text',
    'create table test_next (id integer primary key)',
    'create index records_note on records (note)',
  ],
}

const broken: Migration = {
  version: newest + 1,
  name: 'test-broken',
  statements: () => ['create table test_broken (id integer primary key)', 'insert into nowhere values (1)'],
}

export function migrationContract(name: string, urlFor: (t: TestContext) => Promise<string | undefined>): void {
  const on = (sentence: string, body: (url: string, t: TestContext) => Promise<void>): void => {
    test(`migrations, ${name}: ${sentence}`, async (t) => {
      const url = await urlFor(t)
      if (url) await body(url, t)
    })
  }
  const appliedOf = async (t: TestContext, url: string, list: readonly Migration[]): Promise<readonly number[]> => {
    const { transaction } = await openFor(t, url, { migrations: list })
    const rows = await transaction(() => statement<{ version: number }>('select version from signalbox_migrations order by version'))
    return rows.map(({ version }) => version)
  }

  test(`migrations, ${name}: they are numbered from 1 without gaps`, () => {
    assert.deepEqual(
      migrations.map(({ version }) => version),
      migrations.map((_, index) => index + 1),
    )
  })

  on('an empty database gets all of them, once', async (url, t) => {
    const all = migrations.map(({ version }) => version)
    assert.deepEqual(await appliedOf(t, url, migrations), all)
    assert.deepEqual(await appliedOf(t, url, migrations), all)
  })

  on('many who start at once on an empty database all find it ready', async (url, t) => {
    const opened = await Promise.all(Array.from({ length: 6 }, () => openFor(t, url, { patienceMs: 20_000 })))
    for (const { query, ready } of opened) {
      await ready
      assert.equal((await query(sql`select seq from audit_head`)).length, 1)
    }
    assert.deepEqual(
      await appliedOf(t, url, migrations),
      migrations.map(({ version }) => version),
    )
  })

  for (const from of migrations.slice(0, -1)) {
    on(`what was kept under schema ${from.version} is there after the upgrade`, async (url, t) => {
      const old = await openSqlRecords(await openFor(t, url, { migrations: migrations.slice(0, from.version) }))
      const made = await old.create({ kind: 'key', id: 'k1', lookup: 'd1', organisation: 'acme', data: { alias: 'a' } })
      const records = await openSqlRecords(await openFor(t, url))
      assert.deepEqual(await records.find('key', 'd1'), made)
    })
  }

  on('an upgrade while others write loses nothing, and the old version goes on', async (url, t) => {
    const writers = await Promise.all([1, 2, 3].map(async () => openSqlRecords(await openFor(t, url))))
    let running = true
    let longest = 0
    const counts = writers.map(async (records, w) => {
      let n = 0
      for (; running; n++) {
        const began = performance.now()
        await records.create({ kind: 'key', id: `w${w}-${n}`, data: { n } })
        longest = Math.max(longest, performance.now() - began)
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      return n
    })
    await new Promise((resolve) => setTimeout(resolve, 150))
    assert.deepEqual((await appliedOf(t, url, [...migrations, next])).at(-1), next.version)
    await new Promise((resolve) => setTimeout(resolve, 150))
    running = false
    const sum = (await Promise.all(counts)).reduce((one, other) => one + other, 0)
    t.diagnostic(`${sum} writes, the longest ${Math.round(longest)} ms`)
    const { query } = await openFor(t, url, { migrations: [...migrations, next] })
    const rows = await query(sql`select id from records`)
    assert.equal(rows.length, sum)
    assert.ok(longest < 2_000)
  })

  on('a newer schema is refused in words that say what to do', async (url, t) => {
    await appliedOf(t, url, [...migrations, next])
    await assert.rejects(openFor(t, url), (error: GatewayError) => {
      assert.match(error.message, /newer version of Signalbox/)
      assert.equal(error.path, 'store.url')
      return true
    })
  })

  on('a migration that fails leaves the schema before it', async (url, t) => {
    await assert.rejects(openFor(t, url, { migrations: [...migrations, broken] }), /nowhere/)
    assert.deepEqual(
      await appliedOf(t, url, migrations),
      migrations.map(({ version }) => version),
    )
    const { transaction } = await openFor(t, url)
    await assert.rejects(
      transaction(() => statement('select * from test_broken')),
      /test_broken/,
    )
  })
}
