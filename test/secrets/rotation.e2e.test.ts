/** A gateway key, a provider key and the master key are replaced under load, over sockets: no call fails. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../../src/config/config.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { fakeServer } from '../../src/secrets/fixtures/fake-server.ts'
import { startServing } from '../../src/server/start.ts'
import { reply } from './chat-reply.ts'

const OWNER = 'the-owner-of-this-test'

test('three kinds of keys, each replaced several times while sixteen callers call', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-rotation-'))
  const accepted = new Set(['provider-key-0'])
  const used = new Set<string>()
  await using provider = await fakeServer(async ({ headers }) => {
    await sleep(Math.random() * 5)
    const key = (headers['authorization'] ?? '').replace('Bearer ', '')
    used.add(key)
    return accepted.has(key) ? { body: reply } : { status: 401, body: { error: { message: 'no such key' } } }
  })
  const env = {
    SIGNALBOX_ADMIN_KEY: OWNER,
    MASTER: randomBytes(32).toString('base64'),
    MASTER_2: randomBytes(32).toString('hex'),
    MASTER_3: 'a passphrase that is long enough',
  }
  const written = {
    server: { port: 0 },
    store: { url: `sqlite:${join(folder, 'store.db')}` },
    access: { mode: 'keys' },
    providers: { p: { preset: 'openai-compatible', baseUrl: `${provider.url}/v1`, keys: ['secret:p'] } },
    models: { main: { targets: [{ provider: 'p', model: 'm' }] } },
    secrets: { masterKey: 'env:MASTER' },
  }
  const { config, problems } = parseConfig(written, { env })
  assert.deepEqual(problems, [])
  const serving = await startServing({ config: config as Config, env, write: () => {}, quiet: true })
  const admin = async (method: string, path: string, body?: object): Promise<Record<string, unknown>> => {
    const answer = await fetch(`${serving.url}/admin/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${OWNER}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`)
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
  }
  try {
    await admin('POST', '/secrets', { name: 'p', value: 'provider-key-0' })
    const { id, key } = await admin('POST', '/keys', { alias: 'caller', models: ['main'] })
    let credential = String(key)
    const faults: string[] = []
    let calls = 0
    let running = true
    const lanes = Array.from({ length: 16 }, async () => {
      while (running) {
        calls++
        const answer = await fetch(`${serving.url}/v1/chat/completions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${credential}` },
          body: JSON.stringify({ model: 'main', messages: [{ role: 'user', content: 'Hello' }] }),
        })
        const text = await answer.text()
        if (answer.status !== 200) faults.push(`${answer.status} ${text}`)
      }
    })
    for (let round = 1; round <= 5; round++) {
      accepted.add(`provider-key-${round}`)
      await admin('PATCH', '/secrets/p', { value: `provider-key-${round}` })
      accepted.delete(`provider-key-${round - 1}`)
      await sleep(60)
      const rotated = await admin('POST', `/keys/${id}/rotate`, { overlap: '10s' })
      credential = String(rotated['key'])
      await sleep(30)
      const master = ['env:MASTER_2', 'env:MASTER_3', 'env:MASTER'][round % 3] as string
      const { failed } = await admin('POST', '/master-key/rotate', { reference: master })
      assert.equal(failed, 0)
    }
    running = false
    await Promise.all(lanes)
    assert.deepEqual(faults.slice(0, 3), [])
    assert.ok(calls > 200, String(calls))
    for (let round = 0; round <= 5; round++) assert.ok(used.has(`provider-key-${round}`), `provider-key-${round} was used`)
  } finally {
    await serving.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})
