import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { after, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { Cancellation } from '../core/cancellation.ts'
import { GatewayError } from '../core/error.ts'
import type { Transport, UpstreamResponse } from '../core/http.ts'
import { nodeTransport } from './transport-node.ts'

const servers: Server[] = []
after(() => {
  for (const server of servers) server.close().closeAllConnections()
})

/** Answers in two halves, the second after a while. */
async function host(): Promise<{ readonly url: string; connections(): Promise<number> }> {
  const server = createServer({ keepAliveTimeout: 30_000 }, (_request, response) => {
    response.write('first ')
    setTimeout(() => response.end('second'), 150)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => new Promise((resolve, reject) => server.getConnections((error, count) => (error ? reject(error) : resolve(count)))),
  }
}

test('connections to hosts that are gone from the configuration are closed when what runs on them has ended', async () => {
  const transport = nodeTransport()
  const [kept, gone] = [await host(), await host()]
  const send = async (url: string): Promise<string> => {
    const { body } = await transport.send({ method: 'GET', url, headers: {}, body: '', connectMs: 1_000 }, new Cancellation())
    let text = ''
    for await (const bytes of body) text += new TextDecoder().decode(bytes)
    return text
  }
  const running = [send(kept.url), send(gone.url)]
  await sleep(60)
  transport.keepOnly?.(new Set([kept.url]))
  assert.deepEqual(await Promise.all(running), ['first second', 'first second'])
  await sleep(200)
  assert.deepEqual([await kept.connections(), await gone.connections()], [1, 0])
  // A call that began before the reload may still want it.
  assert.equal(await send(gone.url), 'first second')
  await transport.close()
})

/** Sends these bytes for whatever comes, and says what came. */
async function rawHost(
  t: TestContext,
  answer: string | Uint8Array = '',
): Promise<{ readonly url: string; readonly asked: Promise<string>; heard(): string }> {
  let heard = ''
  const asked = Promise.withResolvers<string>()
  const server = createTcpServer((socket) => {
    // Calls that are broken off show here too.
    socket.on('error', () => {})
    t.after(() => socket.destroy())
    socket.on('data', (bytes) => {
      heard += String(bytes)
      asked.resolve(heard)
      socket.write(answer)
    })
  })
  t.after(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked: asked.promise, heard: () => heard }
}

function transportOf(t: TestContext): Transport {
  const transport = nodeTransport()
  t.after(() => transport.close())
  return transport
}

const send = (transport: Transport, url: string, cancellation = new Cancellation()): Promise<UpstreamResponse> =>
  transport.send({ method: 'POST', url, headers: {}, body: '{}', connectMs: 10_000 }, cancellation)

async function textOf({ body }: UpstreamResponse): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const bytes of body) pieces.push(bytes)
  return Buffer.concat(pieces).toString()
}

/** The error with which it ends. */
async function faultOf(running: Promise<unknown>): Promise<GatewayError> {
  const error: unknown = await running.then(
    () => assert.fail('it did not fail'),
    (failed) => failed,
  )
  assert.ok(error instanceof GatewayError, String(error))
  return error
}

test('of a call to a host that refuses, nothing was sent', async (t) => {
  const server = createTcpServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  const fault = await faultOf(send(transportOf(t), `http://127.0.0.1:${port}`))
  assert.deepEqual([fault.id, fault.unsent], ['upstream-unreachable', true])
})

for (const [when, cancelAt] of [
  ['before it was begun', 'first'],
  ['in the turn in which it was begun', 'same turn'],
  ['while its connection is being made', 'connecting'],
] as const)
  test(`of a call that is cancelled ${when}, nothing was sent`, async (t) => {
    const { url, asked, heard } = await rawHost(t, 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
    const transport = transportOf(t)
    const cancellation = new Cancellation()
    const cancel = (): void => cancellation.cancel(new GatewayError('upstream-timeout', 'Too late.', { retryAfterMs: 7 }))
    if (cancelAt === 'first') cancel()
    const running = send(transport, `${url}/cancelled`, cancellation)
    if (cancelAt === 'same turn') cancel()
    // It has been dispatched by then, and no connection stands before the loop turns.
    if (cancelAt === 'connecting') process.nextTick(cancel)
    const fault = await faultOf(running)
    assert.deepEqual([fault.id, fault.unsent, fault.retryAfterMs], ['upstream-timeout', true, 7])
    assert.equal(await textOf(await send(transport, `${url}/next`)), 'ok')
    assert.match(await asked, /^POST \/next /)
    assert.doesNotMatch(heard(), /cancelled/)
  })

test('of a call that is cancelled while its answer is awaited, something was', async (t) => {
  const { url, asked } = await rawHost(t)
  const cancellation = new Cancellation()
  const running = send(transportOf(t), url, cancellation)
  await asked
  cancellation.cancel(new GatewayError('upstream-timeout', 'Too late.'))
  const fault = await faultOf(running)
  assert.deepEqual([fault.id, fault.unsent], ['upstream-timeout', false])
})

for (const [what, answer] of [
  ['is no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n\r\n'],
  ['has two framings', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n'],
  ['has a head without end', `HTTP/1.1 200 OK\r\na: ${'x'.repeat(80_000)}`],
  ['has a bad chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n-1\r\n'],
] as const)
  test(`an answer that ${what} is invalid`, async (t) => {
    const { url } = await rawHost(t, answer)
    const fault = await faultOf(send(transportOf(t), url).then(textOf))
    assert.deepEqual([fault.id, fault.unsent], ['upstream-invalid', false])
    assert.match(fault.message, /breaks HTTP/)
  })

const text = 'hello, '.repeat(20_000)
const head = (encoding: string, length: number): Buffer =>
  Buffer.from(`HTTP/1.1 200 OK\r\ncontent-encoding: ${encoding}\r\ncontent-length: ${length}\r\n\r\n`)

for (const [encoding, compress] of Object.entries({
  gzip: gzipSync,
  'X-GZip': gzipSync,
  deflate: deflateSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
}))
  test(`an answer compressed with ${encoding} is decompressed`, async (t) => {
    const body = compress(text)
    const { url } = await rawHost(t, Buffer.concat([head(encoding, body.length), body]))
    const transport = transportOf(t)
    assert.equal(await textOf(await send(transport, url)), text)
    // The connection has ended well, and is used again.
    assert.equal(await textOf(await send(transport, url)), text)
  })

test('an answer that cannot be decompressed is invalid', async (t) => {
  for (const [encoding, body] of [
    ['gzip', Buffer.from('hello')],
    ['gzip', gzipSync(text).subarray(0, 100)],
    ['unknown', Buffer.from('hello')],
  ] as const) {
    const { url } = await rawHost(t, Buffer.concat([head(encoding, body.length), body]))
    const fault = await faultOf(send(transportOf(t), url).then(textOf))
    assert.equal(fault.id, 'upstream-invalid', encoding)
  }
})
