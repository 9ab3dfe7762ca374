/** Connections over real sockets: when one is used again, when it is not, and how it ends. */
import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import type { Dispatcher } from 'undici'
import { always, answerOf, type Call, type Controller, call, host, listen, poolOf, settled, textOf } from './fixtures/hosts.ts'
import { BROKEN_HTTP } from './read-response.ts'

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
