/** What is carried on, what is not, and how it is told and counted. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callers, ENDINGS } from './continue-callers.ts'
import { continueRig, type Script, TEXT, wires } from './continue-rig.ts'

const CHAT = '/v1/chat/completions'

async function raw(script: Script, members: Readonly<Record<string, unknown>> = {}, headers: Readonly<Record<string, string>> = {}) {
  const rig = continueRig(script)
  const response = await rig.gateway.fetch(
    new Request(`http://gateway.test${CHAT}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ model: 'story', stream: true, messages: [{ role: 'user', content: 'Tell me a story.' }], ...members }),
    }),
  )
  const body = await response.text()
  const text = [...body.matchAll(/^data: (\{.*)$/gm)].map(([, data = '']) => JSON.parse(data).choices?.[0]?.delta?.content ?? '').join('')
  await rig.gateway.close()
  return { ...rig, response, body, text, outcome: rig.outcomes[0] }
}

const both = (script: Partial<Script> = {}): Script => ({ first: 'openai-chat', second: 'openai-chat', after: 8, ...script })

const SCHEMA = { type: 'object', properties: { words: { type: 'array', items: { type: 'string' } } }, required: ['words'] }
const structured = { response_format: { type: 'json_schema', json_schema: { name: 'words', schema: SCHEMA } } }
const JSON_TEXT = '{"words": ["one", "one", "one", "two and three", "four five", "six seven eight"]}'
const TOOLS = [
  { type: 'function', function: { name: 'look_up', parameters: { type: 'object', properties: { word: { type: 'string' } } } } },
]

const parameters = { type: 'object', properties: { word: { type: 'string' } } }
const toolsFor = (caller: (typeof wires)[number]): Readonly<Record<string, unknown>> =>
  ({
    'openai-chat': { tools: TOOLS },
    'openai-responses': { tools: [{ type: 'function', name: 'look_up', parameters, strict: false }] },
    'anthropic-messages': { tools: [{ name: 'look_up', input_schema: parameters }] },
    gemini: { tools: [{ functionDeclarations: [{ name: 'look_up', parameters }] }] },
  })[caller]

// ---- told and counted ------------------------------------------------------------------------------------------------

test('a comment in the stream, the reason and the attempts say that the answer was carried on', async () => {
  const { body, text, outcome, sent } = await raw(both())
  assert.equal(text, TEXT)
  assert.match(body, /^: signalbox \{"continued":1\}$/m)
  assert.match(outcome?.reason ?? '', /a upstream-unreachable in mid-stream, continued by b/)
  assert.equal(outcome?.provider, 'b')
  assert.deepEqual(
    outcome?.attempts.map(({ provider, fault }) => [provider, fault]),
    [
      ['a', 'upstream-unreachable'],
      ['b', undefined],
    ],
  )
  assert.equal(sent.length, 2)
})

test('usage is the sum of all targets; what one of them did not get to tell is estimated, and marked', async () => {
  const { outcome, text, whole, frames } = await raw(both({ first: 'anthropic-messages', second: 'gemini', after: 9 }), {
    stream_options: { include_usage: true },
  })
  assert.equal(text, TEXT)
  assert.ok(frames() > 9)
  const [first = '', second = ''] = whole
  const number = (from: string, name: string): number => Number([...from.matchAll(new RegExp(`"${name}":(\\d+)`, 'g'))].at(-1)?.[1])
  // The first told its input at its start, and of its output only the words that came: six deltas of the text.
  const said = [...first.matchAll(/"text_delta","text":("(?:[^"\\\\]|\\\\.)*")/g)].map(([, json = '""']) => JSON.parse(json) as string)
  const came = (
    first
      .split(/\n\n/)
      .slice(0, 9)
      .join('')
      .match(/text_delta/g) ?? []
  ).length
  const estimate = Math.ceil(said.slice(0, came).join('').length / 4)
  assert.equal(outcome?.usage?.input, number(first, 'input_tokens') + number(second, 'promptTokenCount'))
  assert.equal(outcome?.usage?.output, estimate + number(second, 'candidatesTokenCount'))
  assert.equal(outcome?.usage?.estimated, true)
})

test('a count that was told before any word came is not taken for the count of the words', async () => {
  const { outcome, whole } = await raw(both({ first: 'gemini', second: 'gemini', after: 9 }))
  const last = Number([...(whole[1] ?? '').matchAll(/"candidatesTokenCount":(\d+)/g)].at(-1)?.[1])
  assert.equal(outcome?.usage?.estimated, true)
  assert.ok((outcome?.usage?.output ?? 0) > last)
})

test('each part is priced at its own target, and a part without a price leaves the cost unknown', async () => {
  const price = { input: 1, output: 10 }
  const targets = (second: object) => ({
    targets: [
      { provider: 'a', model: 'some-model', price },
      { provider: 'b', model: 'some-model', ...second },
    ],
  })
  const priced = await raw(both({ route: targets({ price: { input: 100, output: 1000 } }) }))
  const cheap = await raw(both({ route: targets({ price }) }))
  const { input = 0, output = 0 } = cheap.outcome?.usage ?? {}
  assert.equal(cheap.outcome?.cost, BigInt(input * 1000 + output * 10_000))
  assert.ok((priced.outcome?.cost ?? 0n) > (cheap.outcome?.cost ?? 0n))
  assert.ok((priced.outcome?.cost ?? 0n) < 100n * (cheap.outcome?.cost ?? 0n))
  assert.equal(priced.outcome?.costEstimated, true)
  assert.equal((await raw(both({ route: targets({}) }))).outcome?.cost, undefined)
})

// ---- who goes on ------------------------------------------------------------------------------------------------------

test('without the setting a broken stream ends with an error and nobody else is asked', async () => {
  const { body, sent, outcome } = await raw(both({ onBreak: 'error' }))
  assert.match(body, /"error"/)
  assert.doesNotMatch(body, /\[DONE\]|"finish_reason":"/)
  assert.equal(sent.length, 1)
  assert.equal(outcome?.error?.code, 'upstream_unavailable')
})

test('the only target is asked again', async () => {
  const { text, sent } = await raw(both({ alone: true }))
  assert.equal(text, TEXT)
  assert.deepEqual(
    sent.map(({ provider }) => provider),
    ['a', 'a'],
  )
})

test('targets that all keep breaking off end in an error, in the end', async () => {
  const { body, text, sent, outcome } = await raw(both({ after: 4, thenAfter: 4 }))
  assert.ok(TEXT.startsWith(text) && text.length > 10, text)
  assert.match(body, /"error"/)
  assert.doesNotMatch(body, /\[DONE\]/)
  assert.equal(sent.length, 3)
  assert.equal(outcome?.attempts.length, 3)
  assert.ok(outcome?.error)
})

test('an answer that is begun anew and goes another way is not taken for its continuation', async () => {
  const long =
    'It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, and then it went on.'
  const { body, text } = await raw(both({ text: long, after: 24, says: `${long.slice(0, 90)} BUT IN OTHER WORDS, as it happens.` }))
  assert.doesNotMatch(text, /OTHER WORDS/)
  assert.match(body, /"error"/)
})

test('a target that goes on with its own turn gets it last, without an instruction', async () => {
  for (const target of [
    { wire: 'anthropic-messages', preset: 'anthropic', model: 'claude-sonnet-4-5' },
    { wire: 'openai-chat', preset: 'mistral', model: 'mistral-large-latest' },
  ] as const) {
    const { text, sent } = await raw(both({ second: target.wire, target, after: 12 }))
    assert.equal(text, TEXT, target.preset)
    const messages = sent[1]?.body['messages'] as { role: string; prefix?: boolean }[]
    assert.equal(messages.at(-1)?.role, 'assistant', target.preset)
    assert.equal(messages.length, 2)
    if (target.wire === 'openai-chat') assert.equal(messages.at(-1)?.prefix, true)
  }
})

test('the limit on tokens holds for the whole answer', async () => {
  const { sent } = await raw(both({ after: 20 }), { max_tokens: 200 })
  const limit = Number(sent[1]?.body['max_tokens'] ?? sent[1]?.body['max_completion_tokens'])
  assert.ok(limit < 200 && limit > 100, String(limit))
})

// ---- what is not carried on ---------------------------------------------------------------------------------------------

for (const caller of wires) {
  test(`a ${caller} caller gets an error of its dialect where a tool call had begun`, async () => {
    const tools = toolsFor(caller)
    const rig = continueRig({ first: caller, second: caller, simulation: { tools: 'all', text: undefined } })
    rig.play({ after: undefined })
    await callers[caller](rig.gateway, tools)
    // The last frames tell the ending; the ones before them are of the call, from its first sign on.
    const [from, to] = { 'openai-chat': [2, 3], 'openai-responses': [3, 1], 'anthropic-messages': [3, 2], gemini: [1, 1] }[caller] as [
      number,
      number,
    ]
    const last = rig.frames() - to
    assert.ok(last >= from)
    for (let after = from; after <= last; after++) {
      rig.play({ after })
      await assert.rejects(callers[caller](rig.gateway, tools), Error, `after ${after} of ${rig.frames()}`)
      assert.equal(rig.sent.length, 1, `after ${after}`)
      assert.ok(rig.outcomes[0]?.error)
    }
    await rig.gateway.close()
  })
}

test('not where several answers are asked for, nor a refusal', async () => {
  const several = await raw(both(), { n: 2 })
  assert.match(several.body, /"error"/)
  assert.equal(several.sent.length, 1)
  const refusal = await raw(both({ after: 3, simulation: { finish: 'refusal' } }))
  assert.match(refusal.body, /"error"/)
  assert.equal(refusal.sent.length, 1)
})

test('structured output goes on only where it is continued exactly, and only if it is valid then', async () => {
  const anthropic = { second: 'anthropic-messages', target: { preset: 'anthropic', model: 'claude-sonnet-4-5' } } as const
  const asked = await raw(both({ text: JSON_TEXT }), structured)
  assert.match(asked.body, /"error"/)
  assert.doesNotMatch(asked.body, /\[DONE\]/)
  assert.equal(asked.sent.length, 1)
  for (let after = 2; after < 12; after++) {
    const { text, sent, outcome } = await raw(both({ ...anthropic, text: JSON_TEXT, after }), structured)
    assert.equal(text, JSON_TEXT, `after ${after}`)
    assert.equal(outcome?.error, undefined)
    assert.equal(sent[1]?.body['tool_choice'], undefined)
    assert.match(JSON.stringify(sent[1]?.body['system'] ?? ''), after > 2 ? /JSON Schema/ : /./)
  }
  const wrong = await raw(both({ ...anthropic, text: JSON_TEXT, says: ', and so on.' }), structured)
  assert.match(wrong.body, /"error"/)
  assert.doesNotMatch(wrong.body, /\[DONE\]|"finish_reason":"stop"/)
})

// ---- thinking -----------------------------------------------------------------------------------------------------------

const THOUGHT = 'First I think of a fox, then of the sea, and of how it ends.'
const thinking = {
  'openai-chat': { reasoning_effort: 'low' },
  'openai-responses': { reasoning: { effort: 'low', summary: 'auto' } },
  'anthropic-messages': { thinking: { type: 'enabled', budget_tokens: 1024 } },
  gemini: { thinkingConfig: { includeThoughts: true } },
}

for (const caller of wires) {
  test(`a ${caller} caller: a thought that broke off is left behind, and the answer is whole`, async () => {
    const rig = continueRig({
      first: caller,
      second: caller,
      simulation: { reasoning: THOUGHT },
      thenSimulation: { reasoning: 'Let me see.' },
    })
    let frames = 2
    for (let after = 1; after < frames; after++) {
      rig.play({ after })
      const where = `after ${after}`
      const heard = await callers[caller](rig.gateway, thinking[caller]).catch((error) => assert.fail(`${where}: ${error}`))
      frames = rig.frames()
      assert.equal(heard.text, TEXT, where)
      assert.equal(heard.finish, ENDINGS[caller], where)
      // No thought is quoted to the next model.
      for (const { body } of rig.sent.slice(1)) assert.doesNotMatch(JSON.stringify(body), /I think of a fox/, where)
    }
    await rig.gateway.close()
  })
}

test('thinking in tags among the words is not carried on in its middle', async () => {
  const { body, sent } = await raw(both({ text: `<think>${'I wonder. '.repeat(200)}</think>Yes.`, after: 190 }))
  assert.match(body, /"error"/)
  assert.doesNotMatch(body, /\[DONE\]/)
  assert.ok(sent.length <= 1)
})

// ---- restart ------------------------------------------------------------------------------------------------------------

test('a new answer is only for callers who accept it', async () => {
  const { body, sent } = await raw(both({ onBreak: 'restart' }))
  assert.match(body, /"error"/)
  assert.equal(sent.length, 1)
})

test('a new answer begins with the event that voids what came before', async () => {
  for (const first of ['openai-chat', 'anthropic-messages'] as const) {
    const { body, sent, outcome } = await raw(both({ first, onBreak: 'restart' }), {}, { 'x-signalbox-restart': 'accept' })
    const [, after = ''] = body.split(/(?=data: \{"signalbox":\{"restart":1\})/)
    const text = [...after.matchAll(/^data: (\{.*)$/gm)]
      .map(([, data = '']) => JSON.parse(data).choices?.[0]?.delta?.content ?? '')
      .join('')
    assert.equal(text, TEXT)
    assert.match(body, /\[DONE\]/)
    assert.deepEqual(sent[1]?.body['messages'], [{ role: 'user', content: 'Tell me a story.' }])
    assert.match(outcome?.reason ?? '', /restarted by b/)
  }
})

for (const caller of wires) {
  for (const first of [caller, caller === 'gemini' ? 'openai-chat' : 'gemini'] as const) {
    test(`a ${caller} caller: what ${first} began is begun anew, in events that the SDK takes`, async () => {
      const rig = continueRig({ first, second: 'anthropic-messages', onBreak: 'restart' })
      let frames = 2
      for (let after = 1; after < frames; after++) {
        rig.play({ after, how: after % 2 ? 'error' : 'half' })
        const where = `after ${after}`
        const heard = await callers[caller](rig.gateway, {}, { 'x-signalbox-restart': 'accept' }).catch((error) => error as Error)
        frames = rig.frames()
        // Responses tells the whole answer at the end, without what is void.
        if (heard instanceof Error) assert.match(heard.message, caller === 'openai-responses' ? /^the sum differs: Once upon/ : /^$/, where)
        else assert.ok(heard.text.endsWith(TEXT), `${where}: ${heard.text}`)
        assert.equal(rig.outcomes[0]?.error, undefined, where)
      }
      await rig.gateway.close()
    })
  }
}

for (const caller of wires) {
  test(`a ${caller} caller: a tool call that broke off is void, and the new answer is whole`, async () => {
    const simulation = { tools: [{ name: 'look_up', arguments: { word: 'fox and hound' } }], text: undefined }
    const rig = continueRig({ first: caller, second: 'openai-chat', onBreak: 'restart', simulation })
    let frames = 4
    for (let after = 3; after < frames; after++) {
      rig.play({ after })
      const heard = await callers[caller](rig.gateway, toolsFor(caller), { 'x-signalbox-restart': 'accept' }).catch(
        (error) => error as Error,
      )
      frames = rig.frames()
      const where = `after ${after} of ${frames}`
      assert.equal(rig.outcomes[0]?.error, undefined, where)
      if (rig.sent.length < 2) continue
      assert.ok(!(heard instanceof Error) && heard.text.endsWith(TEXT), `${where}: ${heard instanceof Error ? heard.stack : heard.text}`)
      assert.equal(heard.finish, ENDINGS[caller], where)
    }
    await rig.gateway.close()
  })
}

// ---- the commit point -----------------------------------------------------------------------------------------------------

test('what breaks while it is held back goes to the next target unseen', async () => {
  for (const first of ['openai-chat', 'gemini'] as const) {
    const { body, text, response, sent } = await raw(both({ first, onBreak: 'error', after: 6, route: { commit: { hold: '300ms' } } }))
    assert.equal(text, TEXT)
    assert.doesNotMatch(body, /signalbox|"error"/)
    assert.match(response.headers.get('x-signalbox-reason') ?? '', /^fallback/)
    assert.equal(sent.length, 2)
    assert.equal(response.headers.get('x-signalbox-attempts'), '2')
  }
})

test('what breaks after the hold does not', async () => {
  const { body, sent } = await raw(both({ onBreak: 'error', after: 12, eventMs: 20, route: { commit: { hold: '60ms' } } }))
  assert.match(body, /"error"/)
  assert.equal(sent.length, 1)
})

test('a stream that is too slow while it is held goes to the next target', async () => {
  const slow = both({ onBreak: 'error', after: undefined, eventMs: 40 })
  const patient = await raw({ ...slow, route: { commit: { hold: '100ms' } } })
  assert.deepEqual([patient.text, patient.sent.length], [TEXT, 1])
  const probed = await raw({ ...slow, route: { commit: { hold: '100ms', events: 20 } } })
  assert.deepEqual([probed.text, probed.sent.length], [TEXT, 2])
  assert.equal(probed.outcome?.attempts[0]?.fault, 'upstream-timeout')
})

// ---- callers that leave ---------------------------------------------------------------------------------------------------

test('a caller that leaves while the next target answers ends the call', async () => {
  const rig = continueRig(both({ thenSimulation: { eventMs: 20 } }))
  const controller = new AbortController()
  const response = await rig.gateway.fetch(
    new Request(`http://gateway.test${CHAT}`, {
      method: 'POST',
      signal: controller.signal,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'story', stream: true, messages: [{ role: 'user', content: 'Tell me a story.' }] }),
    }),
  )
  const reader = response.body?.getReader()
  let body = ''
  while (!body.includes('signalbox')) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined }
    if (done) break
    body += new TextDecoder().decode(value)
  }
  await reader?.cancel()
  controller.abort()
  for (let tries = 0; rig.outcomes.length === 0 && tries < 50; tries++) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(rig.outcomes.length, 1)
  assert.equal(rig.outcomes[0]?.error?.code, 'client_closed')
  assert.equal(rig.outcomes[0]?.attempts.length, 2)
  await rig.gateway.close()
})
