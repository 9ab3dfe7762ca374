/** Replies that pause and are asked to go on, through the line, with the simulator's own pauses. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainBody } from '../../test/bad-input/fixtures.ts'
import { ask, type DialectId, dialects, pathOf, rig } from '../../test/bad-input/rig.ts'
import { createSimulator, simulatorTransport } from '../testing/index.ts'

const words = 'one two three four five six seven eight nine ten'
const prompt = `simulate: {"text": "${words}", "finish": "pause"}`

const said: Readonly<Record<DialectId, (text: string) => string>> = {
  'openai-chat': (text) => JSON.parse(text).choices[0].message.content,
  'openai-responses': (text) =>
    JSON.parse(text)
      .output.filter((item: { type: string }) => item.type === 'message')
      .flatMap((item: { content: { text: string }[] }) => item.content.map((part) => part.text))
      .join(''),
  'anthropic-messages': (text) =>
    JSON.parse(text)
      .content.map((block: { text?: string }) => block.text ?? '')
      .join(''),
  gemini: (text) =>
    JSON.parse(text)
      .candidates[0].content.parts.map((part: { text?: string }) => part.text ?? '')
      .join(''),
}

for (const provider of ['anthropic-messages', 'gemini'] as const)
  for (const dialect of dialects.filter((one) => one !== provider))
    for (const streamed of [false, true])
      test(`${dialect} reads a whole reply of ${provider} that paused${streamed ? ', streamed' : ''}`, async () => {
        const simulator = createSimulator()
        const under = rig({ transport: simulatorTransport(simulator) })
        const body = plainBody(dialect, `${provider}/echo`, prompt)
        if (dialect === 'anthropic-messages') body['max_tokens'] = 1_000
        if (dialect !== 'gemini') body['stream'] = streamed
        const got = await ask(under, pathOf(dialect, `${provider}/echo`, streamed), JSON.stringify(body))
        assert.equal(got.status, 200, got.text)
        assert.ok(simulator.calls.length >= 2, 'nobody asked it to go on')
        if (streamed) {
          for (const word of words.split(' '))
            assert.equal(got.text.split(new RegExp(`\\b${word}\\b`)).length > 1, true, `${word}: ${got.text}`)
          assert.doesNotMatch(got.text, /"error":\{|pause/)
        } else {
          assert.equal(said[dialect](got.text).replace(/\s+/g, ' ').trim(), words)
          assert.equal(got.headers['x-signalbox-attempts'], String(simulator.calls.length))
        }
      })

test('on its own wire a pause is the caller’s to follow', async () => {
  const simulator = createSimulator()
  const under = rig({ transport: simulatorTransport(simulator) })
  const got = await ask(
    under,
    '/v1/messages',
    JSON.stringify({ ...plainBody('anthropic-messages', 'anthropic-messages/echo', prompt), max_tokens: 1_000 }),
  )
  assert.match(got.text, /"stop_reason":"pause_turn"/)
  assert.equal(simulator.calls.length, 1)
})
