import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { lastFrameEnd, type SseFrame, SseReader, SseTooLarge, sseData, sseEvent } from './sse.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

function read(pieces: readonly Uint8Array[], end = true): SseFrame[] {
  const reader = new SseReader()
  const frames = pieces.flatMap((piece) => reader.push(piece))
  return end ? [...frames, ...reader.end()] : frames
}

function* splits(whole: Uint8Array): Generator<Uint8Array[]> {
  for (let at = 0; at <= whole.length; at++) yield [whole.subarray(0, at), whole.subarray(at)]
  yield [...whole].map((byte) => Uint8Array.of(byte))
}

const STREAM =
  '\uFEFFevent: a\r\ndata: {"x":1}\r\n\r\n: ka\n\ndata: grüß 😀\n\ndata:one\rdata: two\r\r\nid: 7\nevent: b\ndata\n\ndata: last'

test('reads the same frames however the bytes are split', () => {
  const expected = [
    { event: 'a', data: '{"x":1}' },
    { event: undefined, data: 'grüß 😀' },
    { event: undefined, data: 'one\ntwo' },
    { event: 'b', data: '' },
    { event: undefined, data: 'last' },
  ]
  for (const pieces of splits(bytes(STREAM))) assert.deepEqual(read(pieces), expected)
})

test('a frame without its blank line is none until the end of the bytes is known', () => {
  const reader = new SseReader()
  assert.deepEqual(reader.push(bytes('data: half')), [])
  assert.equal(reader.torn, true)
  assert.deepEqual(reader.end(), [{ event: undefined, data: 'half' }])
})

test('comments, blank lines and unknown fields are no frames', () => {
  assert.deepEqual(read([bytes(': a\n\n\n\nid: 1\nretry: 5\n\nfoo\n\n')]), [])
})

test('refuses a frame that is larger than allowed, in one piece, in lines or without any line end', () => {
  for (const text of [`data: ${'x'.repeat(200)}\n\n`, 'data: xxxxxxxxx\n'.repeat(20), 'x'.repeat(200)]) {
    const reader = new SseReader(100)
    assert.throws(() => reader.push(bytes(text)), SseTooLarge)
  }
  assert.equal(new SseReader(100).push(bytes('data: small\n\n'.repeat(100))).length, 100)
})

test('finds the end of the last whole frame with every kind of line end', () => {
  assert.equal(lastFrameEnd(bytes('data: a\n\ndata: b')), 9)
  assert.equal(lastFrameEnd(bytes('data: a\r\n\r\ndata: b')), 11)
  assert.equal(lastFrameEnd(bytes('data: a\r\rdata: b')), 9)
  assert.equal(lastFrameEnd(bytes('data: a\ndata: b\n')), -1)
  assert.equal(lastFrameEnd(bytes('')), -1)
})

test('finds an end that is split between two chunks', () => {
  const whole = bytes('data: a\r\n\r\n')
  for (let seen = 1; seen < whole.length; seen++) assert.equal(lastFrameEnd(whole, seen), whole.length)
})

test('what it writes it can read', () => {
  assert.deepEqual(read([bytes(sseData('{"a":1}') + sseEvent('ping', '{}'))]), [
    { event: undefined, data: '{"a":1}' },
    { event: 'ping', data: '{}' },
  ])
})

const corpus = new URL('../../../shared/data/badinput/sse/wpt_eventsource.jsonl', import.meta.url)

test('reads the event streams of the web platform tests at every split position', {
  skip: !existsSync(corpus) && 'the shared data sets are not here',
}, () => {
  const cases = readFileSync(corpus, 'utf8').trim().split('\n')
  for (const line of cases) {
    const { name, events, stream_b64 } = JSON.parse(line) as { name: string; events: { data: string; type?: string }[]; stream_b64: string }
    const whole = new Uint8Array(Buffer.from(stream_b64, 'base64'))
    const expected = events.map(({ data, type }) => ({ event: type === 'message' ? undefined : type, data }))
    const seen = new Set<string>()
    for (const pieces of splits(whole)) seen.add(JSON.stringify(read(pieces, false)))
    assert.deepEqual([...seen], [JSON.stringify(expected)], name)
  }
})
