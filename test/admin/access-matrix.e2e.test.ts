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
import { adminRig, OWNER } from './rig.ts'

const directory = mkdtempSync(join(tmpdir(), 'signalbox-matrix-'))
after(() => rmSync(directory, { recursive: true, force: true }))
const statement = join(directory, 'statement.csv')
writeFileSync(statement, 'Day,Model,Cost\n2026-01-01,echo,0.01\n')

const rig = await adminRig(
  {
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
  /** Id of their own key. */
  readonly id?: string
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
function expectedOf(route: Route, { always, role, organisation }: Asking): number {
  if (always !== undefined) return always
  if (!role || !atLeast(role, route.role)) return 403
  if (route.wide && organisation !== undefined) return 403
  if (route.name === 'tokens.exchange' && role === 'owner') return 403
  if (route.name === 'keys.budgets' && role === 'member' && organisation !== OWN) return 403
  // What another has is as if it were not there.
  if (paramsOf(route.path).length > 0 && organisation === OTHER) return 404
  return statusOf(route)
}

async function ask(route: Route, who: Asking): Promise<{ status: number; text: string }> {
  const { params = {}, query = '', body } = await sampleFor(route, who)
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''))
  const response = await rig.send(route.method, `/admin/v1${path}${query === '' ? '' : `?${query}`}`, {
    key: who.key,
    ...(route.body && { body }),
  })
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
const dataPlane: readonly (Plane & { readonly op: 'chat' | 'count' | 'models' | 'explain' })[] = [
  { op: 'chat', path: '/v1/chat/completions', body: { model: 'main', messages: said } },
  { op: 'chat', path: '/v1/responses', body: { model: 'main', input: 'Hello' } },
  { op: 'chat', path: '/v1/messages', body: { model: 'main', max_tokens: 50, messages: said } },
  { op: 'chat', path: '/v1beta/models/main:generateContent', body: { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] } },
  { op: 'count', path: '/v1/messages/count_tokens', body: { model: 'main', messages: said } },
  { op: 'models', path: '/v1/models' },
  { op: 'models', path: '/v1beta/models' },
  { op: 'explain', path: '/v1/route/explain', body: { request: { model: 'main', messages: said } } },
]

for (const { op, path, body } of dataPlane)
  test(`${body ? 'POST' : 'GET'} ${path}: whoever has a key for it`, async () => {
    const { owner } = rig
    const narrow = new Map<string, [key: string, status: number]>([
      ['a key for this endpoint', [(await owner.keys.create({ scopes: { endpoints: [op] } })).key, 200]],
      ['a key for another endpoint', [(await owner.keys.create({ scopes: { endpoints: ['nothing'] } })).key, 403]],
      ['a key for this model', [(await owner.keys.create({ models: ['main'] })).key, 200]],
      ['a key for another model', [(await owner.keys.create({ models: ['other'] })).key, op === 'models' ? 200 : 403]],
      ['a key for no model', [(await owner.keys.create({ models: [] })).key, op === 'models' ? 200 : 403]],
      ['a key for this address', [(await owner.keys.create({ scopes: { ips: ['127.0.0.0/8', '::1'] } })).key, 200]],
      ['a key for another address', [(await owner.keys.create({ scopes: { ips: ['203.0.113.0/24'] } })).key, 403]],
    ])
    const answers: Record<string, number> = {}
    const expected: Record<string, number> = {}
    const all = [
      ...[...asking].map(([name, { key, always = 200 }]) => [name, key, always] as const),
      ...[...narrow].map(([name, [key, status]]) => [name, key, status] as const),
    ]
    for (const [name, key, status] of all) {
      const response = await rig.send(body ? 'POST' : 'GET', path, { key, ...(body && { body }) })
      const text = await response.text()
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
  for (const [name, { key, always }] of asking) {
    const { status } = await rig.send('GET', '/admin/v1/nothing-of-the-kind', { key })
    assert.equal(status, always ?? 404, name)
  }
})
