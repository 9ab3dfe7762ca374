import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readServeFlags } from './commands/serve.ts'

const cli = fileURLToPath(new URL('./cli.ts', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'signalbox-cli-'))
after(() => rmSync(directory, { recursive: true, force: true }))

/** What a command prints, and its exit code, in an empty directory without keys. */
async function run(...args: readonly string[]): Promise<{ code: number | null; out: string; error: string }> {
  const { PATH, NODE_COMPILE_CACHE } = process.env
  const child = spawn(process.execPath, [cli, ...args], { cwd: directory, env: { PATH, NODE_COMPILE_CACHE, LAB_KEY: 'x' } })
  const result = { code: null as number | null, out: '', error: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    result.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    result.error += text
  })
  result.code = await new Promise((resolve) => child.once('close', resolve))
  return result
}

test('`check` tells where a mistake is, what it is and what to do, and ends with 1', async () => {
  writeFileSync(join(directory, 'bad.yaml'), 'server:\n  prot: 80\n')
  const { code, out } = await run('check', 'bad.yaml')
  assert.equal(code, 1)
  assert.equal(out, 'bad.yaml: 1 problem\n\n  bad.yaml:2:3  server.prot\n    unknown key `prot`\n    → did you mean `port`?\n')
})

test('`check --json` is for programs', async () => {
  writeFileSync(join(directory, 'bad.json'), '{"server": {"port": "80"}}')
  const { code, out } = await run('check', '--config', 'bad.json', '--json')
  assert.equal(code, 1)
  const report = JSON.parse(out)
  assert.equal(report.valid, false)
  assert.deepEqual(report.problems[0], {
    path: 'server.port',
    message: '"80" is not a number',
    remedy: 'write it without quotes: 80',
    line: 1,
    column: 13,
  })
})

test('`check` of a good file tells what it amounts to, and what has no effect yet', async () => {
  const config = {
    providers: { lab: { preset: 'openai-compatible', baseUrl: 'http://10.0.0.7/v1', keys: ['env:LAB_KEY'] } },
    models: { fast: { strategy: 'cheapest', targets: [{ provider: 'lab', model: 'm' }] } },
    guards: { pii: { kind: 'pii' } },
  }
  writeFileSync(join(directory, 'good.json'), JSON.stringify(config))
  const { code, out } = await run('check', 'good.json')
  assert.equal(code, 0)
  assert.match(out, /good\.json: good/)
  assert.match(out, /provider lab \(openai-compatible\): http:\/\/10\.0\.0\.7\/v1, 1 key/)
  assert.match(out, /guards: has no effect yet/)
  assert.doesNotMatch(out, /models\.fast\.strategy: has no effect yet/)
})

test('a command or option that does not exist is met with the one that was meant', async () => {
  const [command, option] = await Promise.all([run('chek'), run('check', '--jsn')])
  assert.deepEqual([command.code, option.code], [2, 2])
  assert.match(command.error, /unknown command 'chek'[\s\S]*check/)
  assert.match(option.error, /unknown option '--jsn'[\s\S]*--json/)
})

test('`serve` with a bad flag ends at once, without loading the gateway', async () => {
  const { code, error } = await run('serve', '--prot', '80')
  assert.equal(code, 2)
  assert.equal(error, 'signalbox serve: unknown option --prot: did you mean --port?\n')
})

test('the flags of `serve`', () => {
  assert.deepEqual(readServeFlags([]), {})
  assert.deepEqual(readServeFlags(['--config', 'a.yaml', '--port=0', '--host', '::1']), { config: 'a.yaml', port: 0, host: '::1' })
  assert.equal(readServeFlags(['--help']), 'help')
  for (const args of [['--port', '70000'], ['--port', 'x'], ['--port', ''], ['--config'], ['--host', ''], ['file.yaml']])
    assert.ok('problem' in (readServeFlags(args) as object), args.join(' '))
})
