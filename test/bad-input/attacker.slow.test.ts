/** A provider that does its worst. Contained means: a clear error in the caller's dialect, bounded memory, and a gateway that goes on. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { createGateway, type Gateway } from '../../src/create-gateway.ts'
import { plainBody } from './fixtures.ts'
import { type Attack, chunk, goodAnswer, type Hostile, hostile, plainHead, pour, streamHead, whole } from './hostile.ts'
import { type DialectId, dialects, envelopeFault, pathOf } from './rig.ts'

const SECRET = 'sk-provider-secret-000111222'
let attacker: Hostile
let gateway: Gateway

before(async () => {
  attacker = await hostile()
  gateway = createGateway(
    {
      server: { limits: { answer: '2MB', event: '1MB' } },
      providers: { up: { preset: 'openai-compatible', baseUrl: `${attacker.url}/v1`, keys: ['env:UP_KEY'] } },
      defaults: {
        retries: { attempts: 1 },
        timeouts: { connect: '1s', firstToken: '700ms', idle: '700ms', answer: '900ms', total: '4s' },
      },
    },
    { env: { UP_KEY: SECRET } },
  )
})
after(async () => {
  await gateway.close()
  await attacker.close()
})

interface Got {
  readonly status: number
  readonly headers: Record<string, string>
  readonly text: string
}

async function call(dialect: DialectId, streamed: boolean, attack: Attack): Promise<Got> {
  attacker.attack = attack
  const body = plainBody(dialect, 'up/m', 'Hi')
  if (dialect !== 'gemini') body['stream'] = streamed
  const response = await gateway.fetch(`http://gateway${pathOf(dialect, 'up/m', streamed)}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() }
}

const success: Readonly<Record<DialectId, RegExp>> = {
  'openai-chat': /\[DONE\]|"finish_reason":"/,
  'openai-responses': /response\.completed|"status":"completed"/,
  'anthropic-messages': /message_stop|"stop_reason":"/,
  gemini: /"finishReason":"/,
}
const inStreamError = /"error"/

/** An error in the dialect: as the whole answer, or inside a stream that had begun. */
function assertContained(dialect: DialectId, got: Got, label: string): void {
  const { status, text, headers } = got
  const told = `${label}, ${dialect}: ${status} ${text.slice(0, 400)}`
  assert.ok(!text.includes(SECRET) && !JSON.stringify(headers).includes(SECRET), `${told} tells the key`)
  if (status === 200) {
    assert.match(text, inStreamError, told)
    // An ending may precede the error only in the frames of parts, never as the reply's own.
    assert.doesNotMatch(text, success[dialect], told)
    return
  }
  assert.ok(status === 502 || status === 503 || status === 504 || status === 429, told)
  assert.equal(envelopeFault(dialect, got), undefined, told)
}

async function assertCalm(label: string): Promise<void> {
  const got = await call('anthropic-messages', false, (socket) => void socket.write(whole(goodAnswer())))
  assert.equal(got.status, 200, `after ${label}: ${got.text}`)
  assert.match(got.text, /Hello/)
}

const gzipBomb = gzipSync(Buffer.alloc(200 << 20, 32), { level: 1 })
const brotliBomb = brotliCompressSync(Buffer.alloc(60 << 20, 32), { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })
const html = '<html><head><title>Oops</title></head><body>Bad gateway</body></html>'
const endlessly =
  (head: string, piece: string): Attack =>
  async (socket) => {
    socket.write(head)
    await pour(socket, piece)
  }

/** Whatever is asked, plain or streamed, the answer is an error. */
const always: Readonly<Record<string, Attack>> = {
  'closes at once': (socket) => void socket.destroy(),
  'resets the connection': (socket) => void socket.resetAndDestroy(),
  'is no HTTP': (socket) => void socket.end('SSH-2.0-OpenSSH_9.0\r\n\r\n'),
  'a header of 1 MB': (socket) => void socket.write(`${plainHead(`x-a: ${'a'.repeat(1 << 20)}\r\n`)}content-length: 2\r\n\r\n{}`),
  'a header that never ends': endlessly('HTTP/1.1 200 OK\r\nx-a: ', 'a'.repeat(65_536)),
  'headers that never end': endlessly('HTTP/1.1 200 OK\r\n', `x-a: ${'a'.repeat(200)}\r\n`),
  'two content lengths': (socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 5\r\n\r\n{}abc'),
  'both framings': (socket) =>
    void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'),
  'a broken chunk size': (socket) => void socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n'),
  'an endless body': endlessly(`${plainHead('connection: close\r\n')}\r\n{"id":"`, 'a'.repeat(65_536)),
  'an endless body of blanks': endlessly(`${plainHead('connection: close\r\n')}\r\n`, ' '.repeat(65_536)),
  'a page under 200': (socket) => void socket.write(whole(html, 'HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n')),
  'a page under 502': (socket) => void socket.write(whole(html, 'HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\n')),
  'an error under 200': (socket) =>
    void socket.write(whole(JSON.stringify({ error: { message: `No key ${SECRET}`, type: 'server_error' } }))),
  'our key in a 401': (socket) =>
    void socket.write(
      whole(
        JSON.stringify({ error: { message: `Incorrect API key: ${SECRET}`, type: 'invalid_request_error', code: SECRET } }),
        'HTTP/1.1 401 No\r\n',
      ),
    ),
  'an empty body': (socket) => void socket.write(whole('')),
  'JSON of another kind': (socket) => void socket.write(whole('[1,2,3]')),
  'a bare string': (socket) => void socket.write(whole('"ok"')),
  'a redirect': (socket) => void socket.write(whole('', `HTTP/1.1 302 Found\r\nlocation: ${attacker.url}/v1/elsewhere\r\n`)),
  'a permanent redirect': (socket) => void socket.write(whole('', `HTTP/1.1 308 Moved\r\nlocation: http://169.254.169.254/latest\r\n`)),
  'status 204': (socket) => void socket.write('HTTP/1.1 204 No Content\r\n\r\n'),
  'a body shorter than its length': (socket) => void socket.end(`${plainHead()}content-length: 5000\r\n\r\n${goodAnswer()}`),
  'an early end of chunks': (socket) => void socket.end(`${plainHead('transfer-encoding: chunked\r\n')}\r\n10\r\n{"id":"chatcmpl-`),
  silence: () => {},
  'a head and silence': (socket) => void socket.write(`${plainHead()}content-length: 100\r\n\r\n{`),
  'a slow drip of blanks': async (socket) => {
    socket.write(`${plainHead('connection: close\r\n')}\r\n`)
    for (let index = 0; index < 60 && socket.writable; index++) {
      socket.write(' ')
      await sleep(50)
    }
  },
  'broken compression': (socket) => void socket.write(whole('not gzip', plainHead('content-encoding: gzip\r\n'))),
  'an unknown compression': (socket) => void socket.write(whole('x', plainHead('content-encoding: sdch\r\n'))),
  'a compression bomb': (socket) => void socket.write(whole(gzipBomb, plainHead('content-encoding: gzip\r\n'))),
  'a bomb of brotli': (socket) => void socket.write(whole(brotliBomb, plainHead('content-encoding: br\r\n'))),
  'brackets without end': endlessly(`${plainHead('connection: close\r\n')}\r\n`, '['.repeat(65_536)),
}

for (const [name, attack] of Object.entries(always))
  test(`contained: ${name}`, async () => {
    const calls = dialects.flatMap((dialect) => [false, true].map((streamed) => ({ dialect, streamed })))
    await Promise.all(
      calls.map(async ({ dialect, streamed }) =>
        assertContained(dialect, await call(dialect, streamed, attack), `${name}${streamed ? ', streamed' : ''}`),
      ),
    )
    await assertCalm(name)
  })

/** Streams that begin like any other. */
const streams: Readonly<Record<string, Attack>> = {
  'ends without an ending': (socket) => void socket.end(streamHead() + chunk({ role: 'assistant', content: 'Hel' })),
  'breaks in the middle of a frame': (socket) =>
    void socket.end(`${streamHead()}${chunk({ content: 'Hel' })}data: {"choices":[{"delta":{"con`),
  'is reset in the middle': async (socket) => {
    socket.write(streamHead() + chunk({ content: 'Hel' }))
    await sleep(50)
    socket.resetAndDestroy()
  },
  'falls silent': (socket) => void socket.write(streamHead() + chunk({ content: 'Hel' })),
  'sends comments for ever': async (socket) => {
    socket.write(streamHead() + chunk({ content: 'Hel' }))
    for (let index = 0; index < 100 && socket.writable; index++) {
      socket.write(': ping\n\n')
      await sleep(30)
    }
  },
  'sends an event without end': endlessly(
    `${streamHead()}${chunk({ content: 'Hel' })}data: {"choices":[{"delta":{"content":"`,
    'a'.repeat(65_536),
  ),
  'sends a line without end': endlessly(streamHead() + chunk({ content: 'Hel' }), 'a'.repeat(65_536)),
  'sends an event without end at once': endlessly(`${streamHead()}data: {`, 'a'.repeat(65_536)),
  'sends a million comments': endlessly(streamHead(), ': comment\n\n'.repeat(10_000)),
  'sends comments without a blank line': endlessly(streamHead(), ': comment\n'.repeat(10_000)),
  'sends empty events': endlessly(streamHead(), 'data:\n\n'.repeat(10_000)),
  'sends no JSON': (socket) => void socket.end(`${streamHead() + chunk({ content: 'Hel' })}data: {"choices":[{]\n\n`),
  'tells an error with our key': (socket) =>
    void socket.end(
      `${streamHead() + chunk({ content: 'Hel' })}data: {"error":{"message":"key ${SECRET} is used up","type":"insufficient_quota"}}\n\n`,
    ),
  'tells an error at once': (socket) =>
    void socket.end(`${streamHead()}data: {"error":{"message":"key ${SECRET}","type":"server_error"}}\n\n`),
  'is nothing': (socket) => void socket.end(streamHead()),
  'is done before it began': (socket) => void socket.end(`${streamHead()}data: [DONE]\n\n`),
  'is broken gzip': async (socket) => {
    const packed = gzipSync(chunk({ content: 'Hel' }).repeat(50))
    socket.end(Buffer.concat([Buffer.from(streamHead('content-encoding: gzip\r\n')), packed.subarray(0, packed.length - 20)]))
  },
}

for (const [name, attack] of Object.entries(streams))
  test(`contained: a stream that ${name}`, async () => {
    await Promise.all(dialects.map(async (dialect) => assertContained(dialect, await call(dialect, true, attack), name)))
    await assertCalm(name)
  })

/** What is odd but whole must arrive. */
const fine = chunk({ role: 'assistant', content: 'Hel' }) + chunk({ content: 'lo' }) + chunk({}, 'stop')
const odd: Readonly<Record<string, Attack>> = {
  'is done twice': (socket) => void socket.end(`${streamHead() + fine}data: [DONE]\n\ndata: [DONE]\n\n`),
  'is never done': (socket) => void socket.end(streamHead() + fine),
  'goes on after the end': (socket) => void socket.end(`${streamHead() + fine}data: [DONE]\n\nrubbish\n\n: more\n\n`),
  'does not close after the end': (socket) => void socket.write(`${streamHead() + fine}data: [DONE]\n\n`),
  'is reset after the end': async (socket) => {
    socket.write(`${streamHead() + fine}data: [DONE]\n\n`)
    await sleep(50)
    socket.resetAndDestroy()
  },
  'is gzip': (socket) =>
    void socket.end(Buffer.concat([Buffer.from(streamHead('content-encoding: gzip\r\n')), gzipSync(`${fine}data: [DONE]\n\n`)])),
  'has another content type': (socket) =>
    void socket.end(`HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\nconnection: close\r\n\r\n${fine}data: [DONE]\n\n`),
  'comes byte by byte': async (socket) => {
    socket.setNoDelay(true)
    socket.write(streamHead())
    const bytes = Buffer.from(
      `${chunk({ role: 'assistant', content: 'Hel' })}${chunk({ content: 'lo' })}${chunk({}, 'stop')}data: [DONE]\n\n`,
    )
    for (let index = 0; index < bytes.length; index += 7) {
      socket.write(bytes.subarray(index, index + 7))
      await sleep(1)
    }
    socket.end()
  },
  'has CR line ends': (socket) =>
    void socket.end(`${streamHead()}${fine}data: [DONE]\n\n`.replace(streamHead(), '§').replaceAll('\n', '\r').replace('§', streamHead())),
  'begins with a byte order mark': (socket) => void socket.end(`${streamHead()}\ufeff${fine}data: [DONE]\n\n`),
}

const textOfStream: Readonly<Record<DialectId, RegExp>> = {
  'openai-chat': /"content":"Hel".*"content":"lo"/s,
  'openai-responses': /"Hello"/,
  'anthropic-messages': /"text":"Hel".*"text":"lo"|"Hello"/s,
  gemini: /"text":"Hel".*"text":"lo"|"Hello"/s,
}

for (const [name, attack] of Object.entries(odd))
  test(`served: a stream that ${name}`, async () => {
    for (const dialect of dialects) {
      const started = performance.now()
      const got = await call(dialect, true, attack)
      assert.equal(got.status, 200, `${dialect}: ${got.text}`)
      assert.match(got.text, textOfStream[dialect], `${dialect}: ${got.text}`)
      assert.match(got.text, success[dialect], `${dialect}: ${got.text}`)
      assert.doesNotMatch(got.text, /"error":\{|event: error/, `${dialect}: ${got.text}`)
      assert.ok(performance.now() - started < 3_000, `${dialect} waited for the close`)
    }
  })

test('characters split between chunks arrive whole; bytes that are no UTF-8 do no harm', async () => {
  const bytes = Buffer.from(`${chunk({ content: 'Grüße 😀 你好' })}${chunk({}, 'stop')}data: [DONE]\n\n`)
  for (const dialect of dialects) {
    const got = await call(dialect, true, async (socket) => {
      socket.setNoDelay(true)
      socket.write(streamHead())
      for (const byte of bytes) {
        socket.write(Buffer.from([byte]))
        if (byte > 127) await sleep(1)
      }
      socket.end()
    })
    assert.match(got.text, /Grüße 😀 你好/, dialect)
    const broken = await call(dialect, true, (socket) => {
      socket.write(`${streamHead()}data: {"choices":[{"index":0,"delta":{"content":"`)
      socket.write(Buffer.from([0xff, 0xfe, 0xc0, 0x80]))
      socket.end(`"},"finish_reason":null}]}\n\n${chunk({}, 'stop')}data: [DONE]\n\n`)
    })
    assert.equal(broken.status, 200)
  }
})

test('absurd usage costs nothing but its own credibility', async () => {
  for (const usage of [
    { prompt_tokens: 1e18, completion_tokens: 1e18 },
    { prompt_tokens: -5, completion_tokens: -1 },
    { prompt_tokens: '7', completion_tokens: {} },
    { prompt_tokens: 1.5, completion_tokens: null },
    [],
    'much',
    null,
  ])
    for (const dialect of dialects) {
      const got = await call(dialect, false, (socket) => void socket.write(whole(goodAnswer(usage))))
      assert.equal(got.status, 200, `${dialect} ${JSON.stringify(usage)}: ${got.text}`)
      assert.match(got.text, /Hello/)
      const streamed = await call(
        dialect,
        true,
        (socket) => void socket.end(`${streamHead() + fine}data: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`),
      )
      assert.match(streamed.text, success[dialect], `${dialect} ${JSON.stringify(usage)}: ${streamed.text}`)
    }
})

test('headers of the provider: rate limits and ids pass, cookies and our own names do not', async () => {
  const extra = [
    'set-cookie: a=b',
    'x-signalbox-route: evil',
    'x-signalbox-cost: 0',
    'x-signalbox-error: internal',
    'server: evil',
    'connection: keep-alive',
    'x-request-id: up-1',
    'x-ratelimit-remaining-requests: 9',
    `x-ratelimit-limit-requests: ${'9'.repeat(5_000)}`,
    'access-control-allow-origin: *',
    'location: http://evil',
    'content-type: text/evil',
  ].join('\r\n')
  for (const dialect of dialects)
    for (const streamed of [false, true]) {
      const { headers, status } = await call(
        dialect,
        streamed,
        (socket) =>
          void (streamed
            ? socket.end(`HTTP/1.1 200 OK\r\nconnection: close\r\n${extra}\r\n\r\n${fine}data: [DONE]\n\n`)
            : socket.write(whole(goodAnswer(), `HTTP/1.1 200 OK\r\n${extra}\r\n`))),
      )
      assert.equal(status, 200)
      assert.equal(headers['x-request-id'], 'up-1')
      assert.equal(headers['x-ratelimit-remaining-requests'], '9')
      assert.equal(headers['x-signalbox-route'], 'direct')
      assert.equal(headers['x-signalbox-error'], undefined)
      for (const name of ['set-cookie', 'server', 'location', 'access-control-allow-origin', 'x-ratelimit-limit-requests'])
        assert.equal(headers[name], undefined, name)
      assert.match(headers['content-type'] ?? '', streamed ? /^text\/event-stream/ : /^application\/json$/)
    }
})

test('a redirect is not followed', async () => {
  const before = attacker.heard.length
  await call('openai-chat', false, always['a redirect'] ?? (() => {}))
  assert.equal(attacker.heard.length, before + 1)
})

test('the caller’s credentials and framing never reach the provider', async () => {
  attacker.attack = (socket) => void socket.write(whole(goodAnswer()))
  await gateway.fetch('http://gateway/v1/chat/completions?key=caller-query', {
    method: 'POST',
    headers: {
      authorization: 'Bearer caller-bearer',
      'x-api-key': 'caller-x',
      'api-key': 'caller-api',
      'x-goog-api-key': 'caller-goog',
      cookie: 'caller=1',
      'x-forwarded-for': '1.2.3.4',
      te: 'trailers',
      'x-signalbox-strict': 'false',
      'openai-organization': 'caller-org',
    },
    body: JSON.stringify({ ...plainBody('openai-chat', 'up/m', 'Hi'), signalbox: { strict: false } }),
  })
  const { head, path, body } = attacker.heard.at(-1) ?? { head: '', path: '', body: '' }
  assert.match(head, new RegExp(`authorization: Bearer ${SECRET}`, 'i'))
  assert.doesNotMatch(head + path + body, /caller|signalbox|trailers|1\.2\.3\.4/)
})

test('memory stays bounded and sockets are closed after all of this', async () => {
  const rss = process.memoryUsage().rss
  const poured = attacker.taken()
  for (const name of ['an endless body', 'an endless body of blanks', 'a header that never ends'])
    for (const dialect of dialects) await call(dialect, false, always[name] ?? (() => {}))
  for (const name of ['sends an event without end', 'sends a million comments'])
    for (const dialect of dialects) await call(dialect, true, streams[name] ?? (() => {}))
  assert.ok(process.memoryUsage().rss - rss < 150e6, `RSS grew by ${(process.memoryUsage().rss - rss) / 1e6} MB`)
  assert.ok(attacker.taken() - poured < 800e6, 'the gateway went on reading')
  for (let wait = 0; wait < 40 && attacker.open() > 1; wait++) await sleep(50)
  assert.ok(attacker.open() <= 1, `${attacker.open()} sockets are still open`)
})
