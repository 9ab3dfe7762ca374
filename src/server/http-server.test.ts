import assert from 'node:assert/strict'
import { type AddressInfo, connect } from 'node:net'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { plainBody } from '../../test/bad-input/fixtures.ts'
import { type DialectId, dialects, envelopeFault, faultPath, pathOf, rig } from '../../test/bad-input/rig.ts'
import { GatewayError } from '../core/error.ts'
import { createSimulator, simulatorTransport } from '../testing/index.ts'
import { type Got, hello, httpRig, MAX_BODY, type Sending, statuses } from './fixtures/http-rig.ts'
import { createHttpServer } from './http-server.ts'

const { server, state, send, raw, close } = await httpRig()
after(close)

// ---- what is refused, and how ---------------------------------------------------------------------------------------

const refusals: readonly [name: string, sending: Sending, status: number, dialect: DialectId, code: string][] = [
  ['an unknown path', { path: '/v1/nowhere' }, 404, 'openai-chat', 'not_found'],
  ['an unknown path of Anthropic', { path: '/anthropic/v1/nowhere' }, 404, 'anthropic-messages', 'not_found'],
  ['an unknown path below messages', { path: '/v1/messages/batches' }, 404, 'anthropic-messages', 'not_found'],
  [
    'an unknown path with Anthropic’s header',
    { path: '/x', headers: { 'anthropic-version': '2023-06-01' } },
    404,
    'anthropic-messages',
    'not_found',
  ],
  ['an unknown path with Google’s header', { path: '/x', headers: { 'x-goog-api-key': 'k' } }, 404, 'gemini', 'not_found'],
  ['an unknown path of Gemini', { path: '/v1beta/nowhere' }, 404, 'gemini', 'not_found'],
  ['an unknown verb of Gemini', { path: '/v1beta/models/m:fly' }, 404, 'gemini', 'not_found'],
  ['a verb named like a member of every object', { path: '/v1beta/models/m:constructor' }, 404, 'gemini', 'not_found'],
  ['a path that does not decode', { path: '/v1/%zz' }, 404, 'openai-chat', 'not_found'],
  ['GET on chat', { method: 'GET' }, 405, 'openai-chat', 'method_not_allowed'],
  ['PUT on messages', { method: 'PUT', path: '/v1/messages' }, 405, 'anthropic-messages', 'method_not_allowed'],
  ['DELETE on responses', { method: 'DELETE', path: '/v1/responses' }, 405, 'openai-responses', 'method_not_allowed'],
  ['PATCH on a Gemini call', { method: 'PATCH', path: '/v1beta/models/m:generateContent' }, 405, 'gemini', 'method_not_allowed'],
  ['a method nobody knows', { method: 'PROPFIND' }, 405, 'openai-chat', 'method_not_allowed'],
  ['an unknown encoding', { body: 'x', headers: { 'content-encoding': 'sdch' } }, 415, 'openai-chat', 'unsupported_media_type'],
  [
    'an unknown encoding on messages',
    { path: '/v1/messages', body: 'x', headers: { 'content-encoding': 'lzma' } },
    415,
    'anthropic-messages',
    'unsupported_media_type',
  ],
  [
    'a body that is not what its encoding says',
    { body: '{}', headers: { 'content-encoding': 'gzip' } },
    400,
    'openai-chat',
    'invalid_request',
  ],
  ['no body', { path: '/v1/responses' }, 400, 'openai-responses', 'invalid_request'],
  ['an unknown model', { path: '/v1/messages', body: hello('anthropic-messages', 'nobody') }, 404, 'anthropic-messages', 'unknown_model'],
  [
    'an unknown model in the path',
    { path: '/v1beta/models/nobody:generateContent', body: hello('gemini') },
    404,
    'gemini',
    'unknown_model',
  ],
]

for (const [name, sending, status, dialect, code] of refusals)
  test(`${name} is a ${status} in the dialect`, async () => {
    const got = await send(sending)
    assert.equal(got.status, status, got.text)
    assert.equal(envelopeFault(dialect, got), undefined, got.text)
    assert.equal(got.headers['x-signalbox-error'], code)
    assert.equal(got.headers['content-type'], 'application/json')
    assert.match(got.headers['x-signalbox-request-id'] ?? '', /^req_/)
    assert.equal(got.headers['x-should-retry'], 'false')
    if (status === 405) assert.ok(got.headers['allow'])
    if (code === 'unknown_model') assert.match(got.text, /nobody/)
  })

test('HEAD on the root and on Claude Code’s greeting has headers and no body', async () => {
  for (const path of ['/', '/api/hello', '/v1/models']) {
    const { status, text } = await send({ method: 'HEAD', path })
    assert.equal(status, 200)
    assert.equal(text, '')
  }
})

test('a WebSocket upgrade on responses is a 426 in its dialect, at once', async () => {
  const { text, closed } = await raw(
    'GET /v1/responses HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  assert.match(text, /^HTTP\/1\.1 426 /)
  assert.ok(closed)
  const body = text.slice(text.indexOf('\r\n\r\n') + 4)
  assert.equal(
    envelopeFault('openai-responses', { status: 426, text: body, headers: { 'x-signalbox-error': 'upgrade_required' } }),
    undefined,
  )
})

test('an offer to speak HTTP/2 is declined by answering', async () => {
  const body = hello()
  const { text } = await raw(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  assert.match(text, /^HTTP\/1\.1 200 /)
  assert.match(text, /You said: Hi/)
})

// ---- bodies ---------------------------------------------------------------------------------------------------------

const encodings: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  gzip: gzipSync,
  'x-gzip': gzipSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
  deflate: deflateSync,
}

for (const [encoding, compress] of Object.entries(encodings)) {
  test(`a body compressed with ${encoding} is read`, async () => {
    const { status, text } = await send({ body: compress(Buffer.from(hello())), headers: { 'content-encoding': encoding } })
    assert.equal(status, 200, text)
    assert.match(text, /You said: Hi/)
  })
  test(`a bomb of ${encoding} is a 413, and costs no memory`, async () => {
    const bomb = compress(Buffer.alloc(40 << 20, 32))
    assert.ok(bomb.length < MAX_BODY)
    const before = process.memoryUsage().rss
    for (const dialect of dialects) {
      const got = await send({ path: pathOf(dialect, 'openai-chat/echo', false), body: bomb, headers: { 'content-encoding': encoding } })
      assert.equal(got.status, 413, got.text)
      assert.equal(envelopeFault(dialect, got), undefined)
    }
    assert.ok(process.memoryUsage().rss - before < 60e6)
  })
  test(`a body of ${encoding} that breaks off is a 400`, async () => {
    const packed = compress(Buffer.from(hello('openai-chat', `openai-chat/${'x'.repeat(300)}`)))
    const got = await send({ body: packed.subarray(0, packed.length - 5), headers: { 'content-encoding': encoding } })
    assert.equal(got.status, 400)
  })
}

test('encodings may be stacked, but not without end', async () => {
  const twice = gzipSync(brotliCompressSync(Buffer.from(hello())))
  assert.equal((await send({ body: twice, headers: { 'content-encoding': 'br, gzip' } })).status, 200)
  assert.equal((await send({ body: twice, headers: { 'content-encoding': 'gzip, gzip, gzip, gzip' } })).status, 415)
  assert.equal((await send({ body: hello(), headers: { 'content-encoding': 'identity' } })).status, 200)
})

test('a body that says it is too large is refused before it is sent', async () => {
  for (const dialect of dialects) {
    const { text, closed } = await raw(`POST ${pathOf(dialect, 'm', false)} HTTP/1.1\r\nhost: x\r\ncontent-length: 900000000\r\n\r\n{`, {
      idleMs: 3_000,
    })
    assert.match(text, /^HTTP\/1\.1 413 /)
    assert.ok(closed, 'the connection stays open in the middle of a body')
  }
})

test('a body that grows too large is refused, and the caller can read why', async () => {
  for (const dialect of dialects) {
    const got = await send({
      path: pathOf(dialect, 'm', false),
      headers: { 'transfer-encoding': 'chunked' },
      body: Buffer.alloc(3_000_000, 32),
    })
    assert.equal(got.status, 413)
    assert.equal(envelopeFault(dialect, got), undefined)
  }
})

test('any content type will do for a body that is JSON', async () => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=utf-8', 'a/b/c;;', '🤷'])
    assert.equal((await send({ body: hello(), headers: { 'content-type': encodeURI(type) } })).status, 200, type)
})

test('an upload that stalls is cut off', async () => {
  const { text, closed } = await raw('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"model"', {
    idleMs: 12_000,
  })
  assert.ok(closed)
  assert.match(text, /^(?:HTTP\/1\.1 408 .*)?/)
})

// ---- answers --------------------------------------------------------------------------------------------------------

test('a plain answer has a length and no trailers; a streamed one is chunked', async () => {
  const plain = await send({ body: hello() })
  assert.equal(plain.headers['content-length'], String(Buffer.byteLength(plain.text)))
  assert.deepEqual(plain.trailers, {})
  const streamed = await send({ body: JSON.stringify({ ...plainBody('openai-chat', 'openai-chat/echo', 'Hi'), stream: true }) })
  assert.equal(streamed.headers['transfer-encoding'], 'chunked')
  assert.match(streamed.headers['content-type'] ?? '', /^text\/event-stream/)
  assert.match(streamed.text, /data: \[DONE\]\n\n$/)
})

test('a caller of HTTP/1.0 gets a stream without chunks', async () => {
  const body = JSON.stringify({ ...plainBody('openai-chat', 'openai-chat/echo', 'Hi'), stream: true })
  const { text, closed } = await raw(`POST /v1/chat/completions HTTP/1.0\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
  assert.match(text, /^HTTP\/1\.1 200 /)
  assert.doesNotMatch(text, /transfer-encoding|^trailer/im)
  assert.match(text, /data: \[DONE\]\n\n$/)
  assert.ok(closed)
})

test('pipelined calls are answered in order', async () => {
  const one = (prompt: string): string => {
    const body = JSON.stringify(plainBody('openai-chat', 'openai-chat/echo', prompt))
    return `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  }
  const { text } = await raw(one('first simulate') + one('second') + one('third'))
  assert.deepEqual(statuses(text), [200, 200, 200])
  assert.ok(text.indexOf('first') < text.indexOf('second') && text.indexOf('second') < text.indexOf('third'))
})

test('a caller that hangs up ends the call to the provider', async () => {
  const simulator = createSimulator()
  const own = rig({ transport: simulatorTransport(simulator) })
  const edge = createHttpServer({ line: () => own.line, maxBody: () => MAX_BODY, ready: () => true })
  await edge.listen({ host: '127.0.0.1', port: 0 })
  for (const streamed of [true, false]) {
    const body = JSON.stringify({
      ...plainBody(
        'openai-chat',
        'anthropic-messages/echo',
        `simulate: {"words": 5000, "eventMs": 20, "firstMs": ${streamed ? 10 : 5_000}}`,
      ),
      stream: streamed,
    })
    const socket = connect((edge.server.address() as AddressInfo).port, '127.0.0.1')
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
    if (streamed) await new Promise((resolve) => socket.once('data', resolve))
    else await sleep(100)
    assert.equal(simulator.calls.at(-1)?.ended, undefined)
    socket.destroy()
    for (let wait = 0; wait < 50 && simulator.calls.at(-1)?.ended === undefined; wait++) await sleep(10)
    assert.equal(simulator.calls.at(-1)?.ended, 'aborted')
  }
  edge.destroyAll()
  await edge.close()
})

test('bytes that are no request get a 400 and the connection ends', async () => {
  for (const bytes of ['\x16\x03\x01\x02\x00', 'GET\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', 'x'.repeat(100_000)]) {
    const { text, closed } = await raw(bytes)
    assert.match(text, /^HTTP\/1\.1 4\d\d /, JSON.stringify(bytes.slice(0, 20)))
    assert.match(text, /x-signalbox-error: /)
    assert.ok(closed)
  }
})

test('a request header that is too large is a 431', async () => {
  const { text, closed } = await raw(`GET / HTTP/1.1\r\nhost: x\r\nx-a: ${'a'.repeat(80_000)}\r\n\r\n`)
  assert.match(text, /^HTTP\/1\.1 431 /)
  assert.match(text, /x-signalbox-error: too_large/)
  assert.ok(closed)
})

test('every dialect answers over sockets as it does in process', async () => {
  for (const dialect of dialects)
    for (const provider of dialects)
      for (const streamed of [false, true]) {
        const body = plainBody(dialect, `${provider}/echo`, 'Hi')
        if (dialect !== 'gemini') body['stream'] = streamed
        const got = await send({ path: pathOf(dialect, `${provider}/echo`, streamed), body: JSON.stringify(body) })
        assert.equal(got.status, 200, got.text)
        assert.equal(got.headers['x-signalbox-provider'], provider)
        assert.equal(got.headers['x-signalbox-attempts'], '1')
      }
})

test('bad controls are a 400 that names them, over sockets too', async () => {
  const got = await send({ body: hello(), headers: { 'x-signalbox-timeout': '5' } })
  assert.equal(got.status, 400)
  assert.equal(faultPath('openai-chat', got.text), 'x-signalbox-timeout')
})

// ---- the end --------------------------------------------------------------------------------------------------------

test('while stopping, answers ask to close the connection, and readiness is gone', async () => {
  state.ready = false
  try {
    assert.equal((await send({ method: 'GET', path: '/readyz' })).status, 503)
    assert.equal((await send({ method: 'GET', path: '/healthz' })).status, 200)
    assert.equal((await send({ body: hello(), headers: { connection: 'keep-alive' } })).headers['connection'], 'close')
  } finally {
    state.ready = true
  }
  assert.equal((await send({ method: 'GET', path: '/readyz' })).status, 200)
})

test('running calls that are ended get their dialect’s error', async () => {
  const slow = (dialect: DialectId, streamed: boolean): Promise<Got> => {
    const body = plainBody(dialect, 'openai-chat/echo', 'simulate: {"words": 3000, "eventMs": 20, "firstMs": 300}')
    if (dialect !== 'gemini') body['stream'] = streamed
    return send({ path: pathOf(dialect, 'openai-chat/echo', streamed), body: JSON.stringify(body) })
  }
  const plain = dialects.map((dialect) => slow(dialect, false))
  const streamed = dialects.map((dialect) => slow(dialect, true))
  await sleep(200)
  server.cancelAll(new GatewayError('shutting-down', 'The gateway is stopping.', { retryAfterMs: 1_000 }))
  for (const [index, got] of (await Promise.all(plain)).entries()) {
    assert.equal(got.status, 503, got.text)
    assert.equal(envelopeFault(dialects[index] ?? 'gemini', got), undefined, got.text)
    assert.equal(got.headers['retry-after'], '1')
  }
  for (const got of await Promise.all(streamed)) {
    assert.match(got.text, /The gateway is stopping/)
    assert.doesNotMatch(got.text, /\[DONE\]|message_stop|response\.completed|"finishReason":"STOP"/)
  }
})
