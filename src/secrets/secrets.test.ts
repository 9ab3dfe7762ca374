import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fakeServer } from './fixtures/fake-server.ts'
import { fakeRecords } from './fixtures/records.ts'
import { createSecrets, type SecretChange, type Secrets } from './secrets.ts'

const key = (): string => randomBytes(32).toString('hex')
const wanted = (...references: string[]) => references.map((reference, index) => ({ reference, path: `providers.p.keys[${index}]` }))

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (await what()) return
    await sleep(5)
  }
  assert.fail('it did not come to that')
}

/** Vault that knows one path. */
const vaultWith = (valueNow: () => string) =>
  fakeServer(({ path }) => {
    if (path.includes('/lookup-self')) return { body: { data: { ttl: 0 } } }
    return path === '/v1/kv/data/openai'
      ? { body: { data: { data: { key: valueNow() }, metadata: { version: 1 } } } }
      : { status: 404, body: {} }
  })

describe('at start', () => {
  test('everything is read; what cannot be is told with path and remedy, and plain text is not repeated', async () => {
    const secrets = createSecrets({ env: { SET: ' value-1 \n' }, readFile: () => assert.fail('no file'), http: { attempts: 1 } })
    const problems = await secrets.start(
      wanted('env:SET', 'env:UNSET', 'sk-plain-canary', 'vault:kv/openai#key', 'secret:openai', 'env:not a name'),
    )
    assert.equal(secrets.current('env:SET'), 'value-1')
    assert.deepEqual(
      problems.map(({ path, fault }) => `${path} ${fault}`),
      [
        'providers.p.keys[1] unset',
        'providers.p.keys[2] malformed',
        'providers.p.keys[3] unset',
        'providers.p.keys[4] later',
        'providers.p.keys[5] malformed',
      ],
    )
    for (const { remedy } of problems) assert.ok(remedy.length > 5)
    assert.doesNotMatch(JSON.stringify(problems), /canary/)
    assert.equal(secrets.current('sk-plain-canary'), undefined)
    await secrets.close()
  })

  test('plain text counts only where it is allowed', async () => {
    const secrets = createSecrets({ env: {}, allowPlaintext: true })
    assert.deepEqual(await secrets.start(wanted('sk-plain')), [])
    assert.equal(secrets.current('sk-plain'), 'sk-plain')
    await secrets.close()
  })

  test('a second start forgets what is not wanted any more and reads the environment again', async () => {
    const env: Record<string, string> = { A: 'a-1', B: 'b-1' }
    const secrets = createSecrets({ env })
    await secrets.start(wanted('env:A', 'env:B'))
    const changes: SecretChange[] = []
    secrets.watch((change) => changes.push(change))
    env['A'] = 'a-2'
    await secrets.start(wanted('env:A'))
    assert.equal(secrets.current('env:A'), 'a-2')
    assert.equal(secrets.current('env:B'), undefined)
    assert.deepEqual(changes, [{ reference: 'env:A', organisation: undefined, previous: 'a-1', value: 'a-2' }])
    await secrets.close()
  })

  test('what is wrong with the configuration is fatal; what time will help is not, and a slow source holds nothing up for long', async () => {
    await using server = await fakeServer(() => new Promise(() => {}))
    const secrets = createSecrets({
      env: { T: 'tok', MASTER: key() },
      records: fakeRecords(),
      masterKey: 'env:MASTER',
      vault: { url: server.url, auth: { token: 'env:T' }, kv: 2 },
    })
    const began = performance.now()
    const { problems, commit } = await secrets.prepare(wanted('env:UNSET', 'vault:kv/openai#key', 'secret:not-yet'), undefined, 100)
    assert.ok(performance.now() - began < 3_000)
    assert.deepEqual(
      problems.map(({ fault, fatal }) => [fault, fatal]),
      [
        ['unset', true],
        ['unreachable', false],
        ['unset', false],
      ],
    )
    await commit()
    await secrets.put('not-yet', 'here-now')
    assert.equal(secrets.current('secret:not-yet'), 'here-now')
    await secrets.close()
    const without = createSecrets({ env: {}, records: fakeRecords(), masterKey: 'env:MASTER' })
    const [problem] = (await without.prepare(wanted('secret:x'))).problems
    assert.deepEqual([problem?.fatal, problem?.message], [true, 'the master key: the environment variable MASTER is not set'])
    await without.close()
  })

  test('a source that is down at start is asked until it answers', async () => {
    await using server = await vaultWith(() => 'sk-1')
    const { answer } = server
    server.answer = () => ({ status: 503, body: { errors: ['sealed'] } })
    const secrets = createSecrets({
      env: { T: 'tok' },
      vault: { url: server.url, auth: { token: 'env:T' }, kv: 2 },
      http: { attempts: 1 },
      rereadMs: 20,
    })
    const [problem] = await secrets.start(wanted('vault:kv/openai#key'))
    assert.equal(problem?.fault, 'unreachable')
    assert.match(problem?.message ?? '', /answered 503, sealed/)
    server.answer = answer
    await until(() => secrets.current('vault:kv/openai#key') === 'sk-1')
    await secrets.close()
  })
})

describe('while it runs', () => {
  test('a file is read again when it changes: written in place, or behind a link that leads elsewhere', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'secrets-'))
    const secrets = createSecrets({ env: {}, fileMs: 10 })
    try {
      // As Kubernetes mounts secrets: key → ..data/key, ..data → a directory that is swapped.
      for (const round of [1, 2]) {
        await mkdir(join(directory, `..${round}`))
        await writeFile(join(directory, `..${round}`, 'key'), `mounted-${round}\n`)
      }
      await symlink('..1', join(directory, '..data'))
      await symlink(join('..data', 'key'), join(directory, 'key'))
      await writeFile(join(directory, 'plain'), 'plain-1')
      const [mounted, plain] = [`file:${join(directory, 'key')}`, `file:${join(directory, 'plain')}`]
      assert.deepEqual(await secrets.start(wanted(mounted, plain)), [])
      assert.equal(secrets.current(mounted), 'mounted-1')
      await symlink('..2', join(directory, '..data_tmp'))
      await rename(join(directory, '..data_tmp'), join(directory, '..data'))
      await writeFile(join(directory, 'plain'), 'plain-2')
      await until(() => secrets.current(mounted) === 'mounted-2' && secrets.current(plain) === 'plain-2')
      // Gone for a moment, as when it is being replaced: the value stays.
      await rm(join(directory, 'plain'))
      await until(() => secrets.state().some(({ problem }) => problem !== undefined))
      assert.equal(secrets.current(plain), 'plain-2')
      await writeFile(join(directory, 'plain'), 'plain-3')
      await until(() => secrets.current(plain) === 'plain-3')
    } finally {
      await secrets.close()
      await rm(directory, { recursive: true })
    }
  })

  test('a file that is put there takes the place of the one before, or leaves it as it was', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'secrets-'))
    const secrets = createSecrets({ env: {} })
    try {
      const place = `file:${join(directory, 'key')}`
      for (const value of ['sk-1', 'sk-2']) {
        await secrets.write(place, value)
        assert.deepEqual(await secrets.resolve(place), { value })
      }
      // A directory stands there: nothing can take its place.
      await mkdir(join(directory, 'taken', 'below'), { recursive: true })
      for (const elsewhere of [join('absent', 'key'), 'taken'])
        await assert.rejects(secrets.write(`file:${join(directory, elsewhere)}`, 'sk-canary'), (error: Error) => {
          assert.match(error.message, /cannot be written \(E[A-Z]+\)$/)
          return error.name === 'SecretError' && !error.message.includes('canary')
        })
      assert.deepEqual((await readdir(directory)).toSorted(), ['key', 'taken'])
    } finally {
      await secrets.close()
      await rm(directory, { recursive: true })
    }
  })

  test('an unreachable source takes nothing away until the stated bound, and says so without the value', async () => {
    let now = 1_000_000
    const lines: string[] = []
    await using server = await vaultWith(() => 'sk-canary-1')
    const { answer } = server
    const secrets = createSecrets({
      env: { T: 'token-canary' },
      vault: { url: server.url, auth: { token: 'env:T' }, kv: 2 },
      http: { attempts: 1 },
      now: () => now,
      rereadMs: 1_000,
      fileMs: 5,
      keepMs: 60_000,
      tell: (line) => lines.push(line),
    })
    assert.deepEqual(await secrets.start(wanted('vault:kv/openai#key')), [])
    server.answer = ({ headers }) => ({ status: 500, body: { errors: [`failed for ${headers['x-vault-token']} and sk-canary-1`] } })
    now += 2_000
    await until(() => lines.length === 1)
    const readAt = secrets.state()[0]?.readAt ?? 0
    for (; now < readAt + 59_000; now += 500) {
      assert.equal(secrets.current('vault:kv/openai#key'), 'sk-canary-1')
      await sleep(2)
    }
    assert.ok(server.asked.length > 10)
    await until(() => {
      now += 500
      return secrets.current('vault:kv/openai#key') === undefined
    })
    assert.ok(now > readAt + 60_000)
    server.answer = answer
    await until(() => {
      now += 500
      return secrets.current('vault:kv/openai#key') === 'sk-canary-1'
    })
    assert.doesNotMatch(lines.join('\n') + JSON.stringify(secrets.state()), /canary/)
    assert.match(lines.join('\n'), /last value stays in use.*not used any more.*read again/s)
    await secrets.close()
  })

  test('a value that is put by one replica is in force at the other within a moment, a removed one is gone', async () => {
    const records = fakeRecords()
    const env = { MASTER: key() }
    const [one, two] = [createSecrets({ env, records, masterKey: 'env:MASTER' }), createSecrets({ env, records, masterKey: 'env:MASTER' })]
    await one.put('openai', 'sk-1')
    await one.put('openai', 'acme-1', 'acme')
    for (const secrets of [one, two]) assert.deepEqual(await secrets.start(wanted('secret:openai')), [])
    assert.equal(two.current('secret:openai', 'acme'), 'acme-1')
    assert.deepEqual([...two.organisationsOf('secret:openai')], ['acme'])
    assert.equal(two.current('secret:openai', 'nobody'), undefined)
    await one.put('openai', 'sk-2')
    await one.put('openai', 'beta-1', 'beta')
    assert.equal(one.current('secret:openai'), 'sk-2')
    await until(() => two.current('secret:openai') === 'sk-2' && two.current('secret:openai', 'beta') === 'beta-1')
    await one.remove('openai')
    await one.remove('openai', 'acme')
    await until(() => two.current('secret:openai') === undefined && two.organisationsOf('secret:openai').has('acme') === false)
    await Promise.all([one.close(), two.close()])
  })

  test('a dead store takes no stored secret away', async () => {
    const records = fakeRecords()
    const secrets = createSecrets({ env: { MASTER: key() }, records, masterKey: 'env:MASTER', rereadMs: 10 })
    await secrets.put('openai', 'sk-1')
    await secrets.start(wanted('secret:openai'))
    records.down = true
    await until(() => secrets.state()[0]?.problem?.fault === 'unreachable')
    assert.equal(secrets.current('secret:openai'), 'sk-1')
    records.down = false
    await until(() => secrets.state()[0]?.problem === undefined)
    await secrets.close()
  })

  test('a store that is dead at start too: the secret comes when it does', async () => {
    const records = fakeRecords()
    const env = { MASTER: key() }
    const before: Secrets = createSecrets({ env, records, masterKey: 'env:MASTER' })
    await before.put('openai', 'sk-1')
    await before.put('openai', 'acme-1', 'acme')
    await before.close()
    // Nobody hears of these writes any more.
    await sleep(5)
    records.down = true
    const secrets = createSecrets({ env, records, masterKey: 'env:MASTER', rereadMs: 20 })
    assert.equal((await secrets.start(wanted('secret:openai')))[0]?.fault, 'unreachable')
    records.down = false
    await until(() => secrets.current('secret:openai') === 'sk-1' && secrets.current('secret:openai', 'acme') === 'acme-1')
    await secrets.close()
  })
})

describe('a reload', () => {
  test('reads everything first: what is abandoned has changed nothing, what is committed is in force at once', async () => {
    const env: Record<string, string> = { A: 'a-1', T: 'tok' }
    await using server = await vaultWith(() => 'sk-vault')
    const secrets = createSecrets({ env, http: { attempts: 1, backoffMs: 1 } })
    await secrets.start(wanted('env:A'))
    const changes: SecretChange[] = []
    secrets.watch((change) => changes.push(change))
    env['A'] = 'a-2'
    const vault = { url: server.url, auth: { token: 'env:T' }, kv: 2 } as const
    const refused = await secrets.prepare(wanted('env:B', 'vault:kv/openai#key'), { vault })
    assert.deepEqual(
      refused.problems.map(({ path }) => path),
      ['providers.p.keys[0]'],
    )
    await refused.abandon()
    assert.deepEqual([secrets.current('env:A'), secrets.current('vault:kv/openai#key'), changes.length], ['a-1', undefined, 0])

    const taken = await secrets.prepare(wanted('env:A', 'vault:kv/openai#key'), { vault })
    assert.deepEqual([taken.problems, secrets.current('env:A')], [[], 'a-1'])
    await taken.commit()
    assert.deepEqual([secrets.current('env:A'), secrets.current('vault:kv/openai#key')], ['a-2', 'sk-vault'])
    assert.equal(changes.length, 2)

    // A source that is down for a moment does not keep a configuration from being taken: there is an earlier value.
    server.answer = () => ({ status: 503, body: {} })
    const later = await secrets.prepare(wanted('env:A', 'vault:kv/openai#key'), { vault })
    assert.deepEqual(later.problems, [])
    await later.commit()
    assert.equal(secrets.current('vault:kv/openai#key'), 'sk-vault')
    await secrets.close()
  })

  test('another master key in the new settings wraps the stored secrets anew', async () => {
    const records = fakeRecords()
    const env = { OLD: key(), NEW: key() }
    const secrets = createSecrets({ env, records, masterKey: 'env:OLD' })
    await secrets.put('openai', 'sk-1')
    assert.deepEqual(await secrets.start(wanted('secret:openai')), [])
    const before = (await secrets.list())[0]?.masterKey
    assert.deepEqual(await secrets.start(wanted('secret:openai'), { masterKey: 'env:NEW', previousMasterKeys: ['env:OLD'] }), [])
    assert.equal(secrets.current('secret:openai'), 'sk-1')
    await until(async () => (await secrets.list())[0]?.masterKey !== before)
    await secrets.put('openai', 'sk-2')
    assert.equal(secrets.current('secret:openai'), 'sk-2')
    await secrets.close()
  })
})
