import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Content } from '@google/genai'
import type { Part } from '../../core/call.ts'
import { GatewayError } from '../../core/error.ts'
import { Notes } from '../../core/notes.ts'
import type { Capabilities } from '../../core/target.ts'
import { type Body, called, encode, picture, result, text, tool, turn } from './fixtures/encode.ts'
import { gemini } from './wire.ts'

test('turns alternate, instructions stand apart, and neither model nor stream is in the body', () => {
  const { body, dropped } = encode({
    messages: [
      turn('system', text('Be brief.')),
      turn('user', text('Hi')),
      turn('user', text('there')),
      turn('assistant', text('Yes')),
      turn('assistant', text('?')),
      turn('user', text('Bye')),
    ],
  })
  assert.deepEqual(body, {
    contents: [
      { role: 'user', parts: [{ text: 'Hi' }, { text: 'there' }] },
      { role: 'model', parts: [{ text: 'Yes' }, { text: '?' }] },
      { role: 'user', parts: [{ text: 'Bye' }] },
    ],
    systemInstruction: { parts: [{ text: 'Be brief.' }] },
  } satisfies Body)
  assert.deepEqual(dropped, [])
})

test('a system text in mid-conversation becomes a reminder in the next user turn', () => {
  const { body } = encode({
    messages: [
      turn('user', text('Hi')),
      turn('assistant', text('Yes')),
      turn('system', text('Now in French.')),
      turn('user', text('Go on')),
    ],
  })
  assert.deepEqual(body.contents.at(-1)?.parts, [{ text: '<system-reminder>\nNow in French.\n</system-reminder>' }, { text: 'Go on' }])
})

test('a model without a system prompt finds the instructions in the first user turn, and that is named', () => {
  const { body, dropped } = encode({ messages: [turn('system', text('Be brief.')), turn('user', text('Hi'))] }, { systemPrompt: false })
  assert.deepEqual(body, { contents: [{ role: 'user', parts: [{ text: 'Be brief.' }, { text: 'Hi' }] }] } satisfies Body)
  assert.deepEqual(dropped, ['messages(system)'])
})

test('the conversation begins with the user', () => {
  const { body, dropped } = encode({ messages: [turn('assistant', text('Hello!')), turn('user', text('Hi'))] })
  assert.deepEqual(
    body.contents.map(({ role }) => role),
    ['user', 'model', 'user'],
  )
  assert.equal(dropped.length, 1)
})

test('all results stand in one turn after their calls, in the order of the calls, with their names', () => {
  const { body } = encode({
    messages: [
      turn('user', text('Go')),
      turn('assistant', called('x', 'f'), called('y', 'g')),
      turn('user', result('y', 'two')),
      turn('user', result('x', 'one', { isError: true }), text('And?')),
    ],
    tools: [tool('f'), tool('g')],
  })
  assert.deepEqual(body.contents.slice(1), [
    {
      role: 'model',
      parts: [{ functionCall: { id: 'x', name: 'f', args: { a: 1 } } }, { functionCall: { id: 'y', name: 'g', args: { a: 1 } } }],
    },
    {
      role: 'user',
      parts: [
        { functionResponse: { id: 'x', name: 'f', response: { error: 'one' } } },
        { functionResponse: { id: 'y', name: 'g', response: { output: 'two' } } },
        { text: 'And?' },
      ],
    },
  ] satisfies Content[])
})

test('a result that comes late moves to its call, by name; one without a call is told in words; a missing one is put in', () => {
  const { body, dropped } = encode({
    messages: [
      turn('user', text('Go')),
      turn('assistant', called('x'), called('z')),
      turn('user', text('Wait')),
      turn('assistant', text('Waiting')),
      turn('user', result('x', 'late'), result('?', 'stray')),
    ],
  })
  assert.deepEqual(body.contents[2]?.parts?.[0], { functionResponse: { id: 'x', name: 'f', response: { output: 'late' } } })
  assert.match(JSON.stringify(body.contents[2]?.parts?.[1]), /"id":"z".*"error"/)
  assert.deepEqual(body.contents.at(-1)?.parts, [{ text: 'stray' }])
  assert.deepEqual(dropped.toSorted(), ['call(z).result', 'result(?)', 'result(x)'])
})

test('pictures in results stand inside them, or after them where the model cannot take that', () => {
  const messages = [
    turn('user', text('Go')),
    turn('assistant', called('x')),
    turn('user', result('x', 'see', { content: [text('see'), picture('p')] })),
  ]
  const inlineData = { mimeType: 'image/png', data: 'AA==' }
  const response = { id: 'x', name: 'f', response: { output: 'see' } }
  assert.deepEqual(encode({ messages }).body.contents[2]?.parts, [{ functionResponse: { ...response, parts: [{ inlineData }] } }])
  assert.deepEqual(encode({ messages }, { toolResultMedia: false }).body.contents[2]?.parts, [
    { functionResponse: response },
    { inlineData },
  ])
})

test("Google's signatures return; a model that wants one gets the stand-in on the first call of each turn", () => {
  const google = { vendor: 'google', kind: 'thought-signature', value: 'Ckt=' } as const
  const messages = [
    turn('user', text('Go')),
    turn('assistant', called('x', 'f', { sealed: [google] }), called('y')),
    turn('user', result('x', '1'), result('y', '2')),
    turn('assistant', called('z'), called('w')),
    turn('user', result('z', '3'), result('w', '4')),
  ]
  const signatures = (capabilities: Capabilities) =>
    encode({ messages }, capabilities).body.contents.flatMap(({ role, parts }) =>
      role === 'model' ? [parts?.map((part) => part.thoughtSignature)] : [],
    )
  assert.deepEqual(signatures({}), [
    ['Ckt=', undefined],
    [undefined, undefined],
  ])
  assert.deepEqual(signatures({ needsThoughtSignature: true }), [
    ['Ckt=', undefined],
    ['skip_thought_signature_validator', undefined],
  ])
})

test('thinking travels as thoughts; what another vendor sealed stays away, by name', () => {
  const sealed = [{ vendor: 'anthropic', kind: 'signature', value: 's' }] as const
  const { body, dropped } = encode({
    messages: [
      turn('user', text('Go')),
      turn(
        'assistant',
        { type: 'reasoning', path: 'r1', text: 'Hm', sealed },
        { type: 'reasoning', path: 'r2', text: '', sealed },
        text('So'),
      ),
    ],
  })
  assert.deepEqual(body.contents[1]?.parts, [{ text: 'Hm', thought: true }, { text: 'So' }])
  assert.deepEqual(dropped, ['r1.signature', 'r2'])
  assert.ok(!JSON.stringify(body).includes('"s"'))
})

test('media: bytes, addresses, data URLs, texts; a file stored elsewhere is refused', () => {
  const media = (source: object, kind = 'document'): Part => ({ type: 'media', path: 'm', kind, source }) as Part
  const { body } = encode({
    messages: [
      turn(
        'user',
        media({ type: 'url', url: 'https://a.example/x.png?size=1' }, 'image'),
        media({ type: 'url', url: 'data:audio/wav;base64,AA==' }, 'audio'),
        media({ type: 'text', text: 'Grüße', mime: 'text/plain' }),
      ),
    ],
  })
  assert.deepEqual(body.contents[0]?.parts, [
    { fileData: { mimeType: 'image/png', fileUri: 'https://a.example/x.png?size=1' } },
    { inlineData: { mimeType: 'audio/wav', data: 'AA==' } },
    { inlineData: { mimeType: 'text/plain', data: Buffer.from('Grüße').toString('base64') } },
  ])
  assert.throws(
    () => encode({ messages: [turn('user', media({ type: 'file', id: 'file-1' }))] }),
    (error) => error instanceof GatewayError && error.id === 'untranslatable' && error.path === 'm',
  )
})

test('what came in this dialect goes back as it was', () => {
  const body = {
    contents: [
      { role: 'user', parts: [{ text: 'x', partMetadata: { a: 1 } }, { fileData: { mimeType: 'application/pdf', fileUri: 'files/abc' } }] },
      { role: 'model', parts: [{ functionCall: { name: 'f', args: {} }, thoughtSignature: 'Ckt=' }, { executableCode: { code: '1' } }] },
      { role: 'user', parts: [{ functionResponse: { name: 'f', response: { r: 1 }, scheduling: 'SILENT' } }] },
    ],
    systemInstruction: { role: 'user', parts: [{ text: 's' }] },
    tools: [{ functionDeclarations: [{ name: 'f', parameters: { type: 'OBJECT' }, behavior: 'BLOCKING' }] }, { googleSearch: {} }],
    toolConfig: { functionCallingConfig: { mode: 'VALIDATED' }, includeServerSideToolInvocations: true },
    generationConfig: { candidateCount: 2, speechConfig: { a: 1 }, thinkingConfig: { thinkingBudget: 0, includeThoughts: false } },
    safetySettings: [{ category: 'X' }],
    labels: { team: 'a' },
    cachedContent: 'cachedContents/1',
  }
  const notes = new Notes()
  const call = gemini.decodeCall(body, { model: 'm' })
  const again = gemini.encodeCall(call, { provider: 'g', model: 'm', wire: 'gemini', capabilities: {}, quirks: {} }, notes)
  assert.deepEqual(again.body, body)
  assert.equal(again.restore, undefined)
  assert.deepEqual(notes.drops, [])
})
