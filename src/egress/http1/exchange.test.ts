/** One request and its answer over a socket: its pace, its bytes, its faults; and how a pool ends. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import type { Headers } from '../../core/http.ts'
import { CONNECT_TIMEOUT } from './connection.ts'
import { always, answerOf, call, host, listen, poolOf, settled, textOf } from './fixtures/hosts.ts'
import type { PoolRequest } from './pool.ts'

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

test('a pool without connections has no timer', async (t) => {
  const { origin } = await host(t, (socket) => void socket.end(answerOf('hello')))
  const running = new Set<unknown>()
  const { setInterval: set, clearInterval: clear } = globalThis
  t.after(() => Object.assign(globalThis, { setInterval: set, clearInterval: clear }))
  Object.assign(globalThis, {
    setInterval: (...all: Parameters<typeof set>) => {
      const timer = set(...all)
      running.add(timer)
      return timer
    },
    clearInterval: (timer: NodeJS.Timeout) => {
      running.delete(timer)
      clear(timer)
    },
  })
  const pool = poolOf(t, origin)
  await textOf(call(pool))
  await pool.destroy()
  await settled()
  await settled()
  assert.equal(running.size, 0)
})
