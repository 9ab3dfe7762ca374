/** A key with a schedule is given another secret by the gateway itself, over sockets: its holder finds it where the configuration says. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../../src/config/config.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { fakeServer } from '../../src/secrets/fixtures/fake-server.ts'
import { type Serving, startServing } from '../../src/server/start.ts'
import { reply } from './chat-reply.ts'

const OWNER = 'the-owner-of-this-test'
const env = { SIGNALBOX_ADMIN_KEY: OWNER, PROVIDER: 'provider-key' }

test('a key that is due is replaced while it is used, and no call fails', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-schedule-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  await using provider = await fakeServer(() => ({ body: reply }))
  const said: string[] = []
  const configOf = (rotation: object | undefined): Config => {
    const { config, problems } = parseConfig(
      {
        server: { port: 0 },
        store: { url: `sqlite:${join(folder, 'store.db')}` },
        access: { mode: 'keys', ...(rotation && { rotation }) },
        providers: { p: { preset: 'openai-compatible', baseUrl: `${provider.url}/v1`, keys: ['env:PROVIDER'] } },
        models: { main: { targets: [{ provider: 'p', model: 'm' }] } },
      },
      { env },
    )
    assert.deepEqual(problems, [])
    return config as Config
  }
  const start = (rotation?: object): Promise<Serving> =>
    startServing({ config: configOf(rotation), env, write: (text) => void said.push(text), quiet: true })
  const admin = async (serving: Serving, method: string, path: string, body?: object) => {
    const answer = await fetch(`${serving.url}/admin/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${OWNER}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    })
    return { status: answer.status, json: (await answer.json()) as Record<string, unknown> }
  }
  const call = async (serving: Serving, key: string): Promise<number> => {
    const answer = await fetch(`${serving.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'main', messages: [{ role: 'user', content: 'hello' }] }),
    })
    await answer.arrayBuffer()
    return answer.status
  }
  let ahead = 0
  const real = Date.now
  t.mock.method(Date, 'now', () => real() + ahead)

  // Without a place there is no schedule.
  let serving = await start()
  t.after(() => serving.stop())
  const refused = await admin(serving, 'POST', '/keys', { alias: 'caller', rotateEvery: '30d' })
  assert.equal(refused.status, 400)
  assert.match(JSON.stringify(refused.json), /access\.rotation\.to/)
  await serving.stop()

  serving = await start({ to: `file:${folder}/{id}.key`, overlap: '1h' })
  const { status, json: made } = await admin(serving, 'POST', '/keys', { alias: 'caller', models: ['main'], rotateEvery: '30d' })
  assert.deepEqual([status, made['rotateEvery']], [201, '30d'])
  assert.equal(Date.parse(String(made['rotatesAt'])) - Date.parse(String(made['createdAt'])), 30 * 86_400_000)
  const first = String(made['key'])
  const place = join(folder, `${made['id']}.key`)
  assert.equal(await call(serving, first), 200)
  await serving.stop()
  assert.ok(!existsSync(place))

  ahead = 30 * 86_400_000
  serving = await start({ to: `file:${folder}/{id}.key`, overlap: '1h' })
  const until = performance.now() + 30_000
  while (!existsSync(place)) {
    assert.equal(await call(serving, first), 200)
    assert.ok(performance.now() < until, `no successor came: ${said.join('')}`)
    await sleep(50)
  }
  const second = readFileSync(place, 'utf8').trim()
  assert.notEqual(second, first)
  assert.equal(statSync(place).mode & 0o777, 0o600)
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith('.new')),
    [],
  )
  assert.deepEqual([await call(serving, first), await call(serving, second)], [200, 200])
  const rotated = async () => (await admin(serving, 'GET', `/keys/${made['id']}`)).json
  while (!(await rotated())['rotatedAt']) await sleep(20)
  const { json: log } = await admin(serving, 'GET', '/audit?limit=100')
  const entry = (log['data'] as Record<string, unknown>[]).find(({ action }) => action === 'key.rotate')
  assert.deepEqual([entry?.['actor'], entry?.['subject']], ['system', `key/${made['id']}`])
  ahead += 3_600_001
  assert.deepEqual([await call(serving, first), await call(serving, second)], [401, 200])
  const { json: ended } = await admin(serving, 'PATCH', `/keys/${made['id']}`, { rotateEvery: null })
  assert.deepEqual([ended['rotateEvery'], ended['rotatesAt'], ended['alias']], [undefined, undefined, 'caller'])
  // Neither of them lies anywhere but at that place.
  const metrics = await (await fetch(`${serving.url}/metrics`, { headers: { authorization: `Bearer ${OWNER}` } })).text()
  assert.match(metrics, /^signalbox_/m)
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile() && !file.name.endsWith('.key'))
  assert.ok(files.length >= 2)
  const kept = files.map((file) => readFileSync(join(file.parentPath, file.name), 'latin1'))
  const everything = [said.join(''), metrics, JSON.stringify([await rotated(), log, ended]), ...kept].join('\n')
  for (const secret of [first, second]) assert.ok(!everything.includes(secret))
})
