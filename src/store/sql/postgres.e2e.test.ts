import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { withPostgres } from '../../../test/services/postgres.ts'
import { GatewayError } from '../../core/error.ts'
import { openStore } from '../open-store.ts'
import { openFor } from '../testing/databases.ts'
import { until } from '../testing/record-store-contract.ts'
import { openDatabase } from './database.ts'
import { sql } from './sql.ts'
import { countOf, rowsOf, statement } from './steps.ts'

const key = (id: string) => ({ kind: 'key', id, lookup: `digest of ${id}`, data: { alias: id } }) as const

/** How a call ended and how long it took. */
async function timed(work: () => Promise<unknown>): Promise<{ readonly ms: number; readonly error: unknown }> {
  const began = performance.now()
  const error = await work().then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return { ms: performance.now() - began, error }
}

const isUnavailable = (error: unknown): boolean => error instanceof GatewayError && error.id === 'store-unavailable'

async function untilAnswered(work: () => Promise<unknown>, ms: number): Promise<number> {
  const began = performance.now()
  for (;;) {
    if ((await timed(work)).error === undefined) return performance.now() - began
    if (performance.now() - began > ms) assert.fail(`no answer within ${ms} ms`)
    await sleep(20)
  }
}

async function storeFor(t: TestContext, url: string, states: string[] = []) {
  const store = await openStore(url, { onState: ({ up }) => states.push(up ? 'up' : 'down') })
  t.after(() => store.close())
  return store
}

/** A port of this machine where nobody listens. */
async function deadPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

test('a frozen database costs a lookup 250 ms, then nothing; after it thaws all goes on by itself', async (t) => {
  const service = await withPostgres(t, { own: true })
  if (!service) return
  const states: string[] = []
  const { records, database } = await storeFor(t, service.url, states)
  await records.create(key('k1'))
  service.freeze()
  const first = await timed(() => records.find('key', 'digest of k1'))
  assert.ok(isUnavailable(first.error), String(first.error))
  assert.ok(first.ms >= 240 && first.ms < 600, `${first.ms} ms`)
  for (let n = 0; n < 3; n++) await timed(() => records.get('key', 'k1'))
  assert.deepEqual([...states], ['down'])
  assert.equal(database?.reachable, false)
  // Open: one of these may be the trial, the others are told at once.
  const refused = await Promise.all(Array.from({ length: 200 }, () => timed(() => records.get('key', 'k1'))))
  assert.ok(refused.every(({ error }) => isUnavailable(error)))
  assert.ok(refused.filter(({ ms }) => ms < 100).length >= 199)
  const write = await timed(() => records.create(key('k2')))
  assert.ok(isUnavailable(write.error) && write.ms < 3_500)
  service.thaw()
  const took = await untilAnswered(() => records.get('key', 'k1'), 3_000)
  t.diagnostic(`answers ${Math.round(took)} ms after the thaw`)
  assert.deepEqual([...states], ['down', 'up'])
})

test('after a crash of the database everything goes on, and watchers learn of what happened meanwhile', async (t) => {
  const service = await withPostgres(t, { own: true })
  if (!service) return
  const { records } = await storeFor(t, service.url)
  await records.create(key('k1'))
  const told = new Set<string>()
  records.watch((changes) => {
    for (const { id } of changes) told.add(id)
  })
  await service.kill()
  assert.ok(isUnavailable((await timed(() => records.get('key', 'k1'))).error))
  await service.restart()
  // Somebody who was there first: our own connections are still the old, broken ones.
  const other = await storeFor(t, service.url)
  await other.records.create(key('meanwhile'))
  await untilAnswered(() => records.get('key', 'k1'), 3_000)
  await until(() => told.has('meanwhile'), 2_000, 'the change is told')
  await other.records.remove('key', 'meanwhile')
  told.clear()
  await other.records.create(key('later'))
  await until(() => told.has('later'), 1_000, 'and those that follow')
})

test('with the database down the store opens, refuses, and works as soon as it is there', async (t) => {
  const service = await withPostgres(t, { own: true })
  if (!service) return
  await service.kill()
  const began = performance.now()
  const { records, audit, database } = await storeFor(t, service.url)
  assert.ok(performance.now() - began < 1_500, 'opening does not wait for long')
  assert.equal(database?.reachable, false)
  const told: string[] = []
  records.watch((changes) => told.push(...changes.map(({ id }) => id)))
  const refused = await timed(() => records.get('key', 'k1'))
  assert.ok(isUnavailable(refused.error) && refused.ms < 300)
  assert.ok(isUnavailable((await timed(() => audit.append({ actor: 'system', action: 'a', subject: 's' }))).error))
  await service.restart()
  await database?.ready
  await records.create(key('k1'))
  assert.equal((await records.get('key', 'k1'))?.id, 'k1')
  assert.ok(told.includes('k1'))
  assert.equal(database?.reachable, true)
})

test('what was changed before the first contact is told after it', async (t) => {
  const service = await withPostgres(t, { own: true })
  if (!service) return
  const before = await openStore(service.url)
  await before.records.create(key('old'))
  await before.close()
  await service.kill()
  const { records } = await storeFor(t, service.url)
  const told: string[] = []
  records.watch((changes) => told.push(...changes.map(({ id }) => id)))
  await service.restart()
  await until(() => told.includes('old'), 4_000, 'the records that could not be read at the start')
})

test('a database that hangs from the start does not keep the store from opening', async (t) => {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as { port: number }
  const began = performance.now()
  const { records } = await storeFor(t, `postgres://nobody@127.0.0.1:${port}/none`)
  assert.ok(performance.now() - began < 2_000)
  assert.ok(isUnavailable((await timed(() => records.get('key', 'k1'))).error))
})

test('closing does not wait for a database that is not there', async () => {
  const store = await openStore(`postgres://nobody:secret-of-a-test@127.0.0.1:${await deadPort()}/none`)
  store.records.watch(() => {})
  const refused = await timed(() => store.records.get('key', 'k1'))
  assert.ok(isUnavailable(refused.error))
  assert.ok(!JSON.stringify(refused.error, Object.getOwnPropertyNames(refused.error)).includes('secret-of-a-test'))
  const { ms, error } = await timed(() => store.close())
  assert.equal(error, undefined)
  assert.ok(ms < 1_500)
})

test('a database that refuses us is named, with the remedy', async (t) => {
  const service = await withPostgres(t)
  if (!service) return
  const url = new URL(service.url)
  url.pathname = '/no_such_database'
  url.password = 'secret-of-a-test'
  const { error } = await timed(() => openDatabase(url.href))
  assert.ok(error instanceof GatewayError)
  assert.match(error.message, /no_such_database.*\n.*store\.url/)
  assert.equal(error.path, 'store.url')
  assert.ok(!error.message.includes('secret-of-a-test'))
})

test('a failed transaction leaves nothing behind, and its connection is used again', async (t) => {
  const service = await withPostgres(t)
  if (!service) return
  const { transaction } = await openFor(t, service.url, { connections: 1 })
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
    /duplicate key/,
  )
  assert.deepEqual(await transaction(() => rowsOf(sql`select seq from changes`)), [])
})

test('a statement is given its time and no more; the connection is free again after it', async (t) => {
  const service = await withPostgres(t)
  if (!service) return
  const { transaction } = await openFor(t, service.url, { connections: 1, writeMs: 300 })
  const slow = await timed(() => transaction(() => statement('select pg_sleep(5)')))
  assert.ok(isUnavailable(slow.error) && slow.ms < 1_000, `${slow.ms} ms ${slow.error}`)
  const [row] = await transaction(() => statement<{ one: number }>('select 1 as one'))
  assert.equal(row?.one, 1)
  const patient = await timed(() => transaction(() => statement('select pg_sleep(0.6)'), { timeoutMs: 5_000 }))
  assert.equal(patient.error, undefined)
  const after = await timed(() => transaction(() => statement('select pg_sleep(0.6)')))
  assert.ok(isUnavailable(after.error), 'the longer time was for that transaction alone')
})

test('integers are numbers, in rows and in sums of small ones', async (t) => {
  const service = await withPostgres(t)
  if (!service) return
  const { transaction } = await openFor(t, service.url)
  const [row] = await transaction(() =>
    statement<{ big: number; text: string }>(`select 9007199254740991::bigint as big, '7'::text as text`),
  )
  assert.deepEqual({ ...row }, { big: 9007199254740991, text: '7' })
})

test('many who wait for few connections are no sign of a dead database', async (t) => {
  const service = await withPostgres(t)
  if (!service) return
  const database = await openFor(t, service.url, { connections: 2, lookupMs: 50 })
  let busy = true
  // Keeps both connections in use, with an answer now and then.
  const hogs = [1, 2].map(async () => {
    while (busy) await database.transaction(() => statement('select pg_sleep(0.02)'))
  })
  const ends = await Promise.all(
    Array.from({ length: 100 }, () => timed(() => database.lookup(() => database.transaction(() => statement('select pg_sleep(0.02)'))))),
  )
  assert.ok(ends.filter(({ error }) => isUnavailable(error)).length > 50, 'most waited too long')
  assert.equal(database.reachable, true)
  busy = false
  await Promise.all(hogs)
})

test('a listener whose connection is cut hears again, and misses nothing meanwhile', async (t) => {
  const service = await withPostgres(t)
  if (!service) return
  const { records, database } = await storeFor(t, service.url)
  const other = await storeFor(t, service.url)
  const told = new Set<string>()
  records.watch((changes) => {
    for (const { id } of changes) told.add(id)
  })
  await sleep(200)
  const cut = sql<{ cut: boolean }>`select pg_terminate_backend(pid) as cut from pg_stat_activity
    where pid <> pg_backend_pid() and datname = current_database() and query = 'listen signalbox_changes'`
  for (let round = 0; round < 3; round++) {
    assert.ok((await database?.query(cut))?.length, 'there was a listener')
    await other.records.create(key(`cut-${round}`))
    await until(() => told.has(`cut-${round}`), 1_000, 'a change without a listener')
    await sleep(700)
  }
  await other.records.create(key('heard'))
  const took = await until(() => told.has('heard'), 1_000, 'a change with the listener back')
  t.diagnostic(`heard after ${Math.round(took)} ms`)
})

test('a process whose database is frozen can close its store and end', async (t) => {
  const service = await withPostgres(t, { own: true })
  if (!service) return
  const source = `
    const { openStore } = await import(${JSON.stringify(new URL('../open-store.ts', import.meta.url).href)})
    const store = await openStore(process.env.STORE_URL)
    store.records.watch(() => {})
    await Promise.all([1, 2, 3].map(() => store.records.list('key')))
    process.stdout.write('ready')
    await new Promise((resolve) => process.stdin.once('data', resolve))
    process.stdin.destroy()
    await store.close()
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    env: { ...process.env, STORE_URL: service.url },
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: 20_000,
  })
  await once(child.stdout, 'data')
  service.freeze()
  const began = performance.now()
  child.stdin.end('close')
  assert.deepEqual(await once(child, 'exit'), [0, null])
  assert.ok(performance.now() - began < 4_000)
})
