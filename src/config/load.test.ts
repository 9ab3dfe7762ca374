import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { findConfigFile, loadConfigFile } from './load.ts'

const directory = mkdtempSync(join(tmpdir(), 'signalbox-config-'))
after(() => rmSync(directory, { recursive: true, force: true }))
const file = (name: string, text: string): string => {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}
const load = (name: string, text: string) => loadConfigFile(file(name, text))

test('YAML, JSON and TypeScript say the same', async () => {
  const files = [
    await load('a.yaml', 'server: { port: 9000 }\nproviders:\n  lab: { preset: openai-compatible, baseUrl: "http://10.0.0.7/v1" }\n'),
    await load(
      'a.json',
      '{"server": {"port": 9000}, "providers": {"lab": {"preset": "openai-compatible", "baseUrl": "http://10.0.0.7/v1"}}}',
    ),
    await load(
      'a.ts',
      "export const config = { server: { port: 9000 }, providers: { lab: { preset: 'openai-compatible', baseUrl: 'http://10.0.0.7/v1' } } }",
    ),
    await load(
      'b.ts',
      "export default { server: { port: 9000 }, providers: { lab: { preset: 'openai-compatible', baseUrl: 'http://10.0.0.7/v1' } } }",
    ),
  ]
  for (const loaded of files) {
    assert.deepEqual(loaded.problems, [])
    assert.deepEqual(loaded.config, files[0]?.config)
  }
})

test('problems carry the line of the key, or of its section where the key is missing', async () => {
  const yaml = 'providers:\n  lab:\n    preset: openai-compatible\n    baseURL: x\nmodels:\n  fast:\n    targets:\n      - model: m\n'
  const { problems } = await load('lines.yaml', yaml)
  assert.deepEqual(
    problems.map(({ path, line, column }) => [path, line, column]),
    [
      ['providers.lab.baseURL', 4, 5],
      ['models.fast.targets[0].provider', 8, 9],
    ],
  )
  const json = await load('lines.json', '{\n  "server": {\n    "port": "80"\n  }\n}')
  assert.deepEqual([json.problems[0]?.path, json.problems[0]?.line], ['server.port', 3])
})

test('a text that is not YAML or JSON is told with its place', async () => {
  const [broken] = (await load('broken.json', '{\n  "server": {\n    "port": 80,\n  "x"\n')).problems
  assert.match(broken?.message ?? '', /not valid JSON/)
  assert.ok((broken?.line ?? 0) >= 4)
  const [twice] = (await load('twice.yaml', 'server: {}\nstore: {}\nserver: {}\n')).problems
  assert.deepEqual([twice?.line, twice?.remedy], [3, 'take one of them out'])
  const [tab] = (await load('tab.yaml', 'server:\n\tport: 80\n')).problems
  assert.equal(tab?.line, 2)
})

test('an alias bomb is a problem, not a hang', async () => {
  const rows = Array.from({ length: 12 }, (_, index) => `a${index + 1}: &a${index + 1} [${Array(10).fill(`*a${index}`).join(', ')}]`)
  const { problems } = await load('bomb.yaml', `a0: &a0 [x]\n${rows.join('\n')}\n`)
  assert.ok(problems.length > 0)
})

test('a missing file and a TypeScript file that does not run are told plainly', async () => {
  const missing = await loadConfigFile(join(directory, 'nowhere.yaml'))
  assert.match(missing.problems[0]?.message ?? '', /cannot be read \(ENOENT\)/)
  assert.match((await load('c.ts', 'export const config = nothing')).problems[0]?.message ?? '', /nothing is not defined/)
  assert.match((await load('d.ts', 'export const other = 1')).problems[0]?.message ?? '', /nothing is exported/)
})

test('a changed TypeScript file is read anew', async () => {
  const path = file('again.ts', 'export const config = { server: { port: 1 } }')
  assert.equal((await loadConfigFile(path)).config?.server.port, 1)
  await new Promise((resolve) => setTimeout(resolve, 20))
  writeFileSync(path, 'export const config = { server: { port: 2 } }')
  assert.equal((await loadConfigFile(path)).config?.server.port, 2)
})

test('so is one whose own imports changed, or came to be', async () => {
  const path = file('parent.ts', "import { middle } from './middle.ts'\nexport const config = { server: { port: middle() } }")
  assert.match((await loadConfigFile(path)).problems[0]?.message ?? '', /the file does not run/)
  file('middle.ts', "import { port } from './leaf.ts'\nexport const middle = () => port")
  file('leaf.ts', 'export const port = 1')
  assert.equal((await loadConfigFile(path)).config?.server.port, 1)
  await new Promise((resolve) => setTimeout(resolve, 20))
  file('leaf.ts', 'export const port = 2')
  assert.equal((await loadConfigFile(path)).config?.server.port, 2)
})

test('`file:` references are read relative to the configuration', async () => {
  file('key.txt', 'sk-from-file\n')
  const provider = (keys: string) => `providers: { lab: { preset: openai-compatible, baseUrl: "http://10.0.0.7/v1", keys: [${keys}] } }`
  assert.deepEqual((await load('file.yaml', provider('"file:key.txt"'))).problems, [])
  assert.match((await load('file.yaml', provider('"file:other.txt"'))).problems[0]?.message ?? '', /other\.txt cannot be read/)
})

test('a directory’s configuration is found by its name, YAML first', () => {
  assert.equal(findConfigFile(directory), undefined)
  file('signalbox.json', '{}')
  assert.equal(findConfigFile(directory), join(directory, 'signalbox.json'))
  file('signalbox.yaml', '{}')
  assert.equal(findConfigFile(directory), join(directory, 'signalbox.yaml'))
})
