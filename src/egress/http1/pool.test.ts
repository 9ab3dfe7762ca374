/** Connections over real sockets: when one is used again, when it is not, and how it ends. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import type { Dispatcher } from 'undici'
import type { Headers } from '../../core/http.ts'
import { CONNECT_TIMEOUT } from './connection.ts'
import { Http1Pool, type Http1PoolOptions, type PoolRequest } from './pool.ts'
import { BROKEN_HTTP } from './read-response.ts'

interface Arrived {
  /** The connection's place among those of this host, from 0. */
  readonly connection: number
  readonly head: string
  readonly body: Buffer
}

interface Host {
  readonly origin: string
  readonly sockets: readonly Socket[]
  readonly arrived: readonly Arrived[]
  /** When the host has seen the end of the connection with this number. */
  closed(connection: number): Promise<unknown>
}

type Answer = (socket: Socket, request: Arrived) => void

const answerOf = (body: string, headers = ''): string =>
  `HTTP/1.1 200 OK\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
const always =
  (answer: string): Answer =>
  (socket) =>
    void socket.write(answer)

async function listen(t: TestContext, server: Server, address = '127.0.0.1'): Promise<number> {
  const listening = once(server, 'listening')
  server.listen(0, address)
  await listening
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

/** Reads requests by their length and has each answered. */
async function host(t: TestContext, answer: Answer): Promise<Host> {
  const sockets: Socket[] = []
  const ends: Promise<unknown>[] = []
  const arrived: Arrived[] = []
  const server = createServer((socket) => {
    const connection = sockets.push(socket) - 1
    ends.push(new Promise((resolve) => socket.on('close', resolve)))
    // Calls that are broken off show here too.
    socket.on('error', () => {})
    let bytes = Buffer.alloc(0)
    socket.on('data', (more) => {
      bytes = Buffer.concat([bytes, more as Buffer])
      const end = bytes.indexOf('\r\n\r\n')
      if (end < 0) return
      const head = bytes.toString('latin1', 0, end)
      const length = Number(/^content-length: (\d+)$/m.exec(head)?.[1] ?? 0)
      if (bytes.length < end + 4 + length) return
      const request: Arrived = { connection, head, body: bytes.subarray(end + 4, end + 4 + length) }
      bytes = bytes.subarray(end + 4 + length)
      arrived.push(request)
      answer(socket, request)
    })
  })
  const port = await listen(t, server)
  t.after(() => {
    for (const socket of sockets) socket.destroy()
  })
  return { origin: `http://127.0.0.1:${port}`, sockets, arrived, closed: (connection) => ends[connection]! }
}

function poolOf(t: TestContext, origin: string, options: Partial<Http1PoolOptions> = {}): Http1Pool {
  const pool = new Http1Pool(origin, { connectMs: 10_000, keepMs: 60_000, keepAtMostMs: 600_000, maxHead: 16_384, ...options })
  t.after(() => pool.destroy())
  return pool
}

type Controller = Dispatcher.DispatchController

interface Call {
  /** What was told, in order; data as one. */
  readonly told: readonly string[]
  readonly started: Promise<Controller>
  readonly answering: Promise<Controller>
  /** The first piece of the body. */
  readonly flowing: Promise<Controller>
  /** At the end, however it came. */
  readonly over: Promise<void>
  readonly bytes: () => number
  readonly text: () => string
  readonly error: () => (Error & { readonly code?: string }) | undefined
}

/** `on` is called after it has been noted. */
function call(pool: Http1Pool, request: Partial<PoolRequest> = {}, on: Dispatcher.DispatchHandler = {}): Call {
  const started = Promise.withResolvers<Controller>()
  const answering = Promise.withResolvers<Controller>()
  const flowing = Promise.withResolvers<Controller>()
  const over = Promise.withResolvers<void>()
  const told: string[] = []
  const pieces: Buffer[] = []
  let failed: (Error & { readonly code?: string }) | undefined
  pool.dispatch(
    { method: 'GET', path: '/', ...request },
    {
      onRequestStart(controller, context) {
        told.push('start')
        started.resolve(controller)
        on.onRequestStart?.(controller, context)
      },
      onResponseStart(controller, status, headers) {
        told.push(`head ${status}`)
        answering.resolve(controller)
        on.onResponseStart?.(controller, status, headers)
      },
      onResponseData(controller, chunk) {
        if (told.at(-1) !== 'data') told.push('data')
        pieces.push(Buffer.from(chunk))
        flowing.resolve(controller)
        on.onResponseData?.(controller, chunk)
      },
      onResponseEnd(controller, trailers) {
        told.push('end')
        over.resolve()
        on.onResponseEnd?.(controller, trailers)
      },
      onResponseError(controller, error) {
        told.push('error')
        failed = error
        over.resolve()
        on.onResponseError?.(controller, error)
      },
    },
  )
  return {
    told,
    started: started.promise,
    answering: answering.promise,
    flowing: flowing.promise,
    over: over.promise,
    bytes: () => pieces.reduce((sum, { length }) => sum + length, 0),
    text: () => Buffer.concat(pieces).toString(),
    error: () => failed,
  }
}

/** What has arrived is handled, and what was closed is gone. */
async function settled(): Promise<void> {
  for (let turns = 0; turns < 5; turns++) await turnOfTheLoop()
}

/** Of a call that must be answered. Whether its connection is kept is known by then. */
async function textOf(one: Call): Promise<string> {
  await one.over
  await settled()
  assert.equal(one.error(), undefined)
  return one.text()
}

test('a connection is used for the next request', async (t) => {
  const { origin, sockets, arrived } = await host(t, always(answerOf('hello')))
  const pool = poolOf(t, origin)
  for (let round = 0; round < 3; round++) {
    const one = call(pool)
    assert.equal(await textOf(one), 'hello')
    assert.deepEqual(one.told, ['start', 'head 200', 'data', 'end'])
  }
  assert.equal(sockets.length, 1)
  assert.equal(arrived[0]?.head, `GET / HTTP/1.1\r\nhost: ${new URL(origin).host}\r\nconnection: keep-alive`)
})

test('the next call may be made where the end is told', async (t) => {
  const { origin } = await host(t, always(answerOf('hello')))
  const pool = poolOf(t, origin)
  const next = Promise.withResolvers<Call>()
  call(pool, {}, { onResponseEnd: () => next.resolve(call(pool)) })
  assert.equal(await textOf(await next.promise), 'hello')
})

test('two at a time need two, and the last used goes first', async (t) => {
  const waiting: Socket[] = []
  const { origin, arrived } = await host(t, (socket, { head }) => {
    if (head.startsWith('GET /wait')) waiting.push(socket)
    else socket.write(answerOf('hello'))
  })
  const pool = poolOf(t, origin)
  const first = call(pool, { path: '/wait/first' })
  await first.started
  const second = call(pool, { path: '/wait/second' })
  await second.started
  while (waiting.length < 2) await turnOfTheLoop()
  const [one, two] = arrived
  assert.notEqual(one?.connection, two?.connection)
  // In the order in which they came, whichever was first.
  for (const [at, socket] of waiting.entries()) {
    socket.write(answerOf('hello'))
    await textOf(arrived[at]?.head.includes('first') ? first : second)
  }
  await textOf(call(pool, { path: '/third' }))
  await textOf(call(pool, { path: '/fourth' }))
  assert.deepEqual(
    arrived.slice(2).map(({ connection }) => connection),
    [two?.connection, two?.connection],
  )
})

for (const [what, headers] of [
  ['`connection: close`', 'connection: close\r\n'],
  ['`keep-alive: timeout=1`, which leaves no margin', 'keep-alive: timeout=1\r\n'],
] as const)
  test(`${what} ends the connection`, async (t) => {
    const { origin, sockets, closed } = await host(t, always(answerOf('hello', headers)))
    const pool = poolOf(t, origin)
    assert.equal(await textOf(call(pool)), 'hello')
    await closed(0)
    assert.equal(await textOf(call(pool)), 'hello')
    assert.equal(sockets.length, 2)
  })

test('an answer that lasts until the host closes ends with it', async (t) => {
  const { origin, sockets } = await host(t, (socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nhello'))
  const pool = poolOf(t, origin)
  for (let round = 0; round < 2; round++) {
    const one = call(pool)
    assert.equal(await textOf(one), 'hello')
    assert.deepEqual(one.told, ['start', 'head 200', 'data', 'end'])
  }
  assert.equal(sockets.length, 2)
})

for (const [what, options, headers] of [
  ['is kept no longer than the default', { keepMs: 0 }, ''],
  ['is kept no longer than the most', { keepAtMostMs: 0 }, ''],
  ['is kept no longer than the most, whatever the host says', { keepAtMostMs: 0 }, 'keep-alive: timeout=600\r\n'],
] as const)
  test(`a connection ${what}`, async (t) => {
    const { origin, sockets, closed } = await host(t, always(answerOf('hello', headers)))
    const pool = poolOf(t, origin, options)
    await textOf(call(pool))
    await textOf(call(pool))
    await closed(0)
    assert.equal(sockets.length, 2)
  })

test('what the host says goes before the default', async (t) => {
  const { origin, sockets } = await host(t, always(answerOf('hello', 'keep-alive: timeout=600\r\n')))
  const pool = poolOf(t, origin, { keepMs: 0 })
  await textOf(call(pool))
  await textOf(call(pool))
  assert.equal(sockets.length, 1)
})

test('connections that nobody needs are closed when they are old', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { origin, closed } = await host(t, always(answerOf('hello')))
  await textOf(call(poolOf(t, origin, { keepMs: 0 })))
  t.mock.timers.tick(5_000)
  await closed(0)
})

test('a kept connection that the host closed is not used', async (t) => {
  const { origin, sockets, closed } = await host(t, always(answerOf('hello')))
  const pool = poolOf(t, origin)
  await textOf(call(pool))
  sockets[0]?.end()
  await closed(0)
  await settled()
  assert.equal(await textOf(call(pool)), 'hello')
  assert.equal(sockets.length, 2)
})

for (const [what, said, told] of [
  ['before any answer', '', ['start', 'error']],
  ['in the middle of a head', 'HTTP/1.1 200 OK\r\ncontent-le', ['start', 'error']],
  ['after a hint', 'HTTP/1.1 100 Continue\r\n\r\n', ['start', 'error']],
  ['in the middle of a length', 'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello', ['start', 'head 200', 'data', 'error']],
  ['before the last chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n', ['start', 'head 200', 'data', 'error']],
] as const)
  for (const how of ['end', 'reset'] as const)
    test(`a host that closes ${what} is an error, told once (${how})`, async (t) => {
      const { origin, sockets } = await host(t, (socket) => {
        if (how === 'end') socket.end(said)
        else if (said === '') socket.resetAndDestroy()
        else socket.write(said)
      })
      const pool = poolOf(t, origin)
      const reset: Dispatcher.DispatchHandler = how === 'reset' ? { onResponseData: () => void sockets[0]?.resetAndDestroy() } : {}
      const one = call(pool, {}, reset)
      // Where nothing is told yet, the moment to break it off is any after the request.
      if (how === 'reset' && !told.includes('data' as never) && said !== '') {
        await one.started
        while (!sockets[0]?.bytesRead) await turnOfTheLoop()
        sockets[0].resetAndDestroy()
      }
      await one.over
      await settled()
      assert.deepEqual(one.told, told)
      assert.ok(one.error() instanceof Error)
    })

for (const [what, answer] of [
  ['breaks HTTP', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n'],
  ['has a head that is too large', `HTTP/1.1 200 OK\r\na: ${'x'.repeat(20_000)}\r\n\r\n`],
] as const)
  test(`an answer that ${what} ends the connection`, async (t) => {
    const { origin, closed } = await host(t, always(answer))
    const one = call(poolOf(t, origin))
    await one.over
    await closed(0)
    assert.deepEqual(one.told, ['start', 'error'])
    assert.equal(one.error()?.code, BROKEN_HTTP)
  })

test('an answer before the whole request was read ends the connection', async (t) => {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.pause()
      socket.write(answerOf('too large'))
    })
  })
  const port = await listen(t, server)
  t.after(() => {
    for (const socket of sockets) socket.destroy()
  })
  const pool = poolOf(t, `http://127.0.0.1:${port}`)
  // More than the kernel takes for the other side.
  const body = Buffer.alloc(64 * 1024 * 1024, 'x')
  assert.equal(await textOf(call(pool, { method: 'POST', body })), 'too large')
  assert.equal(await textOf(call(pool, { method: 'POST', body: 'small' })), 'too large')
  assert.equal(sockets.length, 2)
})

test('unasked bytes on a kept connection end it, and do no harm to the next call', async (t) => {
  const { origin, sockets, closed } = await host(t, always(answerOf('hello')))
  const pool = poolOf(t, origin)
  await textOf(call(pool))
  sockets[0]?.write(answerOf('poison'))
  await closed(0)
  await settled()
  assert.equal(await textOf(call(pool)), 'hello')
  assert.equal(sockets.length, 2)
})

test('unasked bytes right behind an answer end its connection, not the answer', async (t) => {
  const { origin, sockets, closed } = await host(t, (socket, { connection }) => {
    socket.write(answerOf('hello') + (connection === 0 ? answerOf('poison') : ''))
  })
  const pool = poolOf(t, origin)
  const one = call(pool)
  assert.equal(await textOf(one), 'hello')
  await closed(0)
  await settled()
  assert.deepEqual(one.told, ['start', 'head 200', 'data', 'end'])
  assert.equal(await textOf(call(pool)), 'hello')
  assert.equal(sockets.length, 2)
})

for (const [when, inTheEnd] of [
  ['where the end is told', true],
  ['right after the end', false],
] as const)
  test(`unasked bytes right behind an answer are not read as that of a call made ${when}`, async (t) => {
    const { origin } = await host(t, (socket, { connection }) => {
      socket.write(answerOf('hello') + (connection === 0 ? answerOf('poison') : ''))
    })
    const pool = poolOf(t, origin)
    const next = Promise.withResolvers<Call>()
    const one = call(pool, {}, { onResponseEnd: () => void (inTheEnd && next.resolve(call(pool))) })
    await one.over
    if (!inTheEnd) next.resolve(call(pool))
    assert.equal(await textOf(await next.promise), 'hello')
  })

test('calls to a host that closes after each answer without saying so are answered', async (t) => {
  const { origin, sockets } = await host(t, (socket) => void socket.end(answerOf('hello')))
  const pool = poolOf(t, origin)
  for (let round = 0; round < 100; round++) {
    const one = call(pool)
    await one.over
    assert.deepEqual([one.error(), one.text()], [undefined, 'hello'], `round ${round}`)
  }
  assert.equal(sockets.length, 100)
})

test('a call that is called off before it is written is not written', async (t) => {
  const { origin, arrived, closed, sockets } = await host(t, always(answerOf('hello')))
  const reason = new Error('called off')
  const one = call(poolOf(t, origin), {}, { onRequestStart: (controller) => controller.abort(reason) })
  await one.over
  while (sockets.length === 0) await turnOfTheLoop()
  await closed(0)
  assert.deepEqual([one.told, one.error(), arrived], [['start', 'error'], reason, []])
})

test('a call that is called off before its answer ends its connection', async (t) => {
  const asked = Promise.withResolvers<void>()
  const { origin, closed } = await host(t, () => asked.resolve())
  const one = call(poolOf(t, origin))
  const controller = await one.started
  await asked.promise
  const reason = new Error('called off')
  controller.abort(reason)
  controller.abort(new Error('again'))
  await closed(0)
  await settled()
  assert.deepEqual([one.told, one.error()], [['start', 'error'], reason])
  assert.deepEqual([controller.aborted, controller.reason], [true, reason])
})

for (const where of ['onResponseStart', 'onResponseData'] as const)
  test(`a call that is called off in ${where} hears no more of its answer`, async (t) => {
    const { origin, closed, sockets } = await host(
      t,
      always(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nagain\r\n0\r\n\r\n`),
    )
    const reason = new Error('called off')
    const pool = poolOf(t, origin)
    const one = call(pool, {}, { [where]: (controller: Controller) => controller.abort(reason) })
    await one.over
    await closed(0)
    await settled()
    assert.deepEqual(one.told, where === 'onResponseStart' ? ['start', 'head 200', 'error'] : ['start', 'head 200', 'data', 'error'])
    assert.equal(one.error(), reason)
    assert.equal(one.text(), where === 'onResponseStart' ? '' : 'hello')
    await textOf(call(pool))
    assert.equal(sockets.length, 2)
  })

test('a handler that throws ends its connection, and is told why', async (t) => {
  const { origin, closed } = await host(t, always(answerOf('hello')))
  const mistake = new TypeError('a mistake')
  const one = call(
    poolOf(t, origin),
    {},
    {
      onResponseStart() {
        throw mistake
      },
    },
  )
  await one.over
  await closed(0)
  assert.deepEqual([one.told, one.error()], [['start', 'head 200', 'error'], mistake])
})

test('pause() holds an answer back, resume() lets it come', async (t) => {
  const size = 32 * 1024 * 1024
  const { origin, sockets } = await host(t, (socket, { head }) => {
    socket.write(head.startsWith('GET /large') ? answerOf('x'.repeat(size)) : answerOf('hello'))
  })
  const pool = poolOf(t, origin)
  let pauses = 0
  const large = call(pool, { path: '/large' }, { onResponseData: (controller) => void (pauses++ === 0 && controller.pause()) })
  const controller = await large.flowing
  const before = large.bytes()
  // Others get theirs in the meantime.
  for (let round = 0; round < 20; round++) assert.equal(await textOf(call(pool)), 'hello')
  assert.equal(large.bytes(), before)
  assert.equal(controller.paused, true)
  assert.ok((sockets[0]?.writableLength ?? 0) > 0, 'the host could send everything')
  controller.resume()
  await large.over
  assert.deepEqual([large.bytes(), large.told, controller.paused], [size, ['start', 'head 200', 'data', 'end'], false])
})

test('a connection that was paused at the end of an answer flows for the next', async (t) => {
  const { origin, sockets } = await host(t, always(answerOf('hello')))
  const pool = poolOf(t, origin)
  await textOf(call(pool, {}, { onResponseData: (controller) => controller.pause() }))
  assert.equal(await textOf(call(pool)), 'hello')
  assert.equal(sockets.length, 1)
})

test('who has been answered does nothing to the next call on the connection', async (t) => {
  const asked = Promise.withResolvers<Socket>()
  const size = 32 * 1024 * 1024
  const { origin, sockets, arrived } = await host(t, (socket, { head }) => {
    if (head.startsWith('GET /next')) asked.resolve(socket)
    else socket.write(answerOf('hello'))
  })
  const pool = poolOf(t, origin)
  const old = call(pool)
  const controller = await old.started
  await textOf(old)
  let pauses = 0
  const next = call(pool, { path: '/next' }, { onResponseData: (one) => void (pauses++ === 0 && one.pause()) })
  const socket = await asked.promise
  controller.pause()
  controller.abort(new Error('too late'))
  socket.write(answerOf('x'.repeat(size)))
  const paused = await next.flowing
  const before = next.bytes()
  controller.resume()
  for (let round = 0; round < 20; round++) await textOf(call(pool))
  assert.equal(next.bytes(), before)
  paused.resume()
  await next.over
  assert.deepEqual([next.error(), next.bytes(), arrived[1]?.connection], [undefined, size, 0])
  assert.deepEqual(old.told, ['start', 'head 200', 'data', 'end'])
  assert.equal(controller.aborted, false)
  // The other is of those who came meanwhile.
  assert.equal(sockets.length, 2)
})

test('a connection that does not stand in time is given up', async (t) => {
  const { origin } = await host(t, always(answerOf('hello')))
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const pool = poolOf(t, origin, { connectMs: 50 })
  const late = call(pool)
  // Before the loop turns, no connection can stand.
  t.mock.timers.tick(50)
  assert.deepEqual([late.told, late.error()?.code], [['error'], CONNECT_TIMEOUT])
  await settled()
  assert.deepEqual(late.told, ['error'])
})

test('the time to connect does not count once the connection stands', async (t) => {
  const asked = Promise.withResolvers<Socket>()
  const { origin } = await host(t, (socket) => asked.resolve(socket))
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const one = call(poolOf(t, origin, { connectMs: 50 }))
  const socket = await asked.promise
  t.mock.timers.tick(1_000)
  socket.write(answerOf('hello'))
  assert.equal(await textOf(one), 'hello')
})

test('a refused connection has its code', async (t) => {
  const server = createServer()
  const port = await listen(t, server)
  await new Promise((resolve) => server.close(resolve))
  const one = call(poolOf(t, `http://127.0.0.1:${port}`))
  await one.over
  await settled()
  assert.deepEqual([one.told, one.error()?.code], [['error'], 'ECONNREFUSED'])
})

test('headers that could be read as more than themselves are not sent', async (t) => {
  const { origin, sockets, arrived } = await host(t, always(answerOf('hello')))
  const pool = poolOf(t, origin)
  const unfit: readonly Headers[] = [
    { a: 'b\r\nc: d' },
    { a: 'b\n' },
    { a: 'b\r' },
    { a: 'b\0' },
    { a: '\u010d\u010a' },
    { a: '🚉' },
    { 'a\r\nb': 'c' },
    { 'a b': 'c' },
    { 'a:': 'c' },
    { '': 'c' },
  ]
  for (const headers of unfit)
    assert.throws(() => pool.dispatch({ method: 'GET', path: '/', headers }, {}), TypeError, JSON.stringify(headers))
  await settled()
  assert.deepEqual([sockets.length, arrived], [0, []])
  await textOf(call(pool, { headers: { a: 'caf\xe9\t ok' } }))
  assert.match(arrived[0]?.head ?? '', /\r\na: caf\xe9\t ok$/)
})

test('a body has a length: none for GET without one, 0 for an empty POST', async (t) => {
  const { origin, arrived } = await host(t, always(answerOf('')))
  const pool = poolOf(t, origin)
  const lengthOf = async (request: Partial<PoolRequest>): Promise<string | undefined> => {
    await call(pool, request).over
    return /^content-length: (.*)$/m.exec(arrived.at(-1)?.head ?? '')?.[1]
  }
  assert.equal(await lengthOf({}), undefined)
  assert.equal(await lengthOf({ body: '' }), undefined)
  assert.equal(await lengthOf({ body: new Uint8Array(0) }), undefined)
  assert.equal(await lengthOf({ body: 'query' }), '5')
  assert.equal(await lengthOf({ method: 'POST' }), '0')
  assert.equal(await lengthOf({ method: 'POST', body: new Uint8Array(0) }), '0')
  assert.equal(await lengthOf({ method: 'POST', body: 'Grüße' }), '7')
})

test('bodies arrive byte for byte', async (t) => {
  const { origin, arrived, sockets } = await host(t, always(answerOf('')))
  const pool = poolOf(t, origin)
  const all = Uint8Array.from({ length: 256 }, (_, at) => at)
  const many = Uint8Array.from({ length: 300_000 }, (_, at) => (at * 7) & 255)
  const joined = 16 * 1024
  for (const body of [
    'plain',
    'Grüße vom 🚉, caf\xe9\r\n\r\n\0',
    'half of a pair: \ud800',
    'x'.repeat(joined),
    'x'.repeat(joined + 1),
    'ü'.repeat(joined / 2),
    'ü🚉'.repeat(40_000),
    all,
    all.subarray(100, 200),
    many.subarray(1, joined + 1),
    many.subarray(1, joined + 2),
    many,
    Buffer.from('a piece of a shared buffer').subarray(2, 7),
  ]) {
    await textOf(call(pool, { method: 'POST', body }))
    assert.ok(arrived.at(-1)?.body.equals(Buffer.from(body as string)), `${typeof body} of ${body.length}`)
  }
  assert.equal(sockets.length, 1)
})

test('a host may be an address of IPv6', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (bytes) => socket.end(answerOf(/^host: .*$/m.exec(String(bytes))?.[0] ?? '')))
  })
  let port: number
  try {
    port = await listen(t, server, '::1')
  } catch {
    t.skip('no IPv6 here')
    return
  }
  assert.equal(await textOf(call(poolOf(t, `http://[::1]:${port}`))), `host: [::1]:${port}`)
})

test('close() lets running answers end, and what is idle goes at once', async (t) => {
  const asked = Promise.withResolvers<Socket>()
  const { origin, sockets, arrived, closed } = await host(t, (socket, { head }) => {
    if (head.startsWith('GET /slow')) asked.resolve(socket)
    else socket.write(answerOf('hello'))
  })
  const pool = poolOf(t, origin)
  const slow = call(pool, { path: '/slow' })
  const socket = await asked.promise
  await textOf(call(pool))
  await pool.close()
  await closed(1)
  assert.equal(sockets[0]?.destroyed, false)
  socket.write(answerOf('late'))
  assert.equal(await textOf(slow), 'late')
  await closed(0)
  // Who still has the pool may use it; nothing is kept.
  assert.equal(await textOf(call(pool)), 'hello')
  await closed(2)
  assert.equal(arrived.length, 3)
})

test('destroy() breaks running answers, and each is told once', async (t) => {
  const asked = Promise.withResolvers<void>()
  const { origin, closed } = await host(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello')
    asked.resolve()
  })
  const pool = poolOf(t, origin)
  const running = call(pool)
  await asked.promise
  await running.flowing
  // Its connection does not stand yet.
  const beginning = call(pool)
  await pool.destroy()
  await Promise.all([running.over, beginning.over])
  await closed(0)
  await settled()
  assert.deepEqual(running.told, ['start', 'head 200', 'data', 'error'])
  assert.deepEqual(beginning.told, ['error'])
})

test('an idle pool keeps no process alive', async (t) => {
  const { origin, arrived } = await host(t, always(answerOf('hello')))
  const script = `
    const { Http1Pool } = await import(${JSON.stringify(new URL('./pool.ts', import.meta.url).href)})
    const pool = new Http1Pool(${JSON.stringify(origin)}, { connectMs: 10_000, keepMs: 600_000, keepAtMostMs: 600_000, maxHead: 16_384 })
    const once = () => new Promise((resolve, reject) => pool.dispatch({ method: 'GET', path: '/' }, { onResponseEnd: resolve, onResponseError: (_, error) => reject(error) }))
    await once()
    for (let turns = 0; turns < 5; turns++) await new Promise(setImmediate)
    // Used again, it holds the process until its answer is there.
    await once()
    process.stdout.write('answered')`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill())
  let said = ''
  child.stdout.on('data', (bytes) => (said += bytes))
  const [code] = await once(child, 'close')
  assert.deepEqual([code, said, arrived.map(({ connection }) => connection)], [0, 'answered', [0, 0]])
})
