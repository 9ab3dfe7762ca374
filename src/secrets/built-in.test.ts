import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { GatewayError } from '../core/error.ts'
import type { Json } from '../core/json.ts'
import { type FakeRecords, fakeRecords } from './fixtures/records.ts'
import { createSecrets, type Secrets, type SecretsOptions } from './secrets.ts'

const key = (): string => randomBytes(32).toString('base64')

function replica(records: FakeRecords, env: Record<string, string>, more: Partial<SecretsOptions> = {}): Secrets {
  return createSecrets({ env, records, masterKey: 'env:MASTER', ...more })
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 300; i++) {
    if (await what()) return
    await sleep(10)
  }
  assert.fail('it did not come to that')
}

const readValue = async (secrets: Secrets, name: string, organisation?: string): Promise<string> => {
  const found = await secrets.resolve(`secret:${name}`, organisation)
  return 'value' in found ? found.value : `${found.fault}: ${found.message}`
}

describe('the built-in store', () => {
  test('gives back what was put, and nothing that reaches the database holds it', async () => {
    const records = fakeRecords()
    const env = { MASTER: key() }
    const secrets = replica(records, env)
    const value = 'sk-canary-0123456789'
    const put = await secrets.put('openai', ` ${value}\n`)
    assert.equal(await readValue(secrets, 'openai'), value)
    assert.equal(put.version, 1)
    assert.doesNotMatch(JSON.stringify([put, await secrets.list()]), /canary/)
    for (const row of records.written) {
      assert.doesNotMatch(row, /canary/)
      assert.ok(!row.includes(env.MASTER))
      assert.ok(!row.includes(Buffer.from(value).toString('base64').slice(0, 12)))
    }
    await secrets.close()
  })

  test('keeps names of organisations apart, and lists without values', async () => {
    const secrets = replica(fakeRecords(), { MASTER: key() })
    await secrets.put('openai', 'shared-value')
    await secrets.put('openai', 'acme-value', 'acme')
    assert.equal(await readValue(secrets, 'openai'), 'shared-value')
    assert.equal(await readValue(secrets, 'openai', 'acme'), 'acme-value')
    assert.match(await readValue(secrets, 'openai', 'other'), /^unset/)
    assert.deepEqual(
      (await secrets.list('acme')).map(({ name, organisation, version }) => ({ name, organisation, version })),
      [{ name: 'openai', organisation: 'acme', version: 1 }],
    )
    assert.equal(await secrets.remove('openai', 'acme'), true)
    assert.equal(await secrets.remove('openai', 'acme'), false)
    assert.equal(await readValue(secrets, 'openai'), 'shared-value')
    await secrets.close()
  })

  test('two values for one name at once: one follows the other', async () => {
    const secrets = replica(fakeRecords(), { MASTER: key() })
    const versions = await Promise.all(Array.from({ length: 6 }, (_, index) => secrets.put('x', `value-${index}`)))
    assert.deepEqual(versions.map(({ version }) => version).sort(), [1, 2, 3, 4, 5, 6])
    await secrets.close()
  })

  test('a record in the place of another, or with an older value, does not open', async () => {
    const records = fakeRecords()
    const secrets = replica(records, { MASTER: key() })
    await secrets.put('one', 'value-one')
    await secrets.put('two', 'value-two', 'acme')
    const rows = [...records.rows].filter(([, { kind }]) => kind === 'secret')
    const one = rows.find(([, row]) => row.data['name'] === 'one')
    const two = rows.find(([, row]) => row.data['name'] === 'two')
    assert.ok(one && two)
    const { value, key: wrapped, revision } = two[1].data
    const attempts = [
      { ...one[1].data, value: value ?? null, key: wrapped ?? null, revision: revision ?? null },
      { ...one[1].data, revision: 7 },
      { ...one[1].data, key: wrapped ?? null },
      { ...one[1].data, value: value ?? null },
    ]
    for (const data of attempts) {
      records.rows.set(one[0], { ...one[1], data })
      assert.match(await readValue(secrets, 'one'), /^refused: .*does not fit its place/)
    }
    records.rows.set(two[0], { ...two[1], organisation: 'mallory', lookup: 'mallory/two' })
    assert.match(await readValue(secrets, 'two', 'mallory'), /^refused/)
    records.rows.set(one[0], one[1])
    assert.equal(await readValue(secrets, 'one'), 'value-one')
    await secrets.close()
  })

  test('master keys: base64, hex, a passphrase; others are refused with a remedy', async () => {
    const hex = randomBytes(32).toString('hex')
    for (const MASTER of [key(), hex, 'correct horse battery staple']) {
      const records = fakeRecords()
      const secrets = replica(records, { MASTER })
      await secrets.put('a', 'value-a')
      const again = replica(records, { MASTER })
      assert.equal(await readValue(again, 'a'), 'value-a')
      await Promise.all([secrets.close(), again.close()])
    }
    const weak = replica(fakeRecords(), { MASTER: 'short' })
    await assert.rejects(
      weak.put('a', 'v'),
      (error) => error instanceof GatewayError && /openssl rand/.test(error.message) && !/short:/.test(error.message),
    )
    await weak.close()
    const none = createSecrets({ env: {}, records: fakeRecords() })
    await assert.rejects(none.put('a', 'v'), /no master key/)
    await none.close()
  })

  test('another master key opens nothing, and says which one would', async () => {
    const records = fakeRecords()
    const secrets = replica(records, { MASTER: key() })
    const { masterKey } = await secrets.put('a', 'value-a')
    const stranger = replica(records, { MASTER: key() })
    const told = await readValue(stranger, 'a')
    assert.match(told, /^refused/)
    assert.ok(told.includes(masterKey))
    await assert.rejects(stranger.put('b', 'v'), /previousMasterKeys/)
    await Promise.all([secrets.close(), stranger.close()])
  })
})

describe('rotation of the master key', () => {
  test('wraps data keys anew while values are read and put, and the old key is done with', async () => {
    const records = fakeRecords()
    const env = { MASTER: key(), NEXT: key() }
    const secrets = replica(records, env)
    const names = Array.from({ length: 40 }, (_, index) => `s${index}`)
    await Promise.all(names.map((name) => secrets.put(name, `value of ${name}`)))
    const before = new Map([...records.rows].map(([id, row]) => [id, row.data['value']]))
    const wrong: string[] = []
    let reading = true
    const reader = (async () => {
      for (let i = 0; reading; i++) {
        const name = names[i % names.length] as string
        if ((await readValue(secrets, name)) !== `value of ${name}`) wrong.push(await readValue(secrets, name))
        await secrets.put(`new${i % 5}`, 'fresh')
      }
    })()
    const result = await secrets.rotateMaster('env:NEXT')
    reading = false
    await reader
    assert.equal(result.changed, true)
    assert.equal(result.failed, 0)
    assert.ok(result.rewrapped >= 40)
    assert.deepEqual(wrong, [])
    const ids = new Set((await secrets.list()).map(({ masterKey }) => masterKey))
    assert.equal(ids.size, 1)
    // The values themselves were not touched.
    for (const [id, row] of records.rows) if (row.kind === 'secret' && before.has(id)) assert.deepEqual(row.data['value'], before.get(id))
    // With the new key alone, from nothing.
    const fresh = replica(records, { MASTER: env.NEXT })
    for (const name of names) assert.equal(await readValue(fresh, name), `value of ${name}`)
    assert.equal((await secrets.rotateMaster('env:NEXT')).changed, false)
    await Promise.all([secrets.close(), fresh.close()])
  })

  test('one that was broken off is finished by whoever has only the new key', async () => {
    const records = fakeRecords()
    const env = { MASTER: key(), NEXT: key() }
    const first = replica(records, env)
    for (let i = 0; i < 20; i++) await first.put(`s${i}`, `value ${i}`)
    let writes = 0
    records.beforeWrite = () => {
      // The store dies in the middle of it.
      if (++writes > 8) records.down = true
    }
    await assert.rejects(first.rotateMaster('env:NEXT'), (error) => error instanceof GatewayError && error.id === 'store-unavailable')
    await first.close()
    records.down = false
    records.beforeWrite = undefined
    const second = replica(records, { MASTER: env.NEXT }, { rereadMs: 20 })
    await second.start([])
    await until(async () => new Set((await second.list()).map(({ masterKey }) => masterKey)).size === 1)
    for (let i = 0; i < 20; i++) assert.equal(await readValue(second, `s${i}`), `value ${i}`)
    await until(() =>
      [...records.rows.values()].some(({ kind, data }) => kind === 'setting' && (data['previous'] as unknown[]).length === 0),
    )
    await second.close()
  })

  test('a new key in the configuration, with the old one beside it, rotates by itself; a replica with the old configuration does not turn back', async () => {
    const records = fakeRecords()
    const [old, next] = [key(), key()]
    const before = replica(records, { MASTER: old, NEXT: next })
    await before.put('a', 'value-a')
    const after = replica(records, { MASTER: next, OLD: old }, { previousMasterKeys: ['env:OLD'], rereadMs: 20 })
    await after.start([])
    const wrappedBy = (await before.list())[0]?.masterKey
    await until(async () => (await after.list())[0]?.masterKey !== wrappedBy)
    const now = (await after.list())[0]?.masterKey
    const stale = replica(records, { MASTER: old, NEXT: next }, { previousMasterKeys: ['env:NEXT'] })
    assert.equal(await readValue(stale, 'a'), 'value-a')
    assert.equal((await stale.put('b', 'value-b')).masterKey, now)
    assert.equal(await readValue(after, 'b'), 'value-b')
    await Promise.all([before.close(), after.close(), stale.close()])
  })

  test('a master key file whose content changes is a rotation too', async () => {
    const records = fakeRecords()
    let text = key()
    const secrets = createSecrets({ env: {}, records, masterKey: 'file:/run/master', readFile: () => text, rereadMs: 20 })
    await secrets.start([])
    await secrets.put('a', 'value-a')
    const wrappedBy = (await secrets.list())[0]?.masterKey
    text = key()
    await until(async () => (await secrets.list())[0]?.masterKey !== wrappedBy)
    await secrets.close()
    const fresh = createSecrets({ env: {}, records, masterKey: 'file:/run/master', readFile: () => text })
    assert.equal(await readValue(fresh, 'a'), 'value-a')
    await fresh.close()
  })

  test('two replicas may rotate at the same time', async () => {
    const records = fakeRecords()
    const env = { MASTER: key(), NEXT: key() }
    const [one, two] = [replica(records, env), replica(records, env)]
    for (let i = 0; i < 30; i++) await one.put(`s${i}`, `value ${i}`)
    const results = await Promise.all([one.rotateMaster('env:NEXT'), two.rotateMaster('env:NEXT')])
    assert.deepEqual(
      results.map(({ failed }) => failed),
      [0, 0],
    )
    for (let i = 0; i < 30; i++) assert.equal(await readValue(two, `s${i}`), `value ${i}`)
    assert.equal(new Set((await one.list()).map(({ masterKey }) => masterKey)).size, 1)
    await Promise.all([one.close(), two.close()])
  })
})

describe('who may only write to the database', () => {
  const RECORD = 'setting secrets-master-key'
  const KNOWN = 'what everybody can read in a file'

  test('cannot name a master key that he knows: nothing is put under it, and nothing that he put is opened', async () => {
    const records = fakeRecords()
    const env = { MASTER: key(), NEXT: key() }
    const readFile = (): string => KNOWN
    const secrets = replica(records, env, { readFile })
    await secrets.put('a', 'value-a')
    // His own store, with that master key, for a record that fits.
    const row = records.rows.get(RECORD)
    assert.ok(row)
    const his = fakeRecords()
    his.rows.set(RECORD, { ...row, data: { salt: row.data['salt'] ?? '', previous: [], retired: [] } })
    const theirs = createSecrets({ env: {}, records: his, readFile, masterKey: 'file:/known' })
    const { masterKey } = await theirs.put('b', 'value-of-his')
    for (const [id, one] of his.rows) if (one.kind === 'secret') records.rows.set(id, one)
    const mine = (await secrets.list()).find(({ name }) => name === 'a')?.masterKey ?? ''
    const line = [{ from: mine, to: masterKey, key: 'AAAA', signature: 'AAAA' }]
    const attempts: Record<string, Json>[] = [{ retired: [mine] }, { configured: mine }, { retired: [mine], line }]
    for (const more of attempts) {
      records.rows.set(RECORD, { ...row, data: { ...row.data, current: masterKey, reference: 'file:/known', ...more } })
      for (const one of [secrets, replica(records, env, { readFile })]) {
        await assert.rejects(one.put('c', 'v'), (error) => error instanceof GatewayError && error.message.includes(masterKey))
        assert.match(await readValue(one, 'b'), /^refused: .*which is not at hand/)
        if (one !== secrets) await one.close()
      }
    }
    records.rows.set(RECORD, row)
    assert.equal(await readValue(secrets, 'a'), 'value-a')
    // A rotation that is one is followed, over several keys, by a replica that knows only the first.
    const env3 = { ...env, THIRD: key() }
    const operator = replica(records, env3, { readFile })
    await secrets.remove('b')
    await operator.rotateMaster('env:NEXT')
    await operator.rotateMaster('env:THIRD')
    const stale = replica(records, env3)
    assert.equal(await readValue(stale, 'a'), 'value-a')
    await Promise.all([secrets, theirs, operator, stale].map((one) => one.close()))
  })
})

describe('rotation of data keys', () => {
  test('what is old gets another data key and the same value', async () => {
    let now = 1_000_000
    const records = fakeRecords(() => now)
    const secrets = replica(records, { MASTER: key() }, { now: () => now })
    await secrets.put('old', 'value-old')
    now += 10_000
    await secrets.put('young', 'value-young')
    const before = JSON.stringify([...records.rows.values()].find(({ data }) => data['name'] === 'old')?.data['value'])
    now += 1_000
    assert.deepEqual(await secrets.renewDataKeys(5_000), { renewed: 1 })
    assert.notEqual(JSON.stringify([...records.rows.values()].find(({ data }) => data['name'] === 'old')?.data['value']), before)
    assert.equal(await readValue(secrets, 'old'), 'value-old')
    assert.deepEqual(
      (await secrets.list()).map(({ name, version, keyAt }) => ({ name, version, keyAt })),
      [
        { name: 'old', version: 2, keyAt: now },
        { name: 'young', version: 1, keyAt: now - 1_000 },
      ],
    )
    await secrets.close()
  })

  test('the schedule does it without being asked', async () => {
    const records = fakeRecords()
    const secrets = replica(records, { MASTER: key() }, { renewDataKeysMs: 50, rereadMs: 20 })
    await secrets.start([])
    await secrets.put('a', 'value-a')
    await until(async () => ((await secrets.list())[0]?.version ?? 0) >= 2)
    assert.equal(await readValue(secrets, 'a'), 'value-a')
    await secrets.close()
  })
})
