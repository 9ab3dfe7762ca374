import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../core/error.ts'
import { type FrameNews, SseTap, type TapReader } from './tap.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const textOf = (pieces: readonly (Uint8Array | undefined)[]): string =>
  Buffer.concat(pieces.filter((piece) => piece !== undefined)).toString('utf8')

/** A format of its own: `{"t"}` is output, `{"u"}` usage, `{"end"}` the ending, `{"error"}` an error, `{"hi"}` an opening. */
const reader: TapReader = {
  telling: /"(u|end|error)":/,
  overhead: 0,
  read({ data }): FrameNews {
    const value = JSON.parse(data) as Record<string, unknown>
    if ('error' in value) return { error: new GatewayError('upstream-failed', String(value['error'])) }
    if ('end' in value) return { finish: 'stop', finished: true, id: 'r1', model: 'm' }
    if ('u' in value) return { usage: { output: Number(value['u']) }, onlyUsage: true }
    return { output: 't' in value }
  },
}

function run(
  stream: Uint8Array,
  {
    split = [stream],
    peeks = false,
    ...options
  }: { split?: readonly Uint8Array[]; peeks?: boolean; hideUsage?: boolean; maxEvent?: number } = {},
) {
  const tap = new SseTap({ ...reader, peeks }, options)
  const out = split.map((piece) => tap.push(piece))
  const soFar = textOf(out)
  const text = textOf([...out, tap.end()])
  return { tap, text, soFar }
}

function* splits(whole: Uint8Array): Generator<Uint8Array[]> {
  for (let at = 0; at <= whole.length; at++) yield [whole.subarray(0, at), whole.subarray(at)]
  yield [...whole].map((byte) => Uint8Array.of(byte))
}

const framesOf = (lineEnd: string): string =>
  [': hello', 'data: {"t":"grüß"}', 'data: {"t":"b"}', 'data: {"u":3}', 'data: {"end":1}']
    .map((frame) => frame + lineEnd + lineEnd)
    .join('')

for (const [name, lineEnd] of Object.entries({ LF: '\n', CRLF: '\r\n', CR: '\r' })) {
  test(`passes every byte and reads what it must, with ${name} ends and any splitting`, () => {
    const stream = framesOf(lineEnd)
    for (const split of splits(bytes(stream))) {
      const { tap, text } = run(bytes(stream), { split })
      assert.equal(text, stream)
      assert.equal(tap.error, undefined)
      assert.equal(tap.finished, true)
      const { id, model, finish, usage } = tap.summary
      assert.deepEqual({ id, model, finish, usage }, { id: 'r1', model: 'm', finish: 'stop', usage: { output: 3 } })
    }
  })

  test(`takes a usage frame out that nobody asked for, with ${name} ends and any splitting`, () => {
    const stream = framesOf(lineEnd)
    const without = stream.replace(`data: {"u":3}${lineEnd}${lineEnd}`, '')
    for (const split of splits(bytes(stream))) {
      const { tap, text } = run(bytes(stream), { split, hideUsage: true })
      assert.equal(text, without)
      assert.equal(tap.summary.usage?.output, 3)
    }
  })
}

test('only whole frames go out while the stream runs', () => {
  const { soFar, tap } = run(bytes('data: {"t":"a"}\n\ndata: {"t":"b'))
  assert.equal(soFar, 'data: {"t":"a"}\n\n')
  assert.equal(tap.error?.id, 'upstream-invalid', 'and a missing ending is an error')
})

test('a last frame without its blank line goes out when it is the ending', () => {
  const stream = 'data: {"t":"a"}\n\ndata: {"end":1}'
  const { text, tap } = run(bytes(stream))
  assert.equal(text, stream)
  assert.equal(tap.error, undefined)
})

test('an error of the stream is told, and neither it nor anything after it goes out', () => {
  const { text, tap } = run(bytes('data: {"t":"a"}\n\ndata: {"error":"broke"}\n\ndata: {"end":1}\n\n'), {
    split: [bytes('data: {"t":"a"}\n\n'), bytes('data: {"error":"broke"}\n\n'), bytes('data: {"end":1}\n\n')],
  })
  assert.equal(text, 'data: {"t":"a"}\n\n')
  assert.match(tap.error?.message ?? '', /broke/)
  assert.equal(tap.finished, false)
})

test('comments do not start an answer; an opening does not either where the format knows it', () => {
  assert.equal(run(bytes(': ping\n\n: ping\n\n')).tap.started, false)
  assert.equal(run(bytes('data: {"hi":1}\n\n'), { peeks: true }).tap.started, false)
  assert.equal(run(bytes('data: {"hi":1}\n\ndata: {"t":"a"}\n\n'), { peeks: true }).tap.started, true)
})

test('an error that came as JSON, or as a page, in place of the stream keeps its words', () => {
  const json = run(bytes('{"error":{"message":"no such model","code":"model_not_found"}}'))
  assert.equal(json.tap.error?.message, 'no such model')
  assert.equal(json.tap.error?.id, 'upstream-not-found')
  assert.equal(json.text, '')
  const split = run(bytes(''), {
    split: [bytes('\n'), bytes('[{"error":\n\n'), bytes('{"message":"quota","status":"RESOURCE_EXHAUSTED"}}]')],
  })
  assert.equal(split.tap.error?.id, 'upstream-rate-limited')
  const page = run(bytes('<html><head><title>502 Bad Gateway</title></head>\n\n<body>x</body></html>'))
  assert.match(page.tap.error?.message ?? '', /502 Bad Gateway/)
})

test('a frame that is too large is an error, however it comes', () => {
  const large = bytes(`data: {"t":"${'x'.repeat(300)}"}\n\n`)
  const pieces = Array.from({ length: Math.ceil(large.length / 16) }, (_, index) => large.subarray(index * 16, index * 16 + 16))
  const { tap, text } = run(large, { split: pieces, maxEvent: 100 })
  assert.equal(tap.error?.id, 'upstream-invalid')
  assert.equal(text, '')
})

test('counts what passes', () => {
  const { tap } = run(bytes('data: {"t":"a"}\n\ndata: {"t":"b"}\n\ndata: {"end":1}\n\n'), {
    split: [bytes('data: {"t":"a"}\n\n'), bytes('data: {"t":"b"}\n\n'), bytes('data: {"end":1}\n\n')],
  })
  assert.equal(tap.summary.outputs, 2)
  assert.ok(tap.summary.characters > 20)
})

test('the beginning of a last frame that never came whole does not go out behind the ending', () => {
  const ended = 'data: {"end":1}\n\n'
  for (const [rest, kept] of [
    ['data: [D', ''],
    ['data: {"u":1', ''],
    ['data: {"u":1}\n', 'data: {"u":1}\n'],
  ] as const) {
    const { tap, text } = run(bytes(ended + rest))
    assert.equal(text, ended + kept)
    assert.equal(tap.error, undefined)
  }
})

test('an event in the middle that no client could read is an error, at any splitting', () => {
  const whole = bytes('data: {"t":"a"}\n\ndata: {"t":"b\n\ndata: {"t":"c"}\n\ndata: {"end":1}\n\n')
  for (const split of splits(whole)) {
    const { tap, text } = run(whole, { split })
    assert.equal(tap.error?.id, 'upstream-invalid')
    assert.ok(!text.includes('"b') && !text.includes('"end"'), text)
  }
})

test('comments, pings, other fields behind the data and brackets inside texts are no such thing', () => {
  const stream =
    ': ping\n\ndata: {"t":"}]"}\n\ndata: {"t":"é"}\nid: 7\n\nevent: ping\ndata: {}\n\ndata:\n\ndata: keep-alive\n\ndata: {"end":1}\n\ndata: [DONE]\n\n'
  const { tap, text } = run(bytes(stream), { split: stream.split(/(?<=\n\n)/).map(bytes) })
  assert.equal(tap.error, undefined)
  assert.equal(text, stream)
})
