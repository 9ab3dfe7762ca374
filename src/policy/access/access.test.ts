import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../../core/json.ts'
import { createAccess } from './access.ts'
import { sameDigest } from './access-crypto.ts'
import { callerWith, eventually, ownerKey, plainKey, refusal, who, withRig } from './fixtures/rig.ts'
import { nodeCrypto } from './node-crypto.ts'

test('the owner is known by the key of the owner alone, at once', () =>
  withRig(async ({ access }) => {
    const owner = access.authenticate(callerWith(ownerKey))
    assert.ok(!(owner instanceof Promise))
    assert.deepEqual([owner.kind, owner.id, owner.role], ['owner', 'owner', 'owner'])
    for (const wrong of [`${ownerKey}x`, ownerKey.slice(0, -1), ownerKey.toUpperCase()])
      assert.throws(() => access.authenticate(callerWith(wrong)), refusal('unauthenticated'))
  }))

test('without a key the refusal says where to put one', () =>
  withRig(async ({ access }) => {
    for (const none of [undefined, '']) assert.throws(() => access.authenticate(callerWith(none)), refusal('unauthenticated', /x-api-key/))
  }))

test('a key that was made is let in at once, with all that was said of it', () =>
  withRig(async (one) => {
    const { key, secret } = await one.keys.create({
      ...plainKey,
      alias: 'ci',
      group: 'builds',
      tenant: { organisation: 'acme', team: 'core', project: 'web' },
      user: 'ann',
      tags: ['nightly'],
      tier: 'standard',
      scopes: { models: ['fast'] },
      limits: [{ id: 'lim_1', what: 'requests', limit: 5, windowMs: 60_000, by: 'key' }],
      budgets: [{ id: 'bud_1', limit: 500_000_000n, window: 'day', by: 'key', onBreach: 'refuse', status: 402, warnAt: [0.8] }],
      metadata: { owner: 'ann@example.com' },
    })
    await eventually(() => one.access.known(callerWith(secret)))
    const principal = one.access.authenticate(callerWith(secret))
    assert.ok(!(principal instanceof Promise))
    assert.deepEqual(principal, {
      kind: 'key',
      id: key.id,
      alias: 'ci',
      group: 'builds',
      role: 'member',
      tenant: { organisation: 'acme', team: 'core', project: 'web' },
      user: 'ann',
      tags: ['nightly'],
      tier: 'standard',
      scopes: { models: ['fast'] },
      limits: [{ id: 'lim_1', what: 'requests', limit: 5, windowMs: 60_000, by: 'key' }],
      budgets: [{ id: 'bud_1', limit: 500_000_000n, window: 'day', by: 'key', onBreach: 'refuse', status: 402, warnAt: [0.8] }],
      metadata: { owner: 'ann@example.com' },
    })
    assert.equal(one.access.authenticate(callerWith(secret)), principal, 'the same object each time')
  }))

test('neither the key nor its digest is shown, and the record holds no key', () =>
  withRig(async (one) => {
    const { key, secret } = await one.keys.create(plainKey)
    const record = await one.records.get('key', key.id)
    const digest = nodeCrypto.digest(secret)
    assert.equal(record?.lookup, digest)
    assert.ok(!JSON.stringify(record).includes(secret.slice(12)))
    assert.ok(!JSON.stringify(key).includes(digest))
    assert.ok(secret.startsWith(key.prefix) && key.prefix.length === 11)
  }))

test('loading everything again leaves what did not change as it was', () =>
  withRig(async (one) => {
    const kept = await one.keys.create(plainKey)
    const gone = await one.keys.create(plainKey)
    const principal = await who(one, kept.secret)
    await who(one, gone.secret)
    await one.keys.revoke(gone.key.id)
    await one.access.load()
    assert.equal(await who(one, kept.secret), principal)
    assert.equal(one.access.status().keys, 1)
  }))

test('who made a key stays beside it, whatever becomes of it', () =>
  withRig(async (one) => {
    const { key } = await one.keys.create(plainKey)
    await one.keys.update(key.id, 1, { ...plainKey, alias: 'renamed' })
    await one.keys.rotate(key.id, { overlapMs: 1_000 })
    const changed = await one.keys.update(key.id, 3, { ...plainKey, alias: 'again' })
    assert.equal(changed.previousValidUntil, one.now() + 1_000)
    assert.equal((await one.records.get('key', key.id))?.data['createdBy'], 'owner')
  }))

test('a key is looked up in the store once, however many ask for it at the same time', () =>
  withRig(
    async (one) => {
      const { key, secret } = await one.keys.create(plainKey)
      one.records.slowMs = 20
      const other = one.other()
      // Not loaded: everything it knows it has to ask.
      const all = await Promise.all(Array.from({ length: 50 }, () => other.authenticate(callerWith(secret))))
      assert.ok(all.every(({ id }) => id === key.id))
      assert.equal(one.records.asked.find, 1)
      assert.ok(!(other.authenticate(callerWith(secret)) instanceof Promise), 'and known from then on')
    },
    {},
    { load: false },
  ))

test('a key that nobody made is refused, asked for once, and let in as soon as it exists', () =>
  withRig(async (one) => {
    const { key, secret } = await one.keys.create(plainKey)
    await one.keys.revoke(key.id)
    await eventually(() => !one.access.known(callerWith(secret)))
    for (let time = 0; time < 3; time++) await assert.rejects(who(one, secret), refusal('unauthenticated', /revoked/))
    assert.equal(one.records.asked.find, 1)
    const record = { kind: 'key', id: 'key_again', lookup: nodeCrypto.digest(secret), data: {} } as const
    await one.records.create(record)
    await eventually(() => one.access.known(callerWith(secret)))
    assert.equal((await who(one, secret)).id, 'key_again')
  }))

test('a slip of the hand is told from an unknown key, and costs the store nothing', () =>
  withRig(async (one) => {
    const { secret } = await one.keys.create(plainKey)
    const before = one.records.asked.find
    for (const place of [3, 15, 40, 59]) {
      const letter = secret[place] === 'a' ? 'b' : 'a'
      assert.throws(
        () => one.access.authenticate(callerWith(secret.slice(0, place) + letter + secret.slice(place + 1))),
        refusal('unauthenticated', /mistyped/),
      )
    }
    const swapped = secret.slice(0, 20) + secret[21] + secret[20] + secret.slice(22)
    if (swapped !== secret) assert.throws(() => one.access.authenticate(callerWith(swapped)), refusal('unauthenticated', /mistyped/))
    for (const foreign of ['sk-live-123', 'dummy', 'sb-', secret.slice(0, 30), 'x'.repeat(30_000), 'ключ', '\u0000'])
      assert.throws(() => one.access.authenticate(callerWith(foreign)), refusal('unauthenticated'))
    assert.equal(one.records.asked.find, before)
  }))

test('revocation, change and expiry hold on every gateway of a store within a second', () =>
  withRig(async (one) => {
    const { key, secret } = await one.keys.create(plainKey)
    const other = one.other()
    await other.load()
    await eventually(() => one.access.known(callerWith(secret)) && other.known(callerWith(secret)))

    await one.keys.update(key.id, 1, { ...plainKey, alias: 'renamed', scopes: { models: ['fast'] } })
    const renamed = async (): Promise<boolean> => (await other.authenticate(callerWith(secret))).alias === 'renamed'
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.ok(await renamed())

    await one.keys.update(key.id, 2, { ...plainKey, expiresAt: one.now() + 1_000 })
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal((await other.authenticate(callerWith(secret))).expiresAt, one.now() + 1_000)
    one.pass(1_000)
    await assert.rejects(who({ access: other }, secret), refusal('unauthenticated', /expired/))
    assert.equal(other.known(callerWith(secret)), false)

    const second = await one.keys.create(plainKey)
    await eventually(() => other.known(callerWith(second.secret)))
    const began = performance.now()
    await one.keys.revoke(second.key.id)
    await eventually(() => !other.known(callerWith(second.secret)) && !one.access.known(callerWith(second.secret)))
    assert.ok(performance.now() - began < 1_000)
    await assert.rejects(who({ access: other }, second.secret), refusal('unauthenticated'))
  }))

test('after a rotation both keys open until the overlap ends, then the new one alone', () =>
  withRig(async (one) => {
    const { key, secret } = await one.keys.create({ ...plainKey, alias: 'app' })
    const rotated = await one.keys.rotate(key.id, { overlapMs: 60_000 })
    assert.equal(rotated.key.id, key.id)
    assert.notEqual(rotated.key.prefix, key.prefix)
    assert.equal(rotated.key.previousValidUntil, one.now() + 60_000)
    await eventually(() => one.access.known(callerWith(rotated.secret)))
    assert.equal(await who(one, secret), await who(one, rotated.secret))

    const again = await one.keys.rotate(key.id, { overlapMs: 30_000 })
    await eventually(() => one.access.known(callerWith(again.secret)))
    for (const valid of [secret, rotated.secret, again.secret]) assert.equal((await who(one, valid)).id, key.id)
    one.pass(30_000)
    await assert.rejects(who(one, rotated.secret), refusal('unauthenticated', /rotated/))
    assert.equal((await who(one, secret)).id, key.id)
    one.pass(30_000)
    await assert.rejects(who(one, secret), refusal('unauthenticated', /rotated/))
    assert.equal((await who(one, again.secret)).id, key.id)

    const at = await one.keys.rotate(key.id, { overlapMs: 0 })
    await eventually(() => one.access.known(callerWith(at.secret)))
    await assert.rejects(who(one, again.secret), refusal('unauthenticated'))
  }))

test('a rotation under load refuses no call, with the old key or the new', () =>
  withRig(async (one) => {
    const made = await one.keys.create(plainKey)
    await eventually(() => one.access.known(callerWith(made.secret)))
    let secret = made.secret
    let calls = 0
    let rotating = true
    const load = (async () => {
      while (rotating) {
        assert.equal((await who(one, secret)).id, made.key.id)
        assert.equal((await who(one, made.secret)).id, made.key.id)
        calls++
        if (calls % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    for (let time = 0; time < 5; time++) {
      // Whoever holds the new one may use it at once: nobody has told this gateway of it yet.
      secret = (await one.keys.rotate(made.key.id, { overlapMs: 60_000 })).secret
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    rotating = false
    await load
    assert.ok(calls > 100)
  }))

test('open access: anybody may call, a gateway key is still known by its limits, and a revoked one is refused', () =>
  withRig(
    async (one) => {
      const { key, secret } = await one.keys.create({ ...plainKey, scopes: { models: ['fast'] } })
      for (const dummy of [undefined, '', 'dummy', 'sk-123', 'sb-short', 'a.b.c', 'x'.repeat(30_000)]) {
        assert.equal(one.access.known(callerWith(dummy)), true)
        assert.equal((await who(one, dummy)).kind, 'anonymous')
      }
      assert.equal((await who(one, ownerKey)).role, 'owner')
      assert.deepEqual((await who(one, secret)).scopes, { models: ['fast'] })
      await one.keys.revoke(key.id)
      await eventually(() => !one.access.known(callerWith(secret)))
      await assert.rejects(who(one, secret), refusal('unauthenticated'))
    },
    { mode: 'open' },
  ))

test('keys of admins are keys with a role; nobody makes another owner of them', () =>
  withRig(async (one) => {
    const { key, secret } = await one.admins.create({ ...plainKey, role: 'operator', tenant: { organisation: 'acme' } })
    assert.ok(secret.startsWith('sba-') && key.id.startsWith('adm_'))
    const principal = await who(one, secret)
    assert.deepEqual([principal.id, principal.role, principal.tenant.organisation], [key.id, 'operator', 'acme'])
    assert.equal(await one.keys.get(key.id), undefined)
    assert.deepEqual((await one.admins.list({})).data, [key])
  }))

test('a credential is only ever looked up by the digest of the whole of it', () => {
  const digested: string[] = []
  const access = createAccess({
    settings: { mode: 'keys', ownerKey },
    crypto: {
      ...nodeCrypto,
      digest(text) {
        digested.push(text)
        return nodeCrypto.digest(text)
      },
    },
  })
  digested.length = 0
  // No prefix of a right key is worth more than any other text: each is digested whole, once, before anything is compared.
  const guesses = Array.from({ length: ownerKey.length }, (_, length) => ownerKey.slice(0, length + 1).padEnd(ownerKey.length, '?'))
  for (const guess of guesses.slice(0, -1)) assert.throws(() => access.authenticate(callerWith(guess)), refusal('unauthenticated'))
  assert.deepEqual(digested, guesses.slice(0, -1))
  access.close()
})

test('comparing digests takes every character into account', () => {
  const digest = nodeCrypto.digest('a')
  assert.ok(sameDigest(digest, nodeCrypto.digest('a')))
  assert.ok(!sameDigest(digest, nodeCrypto.digest('b')))
  assert.ok(!sameDigest(digest, digest.slice(1)))
  for (let place = 0; place < digest.length; place++) {
    const other = digest.slice(0, place) + (digest[place] === 'x' ? 'y' : 'x') + digest.slice(place + 1)
    assert.ok(!sameDigest(digest, other))
  }
})

test('the first use in an hour from a class of addresses is audited, and no other', () =>
  withRig(async (one) => {
    const { key, secret } = await one.keys.create({ ...plainKey, tenant: { organisation: 'acme' } })
    for (let time = 0; time < 3; time++) await who(one, secret, '203.0.113.7')
    await who(one, secret, '10.0.0.1')
    await who(one, secret, '203.0.113.8')
    assert.deepEqual(one.audited, [
      {
        actor: key.id,
        action: 'key.use',
        subject: `key/${key.id}`,
        organisation: 'acme',
        ip: '203.0.113.7',
        detail: { ipClass: 'external' },
      },
      { actor: key.id, action: 'key.use', subject: `key/${key.id}`, organisation: 'acme', ip: '10.0.0.1', detail: { ipClass: 'internal' } },
    ])
    one.pass(3_600_000)
    await who(one, secret, '203.0.113.7')
    assert.equal(one.audited.length, 3)
    assert.ok(!JSON.stringify(one.audited).includes(secret))
  }))

test('a reload changes the mode, the owner and the classes, and keeps the keys', () =>
  withRig(async (one) => {
    const { key, secret } = await one.keys.create(plainKey)
    await eventually(() => one.access.known(callerWith(secret)))
    one.access.configure({ mode: 'open', ownerKey: 'another-owner', ipClasses: { office: ['203.0.113.0/24'] } })
    assert.equal((await who(one, ownerKey)).kind, 'anonymous')
    assert.equal((await who(one, 'another-owner')).kind, 'owner')
    assert.equal((await who(one, secret)).id, key.id)
    assert.equal(one.access.ipClass(callerWith(undefined)), 'office')
  }))

test('what is kept of a key but cannot be read lets nobody in', () =>
  withRig(async (one) => {
    const secrets: string[] = []
    const unreadable: readonly Record<string, Json>[] = [
      { limits: 'none' },
      { scopes: { models: 'fast' } },
      { budgets: [{ id: 'b', limit: 'much' }] },
    ]
    for (const data of unreadable) {
      const { key, secret } = await one.keys.create(plainKey)
      const record = await one.records.get('key', key.id)
      if (record) await one.records.update({ ...record, data })
      secrets.push(secret)
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
    for (const secret of secrets) {
      await assert.rejects(who(one, secret), refusal('store-unavailable', /cannot be read/))
      assert.equal(one.access.known(callerWith(secret)), false)
    }
  }))
