import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { capabilitiesOf } from '../../catalog/capabilities.ts'
import { createCatalog } from '../../catalog/catalog.ts'
import { readCatalogFile } from '../../catalog/file.ts'
import { catalogCommand } from './catalog.ts'
import { modelsCommand } from './models.ts'

const directory = mkdtempSync(join(tmpdir(), 'signalbox-catalog-'))
process.on('exit', () => rmSync(directory, { recursive: true, force: true }))

const facts = {
  lab: {
    name: 'Lab',
    env: ['LAB_API_KEY'],
    npm: '@ai-sdk/openai-compatible',
    api: 'https://api.lab.example/v1/',
    doc: 'https://lab.example/docs',
    models: {
      'lab-1': {
        name: 'Lab One',
        tool_call: true,
        reasoning: true,
        reasoning_options: [{ type: 'effort', values: ['low', 'high', null] }],
        modalities: { input: ['text', 'image', 'smell'], output: ['text'] },
        limit: { context: 32_000, output: 8000 },
        cost: { input: 0.1, output: 0.4, tiers: [{ input: 0.2, output: 0.8, tier: { type: 'context', size: 16_000 } }] },
        release_date: '2026-11-01',
      },
    },
  },
}

async function serving<T>(listener: RequestListener, use: (url: string) => Promise<T>): Promise<T> {
  const server = createServer(listener)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api.json`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

async function run(words: string, options: Readonly<Record<string, string | boolean>>): Promise<{ code: number; text: string }> {
  const parts: string[] = []
  const code = await catalogCommand({ positionals: words.split(' ').filter(Boolean), options, write: (part) => parts.push(part) })
  return { code, text: parts.join('') }
}

suite('signalbox catalog sync', () => {
  test('writes the facts of a URL beside the config, and commands prefer them', async () => {
    const config = join(directory, 'signalbox.yaml')
    const { code, text } = await serving(
      (_request, response) => response.end(JSON.stringify(facts)),
      (url) => run('sync', { url, config }),
    )
    assert.equal(code, 0, text)
    const file = join(directory, 'signalbox-catalog.json')
    const catalog = createCatalog({ data: readCatalogFile(file) })
    assert.equal(catalog.provider('lab')?.baseUrl, 'https://api.lab.example/v1')
    assert.deepEqual(catalog.model('lab', 'lab-1')?.price, { input: 0.1, output: 0.4, bands: [{ above: 16_000, input: 0.2, output: 0.8 }] })
    assert.deepEqual(capabilitiesOf('lab', 'lab-1', catalog).efforts, ['low', 'high'])
    assert.equal(catalog.keyVariables().get('LAB_API_KEY'), 'lab')
    // What the project itself knows does not depend on the synced facts.
    assert.equal(catalog.provider('anthropic')?.baseUrl, 'https://api.anthropic.com/v1')

    const listed: string[] = []
    await modelsCommand({ positionals: ['lab'], options: { config }, write: (part) => listed.push(part) })
    assert.match(listed.join(''), /lab\/lab-1 +32k +8k +image +tools reasoning +0\.1 +0\.4/)
    assert.match((await run('', { config })).text, /from http:\/\/127\.0\.0\.1:\d+\/api\.json at 20/)
  })

  for (const [what, listener, reason] of [
    ['an error status', (_request, response) => response.writeHead(503).end('busy'), /answered with status 503/],
    ['a page instead of JSON', (_request, response) => response.end('<!doctype html>'), /did not answer with JSON/],
    ['JSON of another kind', (_request, response) => response.end('[1,2]'), /an object of providers was expected/],
    ['a provider without models', (_request, response) => response.end('{"lab":{"name":"Lab"}}'), /lab\.models is not an object/],
    ['no models at all', (_request, response) => response.end('{"lab":{"models":{}}}'), /lists no models/],
    [
      'half an answer',
      (_request, response) => void response.writeHead(200, { 'content-length': 900 }).write('{"lab":', () => response.destroy()),
      /could not be reached|terminated/,
    ],
    ['silence', () => undefined, /did not answer within 0\.2 s/],
  ] as readonly (readonly [string, RequestListener, RegExp])[])
    test(`keeps what it had on ${what}`, async () => {
      const out = join(directory, 'kept.json')
      await serving(
        (_request, response) => response.end(JSON.stringify(facts)),
        (url) => run('sync', { url, out }),
      )
      const before = readFileSync(out, 'utf8')
      const { code, text } = await serving(listener, (url) => run('sync', { url, out, timeout: '200ms' }))
      assert.equal(code, 1)
      assert.match(text, reason)
      assert.match(text, /Nothing was replaced/)
      assert.equal(readFileSync(out, 'utf8'), before)
      assert.deepEqual(
        readdirSync(directory).filter((name) => name.endsWith('.tmp')),
        [],
      )
    })

  test('says so when nobody listens, when the URL is none, and when the place cannot be written', async () => {
    const out = join(directory, 'never.json')
    const gone = await serving(
      () => undefined,
      (url) => Promise.resolve(url),
    )
    assert.match((await run('sync', { url: gone, out })).text, /could not be reached: .*ECONNREFUSED/)
    assert.match((await run('sync', { url: 'file:///etc/passwd', out })).text, /is not an http\(s\) URL/)
    const unwritable = await serving(
      (_request, response) => response.end(JSON.stringify(facts)),
      (url) => run('sync', { url, out: join(directory, 'missing', 'catalog.json') }),
    )
    assert.equal(unwritable.code, 1)
    assert.match(unwritable.text, /ENOENT/)
    assert.equal(existsSync(out), false)
  })

  test('refuses commands and options that it does not know', async () => {
    assert.equal((await run('refresh', {})).code, 2)
    assert.deepEqual(await run('sync', { timeout: '30' }), { code: 2, text: 'catalog sync: --timeout needs a duration with a unit: 30s\n' })
  })
})

test('signalbox catalog says what is shipped', async () => {
  const { code, text } = await run('', { config: join(directory, 'elsewhere', 'signalbox.yaml'), json: true })
  assert.equal(code, 0)
  const { providers, models } = JSON.parse(text) as { providers: number; models: number }
  assert.ok(providers >= 140 && models >= 5000)
})
