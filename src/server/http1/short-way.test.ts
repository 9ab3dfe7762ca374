/** Callers must not be able to tell who reads their connection: our short way or Node's server. Both are asked, byte by byte. */
import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { dialects, pathOf } from '../../../test/bad-input/rig.ts'
import { httpRig, MAX_BODY } from '../fixtures/http-rig.ts'
import {
  type Answer,
  type Asking,
  blanked,
  bytesOf,
  type Caller,
  call,
  chunked,
  dialTo,
  hangUpAll,
  header,
  NODES,
  own,
  saidIn,
} from './fixtures/callers.ts'

const { server, state, under, close } = await httpRig()
after(close)
after(hangUpAll)
const { port } = server.server.address() as AddressInfo
const dial = (): Caller => dialTo(port)

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
