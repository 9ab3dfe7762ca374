/** The package as it is published: built, packed, and used from a project that has only its dependencies. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from '../scripts/build.ts'

const repository = fileURLToPath(new URL('..', import.meta.url))
const place = mkdtempSync(join(tmpdir(), 'signalbox-package-'))
const installed = join(place, 'app/node_modules/signalbox')
const app = join(place, 'app')
const running: ChildProcess[] = []
after(() => {
  for (const child of running) child.kill('SIGKILL')
  rmSync(place, { recursive: true, force: true })
})

const npm = (...args: readonly string[]) =>
  spawnSync('npm', args, {
    cwd: place,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    env: { ...process.env, NO_UPDATE_NOTIFIER: '1' },
  })
const skip = npm('--version').status === 0 ? false : 'npm is not on the path'

const { NODE_TEST_CONTEXT: _, ...env } = process.env
const run = (...args: readonly string[]) => spawnSync(process.execPath, args, { cwd: app, encoding: 'utf8', env })
const cli = join(installed, 'bin/signalbox.mjs')

/** As an installation leaves it, but for what would have to be downloaded: that is linked. */
function install(): void {
  build(join(place, 'package'))
  const packed = npm('pack', './package', '--json', '--offline')
  assert.equal(packed.status, 0, packed.stderr)
  const [{ filename }] = JSON.parse(packed.stdout) as [{ filename: string }]
  rmSync(join(place, 'package'), { recursive: true })
  const unpacked = spawnSync('tar', ['-xzf', filename], { cwd: place, encoding: 'utf8' })
  assert.equal(unpacked.status, 0, unpacked.stderr)
  mkdirSync(dirname(installed), { recursive: true })
  renameSync(join(place, 'package'), installed)
  const { dependencies } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
  for (const name of Object.keys(dependencies)) {
    const link = join(app, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(repository, 'node_modules', name), link, 'junction')
  }
  writeFileSync(join(app, 'package.json'), '{"type":"module"}')
}

test('the published package', { skip, timeout: 240_000 }, async (t) => {
  install()

  await t.test('holds JavaScript, types, data and guides, and nothing that only development needs', () => {
    const files = globSync('**/*', { cwd: installed })
    for (const file of [
      'README.md',
      'LICENSE',
      'docs/guide/configuration.md',
      'docs/reference/openapi.json',
      'src/catalog/data/models.json',
    ])
      assert.ok(existsSync(join(installed, file)), file)
    assert.deepEqual(
      files.filter((file) => /(?<!\.d)\.ts$|\.test\.|fixtures|package-lock|^(test|bench|scripts)\//.test(file)),
      [],
    )
    const own = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as Record<string, unknown>
    for (const name of ['devDependencies', 'optionalDependencies', 'scripts', 'private']) assert.ok(!(name in own), name)
    for (const file of files.filter((name) => /\.(js|d\.ts)$/.test(name))) {
      const text = readFileSync(join(installed, file), 'utf8')
      for (const [, path = ''] of text.matchAll(/(?:from |import\(|new URL\()['"](\.\.?\/[^'"]+)['"]/g))
        assert.ok(path.endsWith('/') || existsSync(join(installed, dirname(file), path)), `${file} names ${path}, which is not there`)
    }
  })

  await t.test('is imported: a gateway, the simulator, the admin client and the schema', () => {
    writeFileSync(
      join(app, 'main.js'),
      `import { createGateway } from 'signalbox'
import { serveSimulator } from 'signalbox/testing'
import { AdminError, createAdminClient } from 'signalbox/admin-client'
import schema from 'signalbox/config.schema.json' with { type: 'json' }
const simulator = await serveSimulator()
const gateway = createGateway({ providers: { lab: { preset: 'openai-compatible', baseUrl: simulator.url + '/v1' } } })
const answer = await gateway.fetch('http://any/v1/chat/completions', {
  method: 'POST',
  body: JSON.stringify({ model: 'lab/echo', messages: [{ role: 'user', content: 'Hello from a package' }] }),
})
console.log(JSON.stringify([(await answer.json()).choices[0].message.content, typeof createAdminClient, typeof AdminError, typeof schema.properties.providers]))
await gateway.close()
await simulator.close()
`,
    )
    const { stdout, stderr } = run('main.js')
    assert.deepEqual(JSON.parse(stdout || '[]'), ['You said: Hello from a package', 'function', 'function', 'object'], stderr)
  })

  await t.test('has types', () => {
    writeFileSync(
      join(app, 'typed.ts'),
      `import { type ConfigInput, createGateway, defineConfig, type GatewayFetch } from 'signalbox'
import { createAdminClient } from 'signalbox/admin-client'
const config: ConfigInput = defineConfig({ models: { fast: { targets: [{ provider: 'lab', model: 'm' }] } } })
export const ask: GatewayFetch = createGateway(config).fetch
export const made: Promise<{ key: string }> = createAdminClient({ url: 'http://x', key: 'k' }).keys.create({ alias: 'a' })
// @ts-expect-error no such member
defineConfig({ modells: {} })
`,
    )
    const options = ['--noEmit', '--strict', '--target', 'esnext', '--module', 'nodenext', '--types', 'node', '--skipLibCheck']
    const types = ['--typeRoots', join(repository, 'node_modules/@types')]
    const { status, stdout } = run(join(repository, 'node_modules/typescript/bin/tsc'), ...options, ...types, 'typed.ts')
    assert.equal(status, 0, stdout)
  })

  await t.test('has the command line: its version, and what it says of a configuration', () => {
    const version = (JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string }).version
    assert.match(run(cli, '--version').stdout, new RegExp(`^${version}\\s*$`))
    writeFileSync(
      join(app, 'signalbox.ts'),
      `import { defineConfig } from 'signalbox'
const name: string = 'computed'
export default defineConfig({ providers: { simulator: {} }, models: { [name]: { targets: [{ provider: 'simulator', model: 'echo' }] } } })
`,
    )
    const good = run(cli, 'check')
    assert.equal(good.status, 0, good.stdout + good.stderr)
    writeFileSync(join(app, 'bad.yaml'), 'modells: {}\n')
    const bad = run(cli, 'check', '--config', 'bad.yaml')
    assert.equal(bad.status, 1)
    assert.match(bad.stdout + bad.stderr, /models/)
  })

  await t.test('serves, with threads', { skip: process.platform === 'win32' && 'no SIGTERM on Windows' }, async () => {
    writeFileSync(join(app, 'threads.yaml'), 'server: { port: 0, threads: 2 }\nstore: { url: "memory:" }\nproviders: { simulator: {} }\n')
    const child = spawn(process.execPath, [cli, 'serve', '--config', 'threads.yaml'], { cwd: app, env })
    running.push(child)
    let output = ''
    const url = await new Promise<string>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (bytes) => {
          output += bytes
          const found = /http:\/\/127\.0\.0\.1:\d+/.exec(output)
          if (found) resolve(found[0])
        })
      child.once('exit', () => reject(new Error(output)))
    })
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'simulator/echo', messages: [{ role: 'user', content: 'Hi' }] }),
    })
    assert.equal(answer.status, 200)
    assert.equal(output.includes('did not start'), false, output)
    child.kill('SIGTERM')
    assert.equal(await new Promise((resolve) => child.once('exit', resolve)), 0, output)
  })
})
