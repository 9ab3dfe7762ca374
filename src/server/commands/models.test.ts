import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { modelsCommand } from './models.ts'

const directory = mkdtempSync(join(tmpdir(), 'signalbox-models-'))
process.on('exit', () => rmSync(directory, { recursive: true, force: true }))

async function run(words: string, options: Readonly<Record<string, string | boolean>> = {}): Promise<{ code: number; text: string }> {
  let text = ''
  const positionals = words.split(' ').filter(Boolean)
  // A config in an empty folder: no synced catalogue lies beside it.
  const code = await modelsCommand({
    positionals,
    options: { config: join(directory, 'signalbox.yaml'), ...options },
    write: (part) => {
      text += part
    },
  })
  return { code, text }
}

suite('signalbox models', () => {
  test('shows what a model can do, what it costs and how long it will be there', async () => {
    const { code, text } = await run('gpt-4.1', { provider: 'openai' })
    assert.equal(code, 0)
    const [headings, ...rows] = text.split('\n')
    assert.match(headings!, /^MODEL +CONTEXT +OUTPUT +TAKES +CAN +IN \$\/M +OUT \$\/M +CACHED +STATE$/)
    const row = rows.find((line) => line.startsWith('openai/gpt-4.1 '))
    assert.match(row ?? '', /1\.05M +33k +image pdf +tools schema +2 +8 +0\.5 +until 2027-01-14$/)
    assert.match(text, /\n3 of 3 models\n$/)
  })

  test('narrows by words and by abilities, and says when there is more', async () => {
    const { text } = await run('claude', { tools: true, limit: '2' })
    assert.match(text, /\n2 of \d{2,} models: narrow the search/)
    const free = await run('', { provider: 'openai', maxPrice: '0.1', json: true })
    for (const model of JSON.parse(free.text) as { price: { input: number } }[]) assert.ok(model.price.input <= 0.1)
    const large = await run('', { provider: 'google', context: '1M', json: true })
    for (const model of JSON.parse(large.text) as { contextWindow: number }[]) assert.ok(model.contextWindow >= 1_000_000)
  })

  test('gives machines everything, with capabilities and the source of the price', async () => {
    const { code, text } = await run('claude-opus-5.5', { provider: 'anthropic', json: true })
    assert.equal(code, 0)
    const [model] = JSON.parse(text) as { id: string; capabilities: { sampling: boolean }; price: { source: string; input: number } }[]
    assert.equal(model?.id, 'claude-opus-5-5')
    assert.equal(model?.capabilities.sampling, false)
    assert.equal(model?.price.source, 'price-data')
    assert.ok((model?.price.input ?? 0) > 0)
  })

  test('writes a question mark for what nobody knows', async () => {
    const { text } = await run('gemini-4-carbon', { provider: 'gemini' })
    assert.match(text, /google\/gemini-4-carbon +\? .*\? +\? +\?/)
  })

  test('says what keeps a provider from being called', async () => {
    const { text } = await run('claude', { provider: 'amazon-bedrock', limit: '1' })
    assert.match(text, /amazon-bedrock: Converse .* not spoken yet/)
  })

  test('explains what is wrong with a command', async () => {
    const misspelt = await run('', { provider: 'antropic' })
    assert.equal(misspelt.code, 2)
    assert.match(misspelt.text, /^models: no provider is called `antropic`: did you mean [`"]anthropic[`"]\?\n$/)
    assert.deepEqual(await run('', { maxPrice: 'cheap' }), { code: 2, text: 'models: --max-price needs a number\n' })
    assert.deepEqual(await run('', { provider: true }), { code: 2, text: 'models: --provider needs a value\n' })
    assert.equal((await run('no such model anywhere')).code, 1)
    const broken = join(directory, 'broken.json')
    writeFileSync(broken, '{"format":1}')
    const { code, text } = await run('', { catalog: broken })
    assert.equal(code, 2)
    assert.match(text, /broken\.json is not a catalogue of this version: run `signalbox catalog sync` again/)
  })
})
