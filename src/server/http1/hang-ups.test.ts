/** How calls end before their time, on the short way: callers who hang up or read slowly, servers that close, refusals before the body is there. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HttpRequest } from '../../core/http.ts'
import type { BriefRefusal } from '../../ingress/brief-refusals.ts'
import { httpRig } from '../fixtures/http-rig.ts'
import {
  type Answer,
  blanked,
  bytesOf,
  type Caller,
  call,
  dialTo,
  hangUpAll,
  header,
  NODES,
  own,
  saidIn,
  until,
} from './fixtures/callers.ts'

const { server, close } = await httpRig()
after(close)
after(hangUpAll)
const { port } = server.server.address() as AddressInfo
const dial = (): Caller => dialTo(port)

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
