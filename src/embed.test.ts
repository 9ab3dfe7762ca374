import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { plainBody } from '../test/bad-input/fixtures.ts'
import { dialects, pathOf, rig } from '../test/bad-input/rig.ts'
import { fetchOf, type GatewayFetch } from './embed.ts'
import { createSimulator, type Simulator, simulatorTransport } from './testing/index.ts'

function embedded(): { fetch: GatewayFetch; simulator: Simulator } {
  const simulator = createSimulator()
  const { line } = rig({ transport: simulatorTransport(simulator) })
  return { fetch: fetchOf(() => line), simulator }
}

const slow = 'simulate: {"words": 5000, "eventMs": 20}'
const body = (prompt: string, stream: boolean): string =>
  JSON.stringify({ ...plainBody('openai-chat', 'anthropic-messages/echo', prompt), stream })

async function ended(simulator: Simulator): Promise<string | undefined> {
  for (let wait = 0; wait < 50 && simulator.calls.at(-1)?.ended === undefined; wait++) await sleep(10)
  return simulator.calls.at(-1)?.ended
}

test('any base URL will do, and any form of request', async () => {
  const { fetch } = embedded()
  for (const dialect of dialects) {
    const init = { method: 'POST', body: JSON.stringify(plainBody(dialect, 'gemini/echo', 'Hi')) }
    const path = pathOf(dialect, 'gemini/echo', false)
    for (const input of [`https://api.vendor.example${path}`, new URL(`http://localhost:1${path}`), new Request(`http://x${path}`, init)]) {
      const response = await fetch(input, input instanceof Request ? undefined : init)
      assert.equal(response.status, 200)
      assert.match(await response.text(), /You said: Hi/)
      assert.equal(response.headers.get('x-signalbox-provider'), 'gemini')
    }
  }
})

test('answers without a body have none', async () => {
  const { fetch } = embedded()
  const response = await fetch('http://x/', { method: 'HEAD' })
  assert.equal(response.status, 200)
  assert.equal(response.body, null)
})

test('a refusal is a response, not an exception', async () => {
  const { fetch } = embedded()
  const response = await fetch('http://x/v1/messages', { method: 'POST', body: '{' })
  assert.equal(response.status, 400)
  assert.match(await response.text(), /^{"type":"error"/)
})

test('an aborted signal rejects before anything is sent', async () => {
  const { fetch, simulator } = embedded()
  await assert.rejects(fetch('http://x/v1/chat/completions', { method: 'POST', body: body('Hi', false), signal: AbortSignal.abort() }), {
    name: 'AbortError',
  })
  assert.equal(simulator.calls.length, 0)
})

test('an abort while waiting rejects, and ends the call to the provider', async () => {
  const { fetch, simulator } = embedded()
  const controller = new AbortController()
  const answering = fetch('http://x/v1/chat/completions', {
    method: 'POST',
    body: body('simulate: {"firstMs": 5000}', false),
    signal: controller.signal,
  })
  await sleep(30)
  controller.abort(new Error('enough'))
  await assert.rejects(answering, /enough/)
  assert.equal(await ended(simulator), 'aborted')
})

test('an abort in the middle of a stream breaks its body, and ends the call to the provider', async () => {
  const { fetch, simulator } = embedded()
  const controller = new AbortController()
  const response = await fetch('http://x/v1/chat/completions', { method: 'POST', body: body(slow, true), signal: controller.signal })
  const reader = response.body?.getReader()
  await reader?.read()
  controller.abort(new Error('enough'))
  await assert.rejects(async () => {
    for (;;) if ((await reader?.read())?.done) return
  }, /enough/)
  assert.equal(await ended(simulator), 'aborted')
})

test('a reader that cancels while it waits ends the call to the provider at once', async () => {
  const { fetch, simulator } = embedded()
  const response = await fetch('http://x/v1/chat/completions', {
    method: 'POST',
    body: body('simulate: {"words": 50, "eventMs": 4000, "firstMs": 1}', true),
  })
  const reader = response.body?.getReader()
  void reader?.read()
  await sleep(20)
  const started = performance.now()
  await reader?.cancel()
  assert.equal(await ended(simulator), 'aborted')
  assert.ok(performance.now() - started < 1_000)
})

test('a body that nobody reads does not run ahead', async () => {
  const { fetch, simulator } = embedded()
  const response = await fetch('http://x/v1/chat/completions', { method: 'POST', body: body('simulate: {"words": 100000}', true) })
  await sleep(50)
  assert.equal(simulator.calls.at(-1)?.ended, undefined)
  await response.body?.cancel()
  assert.equal(await ended(simulator), 'aborted')
})
