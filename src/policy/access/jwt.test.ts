import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { exportJWK, exportSPKI, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'
import { GatewayError } from '../../core/error.ts'
import type { Principal } from '../../core/principal.ts'
import type { AccessSettings } from './access.ts'
import { callerWith, type Rig, rig } from './fixtures/rig.ts'
import type { IssuerSettings } from './jwt.ts'

const issuer = 'https://id.example.com/'
const jwksUrl = 'https://id.example.com/keys'

interface Signer {
  readonly jwk: JWK
  readonly kid: string
  readonly alg: string
  readonly privateKey: CryptoKey
  readonly pem: string
}

async function signer(kid: string, alg = 'RS256'): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, alg, privateKey, pem: await exportSPKI(publicKey), jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

const [first, second, curve] = await Promise.all([signer('k1'), signer('k2'), signer('e1', 'ES256')])

/** An issuer whose documents tests change, and which can be away. */
function idp(keys: readonly JWK[] = [first.jwk]) {
  const state = { keys, away: false, fetched: [] as string[] }
  const fetchJson = async (url: string): Promise<unknown> => {
    state.fetched.push(url)
    if (state.away) throw new Error('connection refused')
    if (url === jwksUrl) return { keys: state.keys }
    if (url === `${issuer}.well-known/openid-configuration`) return { issuer, jwks_uri: jwksUrl }
    throw new Error(`status 404 for ${url}`)
  }
  return { state, fetchJson }
}

const trust = (more: Partial<IssuerSettings> = {}): IssuerSettings => ({ issuer, audience: 'signalbox', jwksUrl, ...more })

async function withIssuer(
  run: (one: Rig, source: ReturnType<typeof idp>) => Promise<void>,
  { settings = { jwt: [trust()] }, keys }: { readonly settings?: Partial<AccessSettings>; readonly keys?: readonly JWK[] } = {},
): Promise<void> {
  const source = idp(keys)
  const one = await rig(settings, { fetchJson: source.fetchJson })
  try {
    await run(one, source)
  } finally {
    one.close()
  }
}

const seconds = (one: Rig): number => Math.floor(one.now() / 1_000)
const usual = (one: Rig): JWTPayload => ({ iss: issuer, aud: 'signalbox', sub: 'ann', iat: seconds(one), exp: seconds(one) + 300 })

const signed = (payload: JWTPayload, by: Signer = first, header: Record<string, unknown> = {}): Promise<string> =>
  new SignJWT(payload).setProtectedHeader({ alg: by.alg, kid: by.kid, ...header }).sign(by.privateKey)

const who = async ({ access }: Rig, credential: string): Promise<Principal> => access.authenticate(callerWith(credential))
const isRefusal = (id: string, words?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof GatewayError, String(error))
  assert.equal(error.id, id, error.message)
  if (words) assert.match(error.message, words)
  return true
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

test('a JWT of a trusted issuer is a principal, verified once and known at once from then on', () =>
  withIssuer(async (one, { state }) => {
    const token = await signed(usual(one))
    assert.equal(one.access.known(callerWith(token)), false)
    const principal = await who(one, token)
    assert.deepEqual(
      [principal.kind, principal.id, principal.user, principal.role, principal.tenant],
      ['jwt', `jwt:${issuer}:ann`, 'ann', 'member', {}],
    )
    assert.equal(one.access.authenticate(callerWith(token)), principal)
    assert.ok(one.access.known(callerWith(token)))
    await Promise.all(Array.from({ length: 20 }, async () => who(one, await signed({ ...usual(one), sub: 'bob' }))))
    assert.deepEqual(state.fetched, [jwksUrl], 'keys are fetched once')
    assert.deepEqual(
      one.audited.map(({ subject }) => subject),
      [`jwt:${issuer}:ann`, `jwt:${issuer}:bob`],
    )
  }))

test('where the keys are is asked of the issuer, when nobody says', () =>
  withIssuer(
    async (one, { state }) => {
      assert.equal((await who(one, await signed(usual(one)))).user, 'ann')
      assert.deepEqual(state.fetched, [`${issuer}.well-known/openid-configuration`, jwksUrl])
    },
    { settings: { jwt: [{ issuer, audience: 'signalbox' }] } },
  ))

test('every algorithm with public keys works; one may be asked for alone', () =>
  withIssuer(
    async (one) => {
      assert.equal((await who(one, await signed(usual(one), curve))).user, 'ann')
      assert.equal((await who(one, await signed(usual(one), first))).user, 'ann')
      one.access.configure({ mode: 'keys', ownerKey: undefined, jwt: [trust({ algorithms: ['ES256'] })] })
      assert.equal((await who(one, await signed(usual(one), curve))).user, 'ann')
      await assert.rejects(who(one, await signed(usual(one), first)), isRefusal('unauthenticated'))
    },
    { keys: [first.jwk, curve.jwk] },
  ))

test('attacks are refused, each for its own reason', () =>
  withIssuer(
    async (one) => {
      const payload = usual(one)
      const now = seconds(one)
      const attacker = await signer('k1')
      const good = await signed(payload)
      const [goodHeader = '', goodPayload = '', goodSignature = ''] = good.split('.')
      const hmac = (secret: string, header: object): string => {
        const body = `${part(header)}.${part(payload)}`
        return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`
      }
      const attacks: Record<string, string> = {
        'alg none': `${part({ alg: 'none' })}.${part(payload)}.`,
        'alg None': `${part({ alg: 'None', kid: 'k1' })}.${part(payload)}.${goodSignature}`,
        'no alg': `${part({ kid: 'k1' })}.${part(payload)}.${goodSignature}`,
        'key confusion, the PEM as secret': hmac(first.pem, { alg: 'HS256', kid: 'k1' }),
        'key confusion, the JWK as secret': hmac(JSON.stringify(first.jwk), { alg: 'HS256', kid: 'k1' }),
        'a published secret': hmac('published', { alg: 'HS256', kid: 'oct1' }),
        'another key under a known name': await signed(payload, attacker),
        'no signature': `${goodHeader}.${goodPayload}.`,
        'another signature': `${goodHeader}.${goodPayload}.${goodSignature.slice(0, -4)}AAAA`,
        'other claims': `${goodHeader}.${part({ ...payload, sub: 'root' })}.${goodSignature}`,
        'wrong audience': await signed({ ...payload, aud: 'another' }),
        'no audience': await signed({ ...payload, aud: undefined }),
        'the audience in part': await signed({ ...payload, aud: 'signalbox.evil.example' }),
        expired: await signed({ ...payload, exp: now - 31 }),
        'never expires': await signed({ ...payload, exp: undefined }),
        'not valid yet': await signed({ ...payload, nbf: now + 31 }),
        'of the future': await signed({ ...payload, iat: now + 31 }),
        'expires at a word': await signed({ ...payload, exp: 'never' as unknown as number }),
        'a path as key id': await signed(payload, attacker, { kid: '../../../../dev/null' }),
        'SQL as key id': await signed(payload, attacker, { kid: "k1' OR '1'='1" }),
        'an object as key id': `${part({ alg: 'RS256', kid: { $ne: null } })}.${goodPayload}.${goodSignature}`,
        'a long key id': await signed(payload, attacker, { kid: 'k'.repeat(300) }),
        'brings its own key': await signed(payload, attacker, { jwk: attacker.jwk }),
        'says where its key is': await signed(payload, attacker, { jku: 'https://evil.example/keys' }),
        'brings a certificate': await signed(payload, attacker, { x5c: ['MIIB'] }),
        'says where its certificate is': await signed(payload, attacker, { x5u: 'https://evil.example/cert' }),
        'a critical extension': `${part({ alg: 'RS256', kid: 'k1', crit: ['exp'] })}.${goodPayload}.${goodSignature}`,
        'another kind of token': await signed(payload, first, { typ: 'logout+jwt' }),
        oversized: await signed({ ...payload, padding: 'x'.repeat(14_000) }),
        'huge, with many parts': `${good}.${'a'.repeat(1_000)}`,
        encrypted: `${goodHeader}.a.b.c.d`,
        'not JSON': `e30x.${goodPayload}.${goodSignature}`,
      }
      for (const [name, token] of Object.entries(attacks)) {
        await assert.rejects(who(one, token), isRefusal('unauthenticated'), name)
        assert.equal(one.access.known(callerWith(token)), false, name)
      }
      assert.equal((await who(one, good)).user, 'ann', 'and nothing of it harmed the good one')
    },
    { keys: [first.jwk, { kty: 'oct', k: Buffer.from('published').toString('base64url'), kid: 'oct1', alg: 'HS256' }] },
  ))

test('a token of another issuer is refused, and no key of one issuer vouches for another', () => {
  const other = 'https://other.example'
  return withIssuer(
    async (one) => {
      await assert.rejects(who(one, await signed({ ...usual(one), iss: 'https://evil.example' })), isRefusal('unauthenticated'))
      await assert.rejects(who(one, await signed({ ...usual(one), iss: 'https://id.example.com' })), isRefusal('unauthenticated'))
      // Signed by the first issuer, in the name of the second.
      await assert.rejects(who(one, await signed({ ...usual(one), iss: other })), isRefusal('store-unavailable'))
    },
    { settings: { jwt: [trust(), { issuer: other, audience: 'signalbox', jwksUrl: 'https://other.example/keys' }] } },
  )
})

test('clocks may differ by as much as configured', () =>
  withIssuer(
    async (one) => {
      const now = seconds(one)
      assert.equal((await who(one, await signed({ ...usual(one), exp: now - 59, nbf: now + 59, iat: now + 59 }))).user, 'ann')
      await assert.rejects(who(one, await signed({ ...usual(one), exp: now - 61 })), isRefusal('unauthenticated', /expired/))
    },
    { settings: { jwt: [trust({ clockToleranceMs: 60_000 })] } },
  ))

test('what was verified is not remembered beyond its end', () =>
  withIssuer(async (one) => {
    const token = await signed(usual(one))
    await who(one, token)
    one.pass(329_000)
    assert.ok(one.access.known(callerWith(token)))
    one.pass(2_000)
    assert.equal(one.access.known(callerWith(token)), false)
    await assert.rejects(who(one, token), isRefusal('unauthenticated', /expired/))
  }))

test('rotation: a key that tokens name is fetched at once, and names that do not exist not more than twice a minute', () =>
  withIssuer(async (one, { state }) => {
    await who(one, await signed(usual(one)))
    state.keys = [first.jwk, second.jwk]
    assert.equal((await who(one, await signed(usual(one), second))).user, 'ann')
    assert.equal(state.fetched.length, 2)
    for (let guess = 0; guess < 10; guess++)
      await assert.rejects(
        who(one, await signed(usual(one), second, { kid: `guess-${guess}` })),
        isRefusal('unauthenticated', /does not publish/),
      )
    assert.equal(state.fetched.length, 2)
    one.pass(31_000)
    await assert.rejects(who(one, await signed(usual(one), second, { kid: 'guess' })), isRefusal('unauthenticated'))
    assert.equal(state.fetched.length, 3)
  }))

test('a key that its issuer withdrew counts no longer, for what was verified before as well', () =>
  withIssuer(async (one, { state }) => {
    const token = await signed({ ...usual(one), exp: seconds(one) + 86_400 })
    await who(one, token)
    state.keys = [second.jwk]
    one.pass(601_000)
    // Old keys are fetched again in the background, when they are used.
    one.access.known(callerWith(token))
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(one.access.known(callerWith(token)), false)
    await assert.rejects(who(one, token), isRefusal('unauthenticated'))
  }))

test('an issuer that cannot be reached is 503, and what is known of it goes on', () =>
  withIssuer(async (one, { state }) => {
    state.away = true
    await assert.rejects(who(one, await signed(usual(one))), isRefusal('store-unavailable'))
    state.away = false
    one.pass(1_000)
    const token = await signed({ ...usual(one), exp: seconds(one) + 86_400 })
    await who(one, token)
    state.away = true
    one.pass(3_600_000)
    assert.equal((await who(one, token)).user, 'ann')
    assert.equal((await who(one, await signed({ ...usual(one), sub: 'bob' }))).user, 'bob')
    // Whether this key exists now, only the issuer could tell.
    for (let time = 0; time < 3; time++) await assert.rejects(who(one, await signed(usual(one), second)), isRefusal('store-unavailable'))
    state.away = false
    state.keys = [first.jwk, second.jwk]
    one.pass(1_000)
    assert.equal((await who(one, await signed(usual(one), second))).user, 'ann')
  }))

test('several keys without names: the one that fits is found', () =>
  withIssuer(
    async (one) => {
      const token = await new SignJWT(usual(one)).setProtectedHeader({ alg: 'RS256' }).sign(second.privateKey)
      assert.equal((await who(one, token)).user, 'ann')
      const other = await signer('k9')
      const forged = await new SignJWT(usual(one)).setProtectedHeader({ alg: 'RS256' }).sign(other.privateKey)
      await assert.rejects(who(one, forged), isRefusal('unauthenticated'))
    },
    { keys: [first.jwk, second.jwk] },
  ))

test('a discovery document of another issuer, or with keys in the open, is not believed', async () => {
  for (const document of [
    { issuer: 'https://evil.example', jwks_uri: jwksUrl },
    { issuer, jwks_uri: 'http://id.example.com/keys' },
    { issuer },
    'nonsense',
  ]) {
    const one = await rig(
      { jwt: [{ issuer, audience: 'signalbox' }] },
      { fetchJson: async (url) => (url === jwksUrl ? { keys: [first.jwk] } : document) },
    )
    await assert.rejects(who(one, await signed(usual(one))), isRefusal('store-unavailable'))
    one.close()
  }
})

test('claims say who somebody is, and configuration says what they may not say', () =>
  withIssuer(
    async (one) => {
      const principal = await who(
        one,
        await signed({
          ...usual(one),
          org: { id: 'evil', team: 'core' },
          'https://example.com/project': 'web',
          email: 'ann@example.com',
          class: ['premium', 'free'],
          groups: ['everyone', 'sb-operators', 'admin'],
          labels: 'a, b c',
          models: ['fast', 7, 'openai/*'],
          plan: 'gold',
        }),
      )
      assert.deepEqual(
        { ...principal, expiresAt: undefined },
        {
          kind: 'jwt',
          id: `jwt:${issuer}:ann`,
          role: 'operator',
          tenant: { organisation: 'acme', team: 'core', project: 'web' },
          user: 'ann@example.com',
          tags: ['a', 'b', 'c'],
          tier: 'premium',
          scopes: { models: ['fast', 'openai/*'], endpoints: ['chat'] },
          limits: [{ id: 'plan:gold:1', what: 'requests', limit: 60, windowMs: 60_000, by: 'key' }],
          budgets: [],
          metadata: { issuer },
          expiresAt: undefined,
        },
      )
    },
    {
      settings: {
        jwt: [
          trust({
            organisation: 'acme',
            roles: { 'sb-operators': 'operator', 'sb-viewers': 'viewer' },
            claims: {
              organisation: 'org.id',
              team: 'org.team',
              project: 'https://example.com/project',
              user: 'email',
              tier: 'class',
              role: 'groups',
              tags: 'labels',
              models: 'models',
              plans: 'plan',
            },
          }),
        ],
        plans: {
          gold: {
            scopes: { endpoints: ['chat'] },
            limits: [{ id: 'plan:gold:1', what: 'requests', limit: 60, windowMs: 60_000, by: 'key' }],
            budgets: [],
          },
        },
      },
    },
  ))

test('a claim that makes no sense makes nobody stronger', () =>
  withIssuer(
    async (one) => {
      const weird = async (claims: object): Promise<Principal> => who(one, await signed({ ...usual(one), ...claims }))
      assert.deepEqual((await weird({ models: 7 })).scopes.models, [])
      assert.deepEqual((await weird({ models: null })).scopes.models, [])
      assert.deepEqual((await weird({ models: 'fast slow' })).scopes.models, ['fast', 'slow'])
      assert.equal((await weird({})).scopes.models, undefined)
      for (const role of ['owner', 'OWNER', { admin: true }, 7, 'root']) assert.equal((await weird({ role })).role, 'member')
      assert.equal((await weird({ role: ['viewer', 'admin'] })).role, 'admin')
      assert.deepEqual((await weird({ org: { toString: 'x' } })).tenant, {})
      await assert.rejects(weird({ plan: 'platinum' }), isRefusal('forbidden', /platinum/))
      await assert.rejects(weird({ plan: '__proto__' }), isRefusal('forbidden'))
      const long = await weird({ sub: 'ü'.repeat(150) })
      assert.match(long.id, /^jwt:[\w-]{43}$/)
    },
    { settings: { jwt: [trust({ claims: { models: 'models', role: 'role', organisation: 'org', plans: 'plan' } })] } },
  ))

test('open access: a dummy that looks like a JWT is anybody, a bad one of a trusted issuer is refused', () =>
  withIssuer(
    async (one) => {
      assert.equal((await who(one, await signed({ ...usual(one), iss: 'https://elsewhere.example' }))).kind, 'anonymous')
      assert.equal((await who(one, await signed(usual(one)))).kind, 'jwt')
      await assert.rejects(who(one, await signed({ ...usual(one), aud: 'another' })), isRefusal('unauthenticated'))
    },
    { settings: { mode: 'open', jwt: [trust()] } },
  ))

test('a JWT is exchanged for a token, which ends with it and with the trust in its issuer', () =>
  withIssuer(
    async (one) => {
      const holder = await who(one, await signed({ ...usual(one), org: 'acme', role: 'admin' }))
      const made = await one.access.exchange(holder, { scopes: { models: ['fast'] } })
      assert.equal(made.expiresAt, (seconds(one) + 300) * 1_000)
      const principal = await who(one, made.token)
      assert.deepEqual(
        [principal.kind, principal.id, principal.role, principal.tenant, principal.scopes],
        ['jwt', holder.id, 'member', { organisation: 'acme' }, { models: ['fast'] }],
      )
      one.access.configure({ mode: 'keys', ownerKey: undefined })
      await assert.rejects(who(one, made.token), isRefusal('unauthenticated', /no longer trusted/))
    },
    { settings: { jwt: [trust({ claims: { organisation: 'org', role: 'role' } })] } },
  ))
