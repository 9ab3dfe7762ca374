import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import pg from 'pg'
import { isAlive } from './install.ts'
import { withPostgres } from './postgres.ts'
import { withRedis } from './redis.ts'

/** What the server answers to lines within the time; undefined: nothing. */
function ask(port: number, words: string, ms = 1_000): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(words))
    socket.once('error', reject)
    socket.once('data', (data) => {
      socket.destroy()
      resolve(data.toString())
    })
    socket.setTimeout(ms, () => {
      socket.destroy()
      resolve(undefined)
    })
  })
}

async function sql(url: string, text: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000, query_timeout: 1_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.query(text)).rows
  } finally {
    client.end().catch(() => {})
  }
}

test('Redis is started, frozen, thawed, killed, restarted and stopped', async (t) => {
  const redis = await withRedis(t, { own: true })
  if (!redis) return
  assert.match((await ask(redis.port, 'PING\r\n')) ?? '', /^\+PONG/)
  redis.freeze()
  assert.equal(await ask(redis.port, 'PING\r\n', 150), undefined)
  redis.thaw()
  assert.match((await ask(redis.port, 'PING\r\n')) ?? '', /^\+PONG/)
  await redis.kill()
  await assert.rejects(ask(redis.port, 'PING\r\n'))
  await redis.restart()
  assert.match((await ask(redis.port, 'PING\r\n')) ?? '', /^\+PONG/)
  const { pid } = redis
  await redis.stop()
  assert.ok(pid !== undefined && !isAlive(pid))
})

test('a Redis that keeps has its data after a kill', async (t) => {
  const redis = await withRedis(t, { own: true, keep: true })
  if (!redis) return
  assert.match((await ask(redis.port, 'SET a 1\r\n')) ?? '', /^\+OK/)
  await redis.kill()
  await redis.restart()
  assert.match((await ask(redis.port, 'GET a\r\n')) ?? '', /^\$1\r\n1/)
})

test('tests of one file share Redis and not their data', async (t) => {
  const [one, two] = [await withRedis(t), await withRedis(t)]
  if (!one || !two) return
  assert.equal(one.port, two.port)
  assert.notEqual(one.url, two.url)
})

test('PostgreSQL is started, frozen, thawed, killed with what was committed, and stopped', async (t) => {
  const postgres = await withPostgres(t, { own: true })
  if (!postgres) return
  await sql(postgres.url, 'create table kept (n int); insert into kept values (7)')
  postgres.freeze()
  await assert.rejects(sql(postgres.url, 'select 1'))
  postgres.thaw()
  assert.deepEqual(await sql(postgres.url, 'select n from kept'), [{ n: 7 }])
  await postgres.kill()
  await assert.rejects(sql(postgres.url, 'select 1'))
  await postgres.restart()
  assert.deepEqual(await sql(postgres.url, 'select n from kept'), [{ n: 7 }])
})

test('tests of one file share PostgreSQL and not their data', async (t) => {
  const [one, two] = [await withPostgres(t), await withPostgres(t)]
  if (!one || !two) return
  await sql(one.url, 'create table mine (n int)')
  await assert.rejects(sql(two.url, 'select n from mine'), /does not exist/)
})
