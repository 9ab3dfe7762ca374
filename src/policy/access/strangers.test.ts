/** Whose credential counts as a guess: those that nobody here gave out, and no other. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { GatewayError } from '../../core/error.ts'
import { makeCredential } from './credential-form.ts'
import { callerWith, eventually, ownerKey, plainKey, type Rig, refusal, rig, who } from './fixtures/rig.ts'
import { nodeCrypto } from './node-crypto.ts'

const issuer = 'https://id.example.com/'
const [published, another] = [await generateKeyPair('ES256'), await generateKeyPair('ES256')]
const jwk = { ...(await exportJWK(published.publicKey)), kid: 'one', alg: 'ES256' }

interface Met {
  readonly one: Rig
  /** The credentials that it was told of, each with its address. */
  readonly met: (readonly [address: string | undefined, credential: string])[]
  token(claims?: JWTPayload, by?: CryptoKey): Promise<string>
}

async function meeting(run: (meeting: Met) => Promise<void>, answer?: GatewayError, mode: 'open' | 'keys' = 'keys'): Promise<void> {
  const met: Met['met'] = []
  const one = await rig(
    { mode, trustedProxies: ['10.0.0.0/8'], jwt: [{ issuer, audience: 'signalbox', jwksUrl: `${issuer}keys` }] },
    {
      fetchJson: async () => ({ keys: [jwk] }),
      stranger(address, credential) {
        met.push([address, credential])
        return answer
      },
    },
  )
  const token: Met['token'] = (claims = {}, by = published.privateKey) =>
    new SignJWT({ iss: issuer, aud: 'signalbox', sub: 'ann', exp: Math.floor(one.now() / 1_000) + 300, ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .sign(by)
  try {
    await run({ one, met, token })
  } finally {
    one.close()
  }
}

const tooMany = new GatewayError('rate-limited', 'Too many.', { retryAfterMs: 5_000 })

test('what nobody gave out is told of, with the address behind trusted proxies, and answered as it says', () =>
  meeting(async ({ one, met, token }) => {
    const made = makeCredential('key', nodeCrypto).credential
    const guesses = [
      'nothing-of-the-kind',
      `${ownerKey}x`,
      `${made.slice(0, -1)}${made.endsWith('a') ? 'b' : 'a'}`,
      made,
      makeCredential('admin', nodeCrypto).credential,
      await token({}, another.privateKey),
      await token({ iss: 'https://elsewhere.example.com/' }),
      `${(await token()).split('.').slice(0, 2).join('.')}.`,
    ]
    for (const guess of guesses) await assert.rejects(who(one, guess), refusal('rate-limited'))
    assert.deepEqual(
      met,
      guesses.map((guess) => ['203.0.113.9', guess]),
    )
    await assert.rejects(
      async () => one.access.authenticate(callerWith('guess', '10.0.0.1', { 'x-forwarded-for': '1.1.1.1, 198.51.100.4' })),
      refusal('rate-limited'),
    )
    assert.deepEqual(met.at(-1), ['198.51.100.4', 'guess'])
  }, tooMany))

test('where it has nothing to say, the refusal is 401', () =>
  meeting(async ({ one, met }) => {
    await assert.rejects(who(one, 'guess'), refusal('unauthenticated'))
    assert.equal(met.length, 1)
  }))

test('good ones, and ones that were good, are no guesses; nor is no credential at all', () =>
  meeting(async ({ one, met, token }) => {
    const good = await one.keys.create(plainKey)
    const ended = await one.keys.create({ ...plainKey, expiresAt: one.now() + 1_000 })
    const before = await one.keys.create(plainKey)
    await one.keys.rotate(before.key.id, { overlapMs: 1_000 })
    const revoked = await one.keys.create(plainKey)
    await eventually(() => one.access.status().keys === 4)
    await one.keys.revoke(revoked.key.id)
    await eventually(() => one.access.status().keys === 3)
    const old = await token({ exp: Math.floor(one.now() / 1_000) - 300 })
    const elsewhere = await token({ aud: 'another' })
    one.pass(2_000)
    for (const credential of [good.secret, ownerKey, await token()]) await who(one, credential)
    for (const credential of [ended.secret, before.secret, revoked.secret, old, elsewhere, undefined, ''])
      await assert.rejects(who(one, credential), refusal('unauthenticated'))
    assert.deepEqual(met, [])
  }, tooMany))

test('while nobody can tell it is 503, and no guess', () =>
  meeting(async ({ one, met }) => {
    const good = await one.keys.create(plainKey)
    const stranger = one.other()
    one.records.mode = 'refuses'
    await assert.rejects(async () => stranger.authenticate(callerWith(good.secret)), refusal('store-unavailable'))
    assert.deepEqual(met, [])
  }, tooMany))

test('where access is open, dummies are no guesses; what is formed like a key is', () =>
  meeting(
    async ({ one, met }) => {
      assert.equal((await who(one, 'sk-anything')).kind, 'anonymous')
      assert.deepEqual(met, [])
      await assert.rejects(who(one, makeCredential('key', nodeCrypto).credential), refusal('rate-limited'))
    },
    tooMany,
    'open',
  ))

test('those who keep their own count are told the plain refusal, and nobody else hears of it', () =>
  meeting(async ({ one, met }) => {
    assert.throws(() => one.access.recognize(callerWith('guess')), refusal('unauthenticated'))
    assert.equal((await one.access.recognize(callerWith(ownerKey))).kind, 'owner')
    assert.deepEqual(met, [])
  }, tooMany))
