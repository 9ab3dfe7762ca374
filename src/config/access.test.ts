import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signatureAlgorithms } from '../policy/access/jwt.ts'
import { type AccessConfig, accessConfig, accessProblems } from './access.ts'
import { access, jwtAlgorithms } from './schema-access.ts'

const configOf = (input: unknown): AccessConfig => accessConfig(access.parse(input), 'keys')
const problemsOf = (input: unknown): string[] => {
  const parsed = access.safeParse(input)
  if (!parsed.success) return parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message.split('\n')[0]}`)
  return accessProblems(parsed.data).map(({ path, message }) => `${path.slice(1).join('.')}: ${message.split('\n')[0]}`)
}

test('nothing said: ten minutes of going by what is known, no proxy trusted, no issuer', () => {
  assert.deepEqual(configOf(undefined), {
    mode: 'keys',
    staleMs: 600_000,
    trustedProxies: [],
    proxyHeader: 'x-forwarded-for',
    tokens: { ttlMs: 900_000, maxTtlMs: 86_400_000 },
    jwt: [],
    plans: {},
  })
})

test('an issuer and its plans, as policy takes them', () => {
  const { jwt = [], plans = {} } = configOf({
    jwt: [
      {
        issuer: 'https://id.example.com/',
        audience: 'signalbox',
        clockTolerance: '5s',
        claims: { team: 'groups', plans: 'plan' },
        organisation: 'acme',
        models: ['fast'],
        roles: { admins: 'admin' },
      },
    ],
    plans: {
      gold: { tier: 'premium', limits: [{ what: 'requests', limit: 60 }], budgets: [{ limit: '5', window: 'day', by: 'user' }] },
    },
  })
  assert.deepEqual(jwt, [
    {
      issuer: 'https://id.example.com/',
      audience: 'signalbox',
      algorithms: [...jwtAlgorithms],
      clockToleranceMs: 5_000,
      claims: { user: 'sub', team: 'groups', plans: 'plan' },
      organisation: 'acme',
      scopes: { models: ['fast'] },
      plans: [],
      roles: { admins: 'admin' },
    },
  ])
  const [limit] = plans['gold']?.limits ?? []
  const [budget] = plans['gold']?.budgets ?? []
  assert.deepEqual([limit?.by, limit?.limit, limit?.windowMs], ['key', 60, 60_000])
  assert.deepEqual([budget?.by, budget?.limit, budget?.window], ['user', 5_000_000_000n, 'day'])
})

test('a rule of a plan keeps its id when its limit changes, and no two share one', () => {
  const ids = (limits: readonly object[]): string[] =>
    configOf({ plans: { gold: { limits }, silver: { limits } } }).plans
      ? Object.values(configOf({ plans: { gold: { limits }, silver: { limits } } }).plans ?? {}).flatMap((plan) =>
          plan.limits.map(({ id }) => id),
        )
      : []
  const before = ids([{ what: 'requests', limit: 60 }])
  assert.deepEqual(before, ids([{ what: 'requests', limit: 90 }]))
  assert.equal(
    new Set(
      ids([
        { what: 'requests', limit: 60 },
        { what: 'requests', limit: 90 },
      ]),
    ).size,
    4,
  )
})

test('what cannot be is refused where it stands', () => {
  const issuer = { issuer: 'https://id.example.com', audience: 'signalbox' }
  assert.match(problemsOf({ trustedProxies: ['10.0.0.0/33'] })[0] ?? '', /^trustedProxies\.0: neither an address/)
  assert.match(problemsOf({ ipClasses: { office: ['office.example.com'] } })[0] ?? '', /^ipClasses\.office\.0/)
  assert.match(problemsOf({ jwt: [{ ...issuer, issuer: 'http://id.example.com' }] })[0] ?? '', /^jwt\.0\.issuer: not an https URL/)
  assert.match(problemsOf({ jwt: [{ ...issuer, jwksUrl: 'https://user:secret@id.example.com/keys' }] })[0] ?? '', /^jwt\.0\.jwksUrl/)
  assert.match(problemsOf({ jwt: [{ issuer: issuer.issuer }] })[0] ?? '', /^jwt\.0\.audience/)
  for (const algorithm of ['none', 'HS256', 'HS512'])
    assert.match(problemsOf({ jwt: [{ ...issuer, algorithms: [algorithm] }] })[0] ?? '', /^jwt\.0\.algorithms/)
  assert.match(problemsOf({ jwt: [{ ...issuer, plans: ['gold'] }] })[0] ?? '', /^jwt\.0\.plans\.0: there is no plan gold/)
  assert.match(problemsOf({ tokens: { ttl: '2d', maxTtl: '1d' } })[0] ?? '', /^tokens\.ttl: longer/)
  assert.deepEqual(problemsOf({ jwt: [{ ...issuer, issuer: 'http://127.0.0.1:9000' }] }), [])
})

test('the algorithms of the schema are those that are verified', () => {
  assert.deepEqual([...jwtAlgorithms], [...signatureAlgorithms])
})

test('successors of keys go to a file or into Vault, each to a place of its own', () => {
  const placed = (to: string) => access.safeParse({ rotation: { to } }).success
  for (const to of [
    'file:/run/keys/{id}',
    'file:/run/{id}/key',
    'vault:secret/signalbox/{id}#key',
    'vault:secret/signalbox/{id}',
    'aws:sm/keys/{id}',
    'aws:ssm/keys/{id}',
    'gcp:project/{id}',
    'k8s:team/keys#{id}',
  ])
    assert.ok(placed(to), to)
  for (const to of [
    'file:keys/{id}',
    'file:/run/keys/one',
    'vault:secret/{id}/../x',
    'vault:{id}',
    'vault:{id}',
    'env:{id}',
    'secret:{id}',
    'gcp:project/{id}@5',
    'azure:vault/{id}',
    'k8s:{id}#key',
    'aws:sm/keys#{id}',
    'gcp:project/keys#{id}',
    'vault:secret/keys#{id}',
    '{id}',
    '',
  ])
    assert.ok(!placed(to), to)
  assert.deepEqual(configOf({ rotation: { to: 'file:/run/{id}' } }).rotation, { to: 'file:/run/{id}', overlapMs: 86_400_000 })
})
