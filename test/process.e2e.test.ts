/** The process from outside: how it starts, what it refuses, how it ends. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const cli = fileURLToPath(new URL('../src/server/cli.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'signalbox-process-'))
const started = new Set<ChildProcess>()
after(() => {
  for (const child of started) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

let files = 0
function configFile(drain = '3s'): string {
  const path = join(folder, `${files++}.yaml`)
  writeFileSync(path, `server: { drain: ${drain} }\nstore: { url: "memory:" }\nproviders: { sim: { preset: simulator } }\n`)
  return path
}

interface Running {
  readonly child: ChildProcess
  readonly url: string
  readonly port: number
  output(): string
  readonly ended: Promise<{ code: number | null; afterMs: number }>
}

async function start(...args: string[]): Promise<Running> {
  const running = run('serve', '--port', '0', ...args)
  for (let wait = 0; wait < 400; wait++) {
    const port = /http:\/\/127\.0\.0\.1:(\d+)/.exec(running.output())?.[1]
    if (port) {
      const url = `http://127.0.0.1:${port}`
      const ready = await fetch(`${url}/readyz`).catch(() => undefined)
      if (ready?.status === 200) return { ...running, url, port: Number(port) }
    }
    await sleep(25)
  }
  throw new Error(`it did not start: ${running.output()}`)
}

function run(...args: string[]): Omit<Running, 'url' | 'port'> {
  const at = performance.now()
  const env = { ...process.env, SIGNALBOX_ADMIN_KEY: 'owner-key-for-tests' }
  const child = spawn(process.execPath, [cli, ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  started.add(child)
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  const ended = new Promise<{ code: number | null; afterMs: number }>((resolve) => {
    child.once('close', (code) => {
      started.delete(child)
      resolve({ code, afterMs: performance.now() - at })
    })
  })
  return { child, output: () => text, ended }
}

const ask = (url: string, prompt: string, stream: boolean): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'sim/echo', stream, messages: [{ role: 'user', content: prompt }] }),
  })

test('SIGTERM lets running calls end, refuses new ones, and ends with 0', async () => {
  const { child, url, port, ended } = await start('--config', configFile('10s'))
  const response = await ask(url, 'simulate: {"words": 40, "eventMs": 40}', true)
  const reading = response.text()
  const plain = ask(url, 'simulate: {"firstMs": 900}', false)
  await sleep(150)
  const at = performance.now()
  child.kill('SIGTERM')
  await sleep(150)
  await assert.rejects(
    new Promise((resolve, reject) => connect(port, '127.0.0.1').once('connect', resolve).once('error', reject)),
    /ECONNREFUSED/,
  )
  assert.match(await reading, /data: \[DONE\]\n\n$/)
  const answer = await plain
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('connection'), 'close')
  await answer.text()
  const { code } = await ended
  assert.equal(code, 0)
  assert.ok(performance.now() - at < 6_000, 'it waited for nobody')
})

test('a second SIGTERM does not cut the drain short', async () => {
  const { child, url, ended } = await start('--config', configFile('10s'))
  const response = await ask(url, 'simulate: {"words": 30, "eventMs": 40}', true)
  const reading = response.text()
  child.kill('SIGTERM')
  await sleep(100)
  child.kill('SIGTERM')
  child.kill('SIGINT')
  assert.match(await reading, /data: \[DONE\]\n\n$/)
  assert.equal((await ended).code, 0)
})

test('what does not end within the drain gets its dialect’s error; what does not even read is cut', async () => {
  const { child, url, port, ended } = await start('--config', configFile('500ms'))
  const response = await ask(url, 'simulate: {"words": 4000, "eventMs": 40}', true)
  const reading = response.text()
  const plain = ask(url, 'simulate: {"firstMs": 60000}', false)
  const upload = connect(port, '127.0.0.1')
  upload.on('error', () => {})
  upload.write('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{')
  await sleep(200)
  const at = performance.now()
  child.kill('SIGTERM')
  const text = await reading
  assert.match(text, /"error":\{"message":"The gateway is stopping/)
  assert.doesNotMatch(text, /\[DONE\]/)
  const answer = await plain
  assert.equal(answer.status, 503)
  assert.equal(answer.headers.get('x-signalbox-error'), 'overloaded')
  assert.ok(answer.headers.get('retry-after'))
  await answer.text()
  assert.equal((await ended).code, 0)
  assert.ok(performance.now() - at < 3_000, 'it ended with its drain')
})

test('a busy port is one line with the remedy, within a second', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const { ended, output } = run('serve', '--config', configFile(), '--port', String(port))
  const { code, afterMs } = await ended
  server.close()
  assert.ok(code !== 0)
  assert.match(output(), new RegExp(`^signalbox: port ${port} on 127\\.0\\.0\\.1 is in use: .*--port\\n$`))
  // The machine that tests may be slow; a second is for one that is not.
  assert.ok(afterMs < 3_000, `${afterMs} ms`)
})

test('a configuration with a fault is told with its place', async () => {
  const path = join(folder, 'wrong.yaml')
  writeFileSync(path, 'providers: { sim: { preset: simulater } }\n')
  const { ended, output } = run('serve', '--config', path)
  assert.ok((await ended).code !== 0)
  assert.match(output(), /providers\.sim\.preset/)
  assert.match(output(), /simulator/)
})

test('nobody reading its output is no reason to stop', async () => {
  const { child, url, ended } = await start('--config', configFile())
  child.stdout?.destroy()
  child.stderr?.destroy()
  for (let count = 0; count < 5; count++) {
    assert.equal((await ask(url, 'Hi', false)).status, 200)
    // A refusal is logged.
    assert.equal((await fetch(`${url}/v1/messages`, { method: 'POST', body: '{' })).status, 400)
    await sleep(80)
  }
  child.kill('SIGTERM')
  assert.equal((await ended).code, 0)
})

test('a saved configuration is read by itself; two SIGHUPs at once are one reload', async () => {
  const path = configFile()
  const { child, ended, output } = await start('--config', path)
  const told = async (pattern: RegExp): Promise<void> => {
    for (let wait = 0; wait < 250 && !pattern.test(output()); wait++) await sleep(20)
    assert.match(output(), pattern)
  }
  writeFileSync(path, 'providers: { other: { preset: simulator } }\nserver: { drain: 3s }\n')
  await told(/reloaded .*: added providers\.other/)
  child.kill('SIGHUP')
  child.kill('SIGHUP')
  await told(/nothing new/)
  await sleep(200)
  assert.equal(output().match(/nothing new/g)?.length, 1)
  child.kill('SIGTERM')
  assert.equal((await ended).code, 0)
})

test('SIGHUP reads the configuration again; one with a fault changes nothing', async () => {
  const path = configFile()
  const { child, url, ended, output } = await start('--config', path)
  writeFileSync(path, 'providers: { other: { preset: simulator } }\nserver: { drain: 3s }\n')
  child.kill('SIGHUP')
  for (let wait = 0; wait < 100 && !/reloaded/.test(output()); wait++) await sleep(20)
  const model = async (name: string): Promise<number> =>
    (
      await fetch(`${url}/v1/messages`, {
        method: 'POST',
        body: JSON.stringify({ model: name, max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] }),
      })
    ).status
  assert.equal(await model('other/echo'), 200)
  assert.equal(await model('sim/echo'), 404)
  writeFileSync(path, 'providers: [\n')
  child.kill('SIGHUP')
  await sleep(300)
  assert.equal(await model('other/echo'), 200)
  child.kill('SIGTERM')
  assert.equal((await ended).code, 0)
})
