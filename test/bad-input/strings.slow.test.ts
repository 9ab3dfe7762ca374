/** The big list of naughty strings, wherever a caller may put text. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { plainBody } from './fixtures.ts'
import { ask, type DialectId, dialects, envelopeFault, pathOf, rig } from './rig.ts'

const file = new URL('../../../shared/data/badinput/strings/blns.jsonl', import.meta.url)
const skip = existsSync(file) ? false : 'the shared data sets are not beside this checkout'
const own = [
  '',
  '\u0000',
  '\ud800',
  '\udfff',
  'a\ud800',
  '\ud800b',
  'a\r\nx-injected: 1',
  '../../etc/passwd',
  '__proto__',
  '%00',
  '\u202e',
  '😀'.repeat(300),
  '$' + '{env:HOME}',
]
const strings: readonly string[] = skip
  ? own
  : [
      ...own,
      ...readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line): string => JSON.parse(line).text),
    ]

const textIn: Readonly<Record<DialectId, (body: string) => unknown>> = {
  'openai-chat': (body) => JSON.parse(body).choices[0].message.content,
  'openai-responses': (body) => JSON.parse(body).output.find((item: { type: string }) => item.type === 'message')?.content[0].text,
  'anthropic-messages': (body) => JSON.parse(body).content.find((block: { type: string }) => block.type === 'text')?.text,
  gemini: (body) => JSON.parse(body).candidates[0].content.parts[0].text,
}

test('as a prompt: it arrives and comes back as it was, on every pair', async () => {
  const under = rig()
  for (const [index, text] of strings.entries()) {
    if (text.trim() === '' || text !== text.trim()) continue
    for (const dialect of dialects) {
      const provider = dialects[index % dialects.length] ?? dialect
      const answer = await ask(
        under,
        pathOf(dialect, `${provider}/echo`, false),
        JSON.stringify(plainBody(dialect, `${provider}/echo`, text)),
      )
      const label = `${dialect} → ${provider} ${JSON.stringify(text)}: ${answer.text.slice(0, 300)}`
      assert.equal(answer.status, 200, label)
      assert.match(answer.headers['x-signalbox-request-id'] ?? '', /^req_/)
      const said = String(textIn[dialect](answer.text))
      const start = said.replace(/^You said: /, '')
      // The simulator cuts its echo at the token limit; what it says must be how the prompt begins.
      assert.ok(start.length > 0 && (text.startsWith(start) || start.startsWith(text)), `${label} said ${JSON.stringify(said)}`)
    }
  }
  assert.deepEqual(under.unforeseen(), [])
})

test('as a model name: nothing else answers in its place, and headers stay whole', async () => {
  const under = rig()
  for (const [index, name] of strings.entries())
    for (const dialect of dialects) {
      const bare = await ask(
        under,
        pathOf(dialect, encodeURIComponent(name.toWellFormed()), false),
        JSON.stringify(plainBody(dialect, name, 'Hi')),
      )
      assert.ok(bare.status === 404 || bare.status === 400, `${dialect} ${JSON.stringify(name)}: ${bare.status} ${bare.text.slice(0, 200)}`)
      assert.equal(envelopeFault(dialect, bare), undefined)
      const model = `${dialects[index % dialects.length]}/${name}`
      const direct = await ask(
        under,
        pathOf(dialect, encodeURIComponent(model.toWellFormed()), false),
        JSON.stringify(plainBody(dialect, model, 'Hi')),
      )
      assert.ok(direct.status < 500, `${dialect} ${JSON.stringify(name)}: ${direct.status} ${direct.text.slice(0, 200)}`)
      for (const [header, value] of Object.entries(direct.headers))
        assert.match(value, /^[\x20-\x7e]*$/, `${header} for ${JSON.stringify(name)}`)
    }
  assert.deepEqual(under.unforeseen(), [])
})

test('as a tool name, a metadata key and value: served or refused in the dialect', async () => {
  const under = rig()
  const schema = { type: 'object', properties: {} }
  for (const [index, text] of strings.entries())
    for (const dialect of dialects) {
      const provider = dialects[(index >> 2) % dialects.length] ?? dialect
      const body = plainBody(dialect, `${provider}/echo`, 'Hi')
      switch (dialect) {
        case 'openai-chat':
          Object.assign(body, { tools: [{ type: 'function', function: { name: text, parameters: schema } }], metadata: { [text]: text } })
          break
        case 'openai-responses':
          Object.assign(body, { tools: [{ type: 'function', name: text, parameters: schema }], metadata: { [text]: text } })
          break
        case 'anthropic-messages':
          Object.assign(body, { tools: [{ name: text, input_schema: schema }], metadata: { user_id: text } })
          break
        default:
          Object.assign(body, {
            tools: [{ functionDeclarations: [{ name: text, parametersJsonSchema: schema }] }],
            labels: { [text]: text },
          })
      }
      const answer = await ask(under, pathOf(dialect, `${provider}/echo`, false), JSON.stringify(body))
      const label = `${dialect} → ${provider} ${JSON.stringify(text)}: ${answer.status} ${answer.text.slice(0, 300)}`
      assert.ok(answer.status === 200 || (answer.status >= 400 && answer.status < 500), label)
      if (answer.status !== 200) assert.equal(envelopeFault(dialect, answer), undefined, label)
      const dropped = answer.headers['x-signalbox-dropped'] ?? ''
      assert.match(dropped, /^[\x20-\x7e]*$/, label)
      assert.ok(dropped.length <= 4_096, label)
    }
  assert.deepEqual(under.unforeseen(), [])
})

test('as the value of every header that is read', async () => {
  const under = rig()
  const body = JSON.stringify(plainBody('openai-chat', 'openai-chat/echo', 'Hi'))
  for (const text of strings)
    for (const name of [
      'authorization',
      'x-api-key',
      'anthropic-version',
      'content-type',
      'x-signalbox-strict',
      'x-signalbox-timeout',
      'x-signalbox-max-cost',
      'x-signalbox-metadata',
      'x-signalbox-session',
      'x-signalbox-region',
    ]) {
      // Only what HTTP can carry comes this far.
      if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(text)) continue
      const { status, headers } = await ask(under, '/v1/chat/completions', body, { headers: { [name]: text } })
      assert.ok(status === 200 || status === 400, `${name}: ${text} ${status}`)
      if (status === 400) assert.match(headers['x-signalbox-error'] ?? '', /^(?:invalid_request|no_eligible_target)$/)
    }
  assert.deepEqual(under.unforeseen(), [])
})
