import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { createReader } from './http1.ts'
import { runLoad, type Shot } from './load.ts'
import { type BenchWire, modelOf, PLAIN_MODEL, plainAnswer, requestBody, STREAMS } from './payloads.ts'
import { createUpstream } from './upstream.ts'
import { complaint } from './verify.ts'

const WIRES: readonly BenchWire[] = ['openai-chat', 'anthropic-messages']
const upstream = createUpstream()
let port = 0

before(async () => {
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  port = (upstream.address() as AddressInfo).port
})
after(() => upstream.close())

const shot = (wire: BenchWire, events?: number): Shot => ({
  port,
  path: wire === 'openai-chat' ? '/v1/chat/completions' : '/v1/messages',
  headers: {},
  wire,
  body: requestBody(wire, events === undefined ? PLAIN_MODEL : modelOf({ events, paceMs: 1, burst: 2 }), events !== undefined).toString(),
  expect: { stream: events !== undefined, events: events ?? 0, bytes: true },
})

for (const wire of WIRES) {
  test(`the load generator finds the upstream's ${wire} answers right`, async () => {
    const plain = await runLoad({ shot: shot(wire), calls: 50, connections: 4 })
    assert.deepEqual(plain.wrong, [])
    const streams = await runLoad({ shot: shot(wire, 7), calls: 20, connections: 4, rate: 400 })
    assert.deepEqual(streams.wrong, [])
    assert.ok(streams.firstToken.p50 > 0 && streams.firstToken.p50 < streams.latency.p50)
  })

  test(`a ${wire} answer with another text, status or end is complained about`, () => {
    const { head, deltas, tail } = STREAMS[wire]
    const events = [...head, ...deltas.slice(0, 3), ...tail(3, false)]
    const stream = { stream: true, events: 3, bytes: true }
    assert.equal(complaint(200, Buffer.from(events.join('')), wire, stream), undefined)
    assert.match(complaint(200, Buffer.from(events.slice(0, -1).join('')), wire, stream) ?? '', /no end/)
    assert.match(complaint(200, Buffer.from(events.toSpliced(head.length, 1).join('')), wire, stream) ?? '', /text/)
    const plain = { stream: false, events: 0, bytes: false }
    assert.equal(complaint(200, plainAnswer(wire), wire, plain), undefined)
    assert.match(complaint(502, plainAnswer(wire), wire, plain) ?? '', /502/)
    assert.match(complaint(200, plainAnswer(wire).subarray(0, 300), wire, plain) ?? '', /unreadable/)
    const same = Buffer.from(plainAnswer(wire).toString().replace('harbour', 'airport'))
    assert.match(complaint(200, same, wire, plain) ?? '', /text/)
  })
}

test('the upstream refuses a conversation that did not arrive whole', async () => {
  const whole = shot('openai-chat')
  const { wrong } = await runLoad({ shot: { ...whole, body: '{"model":"m","messages":[]}' }, calls: 1, connections: 1 })
  assert.match(wrong[0] ?? '', /status 400/)
})

test('an aborted call ends with its first token', async () => {
  const { wrong, wallMs } = await runLoad({ shot: shot('openai-chat', 5_000), calls: 3, connections: 3, abort: true })
  assert.deepEqual(wrong, [])
  assert.ok(wallMs < 2_000)
})

test('a stream is read alike however it is cut', async () => {
  const request = `POST /v1/chat/completions HTTP/1.1\r\ncontent-length: ${Buffer.byteLength(shot('openai-chat', 5).body)}\r\n\r\n${shot('openai-chat', 5).body}`
  const wire = await new Promise<Buffer>((resolve) => {
    const parts: Buffer[] = []
    const socket = connect(port, '127.0.0.1', () => socket.write(request))
    socket.on('data', (data: Buffer) => {
      parts.push(data)
      if (data.includes('\r\n0\r\n\r\n')) socket.end(() => resolve(Buffer.concat(parts)))
    })
  })
  for (const size of [1, 2, 3, 7, 64, wire.length]) {
    const body: Buffer[] = []
    let ends = 0
    const push = createReader({ head: () => {}, body: (chunk) => body.push(chunk), end: () => ends++ })
    for (let at = 0; at < wire.length; at += size) push(wire.subarray(at, at + size))
    assert.equal(ends, 1)
    assert.equal(complaint(200, Buffer.concat(body), 'openai-chat', { stream: true, events: 5, bytes: true }), undefined)
  }
})
