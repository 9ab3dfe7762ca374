import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { ConfigError, createGateway } from './create-gateway.ts'

test('a warmed model has its connection before the first call, which then uses it', async () => {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    response.end(
      JSON.stringify({
        id: 'c',
        object: 'chat.completion',
        created: 1,
        model: 'm',
        choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
      }),
    )
  })
  let connections = 0
  server.on('connection', () => connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const gateway = createGateway({ providers: { lab: { preset: 'openai-compatible', baseUrl: `http://127.0.0.1:${port}/v1` } } })
  try {
    gateway.warm('lab/m')
    await once(server, 'request')
    await new Promise((resolve) => setTimeout(resolve, 50))
    const answer = await gateway.fetch('http://any/v1/chat/completions', {
      method: 'POST',
      body: JSON.stringify({ model: 'lab/m', messages: [{ role: 'user', content: 'Hello' }] }),
    })
    assert.equal(answer.status, 200)
    assert.deepEqual(seen, ['OPTIONS /', 'POST /v1/chat/completions'])
    assert.equal(connections, 1)
  } finally {
    await gateway.close()
    server.close()
  }
})

test('only what answers can be warmed', () => {
  const gateway = createGateway({ providers: { simulator: {} } })
  assert.throws(() => gateway.warm('nobody'), { code: 'unknown_model' })
})

test('a configuration with problems says all of them', () => {
  assert.throws(
    () =>
      createGateway({
        providers: { lab: { preset: 'openai-compatible' } },
        models: { fast: { targets: [{ provider: 'labb', model: 'm' }] } },
      }),
    (error) => {
      assert.ok(error instanceof ConfigError)
      assert.match(error.message, /baseUrl/)
      assert.match(error.message, /labb/)
      return true
    },
  )
})

test('budgets and limits hold in an embedded gateway too, and usage can be asked for', async () => {
  const gateway = createGateway({
    providers: { simulator: {} },
    models: { work: { targets: [{ provider: 'simulator', model: 'echo', price: { input: 0, output: 0, request: 1 } }] } },
    budgets: [{ name: 'pocket', limit: '0.003', window: 'total' }],
  })
  const call = (): Promise<Response> =>
    gateway.fetch('http://any/v1/chat/completions', {
      method: 'POST',
      body: JSON.stringify({ model: 'work', messages: [{ role: 'user', content: 'Hello' }] }),
    })
  const statuses: number[] = []
  for (let count = 0; count < 5; count++) {
    const response = await call()
    statuses.push(response.status)
    await response.text()
  }
  assert.deepEqual(statuses, [200, 200, 200, 402, 402])
  const [row] = await gateway.usage({ by: ['model'], from: 0, to: Date.now() + 1_000 })
  assert.equal(row?.requests, 3)
  assert.equal(row?.cost, 3_000_000n)
  await gateway.close()
})

test('a budget holds for the place and the class of service that a call asks for', async () => {
  const price = { input: 0, output: 1, geos: { us: 1.1 }, tiers: { fast: { factor: 2 } } }
  const gateway = createGateway({
    providers: { simulator: {} },
    models: { work: { targets: [{ provider: 'simulator', model: 'echo', price }] } },
    // A thousand tokens at the listed rate are a tenth of a cent.
    budgets: [{ name: 'pocket', limit: '0.00105', window: 'total' }],
  })
  const status = async (wishes: object): Promise<number> => {
    const body = { model: 'work', max_tokens: 1_000, messages: [{ role: 'user', content: 'Hi' }], ...wishes }
    const response = await gateway.fetch('http://any/v1/messages', { method: 'POST', body: JSON.stringify(body) })
    await response.text()
    return response.status
  }
  assert.equal(await status({ inference_geo: 'us' }), 402)
  assert.equal(await status({ speed: 'fast' }), 402)
  assert.equal(await status({}), 200)
  await gateway.close()
})
