import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { createCatalog } from '../catalog/catalog.ts'
import { baseConfig, defaultConfig } from './defaults.ts'
import { genericPresets } from './known.ts'
import { findLocalServers } from './local-servers.ts'
import { parseConfig } from './parse.ts'

const catalog = () => createCatalog()

test('without a file everything is as in an empty file', () => {
  assert.deepEqual(baseConfig, parseConfig({}).config)
})

test('without a file the simulator answers, and providers whose usual variable is set', () => {
  const env = { OPENAI_API_KEY: 'sk-1', ANTHROPIC_API_KEY: ' ', GROQ_API_KEY: 'gsk', SOME_API_KEY: 'x', PATH: '/bin' }
  const { providers } = defaultConfig({ env, catalog })
  assert.deepEqual([...providers.keys()], ['simulator', 'groq', 'openai'])
  assert.deepEqual(providers.get('groq')?.keys, ['env:GROQ_API_KEY'])
})

test('what the command line says holds without a file too, and only loopback is open', () => {
  const never = () => assert.fail('asked')
  const { server, access } = defaultConfig({ env: {}, catalog: never, overrides: { host: '0.0.0.0', port: 9 } })
  assert.deepEqual([server.host, server.port, access.mode], ['0.0.0.0', 9, 'keys'])
  assert.equal(defaultConfig({ env: {}, catalog: never, overrides: { port: 9 } }).access.mode, 'open')
})

test('a variable that several providers claim enables none, nor does one whose address needs another variable', () => {
  const shared = () => ({ ...catalog(), keyVariables: () => new Map() })
  assert.deepEqual([...defaultConfig({ env: { OPENAI_API_KEY: 'x' }, catalog: shared }).providers.keys()], ['simulator'])
  assert.deepEqual([...defaultConfig({ env: { AZURE_API_KEY: 'x' }, catalog }).providers.keys()], ['simulator'])
})

test('the catalogue is not asked when no variable looks like a key', () => {
  const never = () => assert.fail('asked')
  assert.deepEqual([...defaultConfig({ env: { HOME: '/' }, catalog: never, local: ['ollama'] }).providers.keys()], ['simulator', 'ollama'])
})

test('the generic presets are those of the catalogue, and speak no other wires', () => {
  const listed = catalog()
    .providers()
    .filter(({ generic, env }) => generic && env.length === 0)
  assert.deepEqual(listed.map(({ id }) => id).toSorted(), Object.keys(genericPresets).toSorted())
  for (const { id, wires, baseUrl } of listed) {
    for (const wire of wires) assert.ok(genericPresets[id]?.wires.includes(wire), `${id} ${wire}`)
    assert.equal(genericPresets[id]?.needsBaseUrl ?? false, baseUrl === undefined && id !== 'simulator', id)
  }
})

test('local servers are found by what they say of themselves', async () => {
  const answer = (server: string, body: string) => ({ status: 200, server, body })
  assert.deepEqual(await findLocalServers(async () => undefined), [])
  const ollama = async (url: string) => (url.includes('11434') ? answer('', '{"version":"0.9.0"}') : answer('nginx', '<html>'))
  assert.deepEqual(await findLocalServers(ollama), ['ollama'])
  const llama = async (url: string) => (url.includes('8080') ? answer('llama.cpp', '{}') : undefined)
  assert.deepEqual(await findLocalServers(llama), ['llamacpp'])
})

test('a local server that accepts and then says nothing does not hold up the start', async () => {
  const silent = createServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as AddressInfo
  const started = performance.now()
  const { askOverHttp } = await import('./local-servers.ts')
  assert.equal(await askOverHttp(`http://127.0.0.1:${port}/api/version`), undefined)
  assert.ok(performance.now() - started < 2_000)
  silent.closeAllConnections()
  silent.close()
})
