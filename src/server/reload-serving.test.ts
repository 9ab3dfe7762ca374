/** Reloading a gateway that serves, through the admin API. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Config } from '../config/config.ts'
import { parseConfig } from '../config/parse.ts'
import { serveSimulator } from '../testing/serve-simulator.ts'
import type { Reread } from './reload.ts'
import { startServing } from './start.ts'

const KEY = 'the-owner-of-this-test'
const simulator = await serveSimulator()
const running: (() => Promise<void>)[] = []
after(async () => {
  await Promise.all(running.map((stop) => stop()))
  await simulator.close()
})

const route = (provider: string, model = 'echo') => ({ targets: [{ provider, model }] })
const outside = { preset: 'openai-compatible', baseUrl: `${simulator.url}/v1` }
const base = { server: { port: 0 }, providers: { outside }, models: { main: route('outside') } }

async function rig(first: object = base) {
  const state = { value: first as unknown }
  const read = (): Reread => ({ file: 'f.yaml', ...parseConfig(state.value, { env: {} }) })
  const { config, problems } = read()
  assert.deepEqual(problems, [])
  let output = ''
  const serving = await startServing({
    config: config as Config,
    source: 'f.yaml',
    reload: async () => read(),
    env: { SIGNALBOX_ADMIN_KEY: KEY },
    write: (text) => {
      output += text
    },
    quiet: true,
  })
  running.push(() => serving.stop())
  const post = (path: string, init: RequestInit = {}) =>
    fetch(`${serving.url}${path}`, { method: 'POST', headers: { authorization: `Bearer ${KEY}` }, ...init })
  const ask = (model: string, prompt = 'Hi', stream = false) =>
    fetch(`${serving.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: prompt }] }),
    })
  return { ...serving, state, post, ask, output: () => output }
}

test('a reload by the owner answers with what changed, and takes effect at once', async () => {
  const { state, post, ask, stop } = await rig()
  assert.equal((await ask('more')).status, 404)
  state.value = { ...base, server: { port: 9 }, models: { ...base.models, more: route('outside') } }
  const answer = await post('/admin/v1/reload')
  assert.equal(answer.status, 200)
  const { added, needsRestart } = (await answer.json()) as Record<string, unknown>
  assert.deepEqual({ added, needsRestart }, { added: ['models.more'], needsRestart: ['server.port'] })
  assert.equal((await ask('more')).status, 200)
  await stop()
})

test('a refused reload says where, what and what to do, and the old configuration serves on', async () => {
  const { state, post, ask, output, stop } = await rig()
  state.value = { ...base, models: { main: route('nobody') } }
  const answer = await post('/admin/v1/reload', { headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' } })
  assert.equal(answer.status, 422)
  const { error, problems } = (await answer.json()) as { error: Record<string, string>; problems: object[] }
  assert.equal(error['code'], 'invalid_config')
  assert.equal(error['path'], 'models.main.targets[0].provider')
  assert.match(error['message'] ?? '', /stays in force/)
  assert.ok(error['remedy'])
  assert.equal(problems.length, 1)
  assert.match(output(), /not reloaded: f\.yaml has a problem/)
  assert.equal((await ask('main')).status, 200)
  await stop()
})

test('the admin API is the owner’s alone, and answers in its own shape', async () => {
  const { post, url, stop } = await rig()
  const shapeOf = async (answer: Response) => [answer.status, ((await answer.json()) as { error: { code: string } }).error.code]
  assert.deepEqual(await shapeOf(await post('/admin/v1/reload', { headers: {} })), [401, 'unauthenticated'])
  assert.deepEqual(await shapeOf(await post('/admin/v1/reload', { headers: { authorization: 'Bearer the-owner-of-this-tesT' } })), [
    401,
    'unauthenticated',
  ])
  assert.deepEqual(await shapeOf(await post('/admin/v1/nothing', { headers: {} })), [401, 'unauthenticated'])
  assert.deepEqual(await shapeOf(await post('/admin/v1/nothing')), [404, 'not_found'])
  assert.deepEqual(await shapeOf(await post('/admin')), [404, 'not_found'])
  assert.deepEqual(await shapeOf(await fetch(`${url}/admin/v1/reload`, { headers: { authorization: `bearer ${KEY}` } })), [
    405,
    'method_not_allowed',
  ])
  const typed = (type: string, body: string) =>
    post('/admin/v1/reload', { headers: { authorization: `Bearer ${KEY}`, 'content-type': type }, body })
  assert.deepEqual(await shapeOf(await typed('application/json', '{')), [400, 'invalid_request'])
  assert.deepEqual(await shapeOf(await typed('text/csv', 'a')), [415, 'unsupported_media_type'])
  // Paths that only look alike are calls.
  assert.equal((await post('/administrator')).status, 404)
  await stop()
})

test('a running stream ends on the line it began on, though its route and provider are gone', async () => {
  const { state, post, ask, stop } = await rig()
  const answer = await ask('main', 'simulate: {"words": 40, "eventMs": 10}', true)
  state.value = { server: { port: 0 }, providers: { other: { preset: 'simulator' } }, models: { other: route('other') } }
  assert.equal((await post('/admin/v1/reload')).status, 200)
  const text = await answer.text()
  assert.match(text, /data: \[DONE\]\s*$/)
  assert.equal((await ask('main')).status, 404)
  await stop()
})

test('the built-in simulator may come by reload', async () => {
  const { state, post, ask, stop } = await rig()
  state.value = { ...base, providers: { outside, sim: { preset: 'simulator' } }, models: { main: route('sim') } }
  assert.equal((await post('/admin/v1/reload')).status, 200)
  const answer = await ask('main')
  assert.equal(answer.headers.get('x-signalbox-provider'), 'sim')
  assert.match(await answer.text(), /Hi/)
  await stop()
})

test('what is known of a target is handed over, unless its provider is another one now', async () => {
  const two = {
    main: {
      targets: [
        { provider: 'shaky', model: 'fail-500' },
        { provider: 'outside', model: 'echo' },
      ],
    },
  }
  const { state, post, ask, stop } = await rig({ ...base, providers: { outside, shaky: outside }, models: two })
  const reachShaky = async (): Promise<number> => {
    const before = simulator.calls.filter(({ ask: asked }) => asked?.model === 'fail-500').length
    assert.equal((await ask('main')).status, 200)
    return simulator.calls.filter(({ ask: asked }) => asked?.model === 'fail-500').length - before
  }
  let reached = 0
  for (let call = 0; call < 8; call++) reached += await reachShaky()
  assert.ok(reached >= 5)
  assert.equal(await reachShaky(), 0)
  state.value = { ...base, providers: { outside, shaky: outside }, models: { ...two, extra: route('outside') } }
  await post('/admin/v1/reload')
  assert.equal(await reachShaky(), 0)
  // The same name for something else: nothing is held against it.
  state.value = { ...base, providers: { outside, shaky: { ...outside, headers: { 'x-tenant': 'b' } } }, models: two }
  await post('/admin/v1/reload')
  assert.ok((await reachShaky()) > 0)
  await stop()
})

test('limits follow the configuration', async () => {
  const { state, post, ask, stop } = await rig()
  state.value = { ...base, server: { port: 0, limits: { body: '1KB' } } }
  await post('/admin/v1/reload')
  assert.equal((await ask('main', 'x'.repeat(2_000))).status, 413)
  await stop()
})

test('a gateway that stops takes no reload', async () => {
  const { reload, stop } = await rig()
  await stop()
  assert.equal(await reload(), undefined)
})
