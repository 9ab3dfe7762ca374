/** Bodies that nobody should send: the codec answers with an error of its own, never with an accident. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../../core/error.ts'
import type { JsonObject } from '../../core/json.ts'
import { Notes } from '../../core/notes.ts'
import { gemini } from './wire.ts'

const target = { provider: 'g', model: 'm', wire: 'gemini', capabilities: {}, quirks: {} } as const

const request = {
  contents: [
    {
      role: 'user',
      parts: [{ text: 'x' }, { inlineData: { mimeType: 'image/png', data: 'AA==' } }, { fileData: { fileUri: 'https://a.example/b.pdf' } }],
    },
    {
      role: 'model',
      parts: [{ text: 'y', thought: true, thoughtSignature: 'AA==' }, { functionCall: { id: '1', name: 'f', args: { a: 1 } } }],
    },
    {
      role: 'user',
      parts: [
        {
          functionResponse: { id: '1', name: 'f', response: { r: [1] }, parts: [{ inlineData: { mimeType: 'image/png', data: 'AA==' } }] },
        },
      ],
    },
  ],
  systemInstruction: { parts: [{ text: 's' }] },
  tools: [
    {
      functionDeclarations: [
        { name: 'f', description: 'd', parameters: { type: 'OBJECT', properties: { a: { type: 'STRING', enum: ['b'] } } } },
      ],
    },
  ],
  toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['f'] } },
  generationConfig: {
    temperature: 1,
    stopSequences: ['z'],
    responseMimeType: 'application/json',
    responseSchema: { type: 'OBJECT' },
    thinkingConfig: { thinkingBudget: 5 },
  },
  labels: { a: 'b' },
}
const answer = {
  candidates: [
    {
      content: {
        role: 'model',
        parts: [{ text: 'x' }, { functionCall: { name: 'f', args: { a: 1 } } }, { inlineData: { mimeType: 'image/png', data: 'AA==' } }],
      },
      finishReason: 'STOP',
      index: 0,
      groundingMetadata: {
        groundingChunks: [{ web: { uri: 'u', title: 't' } }],
        groundingSupports: [{ segment: { endIndex: 1 }, groundingChunkIndices: [0] }],
      },
      logprobsResult: { chosenCandidates: [{ token: 'x', logProbability: -1 }] },
    },
  ],
  usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 2, promptTokensDetails: [{ modality: 'TEXT', tokenCount: 1 }] },
  responseId: 'r',
  promptFeedback: {},
}

const odd = [null, true, 5, -1, 1e308, '', 'x', '\ud800', [], {}, [null], [[]], [{}], { a: 1 }]

/** Every place in a value with every odd thing in it, and without anything. */
function* mutations(value: JsonObject): Generator<JsonObject> {
  const places: (string | number)[][] = []
  const walk = (node: unknown, path: (string | number)[]): void => {
    if (typeof node !== 'object' || node === null) return
    for (const [key, child] of Object.entries(node)) {
      places.push([...path, key])
      walk(child, [...path, key])
    }
  }
  walk(value, [])
  for (const place of places)
    for (const thing of [undefined, ...odd]) {
      const copy = structuredClone(value) as Record<string, unknown>
      const holder = place.slice(0, -1).reduce<Record<string, unknown>>((node, key) => node[key] as Record<string, unknown>, copy)
      const last = place.at(-1) as string
      if (thing === undefined) delete holder[last]
      else holder[last] = thing
      yield JSON.parse(JSON.stringify(copy))
    }
}

test('a wrong type at any place of a request is served or refused with its place', () => {
  let refused = 0
  for (const body of mutations(request)) {
    try {
      const call = gemini.decodeCall(body, { model: 'm' })
      for (const wire of ['gemini', 'openai-chat'] as const) JSON.stringify(gemini.encodeCall({ ...call, wire }, target, new Notes()))
    } catch (error) {
      assert.ok(error instanceof GatewayError, String(error))
      assert.ok(error.id === 'invalid-request' || error.id === 'untranslatable', error.message)
      assert.ok(error.path, error.message)
      refused++
    }
  }
  assert.ok(refused > 100)
})

test('a wrong type at any place of an answer ends it once, well or with an error', () => {
  for (const body of mutations(answer)) {
    const text = JSON.stringify(body)
    for (const [streamed, bytes] of [
      [false, text],
      [true, `data: ${text}\n\n`],
    ] as const) {
      const decoder = gemini.replyDecoder({ streamed, target })
      const events = [...decoder.push(new TextEncoder().encode(bytes)), ...decoder.end()]
      assert.equal(events.filter(({ type }) => type === 'reply-end' || type === 'error').length, 1, text)
      assert.ok(events.at(-1)?.type === 'reply-end' || events.at(-1)?.type === 'error', text)
      const tap = gemini.streamTap(target, {})
      tap.push(new TextEncoder().encode(bytes))
      tap.end()
    }
  }
})

test('names of the prototype are names like any other', () => {
  const body = JSON.parse('{"contents":[{"parts":[{"text":"x","__proto__":{"a":1}}]}],"__proto__":{"b":1},"constructor":1}')
  const call = gemini.decodeCall(body, { model: 'm' })
  assert.deepEqual(Object.keys(call.extras ?? {}), ['__proto__', 'constructor'])
  const again = gemini.encodeCall(call, target, new Notes()).body
  assert.equal(JSON.stringify(again).match(/__proto__/g)?.length, 2)
})

test('deep schemas are read to the end', () => {
  let schema: JsonObject = { type: 'STRING' }
  for (let depth = 0; depth < 900; depth++) schema = { type: 'OBJECT', properties: { a: schema } }
  const call = gemini.decodeCall({ contents: 'x', tools: [{ functionDeclarations: [{ name: 'f', parameters: schema }] }] }, { model: 'm' })
  assert.match(JSON.stringify(gemini.encodeCall({ ...call, wire: 'openai-chat' }, target, new Notes()).body), /"type":"string"/)
})

test('an event that is too large is an error, not a full memory', () => {
  const decoder = gemini.replyDecoder({ streamed: true, target, maxEvent: 1000 })
  const events = decoder.push(new TextEncoder().encode(`data: {"candidates":[{"content":{"parts":[{"text":"${'x'.repeat(2000)}`))
  assert.equal(events.at(-1)?.type, 'error')
})
