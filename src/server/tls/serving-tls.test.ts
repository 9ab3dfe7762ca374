/** A gateway that serves HTTPS, from its configuration: reloads, certificates that change on disk, the admin API, the end. */
import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, fetch as undiciFetch } from 'undici'
import { type Certificate, selfSigned } from '../../../test/self-signed.ts'
import type { Config } from '../../config/config.ts'
import { parseConfig } from '../../config/parse.ts'
import type { Reread } from '../reload.ts'
import { startServing } from '../start.ts'
import { StartError } from '../start-error.ts'

const KEY = 'the-owner-of-this-test'
const directory = mkdtempSync(join(tmpdir(), 'signalbox-tls-'))
const ends: (() => Promise<unknown>)[] = []
after(async () => {
  await Promise.all(ends.map((end) => end()))
  rmSync(directory, { recursive: true, force: true })
})

let rigs = 0

async function rig(tls: object = {}, server: object = {}) {
  const own = join(directory, String(rigs++))
  const paths = { cert: `${own}.cert.pem`, key: `${own}.key.pem`, ca: `${own}.ca.pem` }
  /** As certbot does it: each file whole, one after the other. */
  const write = ({ cert, key }: Certificate): void => {
    for (const [path, text] of [
      [paths.cert, cert],
      [paths.key, key],
    ] as const) {
      writeFileSync(`${path}.new`, text)
      renameSync(`${path}.new`, path)
    }
  }
  const first = selfSigned()
  write(first)
  const base = {
    server: { port: 0, ...server, tls: { cert: paths.cert, key: `file:${paths.key}`, ...tls } },
    store: { url: 'memory:' },
    providers: { simulator: {} },
  }
  const state = { value: base as unknown }
  const read = (): Reread => ({ file: 'f.yaml', ...parseConfig(state.value, { env: {} }) })
  const { config, problems } = read()
  assert.deepEqual(problems, [])
  let output = ''
  const serving = await startServing({
    config: config as Config,
    reload: async () => read(),
    env: { SIGNALBOX_ADMIN_KEY: KEY },
    write: (text) => {
      output += text
    },
  })
  ends.push(() => serving.stop())
  const url = serving.url.replace('127.0.0.1', 'localhost')
  /** A new caller, who trusts one certificate and shows one or none. */
  const trusting = (trusted: Certificate, shown?: Certificate) => {
    const dispatcher = new Agent({ allowH2: true, connect: { ca: trusted.cert, ...(shown && { cert: shown.cert, key: shown.key }) } })
    ends.push(() => dispatcher.destroy())
    return (path: string, init: { method?: string; body?: string } = {}, type = 'text/plain') =>
      undiciFetch(`${url}${path}`, { headers: { authorization: `Bearer ${KEY}`, 'content-type': type }, dispatcher, ...init })
  }
  return { ...serving, paths, write, first, base, state, trusting, output: () => output }
}

const chat = (prompt = 'Hi', stream = false) => ({
  method: 'POST',
  body: JSON.stringify({ model: 'simulator/echo', stream, messages: [{ role: 'user', content: prompt }] }),
})

async function until(holds: () => boolean, what: () => string): Promise<void> {
  for (let wait = 0; wait < 800; wait++) {
    if (holds()) return
    await sleep(10)
  }
  assert.fail(what())
}

test('calls, the admin API and the metrics are served over HTTPS, and the greeting says so', async () => {
  const { trusting, first, url, output } = await rig()
  assert.match(url, /^https:/)
  assert.match(output(), /Signalbox listens on https:\/\/127\.0\.0\.1:\d+/)
  assert.match(output(), /try: curl -s https:/)
  const ask = trusting(first)
  assert.match(await (await ask('/v1/chat/completions', chat())).text(), /You said: Hi/)
  assert.equal((await ask('/readyz')).status, 200)
  assert.match(await (await ask('/metrics')).text(), /signalbox_calls_total/)
  assert.equal((await ask('/admin/v1/keys')).status, 200)
  assert.equal((await ask('/admin/v1/nowhere')).status, 404)
  const warnings: string[] = []
  const warned = (warning: Error): unknown => warnings.push(warning.message)
  process.on('warning', warned)
  const large = await ask('/admin/v1/keys', { method: 'POST', body: JSON.stringify({ alias: 'x'.repeat(3_000_000) }) }, 'application/json')
  assert.equal(large.status, 413)
  assert.equal((await ask('/admin/v1/keys', { method: 'POST', body: '{"alias":"one"}' }, 'application/json')).status, 201)
  process.off('warning', warned)
  assert.deepEqual(warnings, [])
})

test('certificates that change on disk are used for new connections; those that stand and their streams go on', async () => {
  const { trusting, write, first, output } = await rig()
  const early = trusting(first)
  await early('/readyz')
  const stream = await early('/v1/chat/completions', chat('simulate: {"words": 60, "eventMs": 30, "firstMs": 10}', true))
  const next = selfSigned()
  write(next)
  await until(() => output().includes('certificate renewed: localhost'), output)
  assert.equal((await trusting(next)('/readyz')).status, 200)
  await assert.rejects(trusting(first)('/readyz'))
  assert.match(await stream.text(), /data: \[DONE\]\n\n$/)
  assert.equal((await early('/readyz')).status, 200)
})

test('a certificate that cannot be used changes nothing, and is told of once', async () => {
  const { trusting, paths, write, first, output } = await rig()
  writeFileSync(paths.cert, 'nothing of the kind')
  await until(() => output().includes('certificate not renewed: server.tls.cert: '), output)
  assert.match(output(), /holds no certificate → .*; the one before stays in use/)
  assert.equal((await trusting(first)('/readyz')).status, 200)
  const next = selfSigned()
  write(next)
  await until(() => output().includes('certificate renewed'), output)
  assert.equal((await trusting(next)('/readyz')).status, 200)
  assert.equal(output().match(/not renewed/g)?.length, 1)
})

test('a reload reads certificates anew, and refuses what cannot be served with', async () => {
  const { trusting, paths, base, state, first, reload } = await rig()
  const other = selfSigned()
  const moved = { cert: `${paths.cert}.moved`, key: `${paths.key}.moved` }
  writeFileSync(moved.cert, other.cert)
  writeFileSync(moved.key, first.key)
  state.value = { ...base, server: { ...base.server, tls: moved } }
  const refused = await reload()
  assert.equal(refused?.done, false)
  assert.match(JSON.stringify(refused), /server\.tls\.key: .*is not the key of the certificate/)
  assert.equal((await trusting(first)('/readyz')).status, 200)
  writeFileSync(moved.key, other.key)
  const done = await reload()
  assert.ok(done?.done)
  assert.deepEqual(done.changed, ['server.tls'])
  assert.equal((await trusting(other)('/readyz')).status, 200)
})

test('what a listener is made with is kept until a restart, and named', async () => {
  const { trusting, base, state, first, reload } = await rig()
  for (const server of [{ port: 0 }, { ...base.server, http2: false }]) {
    state.value = { ...base, server }
    const result = await reload()
    assert.deepEqual(result?.done && result.needsRestart, ['server.tls'])
    assert.equal((await trusting(first)('/readyz')).status, 200)
  }
})

test('a bad certificate at the start is one line', async () => {
  const path = join(directory, 'gone.pem')
  const { config } = parseConfig({ server: { port: 0, tls: { cert: path, key: path } }, store: { url: 'memory:' } }, { env: {} })
  await assert.rejects(startServing({ config: config as Config, env: {}, write: () => {} }), (error: Error) => {
    assert.ok(error instanceof StartError)
    assert.equal(error.message, `server.tls.cert: the file ${path} cannot be read (ENOENT) → check the path and its permissions`)
    return true
  })
})

test('where certificates are required, nothing is served without one: calls, admin, metrics, health', async () => {
  const caller = selfSigned()
  const ca = join(directory, 'callers.pem')
  writeFileSync(ca, caller.cert)
  const { trusting, first } = await rig({ clients: 'require', ca })
  for (const path of ['/healthz', '/metrics', '/admin/v1/keys', '/v1/models']) {
    await assert.rejects(trusting(first)(path), path)
    await assert.rejects(trusting(first, selfSigned())(path), path)
    assert.equal((await trusting(first, caller)(path)).status, 200, path)
  }
  // Callers of yesterday's authorities are strangers once these have changed.
  const next = selfSigned()
  const { trusting: again, first: served, output } = await rig({ clients: 'require', ca })
  writeFileSync(ca, next.cert)
  await until(() => output().includes('certificate renewed'), output)
  await assert.rejects(again(served, caller)('/healthz'))
  assert.equal((await again(served, next)('/healthz')).status, 200)
})

test('a stop lets streams end within the drain, and breaks off what does not', async () => {
  const ending = await rig()
  const stream = await ending.trusting(ending.first)(
    '/v1/chat/completions',
    chat('simulate: {"words": 40, "eventMs": 20, "firstMs": 10}', true),
  )
  const stopped = ending.stop()
  assert.match(await stream.text(), /data: \[DONE\]\n\n$/)
  await stopped

  const { trusting, first, stop } = await rig({}, { drain: '300ms' })
  const endless = await trusting(first)('/v1/chat/completions', chat('simulate: {"words": 5000, "eventMs": 20, "firstMs": 10}', true))
  const began = Date.now()
  const end = stop()
  const text = await endless.text()
  assert.match(text, /shutting_down|error/)
  assert.doesNotMatch(text, /\[DONE\]/)
  await end
  assert.ok(Date.now() - began < 3_000)
})
