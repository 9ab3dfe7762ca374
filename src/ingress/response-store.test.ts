import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGateway } from '../create-gateway.ts'
import { responseStore } from './response-store.ts'

type Answer = {
  id: string
  output: { id: string; type: string }[]
  usage: { input_tokens: number }
  error?: { code: string; param: string }
}

const gateway = createGateway({ providers: { sim: { preset: 'simulator', wire: 'anthropic-messages' } } })

async function ask(body: object, key = 'caller-one'): Promise<{ status: number; answer: Answer }> {
  const response = await gateway.fetch('http://any/v1/responses', {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: 'sim/echo', ...body }),
  })
  return { status: response.status, answer: (await response.json()) as Answer }
}

test('an earlier answer of another vendor can be referred to by its id', async () => {
  const first = await ask({ input: 'The first question' })
  const alone = await ask({ input: 'And the second' })
  const second = await ask({ input: 'And the second', previous_response_id: first.answer.id })
  assert.equal(second.status, 200)
  assert.ok(second.answer.usage.input_tokens > alone.answer.usage.input_tokens)
})

test('an item of it can be referred to by its id', async () => {
  const { answer } = await ask({ input: 'The first question' })
  const [item] = answer.output
  const history = [
    { role: 'user', content: 'The first question' },
    { type: 'item_reference', id: item?.id },
    { role: 'user', content: 'And now?' },
  ]
  assert.equal((await ask({ input: history })).status, 200)
})

test('a streamed answer is kept as well', async () => {
  const response = await gateway.fetch('http://any/v1/responses', {
    method: 'POST',
    headers: { authorization: 'Bearer caller-one' },
    body: JSON.stringify({ model: 'sim/echo', input: 'Hi', stream: true }),
  })
  const id = /"id":"(resp_[^"]+)"/.exec(await response.text())?.[1]
  assert.equal((await ask({ input: 'And now?', previous_response_id: id })).status, 200)
})

test('nobody can refer to what another caller was answered, nor to what was not to be kept', async () => {
  const first = await ask({ input: 'A secret' })
  const foreign = await ask({ input: 'What was it?', previous_response_id: first.answer.id }, 'caller-two')
  assert.equal(foreign.status, 400)
  assert.equal(foreign.answer.error?.param, 'previous_response_id')
  const unkept = await ask({ input: 'A secret', store: false })
  assert.equal((await ask({ input: 'What was it?', previous_response_id: unkept.answer.id })).status, 400)
})

test('what is kept has a limit in bytes and in time', () => {
  let now = 0
  const store = responseStore({ maxBytes: 1_000, ttlMs: 100, now: () => now })
  const answer = (id: string): { id: string; output: [] } => ({ id, output: [] })
  for (let index = 0; index < 50; index++) store.keep('', { input: 'x'.repeat(90) }, answer(`resp_${index}`))
  const earlier = (id: string): number => store.expand('', { previous_response_id: id }).earlier.length
  assert.equal(earlier('resp_0'), 0)
  assert.equal(earlier('resp_49'), 1)
  now = 101
  assert.equal(earlier('resp_49'), 0)
})
