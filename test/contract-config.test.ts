import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { createCatalog } from '../src/catalog/catalog.ts'
import { parseConfig } from '../src/config/parse.ts'
import { readYaml } from '../src/config/yaml.ts'

const contract = new URL('../../shared/CONTRACT.md', import.meta.url)
const skip = existsSync(contract) ? false : 'no ../shared'

test('the configuration that the contract shows is accepted whole', { skip }, () => {
  const yaml = /```yaml\n([\s\S]*?)```/.exec(readFileSync(contract, 'utf8'))?.[1] ?? ''
  const read = readYaml(yaml, 'YAML')
  assert.ok('value' in read)
  // It names a provider and a route that it leaves out.
  const value = structuredClone(read.value) as { providers: Record<string, unknown>; models: Record<string, unknown> }
  value.providers['groq'] = { keys: ['env:GROQ_API_KEY'] }
  value.models['standard'] = { targets: [{ provider: 'openai', model: 'gpt-5' }] }
  const env = { OPENAI_API_KEY: 'x', ANTHROPIC_API_KEY: 'x', DS_EU: 'x', GROQ_API_KEY: 'x' }
  const { config, problems } = parseConfig(value, { env, catalog: createCatalog })
  assert.deepEqual(problems, [])
  assert.deepEqual([...(config?.providers.keys() ?? [])], ['openai', 'anthropic', 'deepseek-eu', 'lab', 'groq'])
})
