/** Providers behind TLS: HTTP/2 where they offer it, HTTP/1.1 where they do not. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createSecureServer, type Http2SecureServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { setDefaultCACertificates } from 'node:tls'
import { selfSigned } from '../../test/self-signed.ts'
import { Cancellation } from '../core/cancellation.ts'
import { GatewayError } from '../core/error.ts'
import type { UpstreamResponse } from '../core/http.ts'
import { nodeTransport } from './transport-node.ts'

const certificate = selfSigned()
// This process alone, which is this file's.
setDefaultCACertificates([certificate.cert])

const transport = nodeTransport()
const closing: (() => void)[] = []
after(async () => {
  await transport.close()
  for (const close of closing) close()
})

const listening = async (server: Server | Http2SecureServer): Promise<number> => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return (server.address() as AddressInfo).port
}

interface Host {
  readonly url: string
  readonly port: number
  /** Connections that were ever opened, and streams that were reset by us. */
  readonly seen: { sessions: number; reset: number; headers: IncomingHttpHeaders[] }
  server: Http2SecureServer
}

/** `/echo` says back what it was sent; `/drip` sends a line each 20 ms; `/never` says nothing; `/flood` as much as is taken. */
async function host(options: { readonly maxConcurrentStreams?: number } = {}): Promise<Host> {
  const server = createSecureServer({ ...certificate, settings: options })
  const seen: Host['seen'] = { sessions: 0, reset: 0, headers: [] }
  const sessions = new Set<{ destroy(): void }>()
  server.on('session', (session) => {
    seen.sessions++
    sessions.add(session)
  })
  server.on('stream', (stream, headers) => {
    seen.headers.push(headers)
    stream.on('error', () => {})
    stream.on('aborted', () => seen.reset++)
    void answer(stream as ServerHttp2Stream, headers[':path'] ?? '')
  })
  const port = await listening(server)
  closing.push(() => {
    server.close()
    for (const session of sessions) session.destroy()
  })
  return { url: `https://localhost:${port}`, port, seen, server }
}

async function answer(stream: ServerHttp2Stream, path: string): Promise<void> {
  let body = ''
  for await (const text of stream.setEncoding('utf8')) body += text
  if (path === '/never') return
  if (path === '/refused') {
    stream.respond({ ':status': 429, 'retry-after': '7', 'content-type': 'application/json' })
    stream.end('{"error":{"message":"slow down"}}')
    return
  }
  stream.respond({ ':status': 200, 'content-type': 'text/event-stream', 'x-request-id': 'r1', 'set-cookie': ['a=1', 'b=2'] })
  if (path === '/flood') {
    for (let sent = 0; sent < 64 && !stream.destroyed; sent++)
      if (!stream.write(Buffer.alloc(256 * 1024, 120))) await once(stream, 'drain').catch(() => {})
    stream.end()
    return
  }
  if (path === '/reset' || path === '/cut') {
    stream.write('data: begun\n\n')
    await sleep(20)
    if (path === '/reset') stream.destroy(new Error('broken'))
    else stream.session?.destroy()
    return
  }
  if (path === '/drip') for (let line = 0; line < 5 && !stream.destroyed; line++, await sleep(20)) stream.write(`data: ${line}\n\n`)
  stream.end(path === '/echo' ? body : 'data: end\n\n')
}

const send = (url: string, body: string | Uint8Array = '', cancellation = new Cancellation()): Promise<UpstreamResponse> =>
  transport.send({ method: 'POST', url, headers: { 'content-type': 'application/json' }, body, connectMs: 2_000 }, cancellation)

async function text({ body }: UpstreamResponse): Promise<string> {
  const decoder = new TextDecoder()
  let all = ''
  for await (const bytes of body) all += decoder.decode(bytes, { stream: true })
  return all
}

test('a plain call goes over HTTP/2, with its body, headers and status', async () => {
  const { url, seen } = await host()
  const sent = JSON.stringify({ text: 'ü'.repeat(100_000) })
  const response = await send(`${url}/echo`, sent)
  assert.equal(response.status, 200)
  assert.deepEqual([response.headers['content-type'], response.headers['x-request-id']], ['text/event-stream', 'r1'])
  assert.ok(Object.keys(response.headers).every((name) => !name.startsWith(':')))
  // Not `equal`: nobody wants to read a difference of this size.
  assert.ok((await text(response)) === sent)
  const whole = await (await send(`${url}/echo`, sent)).whole?.(1_000_000)
  assert.ok(new TextDecoder().decode(whole) === sent)
  assert.equal(await (await send(`${url}/echo`, sent)).whole?.(1_000), undefined)
  assert.equal(seen.headers[0]?.['content-type'], 'application/json')
  const refused = await send(`${url}/refused`)
  assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '7'])
  assert.match(await text(refused), /slow down/)
  assert.equal(seen.sessions, 1)
})

test('a stream arrives piece by piece, many at once over few connections', async () => {
  const { url, seen } = await host()
  await text(await send(`${url}/echo`, 'warm'))
  const pieces: number[] = []
  const streams = Array.from({ length: 40 }, async () => {
    let count = 0
    let all = ''
    for await (const bytes of (await send(`${url}/drip`)).body) {
      count++
      all += new TextDecoder().decode(bytes)
    }
    pieces.push(count)
    return all
  })
  for (const all of await Promise.all(streams)) assert.equal(all, 'data: 0\n\ndata: 1\n\ndata: 2\n\ndata: 3\n\ndata: 4\n\ndata: end\n\n')
  assert.ok(
    pieces.every((count) => count >= 3),
    `in ${pieces} pieces`,
  )
  assert.ok(seen.sessions <= 4, `${seen.sessions} connections`)
})

test('a host that takes few streams at a time gets more connections, and no call waits for another', async () => {
  const { url, seen } = await host({ maxConcurrentStreams: 2 })
  await text(await send(`${url}/echo`, 'warm'))
  const began = performance.now()
  const all = await Promise.all(Array.from({ length: 20 }, async () => text(await send(`${url}/drip`))))
  assert.ok(all.every((one) => one.endsWith('data: end\n\n')))
  assert.ok(performance.now() - began < 1_500, `${performance.now() - began} ms`)
  assert.ok(seen.sessions >= 2)
})

test('a cancelled call is reset alone: before its answer, in the middle, and when its reader leaves', async () => {
  const { url, seen } = await host()
  const other = send(`${url}/drip`).then(text)
  const before = new Cancellation()
  const waiting = send(`${url}/never`, 'x', before)
  await sleep(50)
  before.cancel(new GatewayError('client-closed', 'gone'))
  await assert.rejects(waiting, { id: 'client-closed' })

  const middle = new Cancellation()
  const { body } = await send(`${url}/drip`, '', middle)
  await assert.rejects(
    async () => {
      for await (const _ of body) middle.cancel(new GatewayError('client-closed', 'gone'))
    },
    { id: 'client-closed' },
  )
  for await (const _ of (await send(`${url}/drip`)).body) break
  assert.match(await other, /data: end/)
  await sleep(100)
  assert.equal(seen.reset, 3)
  assert.equal(await text(await send(`${url}/echo`, 'after')), 'after')
})

test('a reader that is slow holds the provider back, not the memory', async () => {
  const { url } = await host()
  const before = process.memoryUsage.rss()
  const reader = (await send(`${url}/flood`)).body[Symbol.asyncIterator]()
  await reader.next()
  await sleep(300)
  assert.ok(process.memoryUsage.rss() - before < 48 * 1024 * 1024, 'held back')
  let size = 0
  for (let step = await reader.next(); !step.done; step = await reader.next()) size += step.value.length
  assert.ok(size > 15 * 1024 * 1024, `${size} bytes`)
})

test('a stream that the provider resets, or whose connection breaks, is never an end', async () => {
  const { url } = await host()
  for (const path of ['/reset', '/cut'])
    await assert.rejects(async () => text(await send(url + path)), { id: 'upstream-unreachable' }, path)
  assert.equal(await text(await send(`${url}/echo`, 'after')), 'after')
})

test('a provider that says good-bye is called over another connection', async () => {
  const { url, seen, server } = await host()
  let session: { goaway(): void; close(): void } | undefined
  server.on('session', (begun) => {
    session = begun
  })
  const running = text(await send(`${url}/drip`))
  session?.close()
  const next = Array.from({ length: 5 }, async (_, index) => text(await send(`${url}/echo`, `${index}`)))
  assert.deepEqual(await Promise.all(next), ['0', '1', '2', '3', '4'])
  assert.match(await running, /data: end/)
  assert.ok(seen.sessions >= 2)
})

test('a connection that is dead without a word costs the calls that time out on it, and no more', async () => {
  const { port } = await host()
  const dead = new Set<Socket>()
  let silent = false
  const open: Socket[] = []
  const middle = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    open.push(client, upstream)
    const pass = (from: Socket, to: Socket): void => {
      from.on('error', () => to.destroy()).on('close', () => to.destroy())
      from.on('data', (bytes) => {
        if (silent) dead.add(client)
        if (!dead.has(client)) to.write(bytes)
      })
    }
    pass(client, upstream)
    pass(upstream, client)
  })
  const url = `https://localhost:${await listening(middle)}`
  closing.push(() => {
    middle.close()
    for (const socket of open) socket.destroy()
  })
  assert.equal(await text(await send(`${url}/echo`, 'one')), 'one')
  silent = true
  const lost = new Cancellation()
  setTimeout(() => lost.cancel(new GatewayError('upstream-timeout', 'no first token')), 150)
  await assert.rejects(send(`${url}/echo`, 'two', lost), { id: 'upstream-timeout' })
  silent = false
  assert.equal(
    await Promise.race([send(`${url}/echo`, 'three').then(text), sleep(3_000, 'still on the dead connection', { ref: false })]),
    'three',
  )
})

test('a host that only speaks HTTP/1.1 is spoken to in it, plain, streamed and cancelled', async () => {
  let closed = 0
  const versions = new Set<string>()
  const server = createHttpsServer(certificate, async (request, response) => {
    versions.add(request.httpVersion)
    let body = ''
    for await (const bytes of request) body += bytes
    if (request.url === '/echo') return response.end(body)
    response.on('close', () => closed++)
    for (let line = 0; line < 5 && !response.destroyed; line++, await sleep(20)) response.write(`data: ${line}\n\n`)
    response.end()
  })
  const url = `https://localhost:${await listening(server)}`
  closing.push(() => server.close().closeAllConnections())
  assert.equal(await text(await send(`${url}/echo`, 'plain')), 'plain')
  assert.match(await text(await send(`${url}/drip`)), /data: 4/)
  for await (const _ of (await send(`${url}/drip`)).body) break
  await sleep(100)
  assert.equal(closed, 2)
  assert.deepEqual([...versions], ['1.1'])
})

test('a certificate that nobody vouches for is refused, before anything is sent', async () => {
  let asked = 0
  const server = createHttpsServer(selfSigned(), (_request, response) => {
    asked++
    response.end()
  })
  const url = `https://localhost:${await listening(server)}`
  closing.push(() => server.close())
  await assert.rejects(send(`${url}/echo`, 'secret'), { id: 'upstream-unreachable' })
  assert.equal(asked, 0)
})
