/** The stories of `examples/` are run as their readme says. */
import assert from 'node:assert/strict'
import { execFile, spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const run = promisify(execFile)
const hasCurl = spawnSync('curl', ['--version']).status === 0

async function output(file: string): Promise<string> {
  return (await run(process.execPath, [file], { cwd: root, timeout: 60_000 })).stdout
}

/** A gateway with this configuration, once it listens. */
async function serve(config: string): Promise<string> {
  const child = spawn(process.execPath, ['src/server/cli.ts', 'serve', '--config', config, '--port', '0'], {
    cwd: root,
    env: { ...process.env, SIGNALBOX_ADMIN_KEY: 'owner-of-the-examples' },
  })
  after(() => void child.kill())
  let said = ''
  return new Promise((resolve, reject) => {
    child.stdout.on('data', (text) => {
      said += String(text)
      const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(said) ?? []
      if (url !== undefined) resolve(url)
    })
    child.stderr.on('data', (text) => {
      said += String(text)
    })
    child.once('exit', () => reject(new Error(said)))
  })
}

test('embedded: the second target answers when the first is down', async () => {
  assert.equal(await output('examples/embedded/main.ts'), 'You said: Is anybody there?\nYou said: Word by word, please.\n')
})

test('three-sdks: all three get the same answer', async () => {
  const lines = (await output('examples/three-sdks/main.ts')).trim().split('\n')
  assert.deepEqual(
    lines.map((line) => line.replace(/^\w+:\s+/, '')),
    ['You said: Who are you?', 'You said: Who are you?', 'You said: Who are you?'],
  )
})

test('server: answers in four dialects', { skip: hasCurl ? false : 'curl is not installed' }, async () => {
  const url = await serve('examples/server/signalbox.yaml')
  const { stdout } = await run('sh', ['examples/server/ask.sh', url], { cwd: root, timeout: 30_000 })
  for (const dialect of ['Chat', 'Messages', 'Gemini']) assert.match(stdout, new RegExp(`You said: Hello from ${dialect}`))
  assert.match(stdout, /response\.completed.*You said: Hello from Responses/)
})

test('typescript-config: serves the names that the file computes', async () => {
  const url = await serve('examples/typescript-config/signalbox.ts')
  const { data } = (await (await fetch(`${url}/v1/models`)).json()) as { data: { id: string }[] }
  const names = data.map(({ id }) => id)
  for (const name of ['search-assistant', 'support-assistant', 'billing-assistant']) assert.ok(names.includes(name), names.join(', '))
})

test('the readme names every story', () => {
  const readme = readFileSync(new URL('../examples/README.md', import.meta.url), 'utf8')
  const stories = readdirSync(new URL('../examples', import.meta.url), { withFileTypes: true }).filter((entry) => entry.isDirectory())
  assert.ok(stories.length >= 4)
  for (const { name } of stories) assert.ok(readme.includes(`[${name}]`), name)
})
