import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOf, type Chunk, type HttpReply } from '../core/http.ts'
import { type IdempotencyOptions, idempotency } from './idempotency.ts'

function rig(options: IdempotencyOptions = {}) {
  const clock = { now: 1_000 }
  const store = idempotency({ now: () => clock.now, ...options })
  let runs = 0
  const call = (key: string, body = 'body', { reply = plain('answer'), good = true, scope = 'me' }: Partial<Call> = {}) =>
    store.once(scope, key, bytesOf(body), async () => {
      runs++
      return { reply, good: () => good }
    })
  return { call, clock, store, runs: () => runs }
}
interface Call {
  readonly reply: HttpReply
  readonly good: boolean
  readonly scope: string
}

const plain = (text: string): HttpReply => ({ status: 200, headers: { 'content-type': 'application/json' }, body: bytesOf(text) })
const streamed = (...chunks: Chunk[]): HttpReply => ({
  status: 200,
  headers: { 'content-type': 'text/event-stream', trailer: 'x-signalbox-cost' },
  body: (async function* () {
    yield* chunks
  })(),
})

async function textOf({ body }: HttpReply): Promise<string> {
  if (body instanceof Uint8Array) return new TextDecoder().decode(body)
  let text = ''
  for await (const chunk of body) text += typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk)
  return text
}

test('the same call again gets the same answer, and nothing is sent twice', async () => {
  const { call, runs } = rig()
  assert.equal((await call('k')).replayed, false)
  const again = await call('k')
  assert.equal(again.replayed, true)
  assert.equal(await textOf(again.reply), 'answer')
  assert.equal(again.reply.headers['idempotent-replayed'], 'true')
  assert.equal(runs(), 1)
})

test('a stream is replayed whole, once it has ended well', async () => {
  const { call, runs } = rig()
  const first = await call('k', 'body', { reply: streamed('one ', bytesOf('two')) })
  await assert.rejects(call('k'), /still running/)
  assert.equal(await textOf(first.reply), 'one two')
  const again = await call('k')
  assert.equal(await textOf(again.reply), 'one two')
  assert.equal(again.reply.headers['trailer'], undefined)
  assert.equal(runs(), 1)
})

test('what failed, broke off or was left may be tried again', async () => {
  const { call, runs, store } = rig()
  await call('plain', 'body', { good: false })
  assert.equal((await call('plain')).replayed, false)
  await textOf((await call('broken', 'body', { reply: streamed('one'), good: false })).reply)
  assert.equal((await call('broken')).replayed, false)
  const { reply } = await call('left', 'body', { reply: streamed('one', 'two') })
  for await (const _ of reply.body as AsyncIterable<Chunk>) break
  assert.equal((await call('left')).replayed, false)
  assert.equal(runs(), 6)
  await assert.rejects(
    store.once('me', 'thrown', bytesOf(''), () => Promise.reject(new Error('refused'))),
    /refused/,
  )
  assert.equal((await call('thrown')).replayed, false)
})

test('another body under the same key is a mistake, which is told', async () => {
  const { call } = rig()
  await call('k', 'one')
  await assert.rejects(call('k', 'two'), { id: 'idempotency-mismatch', status: 422 })
})

test('callers do not see each other’s answers', async () => {
  const { call } = rig()
  await call('k', 'body', { scope: 'me' })
  assert.equal((await call('k', 'body', { scope: 'you' })).replayed, false)
})

test('answers are forgotten after a day, and the oldest when there is no room', async () => {
  const { call, clock } = rig({ maxEntries: 2, maxBytes: 1_000 })
  await call('a')
  await call('b')
  await call('c')
  assert.equal((await call('c')).replayed, true)
  assert.equal((await call('a')).replayed, false)
  await call('large', 'body', { reply: plain('x'.repeat(400)) })
  assert.equal((await call('large')).replayed, false)
  clock.now += 25 * 3_600_000
  assert.equal((await call('c')).replayed, false)
})
