/**
 * Every route of the gateway × everybody who might ask, against a gateway that serves. The rows come from the route table, what is expected
 * from the role and reach that it states; a route that is added is a row more.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { atLeast } from '../../src/admin/access.ts'
import { paramsOf, type Route, statusOf } from '../../src/admin/route.ts'
import { routes } from '../../src/admin/routes.ts'
import type { Role } from '../../src/core/principal.ts'
import { adminActions, can, may } from '../../src/policy/access/roles.ts'
import { startIssuers } from './issuers.ts'
import { adminRig, OWNER } from './rig.ts'

const directory = mkdtempSync(join(tmpdir(), 'signalbox-matrix-'))
after(() => rmSync(directory, { recursive: true, force: true }))
const statement = join(directory, 'statement.csv')
writeFileSync(statement, 'Day,Model,Cost\n2026-01-01,echo,0.01\n')

const issuers = await startIssuers()
const rig = await adminRig(
  {
    access: { mode: 'keys', trustedProxies: ['127.0.0.1'], jwt: issuers.settings },
    secrets: { masterKey: 'env:MATRIX_MASTER_KEY' },
    budgets: [{ name: 'all', limit: '1000' }],
    reconcile: { sources: { sim: { kind: 'csv', file: statement, columns: { day: 'Day', model: 'Model', cost: 'Cost' } } } },
  },
  { MATRIX_MASTER_KEY: Buffer.alloc(32, 7).toString('base64') },
)
/** The organisation whose things are asked for, and another one. */
const OWN = 'acme'
const OTHER = 'globex'

interface Asking {
  readonly key: string | undefined
  /** What the gateway takes them for; absent: nobody it lets in. */
  readonly role?: Role
  readonly organisation?: string
  /** The answer to everything, whatever the role. */
  readonly always?: number
  /** The same, of the admin API alone. */
  readonly onlyCalls?: boolean
  /** Id of their own key. */
  readonly id?: string
  /** Where they ask from, as a proxy tells it. Guesses are counted by it. Absent: from here. */
  readonly from?: string
}
const asking = new Map<string, Asking>()
let requestId = ''

{
  const { owner } = rig
  await owner.organisations.create({ id: OWN, name: 'Acme' })
  await owner.organisations.create({ id: OTHER, name: 'Globex' })
  const key = (organisation: string | undefined, more: object = {}) =>
    owner.keys.create({ ...(organisation !== undefined && { organisation }), ...more })
  const admin = (role: 'admin' | 'operator' | 'viewer', organisation?: string, more: object = {}) =>
    owner.admins.create({ role, ...(organisation !== undefined && { organisation }), ...more })

  asking.set('no key', { key: undefined, always: 401 })
  asking.set('an unknown key', { key: `sb-${'x'.repeat(57)}`, always: 401 })
  const expired = await admin('admin', undefined, { expiresIn: '1ms' })
  asking.set('an expired key', { key: expired.key, always: 401 })
  const revoked = await admin('admin')
  await owner.admins.revoke(revoked.id)
  asking.set('a revoked key', { key: revoked.key, always: 401 })
  asking.set('a key for other endpoints', {
    key: (await admin('admin', undefined, { scopes: { endpoints: ['nothing'] } })).key,
    always: 403,
  })
  asking.set('a key for other addresses', { key: (await admin('admin', undefined, { scopes: { ips: ['203.0.113.7'] } })).key, always: 403 })
  const member = await key(OWN)
  asking.set('member', { key: member.key, role: 'member', organisation: OWN, id: member.id })
  const stranger = await key(OTHER)
  asking.set('member of another', { key: stranger.key, role: 'member', organisation: OTHER, id: stranger.id })
  for (const role of ['viewer', 'operator', 'admin'] as const) {
    const [here, there, wide] = [await admin(role, OWN), await admin(role, OTHER), await admin(role)]
    asking.set(role, { key: here.key, role, organisation: OWN, id: here.id })
    asking.set(`${role} of another`, { key: there.key, role, organisation: OTHER, id: there.id })
    asking.set(`${role} of all`, { key: wide.key, role, id: wide.id })
  }
  asking.set('owner', { key: OWNER, role: 'owner' })

  const jwt = async (name: string, token: string | Promise<string>, expected: Omit<Asking, 'key'>): Promise<void> => {
    asking.set(name, { key: await token, from: `198.51.100.${asking.size}`, ...expected })
  }
  for (const role of ['member', 'viewer', 'operator', 'admin'] as const)
    for (const [of, organisation] of [
      ['', OWN],
      [' of another', OTHER],
      [' of all', undefined],
    ] as const)
      await jwt(`JWT: ${role}${of}`, issuers.token({ claims: { sub: `${role}${of}`, role, ...(organisation && { org: organisation }) } }), {
        role,
        ...(organisation && { organisation }),
      })
  const admins = { role: 'admin' }
  const later = Math.floor(Date.now() / 1_000) + 3_000
  // Nobody becomes the owner by what an issuer says.
  await jwt('JWT: claims to be the owner', issuers.token({ claims: { role: 'owner', org: OWN } }), { role: 'member', organisation: OWN })
  await jwt('JWT: expired', issuers.token({ claims: { ...admins, exp: later - 3_600 } }), { always: 401 })
  await jwt('JWT: without an end', issuers.token({ claims: { ...admins, exp: undefined } }), { always: 401 })
  await jwt('JWT: of the future', issuers.token({ claims: { ...admins, nbf: later } }), { always: 401 })
  await jwt('JWT: for another audience', issuers.token({ claims: { ...admins, aud: 'another' } }), { always: 401 })
  await jwt('JWT: of an issuer that nobody trusts', issuers.token({ issuer: 'stranger', claims: admins }), { always: 401 })
  await jwt('JWT: signed with a key that is not published', issuers.token({ key: 'unpublished', claims: admins }), { always: 401 })
  await jwt('JWT: not signed', issuers.unsigned(admins), { always: 401 })
  await jwt('JWT: signed with the public key as a secret', issuers.confused(admins), { always: 401 })
  const [header, , signature] = (await issuers.token()).split('.')
  await jwt('JWT: changed after it was signed', `${header}.${(await issuers.token({ claims: admins })).split('.')[1]}.${signature}`, {
    always: 401,
  })
  await jwt('JWT: of an issuer for calls only', issuers.token({ issuer: 'calls-only', claims: admins }), { always: 403, onlyCalls: true })
  await jwt('JWT: of an issuer that is away', issuers.token({ issuer: 'away', claims: admins }), { always: 503 })
  await jwt('JWT: seen before its issuer went away', issuers.token({ issuer: 'leaving', claims: { role: 'operator', org: OWN } }), {
    role: 'operator',
    organisation: OWN,
  })
  assert.equal((await rig.ask(asking.get('JWT: seen before its issuer went away')?.key)).status, 200)
  issuers.leave()
  await jwt('JWT: with a new key of an issuer that went away', issuers.token({ issuer: 'leaving', key: 'unpublished', claims: admins }), {
    always: 503,
  })

  const call = await rig.ask(member.key)
  requestId = call.headers.get('x-signalbox-request-id') ?? ''
  await call.text()
}

interface Sample {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: string
  readonly body?: unknown
}

let counter = 0
const fresh = (): string => `matrix-${++counter}`

/** Something of the organisation to ask for: a new one each time, since it may be gone after the question. */
async function sampleFor({ name, path, method }: Route, { organisation: theirs }: Asking): Promise<Sample> {
  const { owner } = rig
  const [group = '', verb] = name.split('.')
  const made = path.includes('{id}')
  const id = async (create: () => Promise<{ id: string }>): Promise<Sample['params']> => (made ? { id: (await create()).id } : {})
  // What belongs to nobody in particular is made for whoever asks.
  const mine = theirs === undefined ? { organisation: OWN } : {}
  switch (group) {
    case 'keys':
      if (verb === 'budgets') return { params: { id: asking.get('member')?.id ?? '' } }
      return { params: await id(() => owner.keys.create({ organisation: OWN })), body: verb === 'rotate' ? {} : { alias: fresh() } }
    case 'admins':
      return {
        params: await id(() => owner.admins.create({ role: 'viewer', organisation: OWN })),
        body: verb === 'rotate' ? {} : { role: 'viewer', alias: fresh() },
      }
    case 'organisations':
      if (verb === 'remove') return { params: await id(() => owner.organisations.create({ name: fresh() })) }
      return { params: { id: OWN }, body: { name: 'Acme' } }
    case 'teams':
      return { params: await id(() => owner.teams.create({ name: fresh(), organisation: OWN })), body: { name: fresh() } }
    case 'projects': {
      const team = await owner.teams.create({ name: fresh(), organisation: theirs ?? OWN })
      const own = await owner.teams.create({ name: fresh(), organisation: OWN })
      return {
        params: await id(() => owner.projects.create({ name: fresh(), team: own.id })),
        body: method === 'PATCH' ? { name: fresh() } : { name: fresh(), team: team.id },
      }
    }
    case 'budgets':
      return { params: await id(() => owner.budgets.create({ limit: '5', organisation: OWN })), body: { limit: '6' } }
    case 'limits':
      return {
        params: await id(() => owner.limits.create({ what: 'requests', limit: 100, organisation: OWN })),
        body: { what: 'requests', limit: 100, ...(method === 'POST' && mine) },
      }
    case 'credits':
      return { params: { organisation: OWN }, body: { amount: '1.00' } }
    case 'requests':
      return { params: { id: requestId } }
    case 'secrets': {
      const secret = fresh()
      if (path.includes('{name}')) await owner.secrets.create({ name: secret, value: 'sk-of-the-matrix', organisation: OWN })
      if (verb === 'rotateMaster') return { body: { reference: 'env:MATRIX_MASTER_KEY' } }
      return {
        params: { name: secret },
        query: path.includes('{name}') ? `organisation=${OWN}` : '',
        body: verb === 'create' ? { name: secret, value: 'sk-of-the-matrix' } : { value: 'sk-of-the-matrix-2' },
      }
    }
    default:
      return { body: {} }
  }
}

/** What the table says that the answer is. */
function expectedOf(route: Route, { always, role, organisation, id }: Asking): number {
  if (always !== undefined) return always
  if (!role || !atLeast(role, route.role)) return 403
  if (route.wide && organisation !== undefined) return 403
  if (route.name === 'tokens.exchange' && role === 'owner') return 403
  // A member has its own key and its own calls; a holder of a JWT has neither.
  const another = role === 'member' && id !== asking.get('member')?.id
  if (route.name === 'keys.budgets' && another) return 403
  if (route.name === 'requests.get' && another) return 404
  // What another has is as if it were not there.
  if (paramsOf(route.path).length > 0 && organisation === OTHER) return 404
  return statusOf(route)
}

const headersOf = ({ from }: Pick<Asking, 'from'>): Record<string, string> => (from === undefined ? {} : { 'x-forwarded-for': from })

async function ask(route: Route, who: Asking): Promise<{ status: number; text: string }> {
  const { params = {}, query = '', body } = await sampleFor(route, who)
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''))
  const response = await rig.send(route.method, `/admin/v1${path}${query === '' ? '' : `?${query}`}`, {
    key: who.key,
    headers: headersOf(who),
    ...(route.body && { body }),
  })
  if (response.status === 503) assert.ok(Number(response.headers.get('retry-after')) >= 1, 'it does not say when to come back')
  return { status: response.status, text: await response.text() }
}

for (const route of [...routes].sort((one, other) => Number(one.name === 'reconcile.get') - Number(other.name === 'reconcile.get')))
  test(`${route.method} /admin/v1${route.path}: ${route.role}${route.wide ? ', of no organisation' : ''}`, async () => {
    const answers: Record<string, number> = {}
    const expected: Record<string, number> = {}
    for (const [name, who] of asking) {
      const { status, text } = await ask(route, who)
      answers[name] = status
      expected[name] = expectedOf(route, who)
      assert.ok(!text.includes('sk-of-the-matrix'), `${name} sees the value of a secret`)
      // Only what was asked for by its id may be named in the answer.
      if (who.organisation === OTHER) assert.ok(!text.includes(`"${OWN}"`), `${name} sees something of another organisation: ${text}`)
    }
    assert.deepEqual(answers, expected)
  })

interface Plane {
  readonly path: string
  readonly body?: object
}
const said = [{ role: 'user', content: 'Hello' }]
const dataPlane: readonly (Plane & { readonly op: 'chat' | 'count' | 'models' | 'model' | 'explain' })[] = [
  { op: 'chat', path: '/v1/chat/completions', body: { model: 'main', messages: said } },
  { op: 'chat', path: '/v1/responses', body: { model: 'main', input: 'Hello' } },
  { op: 'chat', path: '/v1/messages', body: { model: 'main', max_tokens: 50, messages: said } },
  { op: 'chat', path: '/v1beta/models/main:generateContent', body: { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] } },
  {
    op: 'chat',
    path: '/v1beta/models/main:streamGenerateContent?alt=sse',
    body: { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] },
  },
  { op: 'chat', path: '/openai/deployments/main/chat/completions', body: { messages: said } },
  { op: 'count', path: '/v1beta/models/main:countTokens', body: { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] } },
  { op: 'count', path: '/v1/responses/input_tokens', body: { model: 'main', input: 'Hello' } },
  { op: 'count', path: '/v1/messages/count_tokens', body: { model: 'main', messages: said } },
  { op: 'models', path: '/v1/models' },
  { op: 'models', path: '/v1beta/models' },
  { op: 'model', path: '/v1/models/main' },
  { op: 'model', path: '/v1beta/models/main' },
  { op: 'explain', path: '/v1/route/explain', body: { request: { model: 'main', messages: said } } },
]

for (const { op, path, body } of dataPlane)
  test(`${body ? 'POST' : 'GET'} ${path}: whoever has a key for it`, async () => {
    const { owner } = rig
    // One model that they may not use is not there for them; a list has only what they may use.
    const elsewhere = op === 'models' ? 200 : op === 'model' ? 404 : 403
    const narrow = new Map<string, [key: string, status: number]>([
      ['a key for this endpoint', [(await owner.keys.create({ scopes: { endpoints: [op === 'model' ? 'models' : op] } })).key, 200]],
      ['a key for another endpoint', [(await owner.keys.create({ scopes: { endpoints: ['nothing'] } })).key, 403]],
      ['a key for this model', [(await owner.keys.create({ models: ['main'] })).key, 200]],
      ['a key for another model', [(await owner.keys.create({ models: ['other'] })).key, elsewhere]],
      ['a key for no model', [(await owner.keys.create({ models: [] })).key, elsewhere]],
      ['a key for this address', [(await owner.keys.create({ scopes: { ips: ['127.0.0.0/8', '::1'] } })).key, 200]],
      ['a key for another address', [(await owner.keys.create({ scopes: { ips: ['203.0.113.0/24'] } })).key, 403]],
    ])
    const answers: Record<string, number> = {}
    const expected: Record<string, number> = {}
    const all: (readonly [name: string, who: Pick<Asking, 'key' | 'from'>, status: number])[] = [
      ...[...asking].map(([name, who]) => [name, who, who.onlyCalls ? 200 : (who.always ?? 200)] as const),
      ...[...narrow].map(([name, [key, status]]) => [name, { key }, status] as const),
    ]
    for (const [name, who, status] of all) {
      const response = await rig.send(body ? 'POST' : 'GET', path, { key: who.key, headers: headersOf(who), ...(body && { body }) })
      const text = await response.text()
      if (status === 503) assert.ok(Number(response.headers.get('retry-after')) >= 1, `${name} is not told when to come back`)
      answers[name] = response.status
      expected[name] = status
      if (name === 'a key for another model' && op === 'models')
        assert.ok(!/"(?:models\/)?main"/.test(text), 'it sees a model that it may not use')
    }
    assert.deepEqual(answers, expected)
  })

test('the roles of the routes are those of the rights table, and what concerns everybody is marked so', () => {
  for (const { name, role, right, wide = false } of routes) {
    assert.ok((adminActions as readonly string[]).includes(right), `${name}: ${right}`)
    const action = right as (typeof adminActions)[number]
    for (const one of ['owner', 'admin', 'operator', 'viewer', 'member'] as const)
      assert.equal(atLeast(one, role), can(one, action), `${name}: ${one} and ${right}`)
    const principal = {
      kind: 'key',
      id: 'x',
      role: 'admin',
      tenant: { organisation: OWN },
      tags: [],
      scopes: {},
      limits: [],
      budgets: [],
      metadata: {},
    } as const
    if (!wide && can('admin', action)) assert.ok(may(principal, action), `${name} is not marked as wide, but ${right} is`)
  }
})

test('a path that is no route is nothing, for whoever has a key', async () => {
  for (const [name, who] of asking) {
    const { status } = await rig.send('GET', '/admin/v1/nothing-of-the-kind', { key: who.key, headers: headersOf(who) })
    assert.equal(status, who.always ?? 404, name)
  }
})
