/** F9 with whole processes: several threads behind one HTTPS port, the commands beside it, and starts that must not succeed. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Agent, fetch } from 'undici'
import { freePort } from './free-port.ts'
import { selfSigned } from './self-signed.ts'

const cli = fileURLToPath(new URL('../src/server/cli.ts', import.meta.url))
const OWNER = 'owner-key-of-the-test'
const directory = mkdtempSync(join(tmpdir(), 'signalbox-tls-e2e-'))
const pair = selfSigned()
const cert = join(directory, 'cert.pem')
writeFileSync(cert, pair.cert)
writeFileSync(join(directory, 'key.pem'), pair.key)
const running = new Set<ChildProcess>()
after(() => {
  for (const child of running) child.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

function configFile(port: number, server: object = {}): string {
  const file = join(directory, `config-${port}.json`)
  // Paths are looked for beside the configuration.
  const tls = { cert: 'cert.pem', key: 'file:key.pem' }
  writeFileSync(file, JSON.stringify({ server: { port, tls, ...server }, store: { url: 'memory:' }, providers: { simulator: {} } }))
  return file
}

interface Ran {
  readonly child: ChildProcess
  output(): string
  readonly ended: Promise<number | null>
}

function run(args: readonly string[], env: Record<string, string> = {}): Ran {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: directory,
    env: { ...process.env, SIGNALBOX_ADMIN_KEY: OWNER, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let output = ''
  child.stdout?.on('data', (text) => (output += text))
  child.stderr?.on('data', (text) => (output += text))
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  void ended.then(() => running.delete(child))
  return { child, output: () => output, ended }
}

async function eventually(holds: () => Promise<boolean>, told: () => string): Promise<void> {
  for (let wait = 0; wait < 300; wait++) {
    if (await holds().catch(() => false)) return
    await sleep(50)
  }
  assert.fail(told())
}

test('two threads behind one HTTPS port: calls are spread, certificates renewed, streams end before the exit', async () => {
  const port = await freePort()
  const file = configFile(port, { threads: 2 })
  const url = `https://localhost:${port}`
  const { child, output, ended } = run(['serve', '--config', file])
  const anew = async (path: string, init: object = {}, ca = pair.cert): Promise<string> => {
    const dispatcher = new Agent({ allowH2: true, connect: { ca } })
    const answer = await fetch(`${url}${path}`, { dispatcher, headers: { authorization: `Bearer ${OWNER}` }, ...init })
    const text = await answer.text()
    await dispatcher.close()
    assert.equal(answer.status, 200, text)
    return text
  }
  const body = (prompt: string, stream = false): string =>
    JSON.stringify({ model: 'simulator/echo', stream, messages: [{ role: 'user', content: prompt }] })
  const share = async (): Promise<readonly number[]> =>
    [...(await anew('/metrics')).matchAll(/^signalbox_thread_calls_total\{thread="\d"\} (\d+)$/gm)].map(([, calls]) => Number(calls))
  await eventually(async () => (await share()).length === 2, output)
  for (let each = 0; each < 40; each++)
    assert.match(await anew('/v1/chat/completions', { method: 'POST', body: body('Hi') }), /You said: Hi/)
  await eventually(async () => (await share()).reduce((sum, calls) => sum + calls, 0) === 40, output)
  assert.ok(
    (await share()).every((calls) => calls > 0),
    'one thread had all calls',
  )

  const next = selfSigned()
  writeFileSync(cert, next.cert)
  writeFileSync(join(directory, 'key.pem'), next.key)
  // Whichever thread a connection falls to.
  await eventually(async () => {
    for (let each = 0; each < 10; each++) await anew('/readyz', {}, next.cert)
    return true
  }, output)

  const session = connect(url, { ca: next.cert })
  session.on('error', () => {})
  const stream = session.request({ ':method': 'POST', ':path': '/v1/chat/completions' }, { endStream: false })
  stream.end(body('simulate: {"words": 60, "eventMs": 20, "firstMs": 10}', true))
  let text = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => (text += chunk))
  await once(stream, 'response')
  child.kill('SIGTERM')
  await once(stream, 'end')
  assert.match(text, /data: \[DONE\]\n\n$/)
  assert.equal(await ended, 0)
  assert.match(output(), /certificate renewed: localhost/)
  assert.equal(output().match(/certificate renewed/g)?.length, 1, 'told by one thread')
  writeFileSync(cert, pair.cert)
  writeFileSync(join(directory, 'key.pem'), pair.key)
})

test('the commands find a gateway that serves HTTPS', async () => {
  const port = await freePort()
  const file = configFile(port, { host: 'localhost' })
  const { child, output, ended } = run(['serve', '--config', file])
  await eventually(async () => output().includes('Signalbox listens on https://localhost:'), output)
  const listed = run(['keys', 'list', '--config', file], { NODE_EXTRA_CA_CERTS: cert })
  assert.equal(await listed.ended, 0, listed.output())
  const untrusting = run(['keys', 'list', '--config', file])
  assert.equal(await untrusting.ended, 1)
  assert.match(untrusting.output(), /self-signed certificate.*\n.*NODE_EXTRA_CA_CERTS/)
  child.kill('SIGTERM')
  assert.equal(await ended, 0)
})

test('check says where it will listen, and what is wrong with a certificate', async () => {
  const file = configFile(8443)
  const good = run(['check', file])
  assert.equal(await good.ended, 0, good.output())
  assert.match(good.output(), /listens on https:\/\/127\.0\.0\.1:8443, access open, TLS 1\.2 or newer, HTTP\/2\n/)
  const bad = run(['check', configFile(8444, { tls: { cert: 'key.pem', key: 'key.pem' } })])
  assert.equal(await bad.ended, 1)
  assert.match(bad.output(), /server\.tls\.cert\n {4}key\.pem holds no certificate\n {4}→ it holds a private key/)
})

test('a start with a bad certificate is one line and exit code 1', async () => {
  const { output, ended } = run(['serve', '--config', configFile(await freePort(), { tls: { cert: 'cert.pem', key: 'gone.pem' } })])
  assert.equal(await ended, 1)
  assert.equal(output(), 'signalbox: server.tls.key: the file gone.pem cannot be read (ENOENT) → check the path and its permissions\n')
})
