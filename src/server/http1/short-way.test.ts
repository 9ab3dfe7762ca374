/** Callers must not be able to tell who reads their connection: our short way or Node's server. Both are asked, byte by byte. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { plainBody } from '../../../test/bad-input/fixtures.ts'
import { type DialectId, dialects, pathOf, rig } from '../../../test/bad-input/rig.ts'
import type { HttpRequest } from '../../core/http.ts'
import type { BriefRefusal } from '../../ingress/brief-refusals.ts'
import { createSimulator, type Simulator, simulatorTransport } from '../../testing/index.ts'
import { httpRig, MAX_BODY } from '../fixtures/http-rig.ts'
import { createHttpServer, type HttpServer } from '../http-server.ts'

const { server, state, under, close } = await httpRig()
after(close)
const { port } = server.server.address() as AddressInfo

// ---- callers --------------------------------------------------------------------------------------------------------

interface Answer {
  readonly start: string
  /** Names in lower case, sorted: order and case of names mean nothing. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
  readonly trailers: string
  /** Node writes the names of its own headers in capitals, we do not: it shows who answered. */
  readonly byNode: boolean
}

/** The first answer among these bytes; undefined while it is not there in whole. */
function answerIn(bytes: string): { answer: Answer; rest: string } | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [start = '', ...lines] = bytes.slice(0, end).split('\r\n')
  const headers = lines
    .map((line) => [line.slice(0, line.indexOf(': ')).toLowerCase(), line.slice(line.indexOf(': ') + 2)] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  const header = (name: string): string | undefined => headers.find(([known]) => known === name)?.[1]
  const answer = { start, headers, body: '', trailers: '', byNode: lines.some((line) => line.startsWith('Date: ')) }
  let at = end + 4
  if (header('transfer-encoding') !== 'chunked') {
    const length = Number(header('content-length'))
    if (bytes.length < at + length) return undefined
    return { answer: { ...answer, body: bytes.slice(at, at + length) }, rest: bytes.slice(at + length) }
  }
  const pieces: string[] = []
  for (;;) {
    const line = bytes.indexOf('\r\n', at)
    if (line < 0) return undefined
    const size = Number.parseInt(bytes.slice(at, line), 16)
    assert.ok(size >= 0, `no chunk begins with ${JSON.stringify(bytes.slice(at, at + 20))}`)
    at = line + 2
    if (size === 0) break
    if (bytes.length < at + size + 2) return undefined
    pieces.push(bytes.slice(at, at + size))
    assert.equal(bytes.slice(at + size, at + size + 2), '\r\n')
    at += size + 2
  }
  const last = bytes.startsWith('\r\n', at) ? at : bytes.indexOf('\r\n\r\n', at) + 2
  if (last < at || bytes.length < last + 2) return undefined
  return { answer: { ...answer, body: pieces.join(''), trailers: bytes.slice(at, last) }, rest: bytes.slice(last + 2) }
}

interface Caller {
  readonly socket: Socket
  send(bytes: string | Uint8Array): void
  /** The next answer in whole. Fails when the connection ends before it. */
  next(): Promise<Answer>
  /** What came and was not read as an answer, once the connection has ended. */
  ended(): Promise<string>
}

const callers = new Set<Socket>()
after(() => {
  for (const socket of callers) socket.destroy()
})

function dial(to = port): Caller {
  const socket = connect({ port: to, host: '127.0.0.1', allowHalfOpen: true })
  callers.add(socket)
  let pieces: Buffer[] = []
  let closed = false
  let wake = (): void => {}
  const text = (): string => {
    if (pieces.length > 1) pieces = [Buffer.concat(pieces)]
    return pieces[0]?.toString('latin1') ?? ''
  }
  const gone = (): void => {
    closed = true
    wake()
  }
  socket.on('data', (piece: Buffer) => {
    pieces.push(piece)
    wake()
  })
  socket.on('end', gone).on('close', gone)
  socket.on('error', () => {})
  const news = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve
    })
  return {
    socket,
    send: (bytes) => void socket.write(bytes),
    async next() {
      for (;;) {
        const found = answerIn(text())
        if (found) {
          pieces = [Buffer.from(found.rest, 'latin1')]
          return found.answer
        }
        if (closed) throw new Error(`The connection ended; there was ${JSON.stringify(text().slice(0, 300))}`)
        await news()
        // A large answer is not looked at again for each of its pieces.
        if ((pieces[0]?.length ?? 0) > 500_000) await sleep(20)
      }
    },
    async ended() {
      while (!closed) await news()
      socket.destroy()
      return text()
    },
  }
}

interface Asking {
  readonly method?: string
  readonly path?: string
  readonly lines?: readonly string[]
  readonly body?: string | Uint8Array
}

const NODES = 'te: trailers'

function bytesOf({ method = 'POST', path = '/v1/chat/completions', lines = [], body = '' }: Asking, ...more: readonly string[]): Buffer {
  const bytes = Buffer.from(body)
  const length = method === 'GET' && bytes.length === 0 ? [] : [`content-length: ${bytes.length}`]
  const head = [`${method} ${path} HTTP/1.1`, 'host: x', ...more, ...lines, ...length].join('\r\n')
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`), bytes])
}

function call(prompt: string, { streamed = false, dialect = 'openai-chat' as DialectId, model = 'openai-chat/echo' } = {}): Asking {
  const body = plainBody(dialect, model, prompt)
  if (streamed && dialect !== 'gemini') body['stream'] = true
  return { path: pathOf(dialect, model, streamed), body: JSON.stringify(body) }
}

function chunked({ path = '/', body = '' }: Asking): string {
  const text = String(body)
  return `POST ${path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`
}

/** Without what differs from one call to the next. */
function blanked({ start, headers, body, trailers }: Answer) {
  const blank = (text: string): string =>
    text
      .replaceAll(/sim0[a-z\d]{5}/g, 'sim')
      .replaceAll(/(req_|sbx)[a-z\d]{18}/g, '$1')
      .replaceAll(/"(created|created_at|completed_at)":\d+/g, '"$1":0')
  return {
    start,
    headers: headers.map(([name, value]) => [name, name === 'date' || name === 'x-signalbox-overhead-ms' ? '' : blank(value)]),
    body: blank(body),
    trailers,
  }
}

const header = ({ headers }: Answer, name: string): string | undefined => headers.find(([known]) => known === name)?.[1]
const saidIn = ({ body }: Answer): string | undefined => /You said: ([^"]*)"/.exec(body)?.[1]

// ---- the same answers -----------------------------------------------------------------------------------------------

const alike: readonly [what: string, asking: Asking, status: number][] = [
  ...dialects.flatMap((dialect): [string, Asking, number][] => [
    [`a plain call of ${dialect}`, call('Hi', { dialect }), 200],
    [`a streamed call of ${dialect}`, call('Hi there', { dialect, streamed: true }), 200],
    [`a streamed call of ${dialect} to another wire`, call('Hi', { dialect, streamed: true, model: 'anthropic-messages/echo' }), 200],
    [`an unknown model of ${dialect}`, call('Hi', { dialect, model: 'nobody' }), 404],
    [`a call of ${dialect} with no body`, { path: pathOf(dialect, 'openai-chat/echo', false) }, 400],
  ]),
  ['words beyond ASCII', call('Grüße, 日本 🤷'), 200],
  ['a stream of words beyond ASCII', call('Grüße, 日本 🤷', { streamed: true }), 200],
  ['a long stream', call('simulate: {"words": 2000}', { streamed: true }), 200],
  ['a long answer', call('simulate: {"words": 20000}'), 200],
  ['a body that is no JSON', { body: '{"model":' }, 400],
  ['a body that is no object', { body: '[]' }, 400],
  ['a path that is unknown', { path: '/v1/nowhere', body: '{}' }, 404],
  ['a path that does not decode', { path: '/v1/%zz', body: '{}' }, 404],
  ['GET on chat', { method: 'GET' }, 405],
  ['GET with a body', { method: 'GET', path: '/v1/models', body: '{}' }, 200],
  ['the list of models', { method: 'GET', path: '/v1/models' }, 200],
  ['a model that is unknown', { method: 'GET', path: '/v1/models/nobody' }, 404],
  ['the root', { method: 'GET', path: '/' }, 200],
  ['a compressed body', { ...call('Hi'), body: gzipSync(String(call('Hi').body)), lines: ['content-encoding: gzip'] }, 200],
  ['a body that is not compressed as it says', { body: '{}', lines: ['content-encoding: gzip'] }, 400],
  ['an unknown encoding', { body: '{}', lines: ['content-encoding: sdch'] }, 415],
  ['a compressed body that is too large', { body: gzipSync(Buffer.alloc(MAX_BODY + 1, 32)), lines: ['content-encoding: gzip'] }, 413],
  ['a caller who closes', { ...call('Hi'), lines: ['connection: close'] }, 200],
  ['a streamed caller who closes', { ...call('Hi', { streamed: true }), lines: ['Connection: Close'] }, 200],
  ['an error for a caller who closes', { body: '{', lines: ['connection: close'] }, 400],
  ['a bad control', { ...call('Hi'), lines: ['x-signalbox-timeout: 5'] }, 400],
  ['header values in Latin-1', { ...call('Hi'), lines: ['x-signalbox-timeout: caf\xe9'] }, 400],
]

async function answeredBy(ask: () => Caller, asking: Asking, ...more: readonly string[]): Promise<Answer> {
  const caller = ask()
  caller.send(bytesOf(asking, ...more))
  const answer = await caller.next()
  if (header(answer, 'connection') === 'close') assert.equal(await caller.ended(), '')
  caller.socket.destroy()
  return answer
}

function assertAlike(ours: Answer, nodes: Answer, status: number): void {
  assert.ok(!ours.byNode && nodes.byNode)
  assert.match(ours.start, new RegExp(`^HTTP/1\\.1 ${status} `))
  assert.deepEqual(blanked(ours), blanked(nodes))
}

for (const [what, asking, status] of alike)
  test(`${what} is answered alike by both`, async () => {
    assertAlike(await answeredBy(dial, asking), await answeredBy(dial, asking, NODES), status)
  })

const failing: readonly [what: string, asking: Asking, status: number][] = [
  ['a provider that fails', call('simulate: {"status": 500}'), 502],
  ['a provider that is overloaded', call('simulate: {"status": 529, "retryAfter": 2}'), 503],
  ['a stream that breaks off', call('simulate: {"fault": "reset", "after": 3}', { streamed: true }), 200],
]

for (const [what, asking, status] of failing)
  test(`${what} is answered alike by both`, async () => {
    // A provider that fails may rest afterwards: each way has its own.
    const [one, other] = [await own(), await own()]
    assertAlike(await answeredBy(one.dial, asking), await answeredBy(other.dial, asking, NODES), status)
  })

test('while stopping, both ask to close the connection, and close it', async () => {
  state.ready = false
  try {
    for (const more of [[], [NODES]])
      for (const streamed of [false, true]) {
        const caller = dial()
        caller.send(bytesOf(call('Hi', { streamed }), ...more))
        const answer = await caller.next()
        assert.equal(header(answer, 'connection'), 'close')
        assert.equal(header(answer, 'keep-alive'), undefined)
        assert.equal(await caller.ended(), '')
      }
  } finally {
    state.ready = true
  }
})

// ---- in pieces, and one after another -------------------------------------------------------------------------------

for (const streamed of [false, true])
  test(`a ${streamed ? 'streamed' : 'plain'} call that comes in two pieces is answered the same, wherever it is cut`, async () => {
    const bytes = bytesOf(call('Hi there', { streamed }))
    const whole = dial()
    whole.send(bytes)
    const expected = blanked(await whole.next())
    for (let cut = 1; cut < bytes.length; cut += 7) {
      const caller = dial()
      // The first time as the first of its connection, then after another call.
      for (let time = 0; time < 2; time++) {
        caller.send(bytes.subarray(0, cut))
        await sleep(2)
        caller.send(bytes.subarray(cut))
        assert.deepEqual(blanked(await caller.next()), expected, `cut at ${cut}`)
        caller.send(bytes)
        assert.deepEqual(blanked(await caller.next()), expected, `after a cut at ${cut}`)
      }
      caller.socket.destroy()
    }
    whole.socket.destroy()
  })

test('a call that comes byte by byte is answered', async () => {
  const bytes = bytesOf(call('Hi there'))
  const end = bytes.indexOf('\r\n\r\n') + 4
  for (const from of [0, end]) {
    const caller = dial()
    if (from > 0) caller.send(bytes.subarray(0, from))
    for (let at = from; at < bytes.length; at++) {
      await new Promise(setImmediate)
      caller.send(bytes.subarray(at, at + 1))
    }
    const answer = await caller.next()
    assert.equal(saidIn(answer), 'Hi there')
    assert.equal(answer.byNode, from === 0)
    caller.socket.destroy()
  }
})

test('on one connection, calls are answered before and after one that is left to Node', async () => {
  const caller = dial()
  caller.send(bytesOf(call('one')))
  const first = await caller.next()
  assert.equal(saidIn(first), 'one')
  caller.send(bytesOf(call('two', { streamed: true })))
  assert.match((await caller.next()).body, /\[DONE\]\n\n$/)
  caller.send(bytesOf({ method: 'GET', path: '/healthz' }))
  const healthy = await caller.next()
  assert.deepEqual(JSON.parse(healthy.body), { status: 'ok' })
  caller.send(bytesOf(call('three')))
  const third = await caller.next()
  assert.equal(saidIn(third), 'three')
  caller.send(chunked(call('four')))
  assert.equal(saidIn(await caller.next()), 'four')
  caller.send(bytesOf(call('five', { streamed: true })))
  assert.match((await caller.next()).body, /\[DONE\]\n\n$/)
  // What was handed over stays so.
  assert.deepEqual([first.byNode, healthy.byNode, third.byNode], [false, true, true])
  caller.socket.destroy()
})

const strange: readonly [what: string, bytes: string | Uint8Array][] = [
  ['one with a chunked body', chunked(call('strange'))],
  ['one that welcomes trailers', bytesOf(call('strange'), NODES)],
  ['one with a header twice', bytesOf(call('strange'), 'x-a: 1', 'x-a: 2')],
  ['one after an empty line', `\r\n${bytesOf(call('strange')).toString()}`],
]

for (const [what, bytes] of strange)
  test(`calls sent in one go are answered in order, ${what} among them`, async () => {
    const caller = dial()
    const parts = [bytesOf(call('one')), bytesOf(call('two')), Buffer.from(bytes), bytesOf(call('four')), bytesOf(call('five'))]
    caller.send(Buffer.concat(parts))
    for (const said of ['one', 'two', 'strange', 'four', 'five']) assert.equal(saidIn(await caller.next()), said)
    caller.send(bytesOf(call('six')))
    assert.equal(saidIn(await caller.next()), 'six')
    caller.socket.destroy()
  })

test('answers stay in order where the first is the slowest', async () => {
  const caller = dial()
  caller.send(
    Buffer.concat([bytesOf(call('simulate: {"firstMs": 150, "text": "You said: slow"}')), bytesOf(call('fast')), bytesOf({ body: '{' })]),
  )
  assert.equal(saidIn(await caller.next()), 'slow')
  assert.equal(saidIn(await caller.next()), 'fast')
  assert.match((await caller.next()).start, / 400 /)
  caller.socket.destroy()
})

test('nothing is answered after a call that closes the connection', async () => {
  const caller = dial()
  under.sent()
  caller.send(Buffer.concat([bytesOf(call('last'), 'connection: close'), bytesOf(call('too late'))]))
  assert.equal(saidIn(await caller.next()), 'last')
  assert.equal(await caller.ended(), '')
  assert.equal(under.sent().length, 1)
})

for (const among of ['calls', 'a call that is left to Node'])
  test(`more than 64 KB of ${among} sent ahead of a slow call are answered`, async () => {
    const caller = dial()
    const padded = (prompt: string): Asking => ({ ...call(prompt), body: `${' '.repeat(5_000)}${call(prompt).body}` })
    const said = Array.from({ length: 60 }, (_, index) => `n${index}`)
    const slow = bytesOf(call('simulate: {"firstMs": 200, "text": "You said: slow"}'))
    caller.send(slow)
    caller.send(Buffer.concat(said.map((prompt, index) => bytesOf(padded(prompt), ...(among !== 'calls' && index === 1 ? [NODES] : [])))))
    for (const prompt of ['slow', ...said]) assert.equal(saidIn(await caller.next()), prompt)
    // The caller is listened to as before.
    caller.send(bytesOf(call('done')))
    assert.equal(saidIn(await caller.next()), 'done')
    caller.socket.destroy()
  })

test('a body that comes while the machine is busy with others is not mixed up with theirs', async () => {
  const all = Array.from({ length: 40 }, async (_, index) => {
    const caller = dial()
    for (let time = 0; time < 5; time++) {
      const bytes = bytesOf(call(`n${index}.${time}`))
      const cut = bytes.length - 10 - index
      caller.send(bytes.subarray(0, cut))
      await sleep(index % 3)
      caller.send(bytes.subarray(cut))
      assert.equal(saidIn(await caller.next()), `n${index}.${time}`)
    }
    caller.socket.destroy()
  })
  await Promise.all(all)
})

// ---- callers who hang up, or read slowly ----------------------------------------------------------------------------

interface Own {
  readonly edge: HttpServer
  readonly simulator: Simulator
  dial(): Caller
}

type TurnAway = (request: HttpRequest, ahead: number) => BriefRefusal | undefined

async function own(options: { uploadMs?: number; turnAway?: TurnAway } = {}): Promise<Own> {
  const simulator = createSimulator()
  const { line } = rig({ transport: simulatorTransport(simulator) })
  const { turnAway, uploadMs } = options
  const turned = turnAway ? { ...line, turnAway: (request: () => HttpRequest, ahead: number) => turnAway(request(), ahead) } : line
  const edge = createHttpServer({
    line: () => turned,
    maxBody: () => MAX_BODY,
    ready: () => true,
    ...(uploadMs === undefined ? {} : { uploadMs }),
  })
  await edge.listen({ host: '127.0.0.1', port: 0 })
  after(() => {
    edge.destroyAll()
    return edge.close()
  })
  return { edge, simulator, dial: () => dial((edge.server.address() as AddressInfo).port) }
}

async function until(holds: () => boolean): Promise<void> {
  for (let wait = 0; wait < 300 && !holds(); wait++) await sleep(10)
  assert.ok(holds())
}

const hangUps: readonly [how: string, hangUp: (socket: Socket) => void][] = [
  ['is gone', (socket) => void socket.destroy()],
  ['breaks the connection', (socket) => void socket.resetAndDestroy()],
  ['has said all', (socket) => void socket.end()],
]

for (const [how, hangUp] of hangUps)
  test(`a caller who ${how} in the middle of a body or of an answer leaves nothing behind`, async () => {
    const { edge, simulator, dial } = await own()
    const bytes = bytesOf(call('Hi'))
    for (const cut of [10, bytes.indexOf('\r\n\r\n') + 4, bytes.length - 5]) {
      const caller = dial()
      caller.send(bytes.subarray(0, cut))
      await sleep(30)
      hangUp(caller.socket)
    }
    await sleep(30)
    assert.equal(simulator.calls.length, 0)
    for (const streamed of [true, false]) {
      const caller = dial()
      const simulation = `simulate: {"words": 5000, "eventMs": 20, "firstMs": ${streamed ? 10 : 60_000}}`
      caller.send(bytesOf(call(simulation, { streamed, model: 'anthropic-messages/echo' })))
      if (streamed) await once(caller.socket, 'data')
      else await until(() => simulator.calls.length === 2)
      assert.equal(simulator.calls.at(-1)?.ended, undefined)
      hangUp(caller.socket)
      await until(() => simulator.calls.at(-1)?.ended !== undefined)
      assert.equal(simulator.calls.at(-1)?.ended, 'aborted')
    }
    // Resolves only when no connection is left.
    await edge.close()
  })

test('a caller who has said all in the middle of a body hears the same of both', async () => {
  const [ours, nodes] = await Promise.all(
    [[], [NODES]].map((more) => {
      const caller = dial()
      caller.socket.end(bytesOf(call('Hi'), ...more).subarray(0, -5))
      return caller.ended()
    }),
  )
  assert.match(ours ?? '', /^HTTP\/1\.1 400 /)
  assert.equal(ours, nodes)
})

test('a caller who hangs up is noticed although much was sent ahead', async () => {
  const { edge, simulator, dial } = await own()
  for (const streamed of [true, false]) {
    const caller = dial()
    caller.send(bytesOf(call(`simulate: {"words": 5000, "eventMs": 20, "firstMs": ${streamed ? 10 : 60_000}}`, { streamed })))
    await until(() => simulator.calls.length === (streamed ? 1 : 2))
    caller.send(bytesOf({ body: ' '.repeat(100_000) }))
    await sleep(50)
    caller.socket.destroy()
    await until(() => simulator.calls.at(-1)?.ended !== undefined)
    assert.equal(simulator.calls.at(-1)?.ended, 'aborted')
  }
  await edge.close()
})

test('a caller who reads slowly gets every byte of a large stream', async () => {
  const { edge, dial } = await own()
  const asking = call('simulate: {"words": 20000}', { streamed: true })
  const got = await Promise.all(
    [[], [NODES]].map(async (more) => {
      const caller = dial()
      caller.send(bytesOf(asking, ...more))
      await once(caller.socket, 'data')
      for (let time = 0; time < 4; time++) {
        caller.socket.pause()
        await sleep(200)
        caller.socket.resume()
        await once(caller.socket, 'data')
      }
      const answer = await caller.next()
      // And the connection is as good as before.
      caller.send(bytesOf(call('again'), ...more))
      assert.equal(saidIn(await caller.next()), 'again')
      caller.socket.destroy()
      return answer
    }),
  )
  const [ours, nodes] = got.map(blanked)
  assert.ok(ours && ours.body.length > 4_000_000)
  assert.match(ours.body, /data: \[DONE\]\n\n$/)
  assert.ok(ours.body === nodes?.body)
  assert.deepEqual({ ...ours, body: '' }, { ...nodes, body: '' })
  await edge.close()
})

test('a caller who reads nothing for a while gets a large plain answer', async () => {
  const caller = dial()
  caller.socket.pause()
  caller.send(bytesOf(call('simulate: {"words": 300000}')))
  await sleep(300)
  caller.socket.resume()
  const answer = await caller.next()
  assert.equal(header(answer, 'content-length'), String(answer.body.length))
  assert.ok(answer.body.length > 1_000_000)
  assert.equal(JSON.parse(answer.body).object, 'chat.completion')
  caller.socket.destroy()
})

// ---- the end of a server, and patience ------------------------------------------------------------------------------

test('a server that closes ends idle connections and lets calls end', async () => {
  const { edge, dial } = await own()
  const [fresh, idle, handedOver, busy] = [dial(), dial(), dial(), dial()] as const
  for (const caller of [idle, handedOver]) {
    caller.send(bytesOf(call('Hi'), ...(caller === handedOver ? [NODES] : [])))
    await caller.next()
  }
  busy.send(bytesOf(call('simulate: {"words": 20, "eventMs": 25}', { streamed: true })))
  await once(busy.socket, 'data')
  let closed = false
  const closing = edge.close().then(() => {
    closed = true
  })
  await Promise.all([fresh, idle, handedOver].map((caller) => caller.ended()))
  assert.ok(!closed, 'a call was still running')
  assert.match((await busy.next()).body, /data: \[DONE\]\n\n$/)
  assert.equal(await busy.ended(), '')
  await closing
})

test('a server that closes waits for a body that is on its way', async () => {
  const { edge, dial } = await own()
  const caller = dial()
  const bytes = bytesOf(call('Hi'))
  caller.send(bytes.subarray(0, bytes.length - 5))
  await sleep(50)
  const closing = edge.close()
  await sleep(150)
  caller.send(bytes.subarray(bytes.length - 5))
  assert.equal(saidIn(await caller.next()), 'Hi')
  assert.equal(await caller.ended(), '')
  await closing
})

test('who keeps the server waiting for a request is told so, or is cut off; who was answered may be silent', async () => {
  const bytes = bytesOf(call('Hi'))
  const end = bytes.indexOf('\r\n\r\n') + 4
  const answered = dial()
  const waits = [0, 20, end, end + 10].map(async (sent) => {
    const caller = dial()
    if (sent > 0) caller.send(bytes.subarray(0, sent))
    assert.match(await caller.ended(), /^HTTP\/1\.1 408 /, `after ${sent} bytes`)
  })
  const second = async (): Promise<void> => {
    const caller = dial()
    caller.send(bytes)
    await caller.next()
    caller.send(bytes.subarray(0, end + 10))
    assert.match(await caller.ended(), /^HTTP\/1\.1 408 /)
  }
  answered.send(bytes)
  await answered.next()
  await Promise.all([...waits, second()])
  // Nothing was sent on it for longer than an upload may take.
  answered.send(bytes)
  assert.equal(saidIn(await answered.next()), 'Hi')
  answered.socket.destroy()
})

test('what comes after a 408 goes to no provider', async () => {
  const { simulator, dial } = await own({ uploadMs: 300 })
  for (const [cut, ...more] of [[0], [-5], [-5, NODES]] as const) {
    const caller = dial()
    const bytes = bytesOf(call('Hi'), ...more)
    const sent = bytes.subarray(0, cut)
    if (sent.length > 0) caller.send(sent)
    assert.match((await caller.next()).start, / 408 /)
    caller.send(bytes.subarray(sent.length))
    await sleep(100)
    assert.equal(simulator.calls.length, 0)
    caller.socket.destroy()
  }
})

// ---- refused before the body is there -------------------------------------------------------------------------------

const refusal = (): BriefRefusal => ({
  status: 429,
  headers: { 'content-type': 'application/json', 'retry-after': '1' },
  body: '{"error":"full"}',
})
/** Refuses what asks for it. */
const turnAway = ({ headers }: HttpRequest): BriefRefusal | undefined => (headers['x-test'] === 'refuse' ? refusal() : undefined)

test('a call that is refused at once is refused alike by both', async () => {
  const { edge, simulator, dial } = await own({ turnAway })
  const answers: Answer[] = []
  for (const more of [[], [NODES]]) {
    const caller = dial()
    caller.send(bytesOf({ ...call('Hi'), lines: ['x-test: refuse'] }, ...more))
    answers.push(await caller.next())
    caller.socket.destroy()
  }
  const [ours, nodes] = answers
  assert.ok(ours && nodes && !ours.byNode && nodes.byNode)
  assert.equal(ours.start, 'HTTP/1.1 429 Too Many Requests')
  assert.equal(ours.body, '{"error":"full"}')
  assert.deepEqual(blanked(ours), blanked(nodes))
  assert.equal(simulator.calls.length, 0)
  await edge.close()
})

test('after a call that is refused before its body comes, the next is answered', async () => {
  const { edge, simulator, dial } = await own({ turnAway })
  const refused = bytesOf({ ...call('refused'), lines: ['x-test: refuse'] })
  const end = refused.indexOf('\r\n\r\n') + 4
  for (const more of [[], [NODES]]) {
    const caller = dial()
    for (let time = 0; time < 2; time++) {
      caller.send(refused.subarray(0, end))
      assert.match((await caller.next()).start, / 429 /)
      for (let at = end; at < refused.length; at += 20) {
        caller.send(refused.subarray(at, at + 20))
        await sleep(2)
      }
      caller.send(bytesOf(call('good'), ...more))
      assert.equal(saidIn(await caller.next()), 'good')
    }
    // The rest of the refused body and the next calls in one piece.
    caller.send(refused.subarray(0, end + 5))
    assert.match((await caller.next()).start, / 429 /)
    caller.send(Buffer.concat([refused.subarray(end + 5), bytesOf(call('better'), ...more), refused, bytesOf(call('best'))]))
    assert.equal(saidIn(await caller.next()), 'better')
    assert.match((await caller.next()).start, / 429 /)
    assert.equal(saidIn(await caller.next()), 'best')
    caller.socket.destroy()
  }
  assert.equal(simulator.calls.length, 8)
  await edge.close()
})

test('a refused call without a body, and one that closes, end as others do', async () => {
  const { edge, dial } = await own({ turnAway })
  const caller = dial()
  caller.send(bytesOf({ lines: ['x-test: refuse'] }))
  assert.match((await caller.next()).start, / 429 /)
  caller.send(bytesOf(call('good')))
  assert.equal(saidIn(await caller.next()), 'good')
  caller.send(bytesOf({ ...call('refused'), lines: ['x-test: refuse', 'connection: close'] }))
  const last = await caller.next()
  assert.match(last.start, / 429 /)
  assert.equal(header(last, 'connection'), 'close')
  assert.equal(await caller.ended(), '')
  await edge.close()
})

test('a caller who hangs up in the middle of a refused body leaves nothing behind', async () => {
  const { edge, dial } = await own({ turnAway })
  const refused = bytesOf({ ...call('refused'), lines: ['x-test: refuse'] })
  for (const [, hangUp] of hangUps) {
    const caller = dial()
    caller.send(refused.subarray(0, refused.length - 5))
    await caller.next()
    hangUp(caller.socket)
  }
  await edge.close()
})

test('a connection whose calls were all refused may be silent like any other', async () => {
  const { dial } = await own({ uploadMs: 300, turnAway })
  for (const more of [[], [NODES]]) {
    const caller = dial()
    caller.send(bytesOf({ ...call('refused'), lines: ['x-test: refuse'] }, ...more))
    const refused = await caller.next()
    assert.match(refused.start, / 429 /)
    assert.equal(header(refused, 'keep-alive'), 'timeout=75')
    await sleep(1_000)
    caller.send(bytesOf(call('good'), ...more))
    assert.equal(saidIn(await caller.next()), 'good')
    caller.socket.destroy()
  }
})

test('calls that arrive together are counted before they are begun, and all are answered', async () => {
  const counted: number[] = []
  const { dial } = await own({
    turnAway: (_request, ahead) => {
      counted.push(ahead)
      return undefined
    },
  })
  const callers = Array.from({ length: 120 }, () => dial())
  await Promise.all(callers.map(({ socket }) => (socket.connecting ? once(socket, 'connect') : undefined)))
  for (const [index, caller] of callers.entries()) caller.send(bytesOf(call(`n${index}`)))
  for (const [index, caller] of callers.entries()) assert.equal(saidIn(await caller.next()), `n${index}`)
  assert.equal(counted.length, 120)
  assert.equal(counted[0], 0)
  assert.ok(Math.max(...counted) >= 32, `at most ${Math.max(...counted)}`)
})
