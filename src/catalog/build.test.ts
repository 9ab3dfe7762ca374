import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { suite, test } from 'node:test'
import { promisify } from 'node:util'
import { buildCatalog, factsFile } from '../../scripts/catalog.ts'

const data = (name: string): URL => new URL(`./data/${name}`, import.meta.url)
const skip = existsSync(factsFile) ? false : 'the shared model facts are not beside this checkout'

suite('the built data', () => {
  test('is what the script makes of the facts, byte for byte', { skip }, () => {
    for (const [name, text] of Object.entries(buildCatalog(readFileSync(factsFile, 'utf8'))))
      assert.equal(readFileSync(data(name), 'utf8'), text, name)
  })

  test('does not depend on the order of the facts', { skip }, () => {
    const facts = readFileSync(factsFile, 'utf8')
    const { providers } = JSON.parse(facts) as { providers: Record<string, { models: Record<string, unknown> }> }
    const reversed = Object.fromEntries(
      Object.entries(providers)
        .map(([id, provider]) => [id, { ...provider, models: Object.fromEntries(Object.entries(provider.models).reverse()) }] as const)
        .reverse(),
    )
    assert.deepEqual(buildCatalog(JSON.stringify(reversed)), buildCatalog(facts))
  })

  test('is small', () => assert.ok(statSync(data('models.json')).size + statSync(data('providers.json')).size < 1_000_000))

  test('and the price data are not read for hosts of one’s own, only for a vendor’s models', async () => {
    const script = `
      const { createCatalog } = await import(${JSON.stringify(new URL('./catalog.ts', import.meta.url).href)})
      const { capabilitiesOf } = await import(${JSON.stringify(new URL('./capabilities.ts', import.meta.url).href)})
      const { createPricing } = await import(${JSON.stringify(new URL('../accounting/pricing.ts', import.meta.url).href)})
      const { createRequire } = await import('node:module')
      const loaded = () => Object.keys(createRequire(import.meta.url).cache).filter((path) => /models\\.json|genai-prices/.test(path)).length
      const catalog = createCatalog()
      const pricing = createPricing({ catalog })
      catalog.provider('openai')
      catalog.providers()
      catalog.keyVariables()
      const before = loaded()
      capabilitiesOf('openai-compatible', 'anything', catalog)
      pricing.priceOf('openai-compatible', 'anything', { input: 1, output: 2 })
      const own = loaded()
      pricing.priceOf('openai', 'gpt-5')
      console.log(JSON.stringify({ before, own, after: loaded() }))`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script])
    assert.deepEqual(JSON.parse(stdout), { before: 0, own: 0, after: 2 })
  })
})
