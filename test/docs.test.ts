import assert from 'node:assert/strict'
import { existsSync, globSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { outputOf } from '../scripts/docs/mistakes.ts'
import { pages, readPage } from '../scripts/docs.ts'
import { parseConfig } from '../src/config/parse.ts'
import { readYaml } from '../src/config/yaml.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

for (const [page, text] of await pages()) test(`${page} is what \`npm run docs\` would write`, () => assert.equal(readPage(page), text))

const guide = readPage('docs/guide/configuration.md')

test('the guide shows at least ten mistakes, each with one problem and a remedy', async () => {
  const mistakes = [...guide.matchAll(/```yaml mistake\n([\s\S]*?)```/g)]
  assert.ok(mistakes.length >= 10)
  for (const [, yaml = ''] of mistakes) assert.match(await outputOf(yaml), /^ {2}signalbox\.yaml:\d+:\d+ {2}\S+\n {4}.+\n {4}→ .+\n$/, yaml)
})

for (const page of [
  'README.md',
  'docs/guide/configuration.md',
  'docs/guide/routing.md',
  'docs/guide/negotiation.md',
  'docs/guide/resilience.md',
  'docs/guide/streams.md',
  'docs/guide/drills.md',
  'docs/guide/budgets.md',
])
  test(`every configuration that ${page} shows as good is good`, () => {
    const blocks = [...readPage(page).matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = '']) => yaml)
    assert.ok(blocks.length > 0)
    for (const yaml of blocks) {
      const read = readYaml(yaml, 'YAML')
      assert.ok('value' in read, yaml)
      assert.deepEqual(parseConfig(read.value, { env: { OPENAI_API_KEY: 'x', ANTHROPIC_API_KEY: 'x', DRILL_SECRET: 'x' } }).problems, [])
    }
  })

test('links between the documents lead somewhere', () => {
  for (const page of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: root })].filter((file) =>
    existsSync(join(root, file)),
  ))
    for (const [, link = ''] of readPage(page).matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g))
      assert.ok(existsSync(join(root, dirname(page), link)), `${page}: ${link}`)
})
