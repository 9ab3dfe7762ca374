/** The commands that administer a running gateway, over sockets; one of them through the command line itself. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { auditCommand } from '../../src/server/commands/audit.ts'
import { budgetCommand } from '../../src/server/commands/budget.ts'
import type { CommandArgs } from '../../src/server/commands/catalog-file.ts'
import { keysCommand } from '../../src/server/commands/keys.ts'
import { reconcileCommand } from '../../src/server/commands/reconcile.ts'
import { requestsCommand } from '../../src/server/commands/requests.ts'
import { secretsCommand } from '../../src/server/commands/secrets.ts'
import { usageCommand } from '../../src/server/commands/usage.ts'
import { adminRig, OWNER } from './rig.ts'

const masterKeys = { FIRST_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'), SECOND_MASTER_KEY: Buffer.alloc(32, 2).toString('base64') }
const directory = mkdtempSync(join(tmpdir(), 'signalbox-commands-'))
const statement = join(directory, 'statement.csv')
writeFileSync(statement, 'Day,Model,Cost\n2026-01-01,echo,12.50\n')
const rig = await adminRig(
  {
    budgets: [{ name: 'everything', limit: '100' }],
    secrets: { masterKey: 'env:FIRST_MASTER_KEY' },
    access: { mode: 'keys', rotation: { to: `file:${directory}/{id}` } },
    reconcile: { sources: { sim: { kind: 'csv', file: statement, columns: { day: 'Day', model: 'Model', cost: 'Cost' } } } },
  },
  masterKeys,
)
const before = process.env['SIGNALBOX_ADMIN_KEY']
process.env['SIGNALBOX_ADMIN_KEY'] = OWNER
after(() => {
  if (before === undefined) delete process.env['SIGNALBOX_ADMIN_KEY']
  else process.env['SIGNALBOX_ADMIN_KEY'] = before
  rmSync(directory, { recursive: true, force: true })
})

type Command = (args: CommandArgs) => Promise<number>

async function run(
  command: Command,
  words: string,
  options: Record<string, string | boolean> = {},
): Promise<{ code: number; out: string }> {
  let out = ''
  const code = await command({
    positionals: words.split(' ').filter(Boolean),
    options: { url: rig.url, ...options },
    write: (text) => {
      out += text
    },
  })
  return { code, out }
}

const json = async <Answer>(command: Command, words: string, options: Record<string, string | boolean> = {}): Promise<Answer> => {
  const { code, out } = await run(command, words, { json: true, ...options })
  assert.equal(code, 0, out)
  return JSON.parse(out) as Answer
}

interface Made {
  readonly id: string
  readonly key: string
}

test('a key is made, shown, listed, rotated and revoked', async () => {
  const made = await json<Made & { budgets: { limit: string; window: string }[]; limits: object[] }>(keysCommand, 'create', {
    alias: 'checkout',
    models: 'main',
    budget: '0.50/day,10/month',
    limit: 'requests=60/1m,concurrent=4',
    expires: '30d',
  })
  assert.deepEqual(
    made.budgets.map(({ limit, window }) => [limit, window]),
    [
      ['0.5', 'day'],
      ['10', 'month'],
    ],
  )
  assert.equal(made.limits.length, 2)
  assert.equal((await rig.ask(made.key)).status, 200)
  assert.equal((await rig.ask(made.key, 'other')).status, 403)

  const shown = await run(keysCommand, `show ${made.id}`)
  assert.match(shown.out, /\(checkout\).*\n.*belongs to the installation\n {2}models: main\n {2}at most 60 requests in 1m\n/)
  assert.match(shown.out, /budget : \$0\.0\d+ spent, \$0 held of \$0\.5, anew /)
  const listed = await run(keysCommand, '')
  assert.ok(listed.out.includes(made.id) && !listed.out.includes(made.key))

  const rotated = await json<Made>(keysCommand, `rotate ${made.id}`, { overlap: '0s' })
  assert.equal(rotated.id, made.id)
  assert.equal((await rig.ask(rotated.key)).status, 200)
  assert.equal((await rig.ask(made.key)).status, 401)
  assert.equal((await run(keysCommand, `revoke ${made.id}`)).out, `${made.id} is revoked: it ends everywhere within a second.\n`)
  assert.equal((await rig.ask(rotated.key)).status, 401)
  assert.equal((await run(keysCommand, `revoke ${made.id}`)).code, 1)
})

test('usage as a table, as JSON and as CSV', async () => {
  const made = await json<Made>(keysCommand, 'create', { alias: 'counted' })
  await (await rig.ask(made.key)).text()
  const rows = async (): Promise<{ requests: number; cost: string }[]> =>
    (await json<{ rows: { requests: number; cost: string }[] }>(usageCommand, '', { by: 'key,model', only: made.id })).rows
  for (let wait = 0; wait < 20 && (await rows())[0]?.cost === '0'; wait++) await new Promise((done) => setTimeout(done, 50))
  const [row] = await rows()
  assert.equal(row?.requests, 1)
  assert.ok(Number(row?.cost) > 0)
  const table = await run(usageCommand, '', { by: 'key,model', only: made.id, from: '1d' })
  assert.match(table.out, /^key +model +requests +input +output +cost USD\n/)
  assert.match((await run(usageCommand, '', { format: 'csv', only: made.id })).out, /^key,requests,inputTokens/)
  assert.match((await run(usageCommand, '', { format: 'focus', only: made.id })).out, /^BilledCost,.*\r\n.*,USD,.*Tokens/)
})

test('calls, newest first, and what became of one', async () => {
  const made = await json<Made>(keysCommand, 'create', { alias: 'caller' })
  for (let call = 0; call < 3; call++) await (await rig.ask(made.key)).text()
  const listed = async (options: Record<string, string> = {}): Promise<{ data: { id: string; state: string }[]; next?: string }> =>
    json(requestsCommand, '', { key: made.id, ...options })
  for (let wait = 0; wait < 20 && (await listed({ state: 'settled' })).data.length < 3; wait++)
    await new Promise((done) => setTimeout(done, 50))
  const { data, next } = await listed({ from: '1h', status: '2xx' })
  assert.deepEqual([data.length, next], [3, undefined])
  const table = await run(requestsCommand, 'list', { key: made.id, limit: '2' })
  assert.match(table.out, /^at \(UTC\) +id +key +asked for +served by +status +ms +input +output +cost USD\n/)
  assert.match(table.out, new RegExp(`${data[0]?.id} +caller +main +sim/echo +200 +\\d+ +\\d+ +\\d+ +0\\.0`))
  assert.ok(!table.out.includes(data[2]?.id ?? ''))
  const [, place = ''] = /^More: signalbox requests --after (\S+),/m.exec(table.out) ?? []
  assert.deepEqual(
    (await listed({ after: place })).data.map(({ id }) => id),
    [data[2]?.id],
  )
  const shown = JSON.parse((await run(requestsCommand, `show ${data[0]?.id}`)).out) as { decision: { attempts: unknown[] } }
  assert.equal(shown.decision.attempts.length, 1)
  assert.equal((await run(requestsCommand, '', { user: 'nobody' })).out, 'No such calls.\n')
  assert.deepEqual(await run(requestsCommand, '', { limit: 'all' }), {
    code: 2,
    out: 'requests: --limit all is not a number of calls: write 1 to 1000\n',
  })
  assert.match((await run(requestsCommand, '', { status: 'bad' })).out, /^requests: status: "bad" is not a status: write one/)
  assert.equal((await run(requestsCommand, 'show')).code, 2)
})

test('budgets of the file and of the store, and how far each is used', async () => {
  const made = await json<{ id: string }>(budgetCommand, 'create', { limit: '$5', window: 'day', by: 'key', name: 'each' })
  const list = await run(budgetCommand, 'list')
  assert.match(list.out, /everything +100 +month +all together +all +refuse +config/)
  assert.match(list.out, /each +5 +day +each key +all +refuse +admin/)
  const status = await run(budgetCommand, 'status')
  assert.match(status.out, /everything/)
  assert.match(status.out, new RegExp(`${made.id}: each key has its own`))
  assert.match((await run(budgetCommand, `status ${made.id} key_nobody`)).out, /each +key_nobody +5 +0 +0 +5/)
  assert.equal((await run(budgetCommand, `remove ${made.id}`)).code, 0)
})

test('the audit log tells what was done, and that it is whole', async () => {
  const list = await run(auditCommand, '')
  assert.match(list.out, /owner +key\.create +key\/key_\w+ +127\.0\.0\.1/)
  assert.match(list.out, /owner +budget\.delete/)
  const verified = await run(auditCommand, 'verify')
  assert.deepEqual([verified.code, /^The log is whole: \d+ entries/.test(verified.out)], [0, true])
})

test('a question that makes no sense is met with the one that does', async () => {
  assert.deepEqual(await run(keysCommand, 'creat'), { code: 2, out: 'keys: there is no `keys creat`: did you mean `create`?\n' })
  assert.deepEqual(await run(keysCommand, 'show'), { code: 2, out: 'keys: the id of a key is missing: signalbox keys show key_…\n' })
  assert.match((await run(keysCommand, 'create', { budget: 'lots' })).out, /--budget lots is not a budget: write 0\.50\/day/)
  assert.match((await run(usageCommand, '', { by: 'colour' })).out, /^usage: by: there is no dimension colour: there are key, /)
  assert.match((await run(usageCommand, '', { from: 'monday' })).out, /--from monday is not a time: write 2026-01-31/)
  assert.match((await run(budgetCommand, 'create')).out, /--limit is missing/)
  assert.match((await run(secretsCommand, 'set openai sk-secret')).out, /a value does not belong on the command line/)
  assert.match((await run(keysCommand, 'show key_none')).out, /^keys: There is no such key\.\n$/)
})

test('a secret is set, given another value and taken away; its value is never told', async () => {
  const set = (words: string, value: string): ReturnType<typeof run> => run((args) => secretsCommand(args, () => value), words)
  assert.match((await set('set openai-2', 'sk-canary-one\n')).out, /^openai-2 is stored \(version 1\): refer to it as `secret:openai-2`/)
  assert.match((await set('set openai-2', 'sk-canary-two')).out, /version 2/)
  assert.match((await set('rotate openai-2', 'sk-canary-three')).out, /^openai-2 has a new value \(version 3\)/)
  assert.match((await set('rotate openai-2', ' ')).out, /the value is empty/)
  const file = join(directory, 'credential')
  writeFileSync(file, 'sk-canary-four\n')
  assert.equal((await run(secretsCommand, 'set other', { file })).code, 0)
  const list = await run(secretsCommand, '')
  assert.match(list.out, /openai-2 +3 /)
  const rotated = await run(secretsCommand, 'rotate-master env:SECOND_MASTER_KEY')
  assert.deepEqual(
    [rotated.code, rotated.out],
    [0, '2 secrets are under the new key: write `masterKey: env:SECOND_MASTER_KEY` under `secrets:` now.\n'],
  )
  assert.equal((await run(secretsCommand, 'remove other')).code, 0)
  const audit = await run(auditCommand, '', { json: true, limit: '1000' })
  assert.match(audit.out, /secret\.rotate-master/)
  assert.doesNotMatch(list.out + rotated.out + audit.out + rig.output(), /sk-canary/)
})

test('a statement that the ledger does not agree with ends the command with 1, and is told by model and day', async () => {
  const { code, out } = await run(reconcileCommand, '', { from: '2026-01-01', to: '2026-01-03' })
  assert.equal(code, 1, out)
  assert.match(out, /2026-01-01 to 2026-01-02 \(UTC\).*DRIFT/)
  assert.match(out, /sim \(sim\): \d+ model-days, .* 1 with drift\n {2}2026-01-01 {2}echo: /)
  assert.equal((await run(reconcileCommand, '', { last: true })).out, out)
  assert.match((await run(reconcileCommand, '', { from: '2026-01-03', to: '2026-01-01' })).out, /^reconcile: from: is not before `to`/)
})

test('a gateway that is not there, and a key that it does not know', async () => {
  const away = await run(keysCommand, 'list', { url: 'http://127.0.0.1:9' })
  assert.equal(away.code, 1)
  assert.match(away.out, /^keys: no gateway answers at http:\/\/127\.0\.0\.1:9: .*\n {2}→ start one with `signalbox serve`/)
  process.env['SIGNALBOX_ADMIN_KEY'] = 'somebody-else'
  const strange = await run(keysCommand, 'list')
  process.env['SIGNALBOX_ADMIN_KEY'] = OWNER
  assert.match(strange.out, /^keys: This key is not known.*\n {2}→ put the owner's key/)
})

test('from the command line: options, JSON, and the address out of the configuration', async () => {
  const config = join(directory, 'signalbox.yaml')
  writeFileSync(config, `server: { port: ${new URL(rig.url).port} }\nadmin: { key: "file:./owner" }\n`)
  writeFileSync(join(directory, 'owner'), `${OWNER}\n`)
  const cli = fileURLToPath(new URL('../../src/server/cli.ts', import.meta.url))
  const { PATH } = process.env
  const told = (...words: string[]) =>
    new Promise<string>((resolve, reject) =>
      execFile(process.execPath, [cli, ...words, '--json'], { cwd: directory, env: { PATH } }, (error, stdout) =>
        error ? reject(error) : resolve(stdout),
      ),
    )
  const made = JSON.parse(await told('keys', 'create', '--alias', 'by-hand', '--models', 'main', '--rotate-every', '36h')) as Made & {
    readonly rotateEvery: string
  }
  assert.match(made.key, /^sb-/)
  assert.equal(made.rotateEvery, '36h')
  assert.match((await run(keysCommand, `show ${made.id}`)).out, /\n {2}rotated every 36h, next 20/)
  await (await rig.ask(made.key)).text()
  const calls = async (...words: string[]): Promise<number> =>
    (JSON.parse(await told('requests', '--key', made.id, ...words)) as { data: unknown[] }).data.length
  for (let wait = 0; wait < 20 && (await calls('--state', 'settled')) < 1; wait++) await new Promise((done) => setTimeout(done, 50))
  assert.deepEqual([await calls(), await calls('--min-cost', '$1000')], [1, 0])
})
