import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { GatewayError } from '../../core/error.ts'
import { openStore } from '../open-store.ts'
import { openFor, sqliteUrl } from '../testing/databases.ts'
import { until } from '../testing/record-store-contract.ts'
import { openDatabase } from './database.ts'
import { openSqlRecords } from './records.ts'
import { sql } from './sql.ts'
import { countOf, rowsOf } from './steps.ts'

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-sqlite-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function refusalOf(url: string): Promise<GatewayError> {
  const error = await openDatabase(url).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof GatewayError, `${url} was opened`)
  return error
}

test('a directory that does not exist is named, with the remedy', async (t) => {
  const folder = join(folderOf(t), 'none', 'deeper')
  const error = await refusalOf(`sqlite:${folder}/signalbox.db`)
  assert.ok(error.message.includes(folder) && /mkdir/.test(error.message))
  assert.equal(error.path, 'store.url')
})

test('a directory instead of a file, and a file that is no database, are refused in words', async (t) => {
  const folder = folderOf(t)
  mkdirSync(join(folder, 'a.db'))
  assert.match((await refusalOf(`sqlite:${folder}/a.db`)).message, /is a directory/)
  writeFileSync(join(folder, 'b.db'), 'this is text and no database, however long it may be. '.repeat(50))
  assert.match((await refusalOf(`sqlite:${folder}/b.db`)).message, /not a database.*\n.*Check/)
})

test('a place that cannot be written is refused in words', { skip: process.getuid?.() === 0 && 'root may write everywhere' }, async (t) => {
  const folder = folderOf(t)
  chmodSync(folder, 0o500)
  assert.match((await refusalOf(`sqlite:${folder}/a.db`)).message, /no permission for/)
})

test('something else than a database is refused', async () => {
  for (const url of ['mysql://root@localhost/x', 'signalbox.db', '']) {
    assert.match((await refusalOf(url)).message, /sqlite:.*postgres:/)
  }
})

test('a relative path is taken from the working directory', async (t) => {
  const folder = folderOf(t)
  const before = process.cwd()
  process.chdir(folder)
  t.after(() => process.chdir(before))
  const database = await openFor(t, 'sqlite:./here.db')
  process.chdir(before)
  assert.equal(database.sqlite?.location(), join(folder, 'here.db'))
})

test('what is committed is in the file, in WAL mode', async (t) => {
  const url = sqliteUrl(t)
  const store = await openStore(url)
  await store.records.create({ kind: 'key', id: 'k1', data: {} })
  assert.deepEqual({ ...store.database?.sqlite?.prepare('pragma journal_mode').get() }, { journal_mode: 'wal' })
  await store.close()
  const again = await openStore(url)
  assert.equal((await again.records.get('key', 'k1'))?.id, 'k1')
  await again.close()
})

test('a transaction that throws leaves nothing behind, and the next one goes on', async (t) => {
  const { transaction } = await openFor(t, sqliteUrl(t))
  const insert = (seq: number) => sql`insert into changes (seq, kind, id, at) values (${seq}, 'key', ${`k${seq}`}, 1)`
  await assert.rejects(
    transaction(function* () {
      assert.equal(yield* countOf(insert(1)), 1)
      throw new Error('no')
    }),
    /^Error: no$/,
  )
  await assert.rejects(
    transaction(function* () {
      yield insert(2)
      yield insert(2)
    }),
    /UNIQUE/,
  )
  assert.deepEqual(await transaction(() => rowsOf(sql`select seq from changes`)), [])
  assert.equal(await transaction(() => countOf(insert(3))), 1)
})

test('while another process holds the write lock, writes wait aside and reads go on', async (t) => {
  const url = sqliteUrl(t)
  const records = await openSqlRecords(await openFor(t, url))
  await records.create({ kind: 'key', id: 'k1', data: {} })
  const other = new DatabaseSync(url.slice('sqlite:'.length))
  t.after(() => other.close())
  other.exec('begin immediate')
  let turns = 0
  const timer = setInterval(() => turns++, 5)
  t.after(() => clearInterval(timer))
  const writing = records.create({ kind: 'key', id: 'k2', data: {} })
  assert.equal((await records.get('key', 'k1'))?.id, 'k1')
  await until(() => turns >= 10, 2_000, 'others get their turn')
  other.exec('commit')
  assert.equal((await writing).id, 'k2')
})

test('a write lock that is never given back is store-unavailable, not a wait without end', async (t) => {
  const url = sqliteUrl(t)
  const records = await openSqlRecords(await openFor(t, url, { writeMs: 200 }))
  const other = new DatabaseSync(url.slice('sqlite:'.length))
  t.after(() => other.close())
  other.exec('begin immediate')
  const began = performance.now()
  await assert.rejects(records.create({ kind: 'key', id: 'k1', data: {} }), { id: 'store-unavailable' })
  assert.ok(performance.now() - began < 1_500)
  other.exec('rollback')
  await records.create({ kind: 'key', id: 'k1', data: {} })
})

const writer = `
  const { openStore } = await import(${JSON.stringify(new URL('../open-store.ts', import.meta.url).href)})
  const store = await openStore(process.env.STORE_URL)
  for (let n = 0; ; n++) {
    await store.records.create({ kind: 'key', id: process.env.PREFIX + n, data: { n } })
    if (n === 0) process.stdout.write('go')
    if (n % 50 === 49) await new Promise((resolve) => setTimeout(resolve, 1))
  }
`

test('a process that is killed while it writes leaves a sound file with all it had committed', async (t) => {
  const url = sqliteUrl(t)
  const records = await openSqlRecords(await openFor(t, url))
  const told = new Set<string>()
  records.watch((changes) => {
    for (const { id } of changes) told.add(id)
  })
  const child = spawn(process.execPath, ['--input-type=module', '-e', writer], {
    env: { ...process.env, STORE_URL: url, PREFIX: 'k' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  await until(() => told.size > 100, 5_000, 'changes of the other process')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const kept = (await records.list('key', { limit: 10_000 })).data
  for (let n = 0; n < kept.length; n++)
    assert.ok(
      kept.some(({ id }) => id === `k${n}`),
      `k${n} of ${kept.length}`,
    )
  await until(() => told.size === kept.length, 1_000, 'all of its changes')
  await records.create({ kind: 'key', id: 'after', data: {} })
})

test('threads of one process see each other', async (t) => {
  const url = sqliteUrl(t)
  const records = await openSqlRecords(await openFor(t, url))
  let told = 0
  records.watch((changes) => {
    told += changes.filter(({ id }) => id.startsWith('w')).length
  })
  const source = `
    const { openStore } = await import(${JSON.stringify(new URL('../open-store.ts', import.meta.url).href)})
    const store = await openStore(${JSON.stringify(url)})
    for (let n = 0; n < 20; n++) await store.records.create({ kind: 'key', id: ${"'w' + n"}, data: {} })
    await store.close()
  `
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`))
  await once(worker, 'exit')
  await until(() => told === 20, 1_000, 'changes of the thread')
})

test('what a closed store had watched does not keep the process alive', async (t) => {
  const source = `
    const { openStore } = await import(${JSON.stringify(new URL('../open-store.ts', import.meta.url).href)})
    const store = await openStore(process.env.STORE_URL)
    store.records.watch(() => {})
    await store.close()
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    env: { ...process.env, STORE_URL: sqliteUrl(t) },
    stdio: 'inherit',
    timeout: 10_000,
  })
  assert.deepEqual(await once(child, 'exit'), [0, null])
})

test('many processes that start at once on no file at all find one ready database', async (t) => {
  const url = sqliteUrl(t)
  const source = `
    const { openStore } = await import(${JSON.stringify(new URL('../open-store.ts', import.meta.url).href)})
    const store = await openStore(process.env.STORE_URL)
    await store.records.create({ kind: 'key', id: 'k' + process.pid, data: {} })
    await store.audit.append({ actor: 'system', action: 'start', subject: 'process/' + process.pid })
    await store.close()
  `
  const ends = await Promise.all(
    Array.from({ length: 4 }, () =>
      once(
        spawn(process.execPath, ['--input-type=module', '-e', source], { env: { ...process.env, STORE_URL: url }, stdio: 'inherit' }),
        'exit',
      ),
    ),
  )
  assert.deepEqual(
    ends.map(([code]) => code),
    [0, 0, 0, 0],
  )
  const store = await openStore(url)
  t.after(() => store.close())
  assert.equal((await store.records.list('key')).data.length, 4)
  assert.deepEqual(await store.audit.verify(), { entries: 4 })
})

test('a new file is for its owner only', { skip: process.platform === 'win32' && 'modes are not kept there' }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'signalbox-mode-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const database = await openDatabase(`sqlite:${join(directory, 'new.db')}`)
  await database.ready
  for (const file of readdirSync(directory)) assert.equal(statSync(join(directory, file)).mode & 0o777, 0o600, file)
  await database.close()
})
