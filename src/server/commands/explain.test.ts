import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { CommandArgs } from './catalog-file.ts'
import { explainCommand } from './explain.ts'
import { importCommand } from './import.ts'

const directory = mkdtempSync(join(tmpdir(), 'signalbox-explain-'))
after(() => rmSync(directory, { recursive: true, force: true }))
const file = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text)
  return join(directory, name)
}
const config = file(
  'signalbox.yaml',
  `providers:
  a: { preset: openai-compatible, baseUrl: "http://a.test/v1", region: eu }
  b: { preset: openai-compatible, baseUrl: "http://b.test/v1", region: us }
models:
  both: { targets: [{ provider: a, model: x }, { provider: b, model: y }] }
`,
)

async function run(command: (args: CommandArgs) => Promise<number>, positionals: readonly string[], options: CommandArgs['options']) {
  const written: string[] = []
  const code = await command({ positionals, options, write: (text) => void written.push(text) })
  return { code, text: written.join('') }
}

test('tells order and reasons from a configuration alone', async () => {
  const { code, text } = await run(explainCommand, [], { config, model: 'both', require: 'region=us' })
  assert.equal(code, 0)
  assert.match(text, /both → route both, strategy priority/)
  assert.match(text, /1\. b\/y/)
  assert.match(text, /a\/x: its region is eu \(x-signalbox-require\)/)
})

test('takes a body from a file, in any dialect, and prints JSON', async () => {
  const body = file('call.json', JSON.stringify({ model: 'both', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] }))
  const { code, text } = await run(explainCommand, [body], { config, dialect: 'anthropic-messages', json: true })
  assert.equal(code, 0)
  const { order, needs, candidates } = JSON.parse(text)
  assert.deepEqual(order, [
    { provider: 'a', model: 'x' },
    { provider: 'b', model: 'y' },
  ])
  assert.equal(needs.outputTokens, 5)
  assert.equal(candidates.length, 2)
})

test('the exit code says when nothing could take the call, and when the question was wrong', async () => {
  assert.equal((await run(explainCommand, [], { config, model: 'both', region: 'ch' })).code, 1)
  assert.equal((await run(explainCommand, [], { config, model: 'nobody' })).code, 2)
  assert.equal((await run(explainCommand, [], { config })).code, 2)
  assert.match((await run(explainCommand, [], { config, model: 'both', require: 'magic' })).text, /`magic` is not a requirement/)
})

test('import writes a configuration that can be explained', async () => {
  const from = file(
    'litellm.yaml',
    'model_list:\n  - model_name: m\n    litellm_params: { model: openai/q, api_base: "http://lab.test/v1", rpm: 3 }\n',
  )
  const out = join(directory, 'imported.yaml')
  const { code, text } = await run(importCommand, ['litellm', from], { out })
  assert.equal(code, 0)
  assert.match(text, /rpm: limits are learnt/)
  assert.match(readFileSync(out, 'utf8'), /# Not carried:\n# {3}model_list\[0\]\.litellm_params\.rpm/)
  assert.match((await run(explainCommand, [], { config: out, model: 'm' })).text, /1\. lab\/q/)
  assert.equal((await run(importCommand, ['nobody', from], {})).code, 2)
  assert.equal((await run(importCommand, ['litellm', join(directory, 'missing')], {})).code, 2)
})
