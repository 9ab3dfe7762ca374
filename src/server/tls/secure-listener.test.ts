/** TLS on the gateway's own port: the same edge for HTTP/2 and HTTP/1.1, with the clients that people use. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants, type IncomingHttpHeaders } from 'node:http2'
import { request as httpsRequest } from 'node:https'
import { type AddressInfo, connect as connectTcp } from 'node:net'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import OpenAI from 'openai'
import { Agent, fetch as undiciFetch } from 'undici'
import { plainBody } from '../../../test/bad-input/fixtures.ts'
import { type Rig, rig } from '../../../test/bad-input/rig.ts'
import { selfSigned } from '../../../test/self-signed.ts'
import type { TlsConfig } from '../../config/schema-server.ts'
import { bytesOf, type HttpRequest, type Transport } from '../../core/http.ts'
import type { Line } from '../../gateway.ts'
import { createSimulator, simulatorTransport } from '../../testing/index.ts'
import { createHttpServer, type HttpServer, type HttpServerOptions } from '../http-server.ts'
import { readMaterial } from './material.ts'
import { type RenewableListener, secureListener } from './secure-listener.ts'

const MAX_BODY = 200_000
const pair = selfSigned()
const caller = selfSigned()
const stranger = selfSigned()
const materialOf = ({ cert, key }: typeof pair, ca?: string) =>
  readMaterial(
    { cert: 'env:CERT', key: 'env:KEY', clients: 'none', minVersion: '1.2', http2: true, ...(ca !== undefined && { ca: 'env:CA' }) },
    { env: { CERT: cert, KEY: key, CA: ca } },
  )

const open: HttpServer[] = []
const sessions = new Set<ClientHttp2Session>()
const agents: Agent[] = []
after(async () => {
  for (const session of sessions) session.destroy()
  for (const server of open) server.destroyAll()
  await Promise.all([...agents.map((agent) => agent.destroy()), ...open.map((server) => server.close().catch(() => {}))])
})

interface Edge {
  readonly server: HttpServer
  readonly listener: RenewableListener
  readonly port: number
  readonly url: string
  /** What the line was handed. */
  readonly seen: HttpRequest[]
}

interface EdgeOptions extends Partial<HttpServerOptions> {
  readonly under?: Rig
  readonly tls?: Partial<Pick<TlsConfig, 'clients' | 'http2'>>
}

async function edge({ under = rig({ keepAliveMs: 100 }), tls, ...options }: EdgeOptions = {}): Promise<Edge> {
  const clients = tls?.clients ?? 'none'
  const listener = secureListener({
    config: { clients, http2: tls?.http2 ?? true },
    material: materialOf(pair, clients === 'none' ? undefined : caller.cert),
  })
  const seen: HttpRequest[] = []
  const line: Line = {
    ...under.line,
    handle(request, cancellation) {
      seen.push(request)
      return under.line.handle(request, cancellation)
    },
  }
  const server = createHttpServer({ line: () => line, maxBody: () => MAX_BODY, ready: () => true, ...options, secure: listener })
  await server.listen({ host: '127.0.0.1', port: 0 })
  open.push(server)
  const { port } = server.server.address() as AddressInfo
  return { server, listener, port, url: `https://localhost:${port}`, seen }
}

function sessionTo({ url }: Pick<Edge, 'url'>, options: ConnectionOptions = {}): ClientHttp2Session {
  const session = connect(url, { ca: pair.cert, ...options })
  session.on('error', () => {})
  sessions.add(session)
  session.once('close', () => sessions.delete(session))
  return session
}

interface Got {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly trailers: IncomingHttpHeaders
}

const posting = (session: ClientHttp2Session, headers: Record<string, string | number> = {}): ClientHttp2Stream =>
  session.request({ ':method': 'POST', ':path': '/v1/chat/completions', ...headers }, { endStream: false })

function answerOf(stream: ClientHttp2Stream): Promise<Got> {
  return new Promise((resolve, reject) => {
    let headers: IncomingHttpHeaders = {}
    let trailers: IncomingHttpHeaders = {}
    let text = ''
    stream.setEncoding('utf8')
    stream.on('response', (got) => {
      headers = got
    })
    stream.on('trailers', (got) => {
      trailers = got
    })
    stream.on('data', (chunk: string) => {
      text += chunk
    })
    stream.on('end', () => resolve({ status: Number(headers[':status']), headers, text, trailers }))
    stream.on('error', reject)
  })
}

function ask(session: ClientHttp2Session, body: object, headers: Record<string, string | number> = {}): Promise<Got> {
  const stream = posting(session, headers)
  stream.end(JSON.stringify(body))
  return answerOf(stream)
}

const hello = (prompt = 'Hi', model = 'openai-chat/echo') => plainBody('openai-chat', model, prompt)
const streamed = (prompt = 'Hi', model = 'openai-chat/echo') => ({ ...hello(prompt, model), stream: true })
const slowly = (words: number, eventMs = 20, firstMs = 10): string =>
  `simulate: {"words": ${words}, "eventMs": ${eventMs}, "firstMs": ${firstMs}}`

async function until(holds: () => boolean, what: string): Promise<void> {
  for (let wait = 0; wait < 300; wait++) {
    if (holds()) return
    await sleep(10)
  }
  assert.fail(what)
}

// ---- calls ----------------------------------------------------------------------------------------------------------

test('a call over HTTP/2 is the call that it is over HTTP/1.1', async () => {
  const at = await edge()
  const session = sessionTo(at)
  const { status, headers, text } = await ask(session, hello(), { 'x-request-id': 'abc', cookie: 'a=1' })
  assert.equal(status, 200)
  assert.match(text, /You said: Hi/)
  assert.equal(headers['content-length'], String(Buffer.byteLength(text)))
  assert.match(String(headers['x-signalbox-request-id']), /^req_/)
  for (const name of ['connection', 'keep-alive', 'transfer-encoding', 'upgrade']) assert.equal(headers[name], undefined, name)
  const [request] = at.seen
  assert.equal(request?.ip, '127.0.0.1')
  assert.equal(request?.path, '/v1/chat/completions')
  assert.deepEqual(request?.headers, { 'x-request-id': 'abc', cookie: 'a=1', host: `localhost:${at.port}` })
  assert.equal(request?.certificate, undefined)
})

test('paths with a query, methods without a body, and refusals are as they are elsewhere', async () => {
  const at = await edge()
  const session = sessionTo(at)
  const bare = (method: string, path: string) => answerOf(session.request({ ':method': method, ':path': path }))
  assert.equal((await bare('GET', '/v1/models?limit=1')).status, 200)
  assert.equal(at.seen[0]?.query, 'limit=1')
  assert.deepEqual(
    { ...(await bare('HEAD', '/v1/models')), headers: undefined, trailers: undefined },
    {
      status: 200,
      text: '',
      headers: undefined,
      trailers: undefined,
    },
  )
  assert.equal((await bare('DELETE', '/v1/chat/completions')).status, 405)
  assert.equal((await bare('GET', '/healthz')).text, '{"status":"ok"}')
  const unknown = await ask(session, hello('Hi', 'nobody'))
  assert.equal(unknown.status, 404)
  assert.equal(unknown.headers['x-signalbox-error'], 'unknown_model')
})

test('a stream comes as it is made, with its cost behind it', async () => {
  const under = rig({
    keepAliveMs: 100,
    config: { models: { paid: { targets: [{ provider: 'openai-chat', model: 'echo', price: { input: 1, output: 2 } }] } } },
  })
  const session = sessionTo(await edge({ under }))
  const { status, headers, text, trailers } = await ask(session, streamed('Hi', 'paid'), { te: 'trailers' })
  assert.equal(status, 200)
  assert.match(String(headers['content-type']), /^text\/event-stream/)
  assert.match(text, /data: \[DONE\]\n\n$/)
  assert.equal(headers['trailer'], 'x-signalbox-cost')
  assert.match(String(trailers['x-signalbox-cost']), /^0\.0000\d+/)
})

test('a silent stream is kept alive', async () => {
  const session = sessionTo(await edge())
  const { text } = await ask(session, streamed(slowly(3, 1, 450)))
  assert.match(text, /^:/)
  assert.match(text, /data: \[DONE\]\n\n$/)
})

test('many calls share one connection', async () => {
  const at = await edge()
  const session = sessionTo(at)
  const all = await Promise.all(
    Array.from({ length: 200 }, (_, index) => ask(session, index % 2 ? streamed(`n${index}.`) : hello(`n${index}.`))),
  )
  for (const [index, { status, text }] of all.entries()) {
    assert.equal(status, 200)
    if (index % 2 === 0) assert.ok(text.includes(`You said: n${index}.`))
  }
})

// ---- hanging up, and what is too much -------------------------------------------------------------------------------

test('a stream that is reset ends the call to the provider, and no other call', async () => {
  const simulator = createSimulator()
  const at = await edge({ under: rig({ transport: simulatorTransport(simulator) }) })
  const session = sessionTo(at)
  const other = ask(session, streamed(slowly(60)))
  await until(() => simulator.calls.length === 1, 'the first call did not arrive')
  for (const body of [streamed(slowly(5_000)), hello(slowly(5_000, 20, 5_000))]) {
    const before = simulator.calls.length
    const stream = posting(session)
    stream.on('error', () => {})
    stream.end(JSON.stringify(body))
    if ('stream' in body) await once(stream, 'data')
    else await until(() => simulator.calls.length > before, 'the call did not arrive')
    assert.equal(simulator.calls.at(-1)?.ended, undefined)
    stream.close(constants.NGHTTP2_CANCEL)
    await until(() => simulator.calls.at(-1)?.ended === 'aborted', 'the provider was not told')
  }
  assert.match((await other).text, /data: \[DONE\]\n\n$/)
})

test('a connection that breaks ends all its calls to providers', async () => {
  const simulator = createSimulator()
  const session = sessionTo(await edge({ under: rig({ transport: simulatorTransport(simulator) }) }))
  for (let each = 0; each < 5; each++) {
    const stream = posting(session)
    stream.on('error', () => {})
    stream.end(JSON.stringify(streamed(slowly(5_000))))
  }
  await until(() => simulator.calls.length === 5, 'the calls did not arrive')
  session.destroy()
  await until(() => simulator.calls.every(({ ended }) => ended === 'aborted'), 'the provider was not told')
})

test('a request that breaks off in its body is no request', async () => {
  const at = await edge()
  const session = sessionTo(at)
  const stream = posting(session)
  stream.on('error', () => {})
  stream.write(JSON.stringify(hello()))
  await sleep(50)
  session.destroy()
  assert.equal((await ask(sessionTo(at), hello('after'))).status, 200)
  assert.equal(at.seen.length, 1)
})

test('a body that is too large is refused, told or grown, and the connection goes on', async () => {
  const session = sessionTo(await edge())
  const told = posting(session, { 'content-length': 900_000_000 })
  told.write('{')
  assert.equal((await answerOf(told)).status, 413)
  told.close()
  const grown = posting(session)
  grown.on('error', () => {})
  const answer = answerOf(grown)
  for (let each = 0; each < 50; each++) grown.write(Buffer.alloc(10_000, 32))
  const { status, headers } = await answer
  assert.equal(status, 413)
  assert.equal(headers['x-signalbox-error'], 'too_large')
  grown.close()
  assert.equal((await ask(session, hello())).status, 200)
  assert.equal(session.closed, false)
})

test('an upload that stalls is cut off', async () => {
  const session = sessionTo(await edge({ uploadMs: 300 }))
  const stream = posting(session)
  stream.on('error', () => {})
  stream.write('{')
  const began = Date.now()
  await once(stream, 'close')
  assert.ok(Date.now() - began < 2_000)
  assert.equal((await ask(session, hello())).status, 200)
})

test('headers that are too large end that call only', async () => {
  const at = await edge()
  const session = sessionTo(at)
  await ask(session, hello())
  await assert.rejects(ask(session, hello(), Object.fromEntries(Array.from({ length: 20 }, (_, each) => [`x-${each}`, 'a'.repeat(5_000)]))))
  assert.equal((await ask(sessionTo(at), hello())).status, 200)
})

test('a caller that reads slowly slows the provider, and gets everything', async () => {
  let pulled = 0
  const PIECES = 400
  const piece = `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content: 'y'.repeat(20_000) } }] })}\n\n`
  const end = `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\ndata: [DONE]\n\n`
  const transport: Transport = {
    send: async () => ({
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
      body: (async function* () {
        for (; pulled < PIECES; pulled++) yield bytesOf(piece)
        yield bytesOf(end)
      })(),
    }),
    close: async () => {},
  }
  const session = sessionTo(await edge({ under: rig({ transport }) }))
  await once(session, 'connect')
  // Room for other calls beside the one that is not read.
  session.setLocalWindowSize(8 << 20)
  const stream = posting(session)
  stream.end(JSON.stringify(streamed()))
  await once(stream, 'response')
  stream.pause()
  await sleep(300)
  const held = pulled
  assert.ok(held < PIECES / 2, `${held} of ${PIECES} pieces were taken for a caller that reads none`)
  await sleep(200)
  assert.equal(pulled, held)
  assert.match((await ask(session, { ...hello(), model: 'nobody' })).text, /nobody/, 'others are served meanwhile')
  let size = 0
  stream.on('data', (bytes: Buffer) => {
    size += bytes.length
  })
  stream.resume()
  await once(stream, 'end')
  assert.ok(size > PIECES * 20_000)
})

// ---- the end --------------------------------------------------------------------------------------------------------

test('a gateway that stops lets running calls end, and takes no new ones', async () => {
  const at = await edge()
  const session = sessionTo(at)
  const idle = sessionTo(at)
  await ask(idle, hello())
  const silent = connectTcp(at.port, '127.0.0.1')
  await once(silent, 'connect')
  const left = once(session, 'goaway')
  const stream = posting(session)
  stream.end(JSON.stringify(streamed(slowly(40))))
  await once(stream, 'response')
  const answer = answerOf(stream)
  const closed = at.server.close()
  await left
  await until(() => idle.closed, 'the idle session stays')
  const late = sessionTo(at)
  await assert.rejects(ask(late, hello()))
  const { text } = await answer
  assert.match(text, /data: \[DONE\]\n\n$/)
  await closed
  silent.destroy()
})

test('what does not end in time is broken off', async () => {
  const at = await edge()
  const session = sessionTo(at)
  const stream = posting(session)
  stream.on('error', () => {})
  stream.end(JSON.stringify(streamed(slowly(5_000))))
  await once(stream, 'data')
  const closed = at.server.close()
  at.server.destroyAll()
  await closed
})

test('a thread with too many connections asks one to go: its running calls end first', async () => {
  let sheds = false
  const balance = { opened: () => {}, closed: () => {}, sheds: () => sheds }
  const at = await edge({ balance })
  const session = sessionTo(at)
  const running = ask(session, streamed(slowly(30)))
  await sleep(50)
  sheds = true
  const { status, headers } = await ask(session, hello())
  assert.equal(status, 200)
  assert.equal(headers['connection'], undefined)
  await until(() => session.closed, 'nobody was asked to go')
  sheds = false
  assert.match((await running).text, /data: \[DONE\]\n\n$/)
})

test('connections are counted from their beginning to their end', async () => {
  let connections = 0
  const balance = { opened: () => void connections++, closed: () => void connections--, sheds: () => false }
  const at = await edge({ balance })
  const session = sessionTo(at)
  await ask(session, hello())
  const silent = connectTcp(at.port, '127.0.0.1')
  await until(() => connections === 2, `${connections} connections in place of 2`)
  session.close()
  silent.destroy()
  await until(() => connections === 0, `${connections} connections are left`)
})

// ---- other clients --------------------------------------------------------------------------------------------------

test('HTTP/1.1 is spoken on the same port', async () => {
  const at = await edge()
  const got = await new Promise<{ version: string; trailers: object; text: string }>((resolve, reject) => {
    const request = httpsRequest(`${at.url}/v1/chat/completions`, { method: 'POST', ca: pair.cert, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => resolve({ version: response.httpVersion, trailers: response.trailers, text }))
    })
    request.on('error', reject)
    request.end(JSON.stringify(streamed()))
  })
  assert.equal(got.version, '1.1')
  assert.match(got.text, /data: \[DONE\]\n\n$/)
  assert.equal(at.seen[0]?.ip, '127.0.0.1')
})

test('WebSocket upgrades are declined in the dialect over TLS too', async () => {
  const at = await edge()
  const socket = connectTls({ port: at.port, host: '127.0.0.1', servername: 'localhost', ca: pair.cert, ALPNProtocols: ['http/1.1'] })
  socket.write(
    'GET /v1/responses HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  let text = ''
  socket.on('data', (bytes) => (text += bytes))
  await once(socket, 'close')
  assert.match(text, /^HTTP\/1\.1 426 /)
})

test('bytes that are no HTTP get a 400; what is no TLS is cut off; others go on', async () => {
  const at = await edge()
  const socket = connectTls({ port: at.port, host: '127.0.0.1', servername: 'localhost', ca: pair.cert, ALPNProtocols: ['http/1.1'] })
  socket.write('nonsense\r\n\r\n')
  let text = ''
  socket.on('data', (bytes) => (text += bytes))
  await once(socket, 'close')
  assert.match(text, /^HTTP\/1\.1 400 /)
  for (const bytes of ['GET / HTTP/1.1\r\nhost: x\r\n\r\n', Buffer.alloc(3_000, 1)]) {
    const plain = connectTcp(at.port, '127.0.0.1')
    plain.on('error', () => {})
    plain.resume()
    plain.write(bytes)
    await once(plain, 'close')
  }
  assert.equal((await ask(sessionTo(at), hello())).status, 200)
})

function agentOf(options: ConnectionOptions = {}): Agent {
  const agent = new Agent({ allowH2: true, connect: { ca: pair.cert, ...options } })
  agents.push(agent)
  return agent
}

test('undici speaks HTTP/2 with it: calls, streams, hang-ups', async () => {
  const simulator = createSimulator()
  const at = await edge({ under: rig({ transport: simulatorTransport(simulator) }) })
  const dispatcher = agentOf()
  const post = (body: object, init: object = {}) =>
    undiciFetch(`${at.url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(body), dispatcher, ...init })
  assert.match(await (await post(hello())).text(), /You said: Hi/)
  assert.match(await (await post(streamed())).text(), /data: \[DONE\]\n\n$/)
  const controller = new AbortController()
  const running = await post(streamed(slowly(5_000)), { signal: controller.signal })
  assert.equal(running.status, 200)
  controller.abort()
  await until(() => simulator.calls.at(-1)?.ended === 'aborted', 'the provider was not told')
  assert.equal((await post(hello())).status, 200)
})

test('the official SDK of OpenAI works over it', async () => {
  const at = await edge()
  const dispatcher = agentOf()
  const client = new OpenAI({
    apiKey: 'none',
    baseURL: `${at.url}/v1`,
    maxRetries: 0,
    fetch: ((url: string, init: object) => undiciFetch(url, { ...init, dispatcher })) as never,
  })
  const { choices } = await client.chat.completions.create({ model: 'openai-chat/echo', messages: [{ role: 'user', content: 'Hi' }] })
  assert.equal(choices[0]?.message.content, 'You said: Hi')
  const stream = await client.chat.completions.create({
    model: 'openai-chat/echo',
    messages: [{ role: 'user', content: 'Hi' }],
    stream: true,
  })
  let text = ''
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
  assert.equal(text, 'You said: Hi')
})

const protocolOf = (port: number, ALPNProtocols: string[]): Promise<string | false | null> =>
  new Promise((resolve, reject) => {
    const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: pair.cert, ALPNProtocols }, () => {
      resolve(socket.alpnProtocol)
      socket.destroy()
    })
    socket.on('error', reject)
  })

test('HTTP/2 can be switched off', async () => {
  const both = await edge()
  assert.equal(await protocolOf(both.port, ['h2', 'http/1.1']), 'h2')
  const old = await edge({ tls: { http2: false } })
  assert.equal(await protocolOf(old.port, ['h2', 'http/1.1']), 'http/1.1')
  const agent = agentOf()
  const answer = await undiciFetch(`${old.url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(hello()), dispatcher: agent })
  assert.match(await answer.text(), /You said: Hi/)
  const socket = connectTls({ port: old.port, host: '127.0.0.1', servername: 'localhost', ca: pair.cert })
  socket.write('nonsense\r\n\r\n')
  const [bytes] = await once(socket, 'data')
  assert.match(String(bytes), /^HTTP\/1\.1 400 /)
  await agent.close()
  await old.server.close()
})

// ---- certificates ---------------------------------------------------------------------------------------------------

test('a renewed certificate is for new connections; those that stand go on', async () => {
  const at = await edge()
  const session = sessionTo(at)
  await ask(session, hello())
  const next = selfSigned()
  const running = ask(session, streamed(slowly(20)))
  at.listener.renew(materialOf(next))
  await assert.rejects(ask(sessionTo(at), hello()))
  assert.equal((await ask(sessionTo(at, { ca: next.cert }), hello())).status, 200)
  assert.equal((await ask(session, hello())).status, 200)
  assert.match((await running).text, /data: \[DONE\]\n\n$/)
})

for (const http2 of [true, false]) {
  const overWhat = http2 ? 'HTTP/2' : 'HTTP/1.1 alone'
  const call = async ({ url }: Edge, options: ConnectionOptions): Promise<number> => {
    const dispatcher = agentOf(options)
    const { status } = await undiciFetch(`${url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(hello()), dispatcher })
    return status
  }

  test(`required certificates: strangers are refused in the handshake, callers are told by theirs (${overWhat})`, async () => {
    const at = await edge({ tls: { clients: 'require', http2 } })
    await assert.rejects(call(at, {}))
    await assert.rejects(call(at, { cert: stranger.cert, key: stranger.key }))
    assert.equal(at.seen.length, 0)
    for (let each = 0; each < 2; each++) assert.equal(await call(at, { cert: caller.cert, key: caller.key }), 200)
    for (const { certificate } of at.seen) {
      assert.equal(certificate?.subject, 'CN=localhost')
      assert.match(certificate?.fingerprint256 ?? '', /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
    }
  })

  test(`requested certificates: everybody may call, and only good ones are told (${overWhat})`, async () => {
    const at = await edge({ tls: { clients: 'request', http2 } })
    assert.equal(await call(at, {}), 200)
    assert.equal(await call(at, { cert: stranger.cert, key: stranger.key }), 200)
    assert.equal(await call(at, { cert: caller.cert, key: caller.key }), 200)
    assert.deepEqual(
      at.seen.map(({ certificate }) => certificate?.subject),
      [undefined, undefined, 'CN=localhost'],
    )
  })
}
