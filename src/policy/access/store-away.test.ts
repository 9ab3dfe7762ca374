import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callerWith, eventually, ownerKey, plainKey, refusal, who, withRig } from './fixtures/rig.ts'
import { nodeCrypto } from './node-crypto.ts'

test('with the store away, known keys go on, unknown ones hear 503, and all is well when it is back', () =>
  withRig(
    async (one) => {
      const known = await one.keys.create(plainKey)
      await eventually(() => one.access.known(callerWith(known.secret)))
      const late = await one.keys.create(plainKey)
      const other = one.other()
      for (const mode of ['refuses', 'hangs'] as const) {
        one.records.mode = mode
        assert.equal((await who(one, known.secret)).id, known.key.id)
        // Never loaded: even a key that exists is not known there, and that is nobody's wrong key.
        await assert.rejects(who({ access: other }, late.secret), refusal('store-unavailable'))
        assert.equal(other.known(callerWith(late.secret)), false)
        assert.throws(() => other.authenticate(callerWith('nonsense')), refusal('unauthenticated'))
        assert.equal((await who({ access: other }, ownerKey)).role, 'owner')
      }
      // A cold start, in the middle of it.
      const cold = one.other()
      one.records.mode = 'refuses'
      await cold.load()
      assert.equal(cold.status().loaded, false)
      await assert.rejects(who({ access: cold }, known.secret), refusal('store-unavailable'))
      one.records.mode = 'works'
      await eventually(() => cold.status().loaded)
      assert.equal((await who({ access: cold }, late.secret)).id, late.key.id)
    },
    {},
    { lookupMs: 50 },
  ))

test('known keys go on for as long as configured after the store was last heard, and no longer', () =>
  withRig(
    async (one) => {
      const { key, secret } = await one.keys.create(plainKey)
      await eventually(() => one.access.known(callerWith(secret)))
      one.records.mode = 'refuses'
      one.pass(60_000)
      assert.equal((await who(one, secret)).id, key.id)
      one.pass(1)
      await assert.rejects(who(one, secret), refusal('store-unavailable'))
      assert.equal(one.access.known(callerWith(secret)), false)
      one.records.mode = 'works'
      assert.equal((await who(one, secret)).id, key.id, 'asked again, not waited for')
    },
    { staleMs: 60_000 },
    { lookupMs: 50 },
  ))

test('a key that changed while the store went away is not gone by for longer than a second', () =>
  withRig(
    async (one) => {
      const { key, secret } = await one.keys.create(plainKey)
      const bystander = await one.keys.create(plainKey)
      await eventually(() => one.access.known(callerWith(secret)) && one.access.known(callerWith(bystander.secret)))
      const revoked = one.keys.revoke(key.id)
      one.records.mode = 'refuses'
      await revoked
      assert.equal((await who(one, secret)).id, key.id)
      one.pass(1_001)
      await assert.rejects(who(one, secret), refusal('store-unavailable'))
      assert.equal((await who(one, bystander.secret)).id, bystander.key.id)
      one.records.mode = 'works'
      await eventually(() => one.access.status().keys === 1)
      await assert.rejects(who(one, secret), refusal('unauthenticated'))
    },
    {},
    { lookupMs: 50 },
  ))

test('a key that is made while it is being looked up is not remembered as unknown', () =>
  withRig(async (one) => {
    const { key, secret } = await one.keys.create(plainKey)
    await one.keys.revoke(key.id)
    await eventually(() => one.access.status().keys === 0)
    one.records.slowMs = 30
    const asked = who(one, secret)
    one.records.slowMs = 0
    await one.records.create({ kind: 'key', id: 'key_b', lookup: nodeCrypto.digest(secret), data: {} })
    await asked.catch(() => {})
    assert.equal((await who(one, secret)).id, 'key_b')
  }))

test('guesses cannot flood the store: beyond a number of lookups at once they are told to come back', () =>
  withRig(
    async (one) => {
      one.records.mode = 'hangs'
      const guesses: string[] = []
      for (let count = 0; count < 100; count++)
        guesses.push((await import('./credential-form.ts')).makeCredential('key', nodeCrypto).credential)
      const results = await Promise.allSettled(guesses.map(async (guess) => one.access.authenticate(callerWith(guess))))
      assert.ok(results.every((result) => result.status === 'rejected' && result.reason.id === 'store-unavailable'))
      assert.equal(one.records.asked.find, 64)
    },
    {},
    { lookupMs: 50 },
  ))
