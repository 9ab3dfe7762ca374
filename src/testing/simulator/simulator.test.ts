import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOf, type HttpRequest } from '../../core/http.ts'
import { createSimulator, type SimulatedWireId, type Simulation, type Simulator, type SimulatorOptions } from '../index.ts'

interface Spoken {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

interface Words {
  readonly model?: string
  readonly stream?: boolean
  readonly body?: object
  readonly signal?: AbortSignal
}

/** One request per wire that says `text`. */
const requests: Readonly<Record<SimulatedWireId, (text: string, words?: Words) => HttpRequest>> = {
  'openai-chat': (text, { model = 'echo', stream = false, body } = {}) =>
    request('/v1/chat/completions', { model, stream, messages: [{ role: 'user', content: text }], ...body }),
  'openai-responses': (text, { model = 'echo', stream = false, body } = {}) =>
    request('/v1/responses', { model, stream, input: text, ...body }),
  'anthropic-messages': (text, { model = 'echo', stream = false, body } = {}) =>
    request(
      '/v1/messages',
      { model, stream, max_tokens: 1000, messages: [{ role: 'user', content: text }], ...body },
      { 'anthropic-version': '2023-06-01' },
    ),
  gemini: (text, { model = 'echo', stream = false, body } = {}) =>
    request(
      `/v1beta/models/${model}:${stream ? 'streamGenerateContent' : 'generateContent'}`,
      { contents: [{ role: 'user', parts: [{ text }] }], ...body },
      {},
      stream ? 'alt=sse' : '',
    ),
}
const wires = Object.keys(requests) as SimulatedWireId[]

function request(path: string, body: object, headers: Record<string, string> = {}, query = ''): HttpRequest {
  return { method: 'POST', path, query, headers, body: bytesOf(JSON.stringify(body)) }
}

async function ask(simulator: Simulator, made: HttpRequest, signal?: AbortSignal): Promise<Spoken> {
  const { status, headers, body } = await simulator.handle(made, signal)
  if (body instanceof Uint8Array) return { status, headers, text: new TextDecoder().decode(body) }
  let text = ''
  for await (const bytes of body) text += Buffer.from(bytes).toString('latin1')
  return { status, headers, text }
}

const say = (wire: SimulatedWireId, text: string, words: Words = {}, options: SimulatorOptions = {}): Promise<Spoken> =>
  ask(createSimulator(options), requests[wire](text, words), words.signal)

const told = (simulation: Simulation, text = 'Hello there, dear reader'): string => `simulate: ${JSON.stringify(simulation)}\n${text}`

/** Every `text`-like member of a stream's events, joined. */
function streamedText(text: string): string {
  const members = [...text.matchAll(/"(?:content|text|delta)":"((?:[^"\\]|\\.)*)"/g)]
  return members.map(([, value]) => JSON.parse(`"${value}"`) as string).join('')
}

for (const wire of wires) {
  test(`${wire}: says back what it is told, plain and streamed`, async () => {
    const plain = await say(wire, 'Hello there')
    assert.equal(plain.status, 200)
    assert.match(plain.text, /You said: Hello there/)
    const streamed = await say(wire, 'Hello there', { stream: true })
    assert.match(streamed.headers['content-type'] ?? '', /event-stream/)
    assert.match(streamedText(streamed.text), /You said: Hello there/)
  })

  test(`${wire}: gives the same answer to the same request`, async () => {
    const options = { clock: { now: () => 0 } }
    assert.deepEqual(await say(wire, 'Hello', {}, options), await say(wire, 'Hello', {}, options))
  })

  test(`${wire}: thinks when the model is called think`, async () => {
    assert.match((await say(wire, 'Why?', { model: 'think' })).text, /Let me think/)
  })

  test(`${wire}: counts tokens that come again as cached`, async () => {
    const simulator = createSimulator({ cacheMinTokens: 4 })
    const body = wire === 'anthropic-messages' ? { cache_control: { type: 'ephemeral' } } : {}
    const text = 'A long text that is worth keeping for the next call.'
    const cached = async () => {
      const { text: answer } = await ask(simulator, requests[wire](text, { body }))
      const [, tokens] = /"(?:cached_tokens|cache_read_input_tokens|cachedContentTokenCount)":(\d+)/.exec(answer) ?? []
      return Number(tokens ?? 0)
    }
    assert.equal(await cached(), 0)
    assert.ok((await cached()) > 10)
  })

  for (const stream of [false, true]) {
    const form = stream ? 'streamed' : 'plain'
    test(`${wire}, ${form}: fails with the status it is told, in the vendor's envelope`, async () => {
      const failed = await say(wire, told({ status: 503, retryAfter: 2, message: 'Busy' }), { stream })
      assert.equal(failed.status, 503)
      assert.equal(failed.headers['retry-after'], '2')
      const body = JSON.parse(failed.text) as { error: { message: string } }
      assert.equal(body.error.message, 'Busy')
    })

    test(`${wire}, ${form}: truncates without an ending`, async () => {
      const { status, text } = await say(wire, 'Hello there, dear reader', { stream, model: 'truncate' })
      assert.equal(status, 200)
      if (!stream) {
        assert.throws(() => JSON.parse(text))
        return
      }
      assert.match(streamedText(text), /You said: /)
      assert.doesNotMatch(text, /\[DONE\]|response\.completed|message_stop|finishReason|"stop"/)
    })

    test(`${wire}, ${form}: breaks the connection`, async () => {
      await assert.rejects(say(wire, 'Hello there', { stream, model: 'refuse' }), /refused/)
      await assert.rejects(say(wire, 'Hello there', { stream, model: 'reset' }), /broke/)
    })

    test(`${wire}, ${form}: stalls until the caller leaves`, async () => {
      const simulator = createSimulator()
      // Not AbortSignal.timeout: its timer lets the process end, and nothing else is there to wait for.
      const caller = new AbortController()
      setTimeout(() => caller.abort(), 30)
      await assert.rejects(ask(simulator, requests[wire]('Hello there', { stream, model: 'stall' }), caller.signal))
      assert.equal(simulator.calls[0]?.ended, 'aborted')
    })

    test(`${wire}, ${form}: tells an error under status 200`, async () => {
      const { status, text } = await say(wire, 'Hello there', { stream, model: 'error-in-200' })
      assert.equal(status, 200)
      assert.match(text, /"error"|response\.failed/)
      assert.doesNotMatch(text, /You/)
    })

    test(`${wire}, ${form}: drips the whole answer byte by byte`, async () => {
      const sizes: number[] = []
      const simulator = createSimulator({ simulation: { fault: 'drip', eventMs: 0 }, clock: { sleep: () => Promise.resolve() } })
      const { body } = await simulator.handle(requests[wire]('Hello', { stream }))
      assert.ok(!(body instanceof Uint8Array))
      for await (const bytes of body) sizes.push(bytes.length)
      assert.ok(sizes.every((size) => size === 1))
      assert.ok(sizes.length > 100)
    })

    test(`${wire}, ${form}: never ends when told so`, async () => {
      const { body } = await createSimulator({ simulation: { fault: 'endless' } }).handle(requests[wire]('Hello', { stream }))
      let seen = 0
      assert.ok(!(body instanceof Uint8Array))
      for await (const bytes of body) {
        seen += bytes.length
        if (seen > 1_000_000) return
      }
      assert.fail(`ended after ${seen} bytes`)
    })
  }

  test(`${wire}: tells an error in the middle of a stream, after as many events as asked`, async () => {
    const { text } = await say(wire, told({ fault: 'error-mid-stream', after: 1, message: 'Oh no' }), { stream: true })
    assert.match(streamedText(text), /You $/)
    assert.match(text, /Oh no/)
  })

  test(`${wire}: a fault may strike a number of times only`, async () => {
    const simulator = createSimulator({ simulation: { fault: 'status', status: 500, times: 2 } })
    const statuses = []
    for (let index = 0; index < 3; index++) statuses.push((await ask(simulator, requests[wire]('Hello'))).status)
    assert.deepEqual(statuses, [500, 500, 200])
  })

  test(`${wire}: refuses bodies that the vendor would refuse`, async () => {
    for (const bad of [
      { messages: [], input: 7, contents: [] },
      { messages: 1, input: null, contents: 'x' },
    ]) {
      const { status, text } = await say(wire, '', { body: bad })
      assert.equal(status, 400, text)
    }
    const empty = await ask(createSimulator(), { ...requests[wire](''), body: bytesOf('[') })
    assert.equal(empty.status, 400)
  })

  test(`${wire}: keeps a record of what it was asked`, async () => {
    const simulator = createSimulator()
    await ask(simulator, requests[wire]('Hello'))
    const [call] = simulator.calls
    assert.equal(call?.wire, wire)
    assert.equal(call?.ask?.lastText, 'Hello')
    assert.equal(call?.ended, 'finished')
  })
}

test('only known models answer when any other is refused', async () => {
  const options = { anyModel: false, models: { mine: { text: 'Mine' } } }
  assert.match((await say('openai-chat', 'Hi', { model: 'mine' }, options)).text, /Mine/)
  assert.equal((await say('openai-chat', 'Hi', { model: 'simulator/echo' }, options)).status, 200)
  assert.equal((await say('openai-chat', 'Hi', { model: 'ehco' }, options)).status, 404)
})

test('only known keys are served when keys are given', async () => {
  const options = { keys: ['right'] }
  assert.equal((await say('openai-chat', 'Hi', {}, options)).status, 401)
  const right = { ...requests['openai-chat']('Hi'), headers: { authorization: 'Bearer right' } }
  assert.equal((await ask(createSimulator(options), right)).status, 200)
})

test('only as many calls are remembered as asked', async () => {
  const simulator = createSimulator({ maxCalls: 2 })
  for (const text of ['one', 'two', 'three']) await ask(simulator, requests.gemini(text))
  assert.deepEqual(
    simulator.calls.map((call) => call.ask?.lastText),
    ['two', 'three'],
  )
})

test('a line in the prompt that makes no sense is ordinary text', async () => {
  const { text } = await say('openai-chat', 'simulate: {"fault":"explode","after":-1,"__proto__":{}}\nHello')
  assert.match(text, /You said: Hello/)
  assert.match((await say('openai-chat', 'simulate: {oops}')).text, /You said: simulate: \{oops\}/)
})

test('reasoning state that was tampered with is refused', async () => {
  const simulator = createSimulator()
  const thinking = { thinking: { type: 'enabled', budget_tokens: 1024 }, max_tokens: 5000 }
  const first = JSON.parse((await ask(simulator, requests['anthropic-messages']('Why?', { body: thinking }))).text) as {
    content: { thinking?: string }[]
  }
  const again = (content: object[]) =>
    requests['anthropic-messages']('', {
      body: {
        ...thinking,
        messages: [
          { role: 'user', content: 'Why?' },
          { role: 'assistant', content },
          { role: 'user', content: 'And?' },
        ],
      },
    })
  assert.equal((await ask(simulator, again(first.content))).status, 200)
  assert.equal(simulator.calls[1]?.ask?.seals, 1)
  const changed = first.content.map((block) => (block.thinking === undefined ? block : { ...block, thinking: 'Something else' }))
  assert.equal((await ask(simulator, again(changed))).status, 400)
})

test('conversations held by the server are refused, so that clients send theirs whole', async () => {
  const { status, text } = await say('anthropic-messages', 'Hi', { body: { thread: { type: 'create' } } })
  assert.equal(status, 400)
  assert.deepEqual(JSON.parse(text).error.details, { error_code: 'thread_unsupported_request', unsupported: ['thread'] })
})

test('a paused answer is continued when asked to go on', async () => {
  const simulator = createSimulator()
  const first = JSON.parse((await ask(simulator, requests.gemini('one two three four', { model: 'pause' }))).text)
  assert.equal(first.candidates[0].finishReason, 'CONTINUATION')
  const { continuationToken } = first.candidates[0]
  const second = JSON.parse(
    (await ask(simulator, requests.gemini('one two three four', { model: 'pause', body: { continuationToken } }))).text,
  )
  assert.equal(second.candidates[0].finishReason, 'STOP')
  const spoken = [first, second].map(({ candidates }) => candidates[0].content.parts[0].text).join('')
  assert.equal(spoken, 'You said: one two three four')
})

test('the model list has the shape of the vendor whose client asks', async () => {
  const simulator = createSimulator({ models: { 'my-model': {} } })
  const list = async (headers: Record<string, string>) =>
    JSON.parse((await ask(simulator, { method: 'GET', path: '/v1/models', query: '', headers, body: new Uint8Array(0) })).text)
  assert.equal((await list({})).data[0].id, 'my-model')
  assert.equal((await list({ 'anthropic-version': '2023-06-01' })).first_id, 'my-model')
  assert.equal((await list({ 'x-goog-api-key': 'k' })).models[0].name, 'models/my-model')
})
