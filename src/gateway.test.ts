/** The life of a call, driven through the line: what is tried, what the caller sees, what is written down. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { plainBody } from '../test/bad-input/fixtures.ts'
import { chunk, goodAnswer } from '../test/bad-input/hostile.ts'
import { type Answered, ask, type DialectId, dialects, envelopeFault, pathOf, textOf } from '../test/bad-input/rig.ts'
import { broken, type Step, scripted, unreachable } from '../test/bad-input/scripted.ts'
import type { Outcome } from './accounting/outcome.ts'
import { createCatalog } from './catalog/catalog.ts'
import { assemble } from './config/assemble.ts'
import { parseConfig } from './config/parse.ts'
import type { ConfigInput } from './config/schema.ts'
import { Cancellation } from './core/cancellation.ts'
import { GatewayError } from './core/error.ts'
import { bytesOf, type Headers } from './core/http.ts'
import type { Line } from './gateway.ts'

const catalog = createCatalog()

/** All at once: these tests wait for time limits more than they compute. */
const inEveryDialect = (act: (dialect: DialectId) => Promise<void>): Promise<unknown> => Promise.all(dialects.map(act))

interface Rigged {
  readonly line: Line
  readonly outcomes: Outcome[]
  readonly transport: ReturnType<typeof scripted>
}

/** A route `fast` over the providers `one` and `two`, which answer from scripts. */
function rigged(
  one: readonly Step[],
  two: readonly Step[] = [],
  { keepAliveMs = 10_000, config = {} as Partial<ConfigInput>, keys = 1, attempts = 1 } = {},
): Rigged {
  const transport = scripted({ 'one.test': one, 'two.test': two })
  const outcomes: Outcome[] = []
  const names = Array.from({ length: keys }, (_, index) => `KEY_${index}`)
  const env = Object.fromEntries(names.map((name) => [name, `secret-${name}`]))
  const provider = (host: string) => ({
    preset: 'openai-compatible',
    baseUrl: `http://${host}/v1`,
    keys: names.map((name) => `env:${name}`),
  })
  const parsed = parseConfig(
    {
      providers: { one: provider('one.test'), two: provider('two.test') },
      defaults: { retries: { attempts }, timeouts: { firstToken: '400ms', idle: '300ms', answer: '400ms', total: '2s' } },
      models: { fast: { targets: [{ provider: 'one', model: 'm1' }, ...(two.length > 0 ? [{ provider: 'two', model: 'm2' }] : [])] } },
      ...config,
    } as ConfigInput,
    { env, catalog: () => catalog, embedded: true },
  )
  assert.ok(parsed.config, JSON.stringify(parsed.problems))
  const line = assemble({
    config: parsed.config,
    catalog,
    secrets: { env },
    transport,
    simulatorTransport: () => transport,
    keepAliveMs,
    sinks: [{ name: 'test', record: (outcome) => void outcomes.push(outcome) }],
  })
  return { line, outcomes, transport }
}

function call(
  { line }: Rigged,
  dialect: DialectId,
  streamed: boolean,
  { model = 'fast', headers = {} as Headers } = {},
): Promise<Answered> {
  const body = plainBody(dialect, model, 'Hi')
  if (dialect !== 'gemini') body['stream'] = streamed
  return ask({ line, sent: () => [], unforeseen: () => [] }, pathOf(dialect, model, streamed), JSON.stringify(body), { headers })
}

const good: Step = { body: goodAnswer() }
const stream = [chunk({ role: 'assistant', content: 'Hel' }), chunk({ content: 'lo' }), chunk({}, 'stop'), 'data: [DONE]\n\n']
const goodStream: Step = { body: stream }
const status = (code: number, headers: Headers = {}): Step => ({
  status: code,
  headers,
  body: JSON.stringify({ error: { message: `said ${code}`, type: 'x', param: 'messages[0]', code: 'why' } }),
})
const ending = /\[DONE\]|message_stop|response\.completed|"finishReason":"STOP"/

// ---- before the first event -----------------------------------------------------------------------------------------

const faults: Readonly<Record<string, Step>> = {
  'a server error': status(500),
  'an overload': status(529),
  'a rate limit': status(429),
  'a refused key': status(401),
  'an unknown model': status(404),
  'no connection': { error: unreachable() },
  'a connection that breaks': { error: broken() },
  'a page under 200': { body: '<html>no</html>' },
  'an empty body': { body: '' },
  'an error under 200': { body: '{"error":{"message":"no","type":"server_error"}}' },
  'a body that breaks off': { body: [goodAnswer().slice(0, 40), broken()] },
  silence: { afterMs: 5_000 },
}

for (const [name, fault] of Object.entries(faults))
  test(`${name} moves the call to the next target, unseen`, async () => {
    await inEveryDialect(async (dialect) => {
      for (const streamed of [false, true]) {
        const under = rigged([fault], [streamed ? goodStream : good])
        const got = await call(under, dialect, streamed)
        assert.equal(got.status, 200, `${dialect} ${got.text}`)
        assert.match(got.text, streamed ? ending : /Hello/)
        assert.doesNotMatch(got.text, /"error":\{/)
        assert.equal(got.headers['x-signalbox-provider'], 'two')
        assert.equal(got.headers['x-signalbox-model'], 'm2')
        assert.equal(got.headers['x-signalbox-attempts'], name === 'no connection' ? '1' : '2')
        assert.match(got.headers['x-signalbox-reason'] ?? '', /^fallback after one upstream-/)
        assert.equal(under.outcomes.length, 1)
        assert.equal(under.outcomes[0]?.attempts.length, 2)
        assert.equal(under.outcomes[0]?.error, undefined)
        assert.equal(under.transport.open(), 0)
      }
    })
  })

test('a stream that breaks before its first output moves on too', async () => {
  await inEveryDialect(async (dialect) => {
    for (const body of [
      [chunk({ role: 'assistant' }), broken()],
      [': waiting\n\n', 'data: {"error":{"message":"no","type":"server_error"}}\n\n'],
      [': waiting\n\n', 5_000],
      ['data: [DONE]\n\n'],
    ]) {
      const got = await call(rigged([{ body }], [goodStream]), dialect, true)
      assert.equal(got.headers['x-signalbox-provider'], 'two', `${dialect} ${JSON.stringify(body)} ${got.text}`)
      assert.match(got.text, ending)
    }
  })
})

test('what the caller did wrong is not tried elsewhere, and the provider’s words and status are kept', async () => {
  for (const code of [400, 413, 422])
    for (const dialect of dialects) {
      const under = rigged([status(code)], [good])
      const got = await call(under, dialect, false)
      assert.equal(got.status, code)
      assert.match(got.text, new RegExp(`said ${code}`))
      assert.equal(envelopeFault(dialect, got), undefined)
      assert.equal(under.transport.asked.length, 1)
      assert.equal(got.headers['x-signalbox-attempts'], '1')
    }
})

test('when every target has failed, the last fault is told in the dialect', async () => {
  for (const dialect of dialects)
    for (const streamed of [false, true]) {
      const under = rigged([status(500)], [status(429, { 'retry-after': '3' })])
      const got = await call(under, dialect, streamed)
      assert.equal(got.status, 429)
      assert.equal(got.headers['retry-after'], '3')
      assert.equal(got.headers['x-signalbox-attempts'], '2')
      assert.equal(envelopeFault(dialect, got), undefined)
      assert.equal(under.outcomes[0]?.error?.code, 'rate_limited')
    }
})

test('a provider that refuses our key is no 401 to the caller', async () => {
  const got = await call(rigged([status(401)]), 'openai-chat', false)
  assert.equal(got.status, 502)
  assert.equal(got.headers['x-signalbox-error'], 'upstream_unavailable')
})

// ---- after it -------------------------------------------------------------------------------------------------------

test('after the first output there is no other target: the stream ends in an error, never like a success', async () => {
  await inEveryDialect(async (dialect) => {
    for (const rest of [[broken()], [5_000], ['data: {"error":{"message":"no"}}\n\n'], ['data: {"choices":[{"de'], []]) {
      const under = rigged([{ body: [chunk({ content: 'Hel' }), 20, ...rest] }], [goodStream])
      const got = await call(under, dialect, true)
      assert.equal(got.status, 200)
      assert.match(got.text, /Hel/)
      assert.match(got.text, /"error"/, `${dialect} ${JSON.stringify(rest)} ${got.text}`)
      assert.doesNotMatch(got.text, ending, `${dialect} ${JSON.stringify(rest)} ${got.text}`)
      assert.equal(under.transport.asked.length, 1)
      assert.equal(under.outcomes.length, 1)
      assert.ok(under.outcomes[0]?.error)
      assert.equal(under.transport.open(), 0)
    }
  })
})

test('pings and comments are no sign that the model lives', async () => {
  const pings = Array.from({ length: 40 }, () => [': ping\n\n', 50]).flat()
  await inEveryDialect(async (dialect) => {
    const started = performance.now()
    const got = await call(rigged([{ body: [chunk({ content: 'Hel' }), ...pings, chunk({}, 'stop')] }]), dialect, true)
    assert.match(got.text, /"error"/)
    assert.ok(performance.now() - started < 1_200, 'the idle limit was pushed back')
  })
})

// ---- retries and keys -----------------------------------------------------------------------------------------------

test('a target is tried again as often as it may be, when that can help', async () => {
  const helped = rigged([status(500), good], [], { attempts: 2 })
  const got = await call(helped, 'openai-chat', false)
  assert.equal(got.status, 200)
  assert.equal(got.headers['x-signalbox-attempts'], '2')
  const hopeless = rigged([status(500)], [], { attempts: 3 })
  assert.equal((await call(hopeless, 'openai-chat', false)).headers['x-signalbox-attempts'], '3')
  const useless = rigged([status(404)], [], { attempts: 3 })
  assert.equal((await call(useless, 'openai-chat', false)).headers['x-signalbox-attempts'], '1')
})

test('a key that is refused or used up gives way to the next one', async () => {
  for (const code of [401, 403, 429]) {
    const under = rigged([status(code), status(code), good], [], { keys: 3 })
    const got = await call(under, 'openai-chat', false)
    assert.equal(got.status, 200, String(code))
    assert.deepEqual(
      under.transport.asked.map(({ request }) => request.headers['authorization']),
      ['Bearer secret-KEY_0', 'Bearer secret-KEY_1', 'Bearer secret-KEY_2'],
    )
    assert.equal(got.headers['x-signalbox-attempts'], '3')
  }
})

// ---- the deadline and the caller ------------------------------------------------------------------------------------

test('the call as a whole has a deadline, which the caller may shorten', async () => {
  for (const streamed of [false, true]) {
    const started = performance.now()
    const under = rigged([{ afterMs: 5_000 }], [{ afterMs: 5_000 }])
    const got = await call(under, 'openai-chat', streamed, { headers: { 'x-signalbox-timeout': '100ms' } })
    assert.equal(got.status, 504)
    assert.equal(got.headers['x-signalbox-error'], 'upstream_timeout')
    assert.ok(performance.now() - started < 350)
    assert.equal(under.transport.asked.length, 1, 'nothing is tried after the deadline')
  }
})

test('the deadline ends a stream too', async () => {
  const pieces = Array.from({ length: 200 }, () => [chunk({ content: 'x' }), 20]).flat()
  const got = await call(rigged([{ body: pieces }]), 'anthropic-messages', true, { headers: { 'x-signalbox-timeout': '300ms' } })
  assert.match(got.text, /event: error/)
  assert.doesNotMatch(got.text, ending)
})

test('a caller that hangs up ends everything, once, as its own doing', async () => {
  for (const streamed of [false, true]) {
    const under = rigged([{ body: streamed ? [chunk({ content: 'Hel' }), 5_000] : [2_000, goodAnswer()] }], [good])
    const cancellation = new Cancellation()
    const body = { ...plainBody('anthropic-messages', 'fast', 'Hi'), stream: streamed }
    const answering = under.line.handle(
      { method: 'POST', path: '/v1/messages', query: '', headers: {}, body: bytesOf(JSON.stringify(body)) },
      cancellation,
    )
    await sleep(50)
    cancellation.cancel(new GatewayError('client-closed', 'The caller hung up.'))
    await textOf(await answering)
    assert.equal(under.outcomes.length, 1)
    assert.equal(under.outcomes[0]?.error?.code, 'client_closed')
    assert.equal(under.transport.asked.length, 1)
    assert.equal(under.transport.open(), 0)
  }
})

test('a caller that stops reading in the middle is settled as gone', async () => {
  for (const dialect of ['openai-chat', 'gemini'] as const) {
    const under = rigged([{ body: [chunk({ content: 'Hel' }), chunk({ content: 'lo' }), 50, chunk({}, 'stop')] }])
    const body = dialect === 'gemini' ? plainBody(dialect, 'fast', 'Hi') : { ...plainBody(dialect, 'fast', 'Hi'), stream: true }
    const [path = '', query = ''] = pathOf(dialect, 'fast', true).split('?')
    const reply = await under.line.handle({ method: 'POST', path, query, headers: {}, body: bytesOf(JSON.stringify(body)) })
    assert.ok(!(reply.body instanceof Uint8Array))
    for await (const _ of reply.body) break
    assert.equal(under.outcomes[0]?.error?.code, 'client_closed')
    assert.equal(under.transport.open(), 0)
  }
})

test('a caller that reads slowly is not taken for a provider that is silent', async () => {
  await inEveryDialect(async (dialect) => {
    const under = rigged([{ body: [chunk({ content: 'Hel' }), 5, chunk({ content: 'lo' }), 5, chunk({}, 'stop'), 'data: [DONE]\n\n'] }])
    const body = dialect === 'gemini' ? plainBody(dialect, 'fast', 'Hi') : { ...plainBody(dialect, 'fast', 'Hi'), stream: true }
    const [path = '', query = ''] = pathOf(dialect, 'fast', true).split('?')
    const reply = await under.line.handle({ method: 'POST', path, query, headers: {}, body: bytesOf(JSON.stringify(body)) })
    assert.ok(!(reply.body instanceof Uint8Array))
    let text = ''
    let reads = 0
    for await (const piece of reply.body) {
      text += typeof piece === 'string' ? piece : new TextDecoder().decode(piece)
      if (reads++ < 2) await sleep(450)
    }
    assert.match(text, ending, `${dialect}: ${text}`)
    assert.doesNotMatch(text, /"error":\{/)
  })
})

// ---- signs of life --------------------------------------------------------------------------------------------------

test('a slow first event: signs of life commit the status, not the target', async () => {
  await inEveryDialect(async (dialect) => {
    const under = rigged([{ afterMs: 150, status: 500, body: '{}' }], [goodStream], { keepAliveMs: 40 })
    const got = await call(under, dialect, true)
    assert.equal(got.status, 200)
    assert.match(got.text, /^(?::|event: ping)/, `${dialect} begins with a sign of life: ${got.text.slice(0, 60)}`)
    assert.match(got.text, ending)
    assert.doesNotMatch(got.text, /"error":\{/)
    assert.equal(under.outcomes[0]?.provider, 'two')
    assert.equal(under.outcomes[0]?.error, undefined)
  })
})

test('signs of life, and then no target: the error is told inside the stream', async () => {
  await inEveryDialect(async (dialect) => {
    const under = rigged([{ afterMs: 120, status: 500, body: '{}' }], [{ afterMs: 50, status: 401, body: '{}' }], { keepAliveMs: 30 })
    const got = await call(under, dialect, true)
    assert.equal(got.status, 200)
    assert.match(got.text, /"error"/)
    assert.doesNotMatch(got.text, ending)
    assert.equal(under.outcomes[0]?.error?.code, 'upstream_unavailable')
  })
})

test('a body that only the provider understands has signs of life all the same', async () => {
  const under = rigged([{ afterMs: 100, body: stream }], [], { keepAliveMs: 30 })
  const text = '{"model":"fast","stream":true,"messages":[{"role":"oracle","content":{"new":true}}]}'
  const got = await ask({ line: under.line, sent: () => [], unforeseen: () => [] }, '/v1/chat/completions', text)
  assert.match(got.text, /^: /)
  assert.match(got.text, ending)
})

test('a silent stretch in a translated stream gets signs of life', async () => {
  const under = rigged([{ body: [chunk({ content: 'Hel' }), 200, chunk({ content: 'lo' }), chunk({}, 'stop')] }], [], { keepAliveMs: 40 })
  const got = await call(under, 'anthropic-messages', true)
  assert.match(got.text, /Hel.*event: ping.*lo.*message_stop/s)
})

test('a Gemini stream without `alt=sse` is one JSON array, errors included', async () => {
  for (const [body, last] of [
    [stream, 'finishReason'],
    [[chunk({ content: 'Hel' }), 20, broken()], 'error'],
  ] as const) {
    const under = rigged([{ body }], [], { keepAliveMs: 10 })
    const got = await ask(
      { line: under.line, sent: () => [], unforeseen: () => [] },
      '/v1beta/models/fast:streamGenerateContent',
      JSON.stringify(plainBody('gemini', 'fast', 'Hi')),
    )
    assert.equal(got.headers['content-type'], 'application/json')
    const list = JSON.parse(got.text)
    assert.ok(Array.isArray(list) && JSON.stringify(list.at(-1)).includes(last), got.text)
  }
})

// ---- what goes upstream, what is written down -----------------------------------------------------------------------

test('the same wire gets the caller’s own text, but for the model and what steers the gateway', async () => {
  const under = rigged([good])
  const text =
    '{ "model" : "fast", "signalbox":{"strict":true}, "messages":[{"role":"user","content":"Hi"}], "temperature": 1.000000000000000005, "x":{"a":1,"a":2} }'
  await ask({ line: under.line, sent: () => [], unforeseen: () => [] }, '/v1/chat/completions', text)
  assert.equal(
    under.transport.asked[0]?.request.body,
    '{ "model" : "m1",  "messages":[{"role":"user","content":"Hi"}], "temperature": 1.000000000000000005, "x":{"a":1,"a":2} }',
  )
})

test('stream options keep what the caller wrote beside the wish for usage', async () => {
  const under = rigged([goodStream])
  const asked = async (options: string): Promise<string> => {
    await ask(
      { line: under.line, sent: () => [], unforeseen: () => [] },
      '/v1/chat/completions',
      `{"model":"m","stream":true,"messages":[]${options}}`.replace('"m"', '"fast"'),
    )
    return String(under.transport.asked.at(-1)?.request.body)
  }
  assert.match(await asked(''), /"stream_options":\{"include_usage":true\}/)
  assert.match(await asked(',"stream_options":{"x":1.0e2, "include_usage":false}'), /"stream_options":\{"x":1\.0e2, "include_usage":true\}/)
  assert.match(await asked(',"stream_options":{"x":-0}'), /"stream_options":\{"include_usage":true,"x":-0\}/)
  assert.match(await asked(',"stream_options":"odd"'), /"stream_options":"odd"/)
  assert.match(await asked(',"stream_options":null'), /"stream_options":\{"include_usage":true\}/)
})

test('injected fields win over the caller’s and stand once', async () => {
  const under = rigged([good], [], {
    config: {
      models: {
        fast: { targets: [{ provider: 'one', model: 'm1', headers: { 'x-team': 'a' }, body: { temperature: 0, top_k: 20, model: 'm9' } }] },
      },
    },
  })
  await ask(
    { line: under.line, sent: () => [], unforeseen: () => [] },
    '/v1/chat/completions',
    '{"model":"fast","messages":[],"temperature":1}',
  )
  const [asked] = under.transport.asked
  assert.deepEqual(JSON.parse(String(asked?.request.body)), { top_k: 20, model: 'm9', messages: [], temperature: 0 })
  assert.equal(String(asked?.request.body).match(/"model"/g)?.length, 1)
  assert.equal(asked?.request.headers['x-team'], 'a')
})

test('a refusal before any attempt counts none and is written down once', async () => {
  const under = rigged([good])
  const got = await call(under, 'gemini', false, { model: 'nobody' })
  assert.equal(got.status, 404)
  assert.equal(got.headers['x-signalbox-attempts'], '0')
  assert.equal(under.outcomes.length, 1)
  assert.equal(under.outcomes[0]?.error?.code, 'unknown_model')
})
