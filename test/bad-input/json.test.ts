/** JSON as parsers disagree on it: shared torture files, numbers and keys that a parser changes, cut-off and deep bodies. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { bytesOf } from '../../src/core/http.ts'
import { plainBody, richBody } from './fixtures.ts'
import { ask, dialects, envelopeFault, faultPath, pathOf, rig } from './rig.ts'

const shared = new URL('../../../shared/data/badinput/', import.meta.url)
const skip = existsSync(shared) ? false : 'the shared data sets are not beside this checkout'

interface Case {
  readonly name: string
  readonly expect?: 'accept' | 'reject' | 'either'
  /** Null for the one that is too large to be written down. */
  readonly b64: string | null
}
const casesOf = (file: string): readonly Case[] =>
  readFileSync(new URL(file, shared), 'utf8')
    .trim()
    .split('\n')
    .map((line): Case => JSON.parse(line))

const bytesOfCase = ({ b64 }: Case): Uint8Array =>
  new Uint8Array(b64 === null ? Buffer.from('[{"":'.repeat(50_000)) : Buffer.from(b64, 'base64'))
const joined = (...pieces: readonly (string | Uint8Array)[]): Uint8Array =>
  new Uint8Array(Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece))))

/** A body of this dialect that is valid but for a member nobody knows, with these bytes as its value. */
function around(value: Uint8Array, model: string): Uint8Array {
  return joined(`{"model":${JSON.stringify(model)},"messages":[{"role":"user","content":"Hi"}],"extra":`, value, '}')
}

test('every torture file as a body is refused in the dialect, never a crash', { skip }, async () => {
  const under = rig()
  for (const one of casesOf('json/jsontestsuite_parsing.jsonl'))
    for (const dialect of dialects) {
      const answer = await ask(under, pathOf(dialect, 'openai-chat/echo', false), bytesOfCase(one))
      assert.ok(answer.status >= 400 && answer.status < 500, `${one.name} ${answer.status}`)
      assert.equal(envelopeFault(dialect, answer), undefined, one.name)
    }
  assert.deepEqual(under.unforeseen(), [])
})

test('every torture file as a value: accepted and forwarded as it is, or refused', { skip }, async () => {
  const under = rig()
  const decoder = new TextDecoder('utf-8')
  for (const one of [...casesOf('json/jsontestsuite_parsing.jsonl'), ...casesOf('json/jsontestsuite_transform.jsonl')]) {
    const value = bytesOfCase(one)
    const { status } = await ask(under, '/v1/chat/completions', around(value, 'openai-chat/echo'))
    const [sent] = under.sent()
    if (one.expect === 'accept') assert.equal(status, 200, one.name)
    if (one.expect === 'reject') assert.equal(status, 400, one.name)
    if (!sent) {
      assert.equal(status, 400, one.name)
      continue
    }
    const body = typeof sent.body === 'string' ? sent.body : decoder.decode(sent.body)
    assert.ok(body.endsWith(`"extra":${decoder.decode(value)}}`), `${one.name}: ${body.slice(-200)}`)
  }
})

test('numbers and keys that a parser changes are refused or named when a body is translated', { skip }, async () => {
  const under = rig()
  for (const one of casesOf('json/jsontestsuite_transform.jsonl')) {
    const value = bytesOfCase(one)
    const body = joined(
      '{"model":"anthropic-messages/echo","messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{},"default":',
      value,
      '}}}]}',
    )
    const { status, headers } = await ask(under, '/v1/chat/completions', body)
    const [sent] = under.sent()
    if (!sent) {
      assert.equal(status, 400, one.name)
      continue
    }
    const schema = JSON.parse(String(sent.body)).tools[0].input_schema
    const text = new TextDecoder().decode(value).trim()
    const kept = JSON.stringify(schema.default) === JSON.stringify(JSON.parse(text))
    const named = headers['x-signalbox-dropped'] !== undefined
    const exact = !/999|1\.0{10}|922337203685477580[789]/.test(text)
    assert.ok(exact ? kept || named : named, `${one.name}: ${JSON.stringify(schema)} ${headers['x-signalbox-dropped']}`)
  }
})

test('what a translation would change in silence', async (context) => {
  const under = rig()
  const asked = (extra: string, headers = {}) =>
    ask(under, '/v1/messages', `{"model":"openai-chat/echo","max_tokens":10,"messages":[{"role":"user","content":"Hi"}]${extra}}`, {
      headers,
    })
  const tool = (schema: string): string => `,"tools":[{"name":"f","input_schema":{"type":"object","properties":{"n":${schema}}}}]`

  await context.test('a key that stands twice inside is a 400 with its path', async () => {
    const answer = await asked(tool('{"type":"integer","type":"string"}'))
    assert.equal(answer.status, 400)
    assert.match(answer.text, /tools\[0\]\.input_schema\.properties\.n\.type/)
    assert.deepEqual(under.sent(), [])
  })
  await context.test('a number beyond every double is a 400 with its path', async () => {
    const answer = await asked(tool('{"type":"number","maximum":1e999}'))
    assert.equal(answer.status, 400)
    assert.match(answer.text, /tools\[0\]\.input_schema\.properties\.n\.maximum/)
  })
  await context.test('a number that is rounded is named, and refused in strict mode', async () => {
    const extra = tool('{"type":"integer","maximum":9223372036854775807}')
    const answer = await asked(extra)
    assert.equal(answer.status, 200)
    assert.match(
      answer.headers['x-signalbox-dropped'] ?? '',
      /tools\[0\]\.input_schema\.properties\.n\.maximum;rounded to 9223372036854776000/,
    )
    const strict = await asked(extra, { 'x-signalbox-strict': 'true' })
    assert.equal(strict.status, 400)
    assert.equal(strict.headers['x-signalbox-error'], 'lossy_translation')
    assert.match(strict.text, /maximum/)
  })
  await context.test('a lone surrogate in a prompt arrives as the escape it was', async () => {
    under.sent()
    const body = '{"model":"openai-chat/echo","max_tokens":10,"messages":[{"role":"user","content":"a\\ud800b"}]}'
    assert.equal((await ask(under, '/v1/messages', body)).status, 200)
    assert.match(String(under.sent()[0]?.body), /a\\ud800b/)
  })
})

test('a key that stands twice at the top is a 400 that names it, on every wire', async () => {
  const under = rig()
  for (const dialect of dialects)
    for (const provider of dialects) {
      const model = `${provider}/echo`
      const text = JSON.stringify(plainBody(dialect, model, 'Hi'))
      const doubled = `${text.slice(0, -1)},"temperature":1,"temp\\u0065rature":2}`
      const answer = await ask(under, pathOf(dialect, model, false), doubled)
      assert.equal(answer.status, 400)
      assert.equal(faultPath(dialect, answer.text), 'temperature')
      assert.deepEqual(under.sent(), [])
    }
})

test('deep nesting is a 400 at once, however deep and however broken', async () => {
  const under = rig()
  for (const dialect of dialects)
    for (const deep of [
      `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      `{"a":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`,
      '['.repeat(10_000_000),
      `{"a":${'[{"a":'.repeat(1_000_000)}`,
    ]) {
      const started = performance.now()
      const answer = await ask(under, pathOf(dialect, 'gemini/echo', false), deep)
      assert.equal(answer.status, 400)
      assert.equal(envelopeFault(dialect, answer), undefined)
      assert.ok(performance.now() - started < 1_000, 'the loop stood still')
    }
})

test('a value as deep as is allowed passes through every translation', async () => {
  const under = rig()
  const deep = JSON.parse(`${'{"items":'.repeat(900)}{"type":"string"}${'}'.repeat(900)}`)
  for (const dialect of dialects)
    for (const provider of dialects) {
      const body = richBody(dialect, `${provider}/echo`)
      const schema = { type: 'object', properties: { deep } }
      if (dialect === 'openai-chat') body['tools'] = [{ type: 'function', function: { name: 'weather', parameters: schema } }]
      else if (dialect === 'openai-responses') body['tools'] = [{ type: 'function', name: 'weather', parameters: schema }]
      else if (dialect === 'anthropic-messages') body['tools'] = [{ name: 'weather', input_schema: schema }]
      else body['tools'] = [{ functionDeclarations: [{ name: 'weather', parametersJsonSchema: schema }] }]
      const answer = await ask(under, pathOf(dialect, `${provider}/echo`, false), JSON.stringify(body))
      assert.ok(answer.status < 500, `${dialect} → ${provider}: ${answer.text.slice(0, 300)}`)
    }
  assert.deepEqual(under.unforeseen(), [])
})

test('a body larger than the limit is a 413 in the dialect', async () => {
  const under = rig({ config: { server: { limits: { body: '64KB' } } } })
  for (const dialect of dialects) {
    const answer = await ask(
      under,
      pathOf(dialect, 'gemini/echo', false),
      JSON.stringify(plainBody(dialect, 'gemini/echo', 'x'.repeat(70_000))),
    )
    assert.equal(answer.status, 413)
    assert.equal(answer.headers['x-signalbox-error'], 'too_large')
    assert.equal(envelopeFault(dialect, answer), undefined)
  }
})

test('bodies that are not UTF-8, or not an object, say so', async () => {
  const under = rig()
  const utf16 = new Uint8Array(Buffer.from('{"model":"x"}', 'utf16le'))
  for (const [body, words] of [
    [new Uint8Array([0x7b, 0xff, 0x7d]), /UTF-8/],
    [utf16, /JSON/],
    ['', /no body/],
    ['null', /not null/],
    ['[]', /not an array/],
    ['"x"', /not a string/],
    ['7', /not a number/],
  ] as const) {
    const answer = await ask(under, '/v1/chat/completions', body)
    assert.equal(answer.status, 400)
    assert.match(answer.text, words)
  }
})

test('a body behind a byte order mark is read', async () => {
  const text = JSON.stringify(plainBody('openai-chat', 'openai-chat/echo', 'Hi'))
  assert.equal((await ask(rig(), '/v1/chat/completions', joined(new Uint8Array([0xef, 0xbb, 0xbf]), text))).status, 200)
})

test('members named like those of every object are data, and pollute nothing', async () => {
  const under = rig()
  for (const dialect of dialects)
    for (const provider of dialects)
      for (const key of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then', 'toJSON']) {
        const plain = JSON.stringify(plainBody(dialect, `${provider}/echo`, 'Hi'))
        const text = `{${JSON.stringify(key)}:{"polluted":1,"toJSON":2},${plain.slice(1)}`
        const answer = await ask(under, pathOf(dialect, `${provider}/echo`, false), text)
        assert.ok(answer.status === 200 || answer.status === 400, `${dialect} → ${provider} ${key}: ${answer.status} ${answer.text}`)
        const [sent] = under.sent()
        if (dialect === provider && sent) assert.ok(String(sent.body).includes(`${JSON.stringify(key)}:{"polluted":1,"toJSON":2}`))
        assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
      }
  assert.deepEqual(under.unforeseen(), [])
})

test('a million keys are refused before they cost anything', async () => {
  const under = rig()
  const many = Array.from({ length: 1_000_000 }, (_, index) => `"k${index}":${index}`).join(',')
  const body = bytesOf(`{"model":"openai-chat/echo","messages":[{"role":"user","content":"Hi"}],"metadata":{${many}}}`)
  const started = performance.now()
  const answer = await ask(under, '/v1/chat/completions', body)
  assert.equal(answer.status, 400)
  assert.match(answer.text, /more than 250000 members/)
  assert.ok(performance.now() - started < 2_000, 'the loop stood still')
})
