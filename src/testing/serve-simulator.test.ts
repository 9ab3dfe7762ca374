import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Cancellation } from '../core/cancellation.ts'
import { GatewayError } from '../core/error.ts'
import { bytesOf } from '../core/http.ts'
import { createSimulator, serveSimulator, simulatorTransport } from './index.ts'

const simulator = await serveSimulator({ keys: undefined })
after(() => simulator.close())

const chat = (model: string, stream = false, signal?: AbortSignal): Promise<Response> =>
  fetch(`${simulator.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'Hello over there' }] }),
    ...(signal ? { signal } : {}),
  })

test('answers over a socket, plain and streamed', async () => {
  assert.match(await (await chat('echo')).text(), /You said: Hello over there/)
  assert.match(await (await chat('echo', true)).text(), /\[DONE\]/)
})

test('refuses and resets as a socket does', async () => {
  await assert.rejects(chat('refuse'))
  const broken = await chat('reset', true)
  assert.equal(broken.status, 200)
  await assert.rejects(broken.text())
})

test('notices that the caller hangs up, before and in the middle of an answer', async () => {
  await assert.rejects(chat('slow', false, AbortSignal.timeout(50)))
  const leaving = new AbortController()
  const { body } = await chat('slow+words-100', true, leaving.signal)
  const reader = body?.getReader()
  await reader?.read()
  leaving.abort()
  await assert.rejects(async () => {
    while (!(await reader?.read())?.done);
  })
  await ended(2)
  assert.deepEqual(
    simulator.calls.slice(-2).map(({ ended }) => ended),
    ['aborted', 'aborted'],
  )
})

/** Until the last calls have ended. */
async function ended(count: number): Promise<void> {
  for (let tries = 0; tries < 100 && simulator.calls.slice(-count).some((call) => call.ended === undefined); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

test('is a transport that reports broken connections as the gateway expects', async () => {
  const transport = simulatorTransport(createSimulator())
  const send = (model: string, cancellation = new Cancellation()) =>
    transport.send(
      {
        method: 'POST',
        url: 'http://simulator.invalid/v1/chat/completions',
        headers: {},
        body: bytesOf(JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: 'Hi' }] })),
        connectMs: 1000,
      },
      cancellation,
    )
  const isUnreachable = (error: unknown) => error instanceof GatewayError && error.id === 'upstream-unreachable'
  await assert.rejects(send('refuse'), isUnreachable)
  const { body } = await send('reset')
  await assert.rejects(async () => {
    for await (const _ of body);
  }, isUnreachable)
  const cancellation = new Cancellation()
  const stalled = await send('stall', cancellation)
  setTimeout(() => cancellation.cancel('enough'), 20)
  await assert.rejects(async () => {
    for await (const _ of stalled.body);
  }, isUnreachable)
})
