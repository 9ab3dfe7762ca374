import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GenerateContentResponse } from '@google/genai'
import type { ChatCall } from '../../core/call.ts'
import { GatewayError } from '../../core/error.ts'
import type { Event } from '../../core/event.ts'
import { fold } from '../../core/fold.ts'
import type { JsonObject } from '../../core/json.ts'
import { gemini } from './wire.ts'

type Response = Pick<GenerateContentResponse, 'candidates' | 'usageMetadata' | 'modelVersion' | 'responseId'>

const callWith = (generationConfig: JsonObject = {}): ChatCall => gemini.decodeCall({ contents: 'x', generationConfig }, { model: 'm' })
const seeing = callWith({ thinkingConfig: { includeThoughts: true } })
const context = { id: 'req_1', model: 'target-model', created: 0, cost: () => '0.0125' }
const sealed = { vendor: 'anthropic', kind: 'signature', value: 'sig' } as const

const events: Event[] = [
  { type: 'reply-start', id: 'msg_1', model: 'claude' },
  { type: 'part-start', index: 0, kind: 'reasoning' },
  { type: 'text-delta', index: 0, text: 'H' },
  { type: 'text-delta', index: 0, text: 'm' },
  { type: 'part-sealed', index: 0, sealed },
  { type: 'part-end', index: 0 },
  { type: 'part-start', index: 1, kind: 'text' },
  { type: 'text-delta', index: 1, text: 'Grüß ' },
  { type: 'text-delta', index: 1, text: 'Gott' },
  { type: 'part-citation', index: 1, citation: { url: 'https://a.example', title: 'A', start: 0, end: 4 } },
  { type: 'part-end', index: 1 },
  { type: 'part-start', index: 2, kind: 'tool-call', id: 'call_1', name: 'f' },
  { type: 'text-delta', index: 2, text: '{"a":' },
  { type: 'text-delta', index: 2, text: '1}' },
  { type: 'part-end', index: 2 },
  { type: 'usage', usage: { input: 10, output: 7, reasoning: 2, cacheRead: 3 } },
  { type: 'reply-end', finish: 'tool-calls', raw: 'tool_use' },
]

/** What a client of the dialect reads from frames. */
function framesOf(text: string): Response[] {
  assert.ok(text.endsWith('\n\n'))
  return text
    .slice(0, -2)
    .split('\n\n')
    .map((frame) => {
      assert.match(frame, /^data: \{/)
      return JSON.parse(frame.slice(6))
    })
}
const streamed = (list: readonly Event[], call: ChatCall, size = list.length): Response[] => {
  const encoder = gemini.streamEncoder(call, context)
  let text = ''
  for (let start = 0; start < list.length; start += size) text += encoder.push(list.slice(start, start + size))
  return framesOf(text)
}
const partsOf = (response: Response) => response.candidates?.[0]?.content?.parts ?? []

test('a plain answer has parts in order, usage apart by kind, ids, and the cost as a number', () => {
  const response = gemini.encodeReply(fold(events), seeing, context) as unknown as Response
  const parts = partsOf(response)
  assert.deepEqual(
    parts.map(({ text, thought, functionCall }) => [text, thought, functionCall]),
    [
      ['Hm', true, undefined],
      ['Grüß Gott', undefined, undefined],
      [undefined, undefined, { id: 'call_1', name: 'f', args: { a: 1 } }],
    ],
  )
  assert.equal(response.candidates?.[0]?.finishReason, 'STOP')
  assert.deepEqual(response.usageMetadata, {
    promptTokenCount: 10,
    candidatesTokenCount: 5,
    totalTokenCount: 17,
    thoughtsTokenCount: 2,
    cachedContentTokenCount: 3,
    cost: 0.0125,
  })
  assert.equal(response.responseId, 'msg_1')
  assert.equal(response.modelVersion, 'claude')
  assert.deepEqual(response.candidates?.[0]?.groundingMetadata, {
    groundingChunks: [{ web: { uri: 'https://a.example', title: 'A' } }],
    groundingSupports: [{ segment: { startIndex: 0, endIndex: 6, text: 'Grüß' }, groundingChunkIndices: [0] }],
  })
})

test('a stream says the same, however its events are batched', () => {
  const plain = gemini.encodeReply(fold(events), seeing, context) as unknown as Response
  for (const size of [1, 3, events.length]) {
    const frames = streamed(events, seeing, size)
    const parts = frames.flatMap(partsOf)
    const words = (thought: boolean) =>
      parts
        .filter((part) => (part.thought ?? false) === thought)
        .map(({ text }) => text ?? '')
        .join('')
    assert.equal(words(true), 'Hm')
    assert.equal(words(false), 'Grüß Gott')
    assert.deepEqual(
      parts.flatMap(({ functionCall }) => functionCall ?? []),
      [{ id: 'call_1', name: 'f', args: { a: 1 } }],
    )
    const last = frames.at(-1)
    assert.deepEqual(last?.usageMetadata, plain.usageMetadata)
    assert.deepEqual(last?.candidates?.[0]?.groundingMetadata, plain.candidates?.[0]?.groundingMetadata)
    assert.deepEqual(
      frames.flatMap(({ candidates }) => candidates?.[0]?.finishReason ?? []),
      ['STOP'],
    )
    assert.ok(frames.every(({ responseId, modelVersion }) => responseId === 'msg_1' && modelVersion === 'claude'))
  }
})

test('words of one part that came together go out as one frame', () => {
  assert.equal(streamed(events, seeing).filter((frame) => partsOf(frame).some(({ text }) => text === 'Grüß Gott')).length, 1)
})

test('thoughts are shown to those who asked; what is sealed in them comes back all the same', () => {
  for (const call of [seeing, callWith()])
    for (const parts of [
      partsOf(gemini.encodeReply(fold(events), call, context) as unknown as Response),
      streamed(events, call).flatMap(partsOf),
    ]) {
      assert.equal(
        parts.some(({ thought }) => thought),
        call === seeing,
      )
      const signatures = parts.flatMap(({ thoughtSignature }) => thoughtSignature ?? [])
      // Google's SDKs for typed languages decode the member: it must be base64.
      for (const signature of signatures) assert.equal(Buffer.from(signature, 'base64').toString('base64'), signature)
      // As Google's SDK keeps a stream in its history: a turn for every chunk.
      const echoed = gemini.decodeCall({ contents: parts.map((part) => ({ role: 'model', parts: [part as unknown as JsonObject] })) }, {})
      assert.deepEqual(
        echoed.messages.flatMap(({ parts: own }) =>
          own.flatMap((part) => (part.type === 'reasoning' && part.sealed ? [[part.text, ...part.sealed]] : [])),
        ),
        [['Hm', sealed]],
      )
    }
})

test('every way to end has its reason', () => {
  const reason = (end: Omit<Extract<Event, { type: 'reply-end' }>, 'type'>) => {
    const list: Event[] = [
      { type: 'part-start', index: 0, kind: 'text' },
      { type: 'text-delta', index: 0, text: 'x' },
      { type: 'part-end', index: 0 },
      { type: 'reply-end', ...end },
    ]
    const plain = (gemini.encodeReply(fold(list), callWith(), context) as unknown as Response).candidates?.[0]
    const last = streamed(list, callWith()).at(-1)?.candidates?.[0]
    assert.equal(last?.finishReason, plain?.finishReason)
    return [plain?.finishReason, plain?.finishMessage]
  }
  assert.deepEqual(reason({ finish: 'stop' }), ['STOP', undefined])
  assert.deepEqual(reason({ finish: 'stop-sequence', stopSequence: 'END' }), ['STOP', undefined])
  assert.deepEqual(reason({ finish: 'length' }), ['MAX_TOKENS', undefined])
  assert.deepEqual(reason({ finish: 'filter', raw: 'content_filter', explanation: 'No.' }), ['SAFETY', 'No.'])
  assert.deepEqual(reason({ finish: 'filter', raw: 'RECITATION' }), ['RECITATION', undefined])
  assert.equal(reason({ finish: 'pause' })[0], 'OTHER')
  assert.deepEqual(reason({ finish: 'other', explanation: 'Odd.' }), ['OTHER', 'Odd.'])
})

test('arguments are an object, whatever the model wrote', () => {
  const args = (text: string, freeform = false) => {
    const list: Event[] = [
      { type: 'part-start', index: 0, kind: 'tool-call', id: '', name: 'f', freeform },
      { type: 'text-delta', index: 0, text },
      { type: 'part-end', index: 0 },
      { type: 'reply-end', finish: 'tool-calls' },
    ]
    const [part] = streamed(list, callWith()).flatMap(partsOf)
    assert.equal(part?.functionCall?.id, undefined)
    return part?.functionCall?.args
  }
  assert.deepEqual(args(''), {})
  assert.deepEqual(args('null'), {})
  assert.deepEqual(args('"{\\"a\\":1}"'), { a: 1 })
  assert.deepEqual(args('{"a":'), { arguments: '{"a":' })
  assert.deepEqual(args('ls -l', true), { input: 'ls -l' })
})

test('log probabilities keep their tokens', () => {
  const list: Event[] = [
    { type: 'part-start', index: 0, kind: 'text' },
    { type: 'text-delta', index: 0, text: 'Hi' },
    {
      type: 'part-logprobs',
      index: 0,
      logprobs: [{ token: 'Hi', logprob: -0.5, bytes: [72, 105], top_logprobs: [{ token: 'Ho', logprob: -1, bytes: null }] }],
    },
    { type: 'part-end', index: 0 },
    { type: 'reply-end', finish: 'stop' },
  ]
  const candidate = (gemini.encodeReply(fold(list), callWith(), context) as unknown as Response).candidates?.[0]
  assert.equal(candidate?.avgLogprobs, -0.5)
  assert.deepEqual(candidate?.logprobsResult, {
    chosenCandidates: [{ token: 'Hi', logProbability: -0.5 }],
    topCandidates: [{ candidates: [{ token: 'Ho', logProbability: -1 }] }],
  })
})

test('an empty answer still has a text to read, and no numbers that nobody told', () => {
  const response = gemini.encodeReply(fold([{ type: 'reply-start' }, { type: 'reply-end', finish: 'stop' }]), callWith(), {
    ...context,
    cost: () => undefined,
  })
  assert.deepEqual(response, {
    candidates: [{ content: { role: 'model', parts: [{ text: '' }] }, finishReason: 'STOP', index: 0 }],
    modelVersion: 'target-model',
    responseId: 'req_1',
  })
})

test('an error in a stream is a frame after which nothing comes', () => {
  const encoder = gemini.streamEncoder(callWith(), context)
  const text = encoder.push([
    ...events.slice(0, 8),
    { type: 'error', error: new GatewayError('upstream-overloaded', 'Busy') },
    ...events.slice(8),
  ])
  const frames = text
    .trimEnd()
    .split('\n\n')
    .map((frame) => JSON.parse(frame.slice(6)))
  assert.deepEqual([frames.at(-1).error.code, frames.at(-1).error.status, frames.at(-1).error.message], [503, 'UNAVAILABLE', 'Busy'])
  assert.equal(encoder.push(events), '')
  assert.ok(!text.includes('finishReason'))
})

test('errors have their code, path and patience where the contract says', () => {
  const error = new GatewayError('upstream-rate-limited', 'Slow down', { retryAfterMs: 1500, path: 'contents[0]', providerCode: 'x' })
  const body = gemini.encodeError(error, 'req_1') as { error: { code: number; status: string; details: JsonObject[] } }
  assert.equal(body.error.code, 429)
  assert.equal(body.error.status, 'RESOURCE_EXHAUSTED')
  const [info, request, retry] = body.error.details
  assert.equal(info?.['reason'], 'rate_limited')
  assert.deepEqual(request?.['fieldViolations'], [{ field: 'contents[0]', description: 'Slow down' }])
  assert.equal(retry?.['retryDelay'], '1.5s')
  const told = gemini.decodeError(429, JSON.stringify(body))
  assert.deepEqual([told.message, told.retryAfterMs, told.path], ['Slow down', 1500, 'contents[0]'])
})
