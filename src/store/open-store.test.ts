import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { openStore } from './open-store.ts'
import { sqliteUrl } from './testing/databases.ts'

const source = `
  import { registerHooks } from 'node:module'
  const seen = new Set()
  registerHooks({ resolve: (name, context, next) => (seen.add(name), next(name, context)) })
  const { openStore } = await import(${JSON.stringify(new URL('open-store.ts', import.meta.url).href)})
  const store = await openStore(process.env.STORE_URL)
  await store.records.create({ kind: 'key', id: 'k1', data: {} })
  await store.records.list('key')
  await store.audit.append({ actor: 'system', action: 'test', subject: 'key/k1' })
  await store.close()
  process.stdout.write([...seen].filter((name) => /^(pg|kysely|node:sqlite|[^]*sql[^]*)$/.test(name)).join(' '))
`

async function loadedBy(url: string): Promise<string[]> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    env: { ...process.env, STORE_URL: url },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const text: Buffer[] = []
  child.stdout.on('data', (bytes: Buffer) => text.push(bytes))
  await once(child, 'close')
  return Buffer.concat(text).toString().split(' ').filter(Boolean)
}

test('a store in memory loads nothing of SQL', async () => {
  assert.deepEqual(await loadedBy('memory:'), [])
})

test('a SQLite store loads neither a driver of PostgreSQL nor a query builder', async (t) => {
  const loaded = await loadedBy(sqliteUrl(t))
  assert.ok(loaded.includes('node:sqlite'))
  assert.ok(!loaded.includes('pg') && !loaded.includes('kysely'), loaded.join(' '))
})

test('a store in memory forgets, one in a file does not', async (t) => {
  for (const [url, kept] of [
    ['memory:', 0],
    [sqliteUrl(t), 1],
  ] as const) {
    const store = await openStore(url)
    await store.records.create({ kind: 'key', id: 'k1', data: {} })
    await store.audit.append({ actor: 'system', action: 'test', subject: 'key/k1' })
    await store.close()
    const again = await openStore(url)
    assert.equal((await again.records.list('key')).data.length, kept)
    assert.equal((await again.audit.verify()).entries, kept)
    await again.close()
  }
})

test('what is no store is refused', async () => {
  await assert.rejects(openStore('mongodb://localhost'), /write `sqlite:/)
})
