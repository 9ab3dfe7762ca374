/** A KMS wraps the master key of the built-in store: the same tests for each kind, against servers that really encrypt. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { GatewayError } from '../../core/error.ts'
import type { Json } from '../../core/json.ts'
import { type FakeKms, fakeAwsKms, fakeKmsKinds, fakeVaultTransit } from '../fixtures/fake-kms.ts'
import { type FakeRecords, fakeRecords } from '../fixtures/records.ts'
import { createSecrets, type Secrets, type SecretsOptions } from '../secrets.ts'

const key = (): string => randomBytes(32).toString('base64')

function replica(records: FakeRecords, kms: FakeKms, { env, ...more }: Partial<SecretsOptions> = {}): Secrets {
  const { settings } = kms
  const own = { ...settings, env: { ...settings.env, ...env }, http: { backoffMs: 1, timeoutMs: 1_000 } }
  return createSecrets({ records, masterKey: kms.reference, ...own, ...more })
}

const readValue = async (secrets: Secrets, name: string): Promise<string> => {
  const found = await secrets.resolve(`secret:${name}`)
  return 'value' in found ? found.value : `${found.fault}: ${found.message} → ${found.remedy}`
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 300; i++) {
    if (await what()) return
    await sleep(10)
  }
  assert.fail('it did not come to that')
}

const masterOf = async (secrets: Secrets): Promise<string | undefined> => (await secrets.list())[0]?.masterKey

const RECORD = 'setting secrets-master-key'
interface Entry {
  readonly reference: string
  readonly master: string
  readonly form: { text: string; by: string }
}
const wrappedIn = (records: FakeRecords): Entry[] => (records.rows.get(RECORD)?.data['wrapped'] ?? []) as unknown as Entry[]
/** How many older keys are not done with yet. */
const rotating = (records: FakeRecords): number => ((records.rows.get(RECORD)?.data['previous'] ?? []) as unknown[]).length
/** As somebody who may write to the database. */
function rewrite(records: FakeRecords, entries: readonly Entry[]): void {
  const row = records.rows.get(RECORD)
  assert.ok(row)
  records.rows.set(RECORD, { ...row, data: { ...row.data, wrapped: entries as unknown as Json } })
}

/** Of everything that is in there, the parts that rotations of the KMS must not touch. */
const secretRows = (records: FakeRecords): string => JSON.stringify([...records.rows.values()].filter(({ kind }) => kind === 'secret'))

for (const [kind, fake] of fakeKmsKinds)
  describe(`a master key that ${kind} wraps`, () => {
    test('is made once, opens the store of a replica from nothing, and lies nowhere in the clear', async () => {
      await using kms = await fake()
      const records = fakeRecords()
      const first = replica(records, kms)
      await first.put('a', 'value-canary')
      await first.put('b', 'value-b')
      assert.equal(await readValue(first, 'a'), 'value-canary')
      assert.deepEqual([kms.given.length, kms.unwraps], [1, 1])
      const second = replica(records, kms)
      assert.equal(await readValue(second, 'a'), 'value-canary')
      assert.equal(await readValue(second, 'b'), 'value-b')
      assert.deepEqual([kms.given.length, kms.unwraps], [1, 2])
      for (const text of [...records.written, ...kms.server.asked.map(({ body }) => body)]) assert.doesNotMatch(text, /value-/)
      // What went to the KMS to be wrapped is nowhere in the database.
      const [master = ''] = kms.given
      assert.equal(Buffer.from(master, 'base64').length, 32)
      for (const row of records.written) assert.ok(!row.includes(master))
      await Promise.all([first.close(), second.close()])
    })

    test('replicas that start together agree on one', async () => {
      await using kms = await fake()
      const records = fakeRecords()
      const replicas = Array.from({ length: 4 }, () => replica(records, kms))
      const stored = await Promise.all(replicas.map((one, index) => one.put(`s${index}`, `value ${index}`)))
      assert.equal(new Set(stored.map(({ masterKey }) => masterKey)).size, 1)
      assert.equal(wrappedIn(records).length, 1)
      const fresh = replica(records, kms)
      for (const one of [...replicas, fresh])
        for (let index = 0; index < 4; index++) assert.equal(await readValue(one, `s${index}`), `value ${index}`)
      await Promise.all([...replicas, fresh].map((one) => one.close()))
    })

    test('a KMS that is away at the start is told with what to do, and asked again until it answers; one that goes away later is not missed', async () => {
      await using kms = await fake()
      const records = fakeRecords()
      const before = replica(records, kms)
      await before.put('a', 'value-a')
      kms.down = true
      const lines: string[] = []
      const after = replica(records, kms, { rereadMs: 1_000, tell: (line) => lines.push(line) })
      const [problem] = await after.start([{ reference: 'secret:a', path: 'providers.p.keys[0]' }])
      assert.ok(problem)
      assert.equal(problem.fatal, false)
      assert.equal(problem.fault, 'unreachable')
      assert.match(problem.message, /^the master key \(.+\): .+ cannot be reached/)
      assert.match(problem.remedy, /check its address.*; it is asked again, and stored secrets stay closed until it answers/)
      await assert.rejects(after.put('b', 'v'), (error) => error instanceof GatewayError && error.id === 'store-unavailable')
      kms.down = false
      await until(() => after.current('secret:a') === 'value-a')
      kms.down = true
      const [asked, other] = [kms.server.asked.length, { previousMasterKeys: [kms.reference] }]
      for (const one of [before, after]) {
        await one.put('b', 'value-b')
        assert.equal(await readValue(one, 'b'), 'value-b')
      }
      // Other settings do not need the KMS either.
      const { masterKey } = { masterKey: kms.reference }
      const prepared = await after.prepare([{ reference: 'secret:a', path: 'x' }], {
        ...kms.settings,
        masterKey,
        ...other,
        rereadMs: 1_000,
      })
      assert.deepEqual(prepared.problems, [])
      await prepared.commit()
      await after.put('c', 'value-c')
      assert.equal(await readValue(after, 'c'), 'value-c')
      assert.equal(kms.server.asked.length, asked)
      await Promise.all([before.close(), after.close()])
    })

    test('another key of the KMS does not open it, nor one that is not there; what may help is told, and nothing secret', async () => {
      await using kms = await fake()
      const records = fakeRecords()
      const right = replica(records, kms)
      await right.put('a', 'value-canary')
      const told: string[] = []
      const entries = wrappedIn(records)
      rewrite(
        records,
        entries.map((entry) => ({ ...entry, reference: kms.other })),
      )
      const wrong = replica(records, kms, { masterKey: kms.other })
      told.push(await readValue(wrong, 'a'))
      assert.match(told.at(-1) ?? '', /^refused: the master key \(.+\): .*secrets\.previousMasterKeys/)
      rewrite(records, entries)
      const absent = replica(records, kms, { masterKey: kms.absent })
      told.push(await readValue(absent, 'a'))
      assert.match(told.at(-1) ?? '', /^refused: the master key/)
      const never = replica(fakeRecords(), kms, { masterKey: kms.absent })
      told.push(await never.put('a', 'v').then(() => 'stored', String))
      assert.match(told.at(-1) ?? '', /the master key \(.+\)/)
      kms.refuse = 'everything'
      const denied = replica(records, kms)
      told.push(await readValue(denied, 'a'))
      assert.match(told.at(-1) ?? '', /^refused: the master key .*this gateway has to (be allowed|have the role)/)
      kms.refuse = 'nothing'
      for (const canary of ['canary', ...kms.canaries]) assert.ok(!told.join('\n').includes(canary), told.join('\n'))
      // Nobody has made anything of his own out of it.
      assert.deepEqual(
        wrappedIn(records).map(({ reference }) => reference),
        [kms.reference],
      )
      await Promise.all([right, wrong, absent, never, denied].map((one) => one.close()))
    })

    test('a form that was altered, or comes from elsewhere, does not open', async () => {
      await using kms = await fake()
      const [records, elsewhere] = [fakeRecords(), fakeRecords()]
      const [right, stranger] = [replica(records, kms), replica(elsewhere, kms)]
      await right.put('a', 'value-a')
      await stranger.put('a', 'value-of-theirs')
      const [entry] = wrappedIn(records)
      const [theirs] = wrappedIn(elsewhere)
      assert.ok(entry && theirs)
      const { text } = entry.form
      const middle = Math.floor(text.length / 2)
      const altered = text.slice(0, middle) + (text[middle] === 'A' ? 'B' : 'A') + text.slice(middle + 1)
      // With their own id it opens, but nothing here is wrapped by that.
      for (const [other, expected] of [
        [{ ...entry, form: { ...entry.form, text: altered } }, /^refused: the master key/],
        [{ ...entry, form: theirs.form }, /^refused: the master key/],
        [{ ...entry, form: { text: '', by: '' } }, /^refused: the master key/],
        [theirs, /^refused/],
      ] as const) {
        rewrite(records, [other])
        const one = replica(records, kms)
        assert.match(await readValue(one, 'a'), expected)
        await assert.rejects(one.put('b', 'v'), GatewayError)
        await one.close()
      }
      rewrite(records, [entry])
      const again = replica(records, kms)
      assert.equal(await readValue(again, 'a'), 'value-a')
      await Promise.all([right, stranger, again].map((one) => one.close()))
    })

    test('a newer version of its key wraps it anew, and no data key is touched', async () => {
      await using kms = await fake()
      const records = fakeRecords()
      const secrets = replica(records, kms)
      await secrets.put('a', 'value-a')
      const [rows, [before]] = [secretRows(records), wrappedIn(records)]
      kms.newVersion()
      const result = await secrets.rotateMaster(kms.reference)
      assert.deepEqual(result, { changed: false, wrapped: true, rewrapped: 0, failed: 0 })
      const [after] = wrappedIn(records)
      assert.equal(after?.master, before?.master)
      assert.notEqual(after?.form?.text, before?.form?.text)
      assert.equal(secretRows(records), rows)
      kms.dropOldVersions()
      const fresh = replica(records, kms)
      assert.equal(await readValue(fresh, 'a'), 'value-a')
      assert.equal((await fresh.put('b', 'v')).masterKey, before?.master)
      await Promise.all([secrets.close(), fresh.close()])
    })

    test('another key of the KMS takes over by configuration, with the old one beside it, and no data key is touched', async () => {
      await using kms = await fake()
      const records = fakeRecords()
      const old = replica(records, kms)
      await old.put('a', 'value-a')
      const rows = secretRows(records)
      const next = replica(records, kms, { masterKey: kms.other, previousMasterKeys: [kms.reference] })
      assert.equal(await readValue(next, 'a'), 'value-a')
      await next.start([])
      await until(() => wrappedIn(records).length === 2)
      assert.equal(secretRows(records), rows)
      const alone = replica(records, kms, { masterKey: kms.other })
      assert.equal(await readValue(alone, 'a'), 'value-a')
      assert.equal(await readValue(old, 'a'), 'value-a')
      await Promise.all([old, next, alone].map((one) => one.close()))
    })

    test('from a key of the environment to the KMS and back, by configuration and by call', async () => {
      await using kms = await fake()
      const records = fakeRecords()
      const env = { MASTER: key(), NEXT: key() }
      const plain = createSecrets({ records, env, masterKey: 'env:MASTER' })
      await plain.put('a', 'value-a')
      const first = await masterOf(plain)
      await plain.close()

      const there = replica(records, kms, { env, previousMasterKeys: ['env:MASTER'], rereadMs: 20 })
      await there.start([])
      await until(async () => (await masterOf(there)) !== first)
      await until(() => rotating(records) === 0)
      const second = await masterOf(there)
      const alone = replica(records, kms)
      assert.equal(await readValue(alone, 'a'), 'value-a')
      await Promise.all([there.close(), alone.close()])

      const back = replica(records, kms, { env, masterKey: 'env:NEXT', previousMasterKeys: [kms.reference], rereadMs: 20 })
      await back.start([])
      await until(async () => (await masterOf(back)) !== second)
      await until(() => rotating(records) === 0)
      await back.close()
      const without = createSecrets({ records, env, masterKey: 'env:NEXT' })
      assert.equal(await readValue(without, 'a'), 'value-a')
      await without.close()

      // By call, back to the KMS: another master key, for the one before was rotated out.
      const caller = replica(records, kms, { env, masterKey: 'env:NEXT' })
      assert.deepEqual(await caller.rotateMaster(kms.reference), { changed: true, wrapped: false, rewrapped: 1, failed: 0 })
      const third = await masterOf(caller)
      assert.equal(new Set([first, second, third]).size, 3)
      // And to the first of all, which is in nobody's way any more.
      assert.deepEqual(await caller.rotateMaster('env:MASTER'), { changed: true, wrapped: false, rewrapped: 1, failed: 0 })
      assert.equal(await masterOf(caller), first)
      assert.deepEqual(await caller.rotateMaster('env:MASTER'), { changed: false, wrapped: false, rewrapped: 0, failed: 0 })
      await caller.close()
    })
  })

describe('the keyring with a KMS', () => {
  test('a fresh master key under the same key of the KMS, while the old one is still there to finish with', async () => {
    await using kms = await fakeAwsKms()
    const records = fakeRecords()
    const secrets = replica(records, kms)
    for (let i = 0; i < 20; i++) await secrets.put(`s${i}`, `value ${i}`)
    const before = await masterOf(secrets)
    let writes = 0
    records.beforeWrite = () => {
      if (++writes > 8) records.down = true
    }
    await assert.rejects(secrets.rotateMaster(kms.reference, true), GatewayError)
    await secrets.close()
    records.down = false
    records.beforeWrite = undefined
    const second = replica(records, kms, { rereadMs: 20 })
    for (let i = 0; i < 20; i++) assert.equal(await readValue(second, `s${i}`), `value ${i}`)
    await second.start([])
    await until(async () => new Set((await second.list()).map(({ masterKey }) => masterKey)).size === 1)
    assert.notEqual(await masterOf(second), before)
    await until(() => rotating(records) === 0)
    const third = replica(records, kms)
    for (let i = 0; i < 20; i++) assert.equal(await readValue(third, `s${i}`), `value ${i}`)
    await Promise.all([second.close(), third.close()])
  })

  test('a KMS that would not give back what it wraps is not relied on', async () => {
    await using kms = await fakeAwsKms()
    const records = fakeRecords()
    const env = { MASTER: key() }
    const secrets = replica(records, kms, { env, masterKey: 'env:MASTER' })
    await secrets.put('a', 'value-a')
    kms.refuse = 'unwrapping'
    await assert.rejects(
      secrets.rotateMaster(kms.reference),
      /the master key \(aws-kms:alias\/one\).*AccessDeniedException.*kms:Encrypt and kms:Decrypt/,
    )
    assert.deepEqual(wrappedIn(records), [])
    const fresh = replica(records, kms, { env, masterKey: 'env:MASTER' })
    assert.equal(await readValue(fresh, 'a'), 'value-a')
    await Promise.all([secrets.close(), fresh.close()])
  })

  test('a KMS that is away cannot take over yet; meanwhile the old key opens and wraps, and the log says why', async () => {
    await using kms = await fakeAwsKms()
    const records = fakeRecords()
    const env = { MASTER: key() }
    const before = replica(records, kms, { env, masterKey: 'env:MASTER' })
    await before.put('a', 'value-a')
    const old = await masterOf(before)
    kms.down = true
    const lines: string[] = []
    const secrets = replica(records, kms, { env, previousMasterKeys: ['env:MASTER'], rereadMs: 20, tell: (line) => lines.push(line) })
    assert.deepEqual(await secrets.start([{ reference: 'secret:a', path: 'x' }]), [])
    assert.equal((await secrets.put('b', 'value-b')).masterKey, old)
    await until(() =>
      lines.some((line) =>
        /^stored secrets could not be looked after: the master key \(aws-kms:alias\/one\).*cannot be reached/.test(line),
      ),
    )
    kms.down = false
    await until(async () => (await secrets.list()).every(({ masterKey }) => masterKey !== old))
    assert.equal(await readValue(secrets, 'b'), 'value-b')
    await Promise.all([before.close(), secrets.close()])
  })

  test('an alias that leads to another key by now: the former one is named beside it, and the alias wraps anew', async () => {
    await using kms = await fakeAwsKms()
    const records = fakeRecords()
    const arn = 'aws-kms:arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555'
    // Under the alias lies what another key has wrapped.
    const before = replica(records, kms, { masterKey: arn })
    await before.put('a', 'value-a')
    rewrite(
      records,
      wrappedIn(records).map((entry) => ({ ...entry, reference: 'aws-kms:alias/two' })),
    )
    const moved = replica(records, kms, { masterKey: 'aws-kms:alias/two' })
    const told = await readValue(moved, 'a')
    assert.match(
      told,
      /IncorrectKeyException → .*another key \(arn:aws:kms:eu-west-1:123456789012:key\/1{8}-.*name that one under `secrets\.previousMasterKeys`/,
    )
    const both = replica(records, kms, { masterKey: 'aws-kms:alias/two', previousMasterKeys: [arn] })
    assert.equal(await readValue(both, 'a'), 'value-a')
    const alone = replica(records, kms, { masterKey: 'aws-kms:alias/two' })
    assert.equal(await readValue(alone, 'a'), 'value-a')
    await Promise.all([before, moved, both, alone].map((one) => one.close()))
  })

  test('a key by its other name needs nothing beside it', async () => {
    await using kms = await fakeAwsKms()
    const records = fakeRecords()
    const before = replica(records, kms)
    await before.put('a', 'value-a')
    const named = replica(records, kms, {
      masterKey: 'aws-kms:arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555',
    })
    assert.equal(await readValue(named, 'a'), 'value-a')
    assert.equal(wrappedIn(records).length, 2)
    await Promise.all([before.close(), named.close()])
  })

  test('from one KMS to another, with the former one gone for good afterwards', async () => {
    await using aws = await fakeAwsKms()
    await using vault = await fakeVaultTransit()
    const records = fakeRecords()
    const before = replica(records, aws)
    await before.put('a', 'value-a')
    const rows = secretRows(records)
    await before.close()
    const env = { ...aws.settings.env, ...vault.settings.env }
    const moving = replica(records, vault, { env, previousMasterKeys: [aws.reference] })
    assert.equal(await readValue(moving, 'a'), 'value-a')
    await moving.put('b', 'value-b')
    aws.down = true
    const asked = aws.server.asked.length
    const after = replica(records, vault, { env, previousMasterKeys: [aws.reference] })
    assert.equal(await readValue(after, 'a'), 'value-a')
    await after.put('c', 'value-c')
    assert.equal(aws.server.asked.length, asked)
    assert.ok(secretRows(records).startsWith(rows.slice(0, -1)))
    await Promise.all([moving.close(), after.close()])
  })

  test('a replica with the configuration from before does not turn back, and is told so', async () => {
    await using kms = await fakeAwsKms()
    const records = fakeRecords()
    const env = { NEXT: key() }
    const secrets = replica(records, kms, { env })
    await secrets.put('a', 'value-a')
    await secrets.rotateMaster('env:NEXT')
    const now = await masterOf(secrets)
    const lines: string[] = []
    const stale = replica(records, kms, { env, rereadMs: 20, tell: (line) => lines.push(line) })
    await stale.start([])
    await until(() => lines.length > 0)
    assert.match(lines[0] ?? '', /^the configured master key was rotated out; env:NEXT is in force/)
    assert.equal((await stale.put('b', 'value-b')).masterKey, now)
    await Promise.all([secrets.close(), stale.close()])
  })

  test('one that takes calls and says nothing is asked three times, each with a deadline; others do not wait for it again', async () => {
    await using kms = await fakeAwsKms()
    const records = fakeRecords()
    const before = replica(records, kms)
    await before.put('a', 'value-a')
    await before.put('b', 'value-b')
    let asked = 0
    kms.server.answer = () => {
      asked++
      return new Promise(() => {})
    }
    const secrets = replica(records, kms, { http: { timeoutMs: 100, backoffMs: 20 } })
    const told = await Promise.all([readValue(secrets, 'a'), readValue(secrets, 'b'), readValue(secrets, 'a')])
    for (const one of told)
      assert.match(one, /^unreachable: the master key \(aws-kms:alias\/one\): AWS KMS at .+ cannot be reached \(no answer in time\)/)
    assert.equal(asked, 3)
    await Promise.all([before.close(), secrets.close()])
  })

  test('two replicas may have it made anew at the same time, and values are read and put meanwhile', async () => {
    await using kms = await fakeVaultTransit()
    const records = fakeRecords()
    const [one, two] = [replica(records, kms), replica(records, kms)]
    for (let i = 0; i < 20; i++) await one.put(`s${i}`, `value ${i}`)
    const wrong: string[] = []
    let reading = true
    const reader = (async () => {
      for (let i = 0; reading; i++) {
        const value = await readValue(two, `s${i % 20}`)
        if (value !== `value ${i % 20}`) wrong.push(value)
        await two.put(`new${i % 3}`, 'fresh')
      }
    })()
    const results = await Promise.all([one.rotateMaster(kms.reference, true), two.rotateMaster(kms.reference, true)])
    reading = false
    await reader
    assert.deepEqual(wrong, [])
    assert.deepEqual(
      results.map(({ failed }) => failed),
      [0, 0],
    )
    assert.equal(new Set((await one.list()).map(({ masterKey }) => masterKey)).size, 1)
    const fresh = replica(records, kms)
    for (let i = 0; i < 20; i++) assert.equal(await readValue(fresh, `s${i}`), `value ${i}`)
    await Promise.all([one, two, fresh].map((each) => each.close()))
  })

  test('one that asks for patience with 400 is asked again', async () => {
    await using kms = await fakeAwsKms()
    const answer = kms.server.answer
    let busy = 2
    kms.server.answer = (asked) =>
      busy-- > 0 ? { status: 400, body: { __type: 'ThrottlingException', message: 'Rate exceeded' } } : answer(asked)
    const secrets = replica(fakeRecords(), kms)
    await secrets.put('a', 'value-a')
    assert.equal(await readValue(secrets, 'a'), 'value-a')
    await secrets.close()
  })
})
