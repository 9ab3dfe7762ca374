import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { fakeRecords } from './fixtures/records.ts'
import { createProviderKeys, type ProviderKeys } from './provider-keys.ts'
import { createSecrets, type Secrets } from './secrets.ts'

async function rig(overlapMs = 60_000): Promise<{ secrets: Secrets; keys: ProviderKeys; at(ms: number): void; changes: () => number }> {
  let now = 1_000_000
  let changes = 0
  const env = { MASTER: randomBytes(32).toString('base64'), FIXED: 'fixed-value' }
  const secrets = createSecrets({ env, records: fakeRecords(() => now), masterKey: 'env:MASTER', now: () => now })
  await secrets.put('a', 'a-1')
  const keys = createProviderKeys({ secrets, overlapMs: () => overlapMs, now: () => now, changed: () => changes++ })
  await secrets.start(['secret:a', 'env:FIXED'].map((reference) => ({ reference, path: 'x' })))
  keys.configure(
    new Map([
      ['p', ['secret:a', 'env:FIXED']],
      ['none', []],
    ]),
  )
  return { secrets, keys, at: (ms) => (now = 1_000_000 + ms), changes: () => changes }
}

describe('keys of a provider', () => {
  test('stand in the order of their references; a provider without references has none', async () => {
    const { secrets, keys } = await rig()
    assert.deepEqual(keys.of('p')?.keys, ['a-1', 'fixed-value'])
    assert.equal(keys.of('none'), undefined)
    assert.equal(keys.counts().get('p'), 2)
    await secrets.close()
  })

  test('a new value takes the place of the old, which stays last until the new one has worked', async () => {
    const { secrets, keys, changes } = await rig()
    const credentials = keys.of('p')
    assert.ok(credentials)
    const before = credentials.version
    await secrets.put('a', 'a-2')
    assert.deepEqual(credentials.keys, ['a-2', 'fixed-value', 'a-1'])
    assert.ok(credentials.version > before)
    assert.equal(keys.counts().get('p'), 3)
    assert.ok(changes() > 0)
    // Another key's success says nothing of it, nor does one of an earlier list.
    credentials.worked(1, credentials.version)
    credentials.worked(2, credentials.version)
    credentials.worked(0, before)
    assert.equal(credentials.keys.length, 3)
    credentials.worked(0, credentials.version)
    assert.deepEqual(credentials.keys, ['a-2', 'fixed-value'])
    // Answers to earlier calls may still hold it.
    assert.ok(credentials.known.includes('a-1'))
    await secrets.close()
  })

  test('or until the overlap ends', async () => {
    const { secrets, keys, at } = await rig(30)
    await secrets.put('a', 'a-2')
    assert.equal(keys.of('p')?.keys.length, 3)
    at(31)
    const since = Date.now()
    while (keys.of('p')?.keys.length === 3 && Date.now() - since < 5_000) await new Promise((resolve) => setTimeout(resolve, 5))
    assert.deepEqual(keys.of('p')?.keys, ['a-2', 'fixed-value'])
    keys.stop()
    await secrets.close()
  })

  test('a removed secret leaves at once, without an overlap', async () => {
    const { secrets, keys } = await rig()
    await secrets.remove('a')
    assert.deepEqual(keys.of('p')?.keys, ['fixed-value'])
    await secrets.close()
  })

  test('an organisation with keys of its own uses only those, with overlaps of their own', async () => {
    const { secrets, keys } = await rig()
    const credentials = keys.of('p')
    assert.equal(credentials?.of?.('acme'), undefined)
    await secrets.put('a', 'acme-1', 'acme')
    const theirs = credentials?.of?.('acme')
    assert.deepEqual(theirs?.keys, ['acme-1'])
    assert.deepEqual(credentials?.keys, ['a-1', 'fixed-value'])
    assert.equal(credentials?.of?.('other'), undefined)
    await secrets.put('a', 'acme-2', 'acme')
    assert.deepEqual(theirs?.keys, ['acme-2', 'acme-1'])
    theirs?.worked(0, theirs.version)
    assert.deepEqual(theirs?.keys, ['acme-2'])
    await secrets.remove('a', 'acme')
    assert.equal(credentials?.of?.('acme'), undefined)
    await secrets.close()
  })
})
