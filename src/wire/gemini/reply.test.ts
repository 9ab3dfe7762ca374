import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Event } from '../../core/event.ts'
import { fold } from '../../core/fold.ts'
import type { JsonObject } from '../../core/json.ts'
import { gemini } from './wire.ts'

const target = { provider: 'g', model: 'm', wire: 'gemini', capabilities: {}, quirks: {} } as const
const encoder = new TextEncoder()

function decode(text: string, streamed: boolean, size = text.length): Event[] {
  const decoder = gemini.replyDecoder({ streamed, target })
  const bytes = encoder.encode(text)
  const events: Event[] = []
  for (let start = 0; start < bytes.length; start += size) events.push(...decoder.push(bytes.subarray(start, start + size)))
  return [...events, ...decoder.end()]
}

const chunk = (parts: JsonObject[], more: JsonObject = {}, beside: JsonObject = {}): JsonObject => ({
  candidates: [{ content: { role: 'model', parts }, index: 0, ...more }],
  modelVersion: 'gemini-3',
  responseId: 'r1',
  ...beside,
})
const usageMetadata = {
  promptTokenCount: 10,
  toolUsePromptTokenCount: 2,
  candidatesTokenCount: 3,
  thoughtsTokenCount: 4,
  cachedContentTokenCount: 5,
}
const usage = { input: 12, output: 7, reasoning: 4, cacheRead: 5 }
const sse = (chunks: JsonObject[], end = '\r\n\r\n'): string => chunks.map((one) => `data: ${JSON.stringify(one)}${end}`).join('')
const pieces = [
  chunk([{ text: 'Lét me ', thought: true }], {}, { usageMetadata: { promptTokenCount: 10 } }),
  chunk([{ text: 'see', thought: true }]),
  chunk([{ text: 'Sünny ☀', thoughtSignature: 'AA==' }]),
  chunk([{ functionCall: { name: 'f', args: { a: [1, '}"'] } } }]),
  chunk([{ text: '' }], { finishReason: 'STOP' }, { usageMetadata }),
]
const whole = chunk(
  [
    { text: 'Lét me see', thought: true },
    { text: 'Sünny ☀', thoughtSignature: 'AA==' },
    { functionCall: { name: 'f', args: { a: [1, '}"'] } } },
  ],
  { finishReason: 'STOP' },
  { usageMetadata },
)

test('an answer folds to the same reply: plain, streamed, and as a growing array, in any pieces', () => {
  const plain = fold(decode(JSON.stringify(whole), false))
  assert.deepEqual(plain.usage, usage)
  assert.equal(plain.end?.finish, 'tool-calls')
  assert.equal(plain.id, 'r1')
  assert.equal(plain.model, 'gemini-3')
  assert.deepEqual(
    plain.parts.map((part) => part.kind !== 'whole' && [part.kind, part.text]),
    [
      ['reasoning', 'Lét me see'],
      ['text', 'Sünny ☀'],
      ['tool-call', '{"a":[1,"}\\""]}'],
    ],
  )
  for (const text of [
    sse(pieces),
    sse(pieces, '\n\n'),
    sse(pieces).trimEnd(),
    `\uFEFF ${sse(pieces)}`,
    JSON.stringify(pieces, null, 1),
    JSON.stringify(whole),
  ])
    for (const size of [1, 2, 7, text.length]) assert.deepEqual(fold(decode(text, true, size)), plain, `${size}: ${text.slice(0, 20)}`)
})

test('closes every part before the end, and ends once', () => {
  const events = decode(sse(pieces), true)
  const started = events.filter(({ type }) => type === 'part-start').length
  assert.equal(events.filter(({ type }) => type === 'part-end').length, started)
  assert.equal(events.at(-1)?.type, 'reply-end')
})

test('a stream without a reason to stop is an error, and nothing follows it', () => {
  for (const text of [sse(pieces.slice(0, -1)), '', '<html>Bad gateway</html>', JSON.stringify(pieces.slice(0, -1)).slice(0, -1)]) {
    const events = decode(text, true)
    const last = events.at(-1)
    assert.equal(last?.type === 'error' && last.error.id, 'upstream-invalid')
    assert.ok(!events.some(({ type }) => type === 'reply-end'))
  }
})

test("tells the provider's error, however it is framed", () => {
  const error = {
    error: {
      code: 429,
      message: 'Too fast',
      status: 'RESOURCE_EXHAUSTED',
      details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '1.5s' }],
    },
  }
  for (const text of [JSON.stringify(error), JSON.stringify([error], null, 1), sse([pieces[0] ?? {}, error])]) {
    const last = decode(text, true).at(-1)
    assert.equal(last?.type === 'error' && last.error.id, 'upstream-rate-limited')
    assert.equal(last?.type === 'error' && last.error.message, 'Too fast')
    assert.equal(last?.type === 'error' && last.error.retryAfterMs, 1500)
  }
})

test('a blocked prompt is a filtered answer with its explanation', () => {
  const body = { promptFeedback: { blockReason: 'PROHIBITED_CONTENT', blockReasonMessage: 'Not that.' } }
  for (const events of [decode(JSON.stringify(body), false), decode(sse([body]), true)]) {
    const { end } = fold(events)
    assert.deepEqual(end, { type: 'reply-end', finish: 'filter', raw: 'PROHIBITED_CONTENT', explanation: 'Not that.' })
  }
})

test('knows every reason to stop', () => {
  const finish = (finishReason: string, parts: JsonObject[] = [{ text: 'x' }]) =>
    fold(decode(JSON.stringify(chunk(parts, { finishReason })), false))
  assert.equal(finish('STOP').end?.finish, 'stop')
  assert.equal(finish('MAX_TOKENS').end?.finish, 'length')
  assert.equal(finish('RECITATION').end?.finish, 'filter')
  assert.equal(finish('LANGUAGE').end?.finish, 'other')
  assert.equal(finish('OTHER', []).error?.id, 'upstream-failed')
  const broken = finish('MALFORMED_FUNCTION_CALL')
  assert.equal(broken.error?.id, 'upstream-failed')
  assert.match(broken.error?.message ?? '', /MALFORMED_FUNCTION_CALL/)
})

test('a paused answer is asked to go on with its token', () => {
  const paused = fold(decode(JSON.stringify(chunk([{ text: 'x' }], { finishReason: 'CONTINUATION', continuationToken: 't1' })), false))
  assert.equal(paused.end?.finish, 'pause')
  assert.deepEqual(gemini.continueBody?.({ contents: [] }, paused), { contents: [], continuationToken: 't1' })
  assert.equal(gemini.continueBody?.({ contents: [] }, fold(decode(JSON.stringify(whole), false))), undefined)
})

test('joins arguments that are streamed piece by piece', () => {
  const call = (functionCall: JsonObject): JsonObject => chunk([{ functionCall }])
  const reply = fold(
    decode(
      sse([
        call({ name: 'greet', willContinue: true }),
        call({ partialArgs: [{ jsonPath: '$.who', stringValue: 'Wor', willContinue: true }], willContinue: true }),
        call({ partialArgs: [{ jsonPath: '$.who', stringValue: 'ld' }], willContinue: true }),
        call({}),
        call({ name: 'stop', args: {} }),
        chunk([], { finishReason: 'STOP' }),
      ]),
      true,
    ),
  )
  assert.deepEqual(
    reply.parts.map((part) => part.kind === 'tool-call' && [part.name, part.text]),
    [
      ['greet', '{"who":"World"}'],
      ['stop', '{}'],
    ],
  )
})

test('reads sources with ranges counted in characters, once each', () => {
  const grounded = {
    finishReason: 'STOP',
    groundingMetadata: {
      groundingChunks: [{ web: { uri: 'https://a.example', title: 'A' } }, { web: { uri: 'https://b.example', title: 'B' } }],
      groundingSupports: [{ segment: { startIndex: 8, endIndex: 13, text: 'Sünny'.slice(0, 4) }, groundingChunkIndices: [0] }],
    },
  }
  const reply = fold(decode(sse([chunk([{ text: 'Täglich Sünny' }], grounded), chunk([], grounded)]), true))
  const [part] = reply.parts
  assert.ok(part?.kind === 'text')
  assert.deepEqual(
    part.citations.map(({ url, start, end }) => [url, start, end]),
    [
      ['https://a.example', 7, 11],
      ['https://b.example', undefined, undefined],
    ],
  )
})

test("gives pictures and Google's own items as whole parts", () => {
  const reply = fold(
    decode(
      JSON.stringify(
        chunk(
          [{ executableCode: { language: 'PYTHON', code: '1' } }, { text: 'x' }, { inlineData: { mimeType: 'image/png', data: 'AA==' } }],
          {
            finishReason: 'STOP',
          },
        ),
      ),
      false,
    ),
  )
  assert.deepEqual(
    reply.parts.map((part) => (part.kind === 'whole' ? part.part.type : part.kind)),
    ['foreign', 'text', 'media'],
  )
})

test('the tap lets bytes through and learns how the answer ended', () => {
  const tap = gemini.streamTap(target, {})
  const text = sse(pieces)
  const out: Uint8Array[] = []
  const bytes = encoder.encode(text)
  for (let start = 0; start < bytes.length; start += 50) {
    const passed = tap.push(bytes.subarray(start, start + 50))
    if (passed) out.push(passed)
  }
  assert.equal(tap.end(), undefined)
  assert.equal(Buffer.concat(out).toString(), text)
  assert.equal(tap.finished, true)
  assert.equal(tap.error, undefined)
  assert.deepEqual(tap.summary.usage, usage)
})

test('the tap tells errors and streams that were cut short', () => {
  const cut = gemini.streamTap(target, {})
  cut.push(encoder.encode(sse(pieces.slice(0, 2))))
  cut.end()
  assert.equal(cut.error?.id, 'upstream-invalid')
  const told = gemini.streamTap(target, {})
  assert.equal(told.push(encoder.encode('{"error":{"code":400,"message":"Bad key","status":"INVALID_ARGUMENT"}}')), undefined)
  assert.equal(told.end(), undefined)
  assert.equal(told.error?.message, 'Bad key')
  assert.equal(told.started, false)
})

test('a plain answer is summed up, an error in a 200 and another shape are refused', () => {
  assert.deepEqual(gemini.summarize(whole, target), {
    id: 'r1',
    model: 'gemini-3',
    finish: 'tool-calls',
    usage,
    outputs: 3,
    characters: 17 + JSON.stringify({ name: 'f', args: { a: [1, '}"'] } }).length,
  })
  assert.throws(() => gemini.summarize({ error: { code: 503, message: 'Overloaded', status: 'UNAVAILABLE' } }, target), /Overloaded/)
  assert.throws(() => gemini.summarize({ hello: 1 }, target), /no candidates|without words/)
})

test('counts: the request wants the whole call under the model name', () => {
  const contents = [{ role: 'user', parts: [{ text: 'x' }] }]
  assert.deepEqual(gemini.count?.request({ contents }, target), { generateContentRequest: { contents, model: 'models/m' } })
  assert.equal(gemini.count?.read({ totalTokens: 7 }), 7)
  assert.deepEqual(gemini.count?.write(7), { totalTokens: 7 })
})
