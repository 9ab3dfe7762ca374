import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditEvent, AuditLog } from '../core/audit.ts'
import { GatewayError } from '../core/error.ts'
import { anonymous, type Principal } from '../core/principal.ts'
import { createMemoryAudit } from '../store/memory/audit.ts'
import { createMemoryRecords } from '../store/memory/records.ts'
import { dispatch, matchRoute } from './dispatch.ts'
import type { AdminParts, ManagedSecret, SecretAdmin } from './parts.ts'
import { routes } from './routes.ts'

const owner: Principal = { ...anonymous, kind: 'owner', id: 'owner', role: 'owner' }
const unused = (): never => {
  throw new Error('not asked here')
}
const noKeys = {
  list: async () => ({ data: [] }),
  get: async () => undefined,
  create: unused,
  update: unused,
  rotate: unused,
  revoke: unused,
  rotates: () => false,
}

/** A vault that tells what it was given. */
function vault(): SecretAdmin & { readonly values: Map<string, string> } {
  const values = new Map<string, string>()
  const told = (name: string, version: number): ManagedSecret => ({ name, version, createdAt: 1, valueAt: 1, keyAt: 1, masterKey: 'mk_1' })
  return {
    values,
    list: async () => [...values.keys()].map((name) => told(name, 1)),
    async put(name, value) {
      values.set(name, value)
      return told(name, 1)
    },
    remove: async (name) => values.delete(name),
    rotateMaster: async () => ({ changed: true, wrapped: false, rewrapped: values.size, failed: 0 }),
  }
}

function rig(audit: AuditLog = createMemoryAudit()) {
  const secrets = vault()
  const parts: AdminParts = {
    isOwner: () => true,
    reload: async () => undefined,
    services: {
      authenticate: () => owner,
      records: createMemoryRecords(),
      keys: noKeys,
      admins: noKeys,
      exchange: unused,
      usage: { usage: async () => [], find: async () => undefined, entries: unused, recent: unused },
      budgets: { state: unused },
      audit,
      secrets,
    },
  }
  const ask = (method: string, path: string, body?: unknown, headers = {}) =>
    dispatch({ method, path, query: '', headers, body, ip: '192.0.2.1' }, owner, parts)
  return { ask, secrets, audit, parts }
}

const fault = async (run: () => Promise<unknown>): Promise<string> => {
  try {
    await run()
  } catch (error) {
    assert.ok(error instanceof GatewayError, String(error))
    return [error.id, error.path].filter(Boolean).join(' ')
  }
  throw new Error('it was not refused')
}

test('the value of a secret goes in, and comes out nowhere: not in answers, errors or the audit log', async () => {
  const { ask, secrets, audit } = rig()
  const replies = [
    await ask('POST', '/secrets', { name: 'openai-2', value: 'sk-canary-1' }),
    await ask('PATCH', '/secrets/openai-2', { value: 'sk-canary-2' }),
    await ask('GET', '/secrets'),
    await ask('GET', '/secrets/openai-2'),
  ]
  assert.equal(secrets.values.get('openai-2'), 'sk-canary-2')
  const problems: string[] = []
  for (const body of [
    { name: 'x', value: { nested: 'sk-canary-3' } },
    { name: 'openai-2', value: 'sk-canary-4' },
    { name: 'x', valu: 'sk-canary-5' },
  ])
    await ask('POST', '/secrets', body).catch((error: Error) => problems.push(error.message))
  assert.equal(problems.length, 3)
  const log = await audit.list({})
  assert.deepEqual(
    log.map(({ action, subject, ip, detail }) => [action, subject, ip, detail]),
    [
      ['secret.create', 'secret/openai-2', '192.0.2.1', { name: 'openai-2', value: '(sealed)' }],
      ['secret.rotate', 'secret/openai-2', '192.0.2.1', { value: '(sealed)' }],
    ],
  )
  assert.ok(!JSON.stringify([replies, problems, log]).includes('sk-canary'))
})

test('what was done but could not be written down is told as that', async () => {
  const broken: AuditLog = {
    ...createMemoryAudit(),
    append: (_event: AuditEvent) => Promise.reject(new GatewayError('store-unavailable', 'The store does not answer.')),
  }
  const { ask, secrets } = rig(broken)
  await assert.rejects(
    ask('POST', '/secrets', { name: 'a', value: 'b' }),
    /It was done \(secret\.create of secret\/a\), but could not be written/,
  )
  assert.ok(secrets.values.has('a'))
})

test('a route is found by its method and path, and nothing else is', async () => {
  assert.equal(matchRoute('GET', '/budgets/b_1/status').route.name, 'budgets.status')
  assert.deepEqual(matchRoute('GET', '/keys/a%2Fb').params, { id: 'a/b' })
  assert.equal(matchRoute('GET', '/keys/').route.name, 'keys.list')
  assert.equal(matchRoute('GET', '/audit/verify').route.name, 'audit.verify')
  for (const path of ['', '/', '/key', '/keys//budgets', '/keys/a/budgets/b', '/constructor', '/keys/a/__proto__'])
    assert.equal(await fault(async () => matchRoute('GET', path)), 'not-found', path)
  assert.equal(await fault(async () => matchRoute('DELETE', '/keys')), 'method-not-allowed')
})

test('every route has a name, a path and an action of its own kind', () => {
  assert.equal(new Set(routes.map(({ name }) => name)).size, routes.length)
  assert.equal(new Set(routes.map(({ method, path }) => `${method} ${path}`)).size, routes.length)
  for (const { name, method, body, action } of routes) {
    assert.match(name, /^[a-z]+\.[a-zA-Z]+$/)
    assert.match(action, /^[a-z-]+\.[a-z-]+$/)
    assert.ok(method !== 'GET' || body === undefined, `${name} has a body`)
  }
})

test('a body where none belongs, a query where none belongs, and a member given twice are refused', async () => {
  const { ask, parts } = rig()
  assert.equal(await fault(() => ask('DELETE', '/teams/x', { force: true })), 'invalid-request force')
  const query = (text: string, path = '/teams') =>
    dispatch({ method: 'GET', path, query: text, headers: {}, body: undefined, ip: undefined }, owner, parts)
  assert.equal(await fault(() => query('limit=1&limit=2')), 'invalid-request limit')
  assert.equal(await fault(() => query('deep=1', '/teams/x')), 'invalid-request deep')
  assert.equal(await fault(() => query('__proto__=1')), 'invalid-request __proto__')
})

test('without state there is reloading, and the document that says what else there could be', async () => {
  const { parts } = rig()
  const bare: AdminParts = { isOwner: parts.isOwner, reload: parts.reload }
  const ask = (path: string, method = 'GET') =>
    dispatch({ method, path, query: '', headers: {}, body: undefined, ip: undefined }, owner, bare)
  assert.equal(await fault(() => ask('/keys')), 'not-supported')
  assert.equal(await fault(() => ask('/reload', 'POST')), 'shutting-down')
  assert.match(String((await ask('/openapi.json')).body), /^\{"openapi":"3\.1\.0"/)
})
