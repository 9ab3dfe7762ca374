/** K2: several threads serve on one port as one gateway. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { freePort } from './free-port.ts'

const cli = fileURLToPath(new URL('../src/server/cli.ts', import.meta.url))
const OWNER = 'owner-key-of-the-test'
const directory = mkdtempSync(join(tmpdir(), 'signalbox-threads-'))
const running = new Set<ChildProcess>()
after(() => {
  for (const child of running) child.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

interface Gateway {
  readonly url: string
  readonly child: ChildProcess
  readonly file: string
  output(): string
  ended(): Promise<number | null>
}

async function start(extra: object = {}, env: Record<string, string> = { SIGNALBOX_ADMIN_KEY: OWNER }): Promise<Gateway> {
  const port = await freePort()
  const file = join(directory, `config-${port}.json`)
  writeFileSync(file, JSON.stringify({ server: { port, threads: 2 }, store: { url: 'memory:' }, providers: { simulator: {} }, ...extra }))
  const child = spawn(process.execPath, [cli, 'serve', '--config', file], {
    cwd: directory,
    env: { ...process.env, SIGNALBOX_ADMIN_KEY: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let output = ''
  child.stdout?.on('data', (text) => (output += text))
  child.stderr?.on('data', (text) => (output += text))
  const exit = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  void exit.then(() => running.delete(child))
  const gateway = { url: `http://127.0.0.1:${port}`, child, file, output: () => output, ended: () => exit }
  await eventually(
    async () => (await threadCalls(gateway, /sb-[\w-]{32}/.exec(output)?.[0])).length === 2,
    () => output,
  )
  return gateway
}

async function eventually(holds: () => Promise<boolean>, told: () => string): Promise<void> {
  const until = Date.now() + 15_000
  for (;;) {
    if (await holds().catch(() => false)) return
    if (Date.now() > until) assert.fail(`it did not come to that: ${told()}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Calls of each thread. */
async function threadCalls({ url }: Pick<Gateway, 'url'>, key = OWNER): Promise<readonly number[]> {
  const page = await (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${key}` } })).text()
  return [...page.matchAll(/^signalbox_thread_calls_total\{thread="\d+"\} (\d+)$/gm)].map(([, calls]) => Number(calls))
}

function call({ url }: Gateway, agent: Agent): Promise<{ status: number; text: string }> {
  const body = JSON.stringify({ model: 'simulator/echo', messages: [{ role: 'user', content: 'Hello' }] })
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}/v1/chat/completions`,
      { method: 'POST', agent, headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (piece) => (text += piece))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
        response.on('error', reject)
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

/** Sixteen callers that keep their connections, as SDKs do. */
async function load(gateway: Gateway, calls: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  let good = 0
  let left = calls
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      while (left-- > 0) if ((await call(gateway, agent)).status === 200) good++
    }),
  )
  agent.destroy()
  return good
}

test('both threads serve, neither more than 65 % of the calls, and one page counts them all', async () => {
  const gateway = await start()
  assert.equal(await load(gateway, 3_000), 3_000)
  const calls = await threadCalls(gateway)
  assert.equal(calls[0]! + calls[1]!, 3_000)
  assert.ok(Math.max(...calls) <= 0.65 * 3_000, `${calls}`)
  const page = await (await fetch(`${gateway.url}/metrics`)).text()
  const counted = [...page.matchAll(/^signalbox_calls_total\{[^}]*code="ok"[^}]*\} (\d+)$/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  )
  assert.equal(counted, 3_000)
  gateway.child.kill('SIGTERM')
  assert.equal(await gateway.ended(), 0, gateway.output())
})

test('a reload takes effect in all threads, whichever was asked', async () => {
  const gateway = await start({ models: { fast: { targets: [{ provider: 'simulator', model: 'echo' }] } } })
  const config = {
    server: { port: Number(new URL(gateway.url).port), threads: 2 },
    store: { url: 'memory:' },
    providers: { simulator: {} },
  }
  for (const name of ['one', 'two', 'three']) {
    writeFileSync(gateway.file, JSON.stringify({ ...config, models: { [name]: { targets: [{ provider: 'simulator', model: 'echo' }] } } }))
    const reloaded = await fetch(`${gateway.url}/admin/v1/reload`, {
      method: 'POST',
      headers: { authorization: `Bearer ${OWNER}`, connection: 'close' },
    })
    assert.equal(reloaded.status, 200, await reloaded.text())
    for (let time = 0; time < 12; time++) {
      const listed = (await (await fetch(`${gateway.url}/v1/models`, { headers: { connection: 'close' } })).json()) as {
        data: { id: string }[]
      }
      assert.ok(
        listed.data.some(({ id }) => id === name),
        `${name} is missing after its reload`,
      )
    }
  }
  gateway.child.kill('SIGTERM')
  assert.equal(await gateway.ended(), 0, gateway.output())
})

/** How often each status is the answer to many calls with this key, on connections of their own, which all threads take some of. */
async function answersTo(key: string, gateway: Gateway, reader: string): Promise<Readonly<Record<string, number>>> {
  const before = await threadCalls(gateway, reader)
  const answers: Record<string, number> = {}
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', connection: 'close' }
  const body = JSON.stringify({ model: 'simulator/echo', messages: [{ role: 'user', content: 'Hello' }] })
  const ask = async (path: string, init: RequestInit): Promise<void> => {
    const response = await fetch(`${gateway.url}${path}`, { ...init, headers })
    await response.text()
    const answer = `${path} ${response.status}`
    answers[answer] = (answers[answer] ?? 0) + 1
  }
  for (let round = 0; round < 4; round++)
    await Promise.all(
      Array.from({ length: 12 }, (_, place) =>
        place % 2 === 0 ? ask('/v1/chat/completions', { method: 'POST', body }) : ask('/admin/v1/me', { method: 'GET' }),
      ),
    )
  const after = await threadCalls(gateway, reader)
  for (const [index, calls] of after.entries()) assert.ok(calls > (before[index] ?? 0), `thread ${index} was not asked: ${before} ${after}`)
  return answers
}

const all = (status: number) => ({ [`/v1/chat/completions ${status}`]: 24, [`/admin/v1/me ${status}`]: 24 })

async function reload(gateway: Gateway, key: string): Promise<void> {
  const headers = { authorization: `Bearer ${key}`, connection: 'close' }
  const response = await fetch(`${gateway.url}/admin/v1/reload`, { method: 'POST', headers })
  assert.equal(response.status, 200, await response.text())
}

test("an owner's key that a reload changes opens every thread, and the one before opens none", async () => {
  writeFileSync(join(directory, 'owner.key'), OWNER)
  const written = { access: { mode: 'keys' }, admin: { key: 'file:owner.key' } }
  const gateway = await start(written, { ANOTHER_OWNER: 'the-owner-from-the-environment' })
  assert.deepEqual(await answersTo(OWNER, gateway, OWNER), all(200))
  let before = OWNER
  const change = async (key: string): Promise<void> => {
    await reload(gateway, before)
    assert.deepEqual(await answersTo(key, gateway, key), all(200), `${key} is not the owner's everywhere`)
    assert.deepEqual(await answersTo(before, gateway, key), all(401), `${before} is still the owner's somewhere`)
    before = key
  }
  // The same reference with another value behind it, twice: whichever thread was asked. Then another reference.
  writeFileSync(join(directory, 'owner.key'), 'the-second-owner')
  await change('the-second-owner')
  writeFileSync(join(directory, 'owner.key'), 'the-third-owner')
  await change('the-third-owner')
  const config = JSON.parse(readFileSync(gateway.file, 'utf8')) as object
  writeFileSync(gateway.file, JSON.stringify({ ...config, admin: { key: 'env:ANOTHER_OWNER' } }))
  await change('the-owner-from-the-environment')
  gateway.child.kill('SIGTERM')
  assert.equal(await gateway.ended(), 0, gateway.output())
})

test("an owner's key that was made at the start opens every thread, after a reload as before", async () => {
  const gateway = await start({ access: { mode: 'keys' } }, {})
  const [key = ''] = /sb-[\w-]{32}/.exec(gateway.output()) ?? []
  for (let time = 0; time < 2; time++) {
    assert.deepEqual(await answersTo(key, gateway, key), all(200))
    await reload(gateway, key)
  }
  assert.equal([...gateway.output().matchAll(/sb-[\w-]{32}/g)].length, 1, 'it is shown once')
  gateway.child.kill('SIGTERM')
  assert.equal(await gateway.ended(), 0, gateway.output())
})

test('a stop under load ends no call of any thread in the middle', async () => {
  const gateway = await start()
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  let truncated = 0
  let served = 0
  let stopped = false
  const callers = Array.from({ length: 8 }, async () => {
    while (!stopped) {
      try {
        const { status, text } = await call(gateway, agent)
        if (status === 200 && !text.endsWith('}')) truncated++
        served++
      } catch {
        // The listener is closed by now.
        if (!stopped && gateway.child.exitCode === null && !gateway.child.killed) truncated++
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
  })
  await new Promise((resolve) => setTimeout(resolve, 400))
  gateway.child.kill('SIGTERM')
  assert.equal(await gateway.ended(), 0, gateway.output())
  stopped = true
  await Promise.all(callers)
  agent.destroy()
  assert.ok(served > 50)
  assert.equal(truncated, 0)
})
