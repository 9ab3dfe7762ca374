/** The contract that every wire keeps, whatever its format. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../core/error.ts'
import type { Event } from '../core/event.ts'
import { fold } from '../core/fold.ts'
import { isObject, type Json, type JsonObject, parseJson } from '../core/json.ts'
import { Notes } from '../core/notes.ts'
import { wires } from './index.ts'
import { context, decode, merged, pictureOf, replies, smallCall, streamOf, targetOf, wholeOf } from './wires.fixtures.ts'

const all = [...wires.values()]
const error = new GatewayError('upstream-overloaded', 'Too many cooks.')
const utf8 = new TextEncoder()
const ended = (events: readonly Event[]): boolean => events.some(({ type }) => type === 'reply-end')

for (const wire of all) {
  test(`${wire.id}: a reply keeps its words, calls, ending and usage, whole and streamed alike`, () => {
    for (const [name, events] of Object.entries(replies)) {
      const before = pictureOf(fold(events))
      for (const [form, read] of [
        ['whole', decode(wire, wholeOf(wire, events), false)],
        ['streamed', decode(wire, streamOf(wire, events), true)],
      ] as const) {
        const { input, output, cacheRead, ...after } = pictureOf(fold(read))
        const { input: asked, output: given, cacheRead: cached, ...said } = before
        assert.deepEqual(after, said, `${name}, ${form}`)
        // Where usage is not known some dialects must say zero.
        if (asked !== undefined) assert.deepEqual([input, output], [asked, given], `${name}, ${form}`)
        if (cached !== undefined) assert.equal(cacheRead, cached, `${name}, ${form}`)
      }
    }
  })

  test(`${wire.id}: however the bytes are cut, the events are the same`, () => {
    for (const [name, events] of Object.entries(replies))
      for (const [body, streamed] of [
        [streamOf(wire, events), true],
        [wholeOf(wire, events), false],
      ] as const) {
        const whole = merged(decode(wire, body, streamed))
        for (const size of [1, 2, 3, 7, 64, 1000])
          assert.deepEqual(merged(decode(wire, body, streamed, size)), whole, `${name}, by ${size}`)
      }
  })

  test(`${wire.id}: events come in order: a start, parts that end, usage, one ending that is last`, () => {
    for (const events of Object.values(replies))
      for (const read of [decode(wire, streamOf(wire, events), true), decode(wire, wholeOf(wire, events), false)]) {
        assert.equal(read[0]?.type, 'reply-start')
        assert.equal(read.at(-1)?.type, 'reply-end')
        assert.equal(read.filter(({ type }) => type === 'reply-end' || type === 'error').length, 1)
        const open = new Set<number>()
        for (const event of read) {
          if (event.type === 'part-start') assert.ok(!open.has(event.index) && open.add(event.index))
          else if (event.type === 'part-end') assert.ok(open.delete(event.index))
          else if ('index' in event && event.type !== 'part-whole') assert.ok(open.has(event.index), event.type)
        }
        assert.equal(open.size, 0)
      }
  })

  test(`${wire.id}: an answer that was cut never looks finished with less than the whole`, () => {
    for (const [name, events] of Object.entries(replies)) {
      for (const [body, streamed] of [
        [streamOf(wire, events), true],
        [wholeOf(wire, events), false],
      ] as const) {
        const bytes = utf8.encode(body)
        const { said, calls } = pictureOf(fold(events))
        // Every cut of a short answer, some of a long one.
        for (let cut = 0; cut < bytes.length; cut += 1 + Math.floor(bytes.length / 1500)) {
          const read = decode(wire, bytes.subarray(0, cut), streamed)
          assert.ok(ended(read) || read.at(-1)?.type === 'error', `${name}: silent at ${cut}`)
          if (!ended(read)) continue
          const picture = pictureOf(fold(read))
          assert.deepEqual([picture.said, picture.calls], [said, calls], `${name}: finished at ${cut}`)
        }
      }
    }
  })

  test(`${wire.id}: an error in a stream is read as one, with its words, and nothing follows it`, () => {
    for (const events of Object.values(replies)) {
      for (let length = 0; length < events.length - 1; length++) {
        const encoder = wire.streamEncoder(smallCall(wire), context)
        const text = encoder.push([...events.slice(0, length), { type: 'error', error }])
        assert.equal(encoder.push(events.slice(length)), '')
        const read = decode(wire, text, true)
        const last = read.at(-1)
        assert.ok(!ended(read))
        assert.match(last?.type === 'error' ? last.error.message : '', /Too many cooks/)
      }
    }
    const read = decode(wire, wire.encodeStreamError(error, 'req_1'), true)
    assert.equal(read.at(-1)?.type, 'error')
    assert.ok(!ended(read))
  })

  test(`${wire.id}: an error body says what, and the decoder of errors understands it`, () => {
    const refused = new GatewayError('invalid-request', 'That is no number.', { path: 'a[0].b' })
    const body = wire.encodeError(refused, 'req_1')
    assert.match(wire.decodeError(400, JSON.stringify(body)).message, /That is no number/)
    assert.match(JSON.stringify(body), /invalid_request/)
    assert.match(JSON.stringify(body), /a\[0\]\.b/)
    assert.throws(() => wire.summarize(body, targetOf(wire.id)), GatewayError)
    assert.equal(decode(wire, JSON.stringify(body), false).at(-1)?.type, 'error')
  })

  test(`${wire.id}: whatever comes instead of an answer is an error, not an exception`, () => {
    const odd = [
      '',
      ' \n',
      '<html><title>502</title></html>',
      'null',
      '7',
      '"text"',
      '[]',
      '{}',
      '[1]',
      '{"error":"No."}',
      '{"choices":[]}',
    ]
    const torn = [
      '{"id":',
      'data: {"a":',
      'data: {}\n\n',
      'data: [1]\n\n',
      'data: null\n\n',
      'event: x\ndata: 7\n\n',
      'data: [DONE]\n\n',
      ': ping\n\n',
    ]
    for (const streamed of [true, false])
      for (const body of [...odd, ...torn]) {
        const read = decode(wire, body, streamed)
        assert.equal(read.at(-1)?.type, 'error', `${JSON.stringify(body)}, ${streamed ? 'streamed' : 'plain'}`)
        assert.ok(!ended(read))
      }
    for (const body of odd) {
      const value = parseJson(body)
      if (value !== undefined) assert.throws(() => wire.summarize(value, targetOf(wire.id)), GatewayError, body)
    }
  })

  test(`${wire.id}: an untouched stream passes byte for byte, however it comes, and is missed when it is cut`, () => {
    for (const [name, events] of Object.entries(replies)) {
      const bytes = utf8.encode(streamOf(wire, events))
      for (const size of [1, 5, 300, bytes.length]) {
        const tap = wire.streamTap(targetOf(wire.id), {})
        const passed: Uint8Array[] = []
        for (let start = 0; start < bytes.length; start += size)
          passed.push(tap.push(bytes.subarray(start, start + size)) ?? utf8.encode(''))
        passed.push(tap.end() ?? utf8.encode(''))
        assert.equal(Buffer.concat(passed).compare(bytes), 0, `${name}, by ${size}`)
        assert.ok(tap.started && tap.finished && !tap.error, name)
        // Calls may have passed unread, since their frames are output and nothing more.
        assert.ok([fold(decode(wire, bytes, true)).end?.finish, 'stop'].includes(tap.summary.finish ?? 'other'), name)
        assert.equal(tap.summary.usage?.output, fold(decode(wire, bytes, true)).usage?.output, name)
      }
      const cut = wire.streamTap(targetOf(wire.id), {})
      cut.push(bytes.subarray(0, bytes.length / 3))
      cut.end()
      assert.ok(cut.error && !cut.finished, name)
    }
  })

  test(`${wire.id}: a whole answer is summed up as it is read`, () => {
    for (const [name, events] of Object.entries(replies)) {
      const body = wholeOf(wire, events)
      const summary = wire.summarize(JSON.parse(body), targetOf(wire.id))
      const { end, usage } = fold(decode(wire, body, false))
      assert.deepEqual([summary.finish, summary.usage?.input, summary.usage?.output], [end?.finish, usage?.input, usage?.output], name)
    }
  })

  test(`${wire.id}: a call with a wrong type anywhere is refused or understood, towards every wire`, () => {
    const call = smallCall(wire)
    for (const target of all) assert.ok(isObject(target.encodeCall(call, targetOf(target.id), new Notes()).body))
    const own = wire.encodeCall(rich, targetOf(wire.id), new Notes()).body
    for (const body of mutations(own)) {
      let decoded: typeof call
      try {
        decoded = wire.decodeCall(body, { model: 'm' })
      } catch (thrown) {
        assert.ok(thrown instanceof GatewayError && thrown.status === 400, `${String(thrown)} at ${JSON.stringify(body)}`)
        continue
      }
      for (const target of all)
        try {
          target.encodeCall(decoded, targetOf(target.id), new Notes())
        } catch (thrown) {
          assert.ok(
            thrown instanceof GatewayError && thrown.status === 400,
            `${target.id}: ${String(thrown)} ${(thrown as Error).stack} at ${JSON.stringify(body)}`,
          )
        }
    }
  })
}

/** A call that says a bit of everything. */
const rich =
  wires.get('openai-chat')?.decodeCall(
    {
      model: 'm',
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
          ],
        },
        {
          role: 'assistant',
          content: 'Well.',
          tool_calls: [{ id: 'c1', type: 'function', function: { name: 'add', arguments: '{"a":1}' } }],
        },
        { role: 'tool', tool_call_id: 'c1', content: '2' },
      ],
      tools: [{ type: 'function', function: { name: 'add', parameters: { type: 'object', properties: { a: { type: 'number' } } } } }],
      tool_choice: 'required',
      response_format: { type: 'json_schema', json_schema: { name: 'out', schema: { type: 'object' } } },
      reasoning_effort: 'low',
      max_completion_tokens: 100,
      temperature: 0.5,
      stop: ['END'],
    },
    {},
  ) ?? assert.fail('no Chat wire')

/** The body with each of its values, in turn, replaced by one of another type. */
function* mutations(body: JsonObject): Generator<JsonObject> {
  for (const place of placesIn(body))
    for (const value of [null, 7, 'text', true, [], {}, [7], [null], { a: 1 }]) yield replaced(body, place, value) as JsonObject
}

function placesIn(value: Json | undefined, place: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [place]
  const inner = Object.entries(value).flatMap(([key, member]) => placesIn(member, [...place, Array.isArray(value) ? Number(key) : key]))
  return place.length === 0 ? inner : [place, ...inner]
}

function replaced(value: Json | undefined, [key, ...rest]: readonly (string | number)[], by: Json): Json | undefined {
  if (key === undefined) return by
  if (Array.isArray(value)) return value.map((member, index) => (index === key ? replaced(member, rest, by) : member))
  return isObject(value) ? { ...value, [key]: replaced(value[key], rest, by) } : value
}
