/** What the runner of the quick tests tells of files that share a process, when one of them goes wrong. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'

const directory = mkdtempSync(join(tmpdir(), 'signalbox-runner-'))
after(() => rmSync(directory, { recursive: true, force: true }))

const files: Readonly<Record<string, string>> = {
  'before.test.mjs': "test('one', () => {}); test('two', { skip: 'no reason' }, () => {})",
  'after.test.mjs': "import { describe } from 'node:test'; describe('both', () => { test('three', () => {}) })",
  'fails.test.mjs': "test('is wrong', () => { throw new Error('wrong') }); test('is right', () => {})",
  'hangs.test.mjs': "test('waits', () => new Promise(() => {})); test('is right', () => {})",
  'loops.test.mjs': "test('loops', () => { for (;;); })",
  'crashes.test.mjs': "test('crashes', () => process.kill(process.pid, 'SIGKILL'))",
  'leaves.test.mjs': "test('leaves', () => process.exit(0)); test('never runs', () => {})",
  'open.test.mjs': "import { createServer } from 'node:net'; test('listens', () => void createServer().listen(0, '127.0.0.1'))",
  'absent.test.mjs': "import './no-such-file.mjs'",
  'hooks.test.mjs': "import { beforeEach } from 'node:test'; beforeEach(() => { throw new Error('hook') }); test('is hooked', () => {})",
}
for (const [name, body] of Object.entries(files)) writeFileSync(join(directory, name), `import { test } from 'node:test'\n${body}\n`)

const program = `
import { createTally } from ${JSON.stringify(new URL('../scripts/test/events.ts', import.meta.url).href)}
import { shared } from ${JSON.stringify(new URL('../scripts/test/shared.ts', import.meta.url).href)}
const tally = createTally()
const told = []
for await (const event of shared(process.argv.slice(2), { processes: 1, testMs: 1_000, silenceMs: 6_000 })) {
  tally.note(event)
  const { name, file, nesting, details } = event.data
  if (event.type === 'test:fail') told.push({ name, file, nesting, why: String(details.error.cause?.message ?? details.error.cause ?? details.error.message) })
}
console.log(JSON.stringify({ told, failed: tally.failed(), counts: tally.counts }))
`
writeFileSync(join(directory, 'program.mjs'), program)

interface Told {
  readonly told: readonly { readonly name: string; readonly file: string; readonly nesting: number; readonly why: string }[]
  readonly failed: boolean
  readonly counts: Readonly<Record<string, number>>
}

async function run(...names: readonly string[]): Promise<Told> {
  // Within a test node:test runs no others.
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env
  const paths = names.map((name) => join(directory, `${name}.test.mjs`))
  const child = spawn(process.execPath, [join(directory, 'program.mjs'), ...paths], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  return JSON.parse(await text(child.stdout)) as Told
}

test('what is well is counted as if each file had a process of its own', async () => {
  const { told, failed, counts } = await run('before', 'after')
  assert.deepEqual(told, [])
  assert.equal(failed, false)
  assert.deepEqual(counts, { tests: 3, suites: 1, pass: 2, fail: 0, cancelled: 0, skipped: 1, todo: 0 })
})

test('a test that fails, and one that waits for ever, are told by file and name, and the others run', async () => {
  const { told, failed, counts } = await run('before', 'fails', 'hangs', 'after')
  assert.ok(failed)
  assert.deepEqual(
    told.map(({ name, nesting }) => [name, nesting]),
    [
      ['is wrong', 0],
      ['waits', 0],
    ],
  )
  assert.match(told[0]?.file ?? '', /fails\.test/)
  assert.match(told[1]?.why ?? '', /timed out/)
  assert.deepEqual(counts, { tests: 7, suites: 1, pass: 4, fail: 1, cancelled: 1, skipped: 1, todo: 0 })
})

for (const [name, why] of [
  ['crashes', /ended in the middle/],
  ['leaves', /ended in the middle/],
  ['loops', /Nothing came of this file/],
  ['open', /left open/],
  ['absent', /Cannot find module/],
] as const)
  test(`a file that ${name === 'open' ? 'leaves something open' : name === 'absent' ? 'does not load' : name} fails by its name, and the others are told all the same`, async () => {
    const { told, failed, counts } = await run('before', name, 'after')
    assert.ok(failed)
    assert.deepEqual(
      told.map((one) => one.file),
      [join(directory, `${name}.test.mjs`)],
    )
    assert.match(told[0]?.why ?? '', why)
    assert.equal(counts['skipped'], 1)
    assert.equal(counts['fail'], 1)
    assert.ok((counts['pass'] ?? 0) >= 2, 'the other files passed')
  })

test('a hook holds for its own file only', async () => {
  const { told, counts } = await run('hooks', 'before', 'after')
  assert.deepEqual(
    told.map(({ name }) => name),
    ['is hooked'],
  )
  assert.equal(counts['pass'], 2)
})
