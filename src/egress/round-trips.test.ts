import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { connectTime } from './connect-time.ts'
import { createRoundTrips } from './round-trips.ts'

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a host is measured when it is first asked for, and again when the measurement is old', async () => {
  let time = 0
  const asked: string[] = []
  const answers = [40, 20, 60]
  const trips = createRoundTrips({
    now: () => time,
    everyMs: 1_000,
    async probe(host, port) {
      asked.push(`${host}:${port}`)
      return answers.shift()
    },
  })
  assert.equal(trips.of('https://a.test/v1/chat'), undefined)
  await settled()
  assert.equal(trips.of('https://a.test/v1/other'), 40)
  time = 1_000
  trips.of('https://a.test/')
  await settled()
  assert.equal(trips.of('https://a.test/'), 20)
  time = 2_000
  trips.of('https://a.test/')
  await settled()
  assert.equal(trips.of('https://a.test/'), 32)
  assert.deepEqual(asked, ['a.test:443', 'a.test:443', 'a.test:443'])
})

test('a host that cannot be measured stays unknown', async () => {
  const trips = createRoundTrips({ probe: () => Promise.reject(new Error('no such host')) })
  trips.of('http://nowhere.test:81/')
  await settled()
  assert.equal(trips.of('http://nowhere.test:81/'), undefined)
})

test('the time to connect is that of a real socket', async () => {
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(typeof address === 'object' && address)
  const ms = await connectTime('127.0.0.1', address.port)
  await new Promise((resolve) => server.close(resolve))
  assert.ok(ms !== undefined && ms >= 0 && ms < 1_000)
  assert.equal(await connectTime('127.0.0.1', address.port), undefined)
})
