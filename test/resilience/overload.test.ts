/** A small gateway with few places, over real sockets. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { parseConfig } from '../../src/config/parse.ts'
import { startServing } from '../../src/server/start.ts'
import { serveSimulator } from '../../src/testing/serve-simulator.ts'

const KEY = 'the-owner-of-this-test'
const SLOW_MS = 1_500
const simulator = await serveSimulator({ simulation: { firstMs: SLOW_MS } })
after(() => simulator.close())

async function gateway(server: object = {}, access: 'open' | 'keys' = 'open') {
  const { config, problems } = parseConfig(
    {
      server: { port: 0, ...server },
      access: { mode: access },
      providers: { slow: { preset: 'openai-compatible', baseUrl: `${simulator.url}/v1` } },
      models: { main: { targets: [{ provider: 'slow', model: 'echo' }] } },
    },
    { env: {} },
  )
  assert.ok(config, JSON.stringify(problems))
  const serving = await startServing({ config, env: { SIGNALBOX_ADMIN_KEY: KEY }, write: () => {}, quiet: true })
  after(() => serving.stop())
  const ask = (path = '/v1/chat/completions', init: RequestInit = {}): Promise<Response> =>
    fetch(`${serving.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}` },
      body: JSON.stringify({ model: 'main', max_tokens: 50, messages: [{ role: 'user', content: 'Hi' }] }),
      ...init,
    })
  const metrics = async (): Promise<Readonly<Record<string, number>>> => {
    const page = await (await ask('/metrics', { method: 'GET', body: null })).text()
    return Object.fromEntries([...page.matchAll(/^([a-z_]+(?:\{.*\})?) (\S+)$/gm)].map(([, name = '', value]) => [name, Number(value)]))
  }
  return { url: serving.url, ask, metrics }
}

const soon = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

test('at its limits the gateway serves what it can, and refuses the rest in the dialect of each caller', async () => {
  const { ask, metrics } = await gateway({ limits: { calls: 3 } }, 'keys')
  const before = simulator.calls.length
  const calls = Array.from({ length: 103 }, () => ask())
  for (let i = 0; i < 100 && (await metrics())['signalbox_calls_waiting'] !== 100; i++) await soon(10)

  // The line is full now: the next ones hear so at once.
  const full = performance.now()
  const chat = await ask()
  assert.equal(chat.status, 503)
  assert.match(chat.headers.get('retry-after') ?? '', /^[123]$/)
  assert.equal(chat.headers.get('x-signalbox-error'), 'overloaded')
  assert.equal(((await chat.json()) as { error: { code: string } }).error.code, 'overloaded')
  const anthropic = await ask('/v1/messages')
  assert.equal(anthropic.status, 503)
  assert.equal(((await anthropic.json()) as { error: { details: { error_code: string } } }).error.details.error_code, 'overloaded')
  assert.ok(performance.now() - full < SLOW_MS, 'the refusals waited for something')
  // Who may not call at all hears of that instead.
  assert.equal((await ask('/v1/chat/completions', { headers: { authorization: 'Bearer wrong-key' } })).status, 401)

  const statuses = (await Promise.all(calls)).map(({ status }) => status)
  assert.equal(statuses.filter((status) => status === 200).length, 3)
  assert.equal(statuses.filter((status) => status === 503).length, 100)
  assert.equal(simulator.calls.length - before, 3)
  const after = await metrics()
  assert.equal(after['signalbox_shed_total{reason="waited"}'], 100)
  assert.equal(after['signalbox_shed_total{reason="line-full"}'], 2)
  assert.equal(after['signalbox_calls_in_flight'], 0)
  assert.equal(after['signalbox_held_bytes'], 0)
  assert.equal(after['signalbox_calls_total{route="main",provider="slow",model="echo",code="ok"}'], 3)
  assert.equal((await ask()).status, 200)
})

test('a caller who hangs up gives its place back, and one who waited never reaches the provider', async () => {
  const { ask, metrics } = await gateway({ limits: { calls: 1 } })
  const before = simulator.calls.length
  const first = new AbortController()
  const second = new AbortController()
  const calls = [ask(undefined, { signal: first.signal }), ask(undefined, { signal: second.signal })]
  for (const call of calls) call.catch(() => {})
  for (let i = 0; i < 100 && (await metrics())['signalbox_calls_waiting'] !== 1; i++) await soon(10)
  second.abort()
  first.abort()
  for (let i = 0; i < 100 && (await metrics())['signalbox_calls_in_flight'] !== 0; i++) await soon(10)
  const { signalbox_calls_in_flight: inFlight, signalbox_calls_waiting: waiting, signalbox_left_waiting_total: left } = await metrics()
  assert.equal(inFlight, 0)
  assert.equal(waiting, 0)
  assert.ok((left ?? 0) <= 1)
  assert.ok(simulator.calls.length - before <= 2 - (left ?? 0))
  assert.equal((await ask()).status, 200)
})

test('where callers need a key, metrics need the owner’s', async () => {
  const { url, metrics } = await gateway({}, 'keys')
  assert.equal((await fetch(`${url}/metrics`)).status, 401)
  assert.equal((await fetch(`${url}/metrics`, { headers: { authorization: 'Bearer not-the-owner' } })).status, 401)
  assert.ok('signalbox_calls_limit' in (await metrics()))
  const open = await gateway()
  const page = await fetch(`${open.url}/metrics`)
  assert.equal(page.status, 200)
  assert.match(page.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
})
