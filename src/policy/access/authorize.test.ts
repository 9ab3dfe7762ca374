import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAddress } from '../../core/address.ts'
import { GatewayError } from '../../core/error.ts'
import { anonymous, type Principal, roles, type Scopes } from '../../core/principal.ts'
import { authorize, visibleModel, type WantedWithAddress } from './authorize.ts'
import { adminActions, can, may } from './roles.ts'
import { beyond, intersected } from './scopes.ts'

const holder = (scopes: Scopes): Principal => ({ ...anonymous, kind: 'key', id: 'key_1', scopes })
const at = (ip: string) => parseAddress(ip)

const refused = (scopes: Scopes, wanted: Partial<WantedWithAddress>): string | undefined => {
  try {
    authorize(holder(scopes), { op: 'chat', address: undefined, ...wanted })
    return undefined
  } catch (error) {
    assert.ok(error instanceof GatewayError && error.id === 'forbidden' && error.status === 403)
    return error.message
  }
}

test('what is absent is not restricted, an empty list allows nothing', () => {
  assert.equal(refused({}, { requestedModel: 'fast', tier: 'free', tool: 'a/b' }), undefined)
  assert.match(refused({ models: [] }, { requestedModel: 'fast' }) ?? '', /`fast`/)
  assert.match(refused({ endpoints: [] }, {}) ?? '', /`chat`/)
  assert.match(refused({ tiers: [] }, { tier: 'free' }) ?? '', /`free`/)
  assert.match(refused({ tools: [] }, { tool: 'web/search' }) ?? '', /`web\/search`/)
  assert.match(refused({ ips: [] }, { address: at('10.0.0.1') }) ?? '', /address/)
})

test('models: the name itself, all of a provider, and nothing that only looks like it', () => {
  const scopes: Scopes = { models: ['fast', 'openai/*'] }
  for (const allowed of ['fast', 'openai/gpt-5', 'openai/ft:gpt/x']) assert.equal(refused(scopes, { requestedModel: allowed }), undefined)
  for (const other of ['Fast', 'fast2', 'fas', 'openai', 'openai-eu/gpt-5', ' openai/gpt-5', 'groq/openai/x', '*'])
    assert.match(refused(scopes, { requestedModel: other }) ?? '', /may not use the model/, other)
  assert.deepEqual(
    ['fast', 'slow', 'openai/gpt-5'].filter((model) => visibleModel(holder(scopes), model)),
    ['fast', 'openai/gpt-5'],
  )
  assert.ok(visibleModel(holder({}), 'anything'))
})

test('a key for some tiers may not use a model of none', () => {
  assert.equal(refused({ tiers: ['free'] }, { requestedModel: 'fast', tier: 'free' }), undefined)
  assert.match(refused({ tiers: ['free'] }, { requestedModel: 'openai/gpt-5' }) ?? '', /no tier/)
  assert.equal(refused({ tiers: ['free'] }, { op: 'models' }), undefined)
})

test('one model and the list of models are one endpoint', () => {
  assert.equal(refused({ endpoints: ['models'] }, { op: 'model' }), undefined)
  assert.match(refused({ endpoints: ['models'] }, { op: 'chat' }) ?? '', /`chat`/)
})

test('addresses: ranges and single ones; who cannot be placed is not let in', () => {
  const scopes: Scopes = { ips: ['10.0.0.0/8', '2001:db8::7'] }
  for (const inside of ['10.9.9.9', '::ffff:10.9.9.9', '2001:db8::7']) assert.equal(refused(scopes, { address: at(inside) }), undefined)
  for (const outside of ['11.0.0.1', '2001:db8::8', 'nowhere']) assert.match(refused(scopes, { address: at(outside) }) ?? '', /address/)
})

test('a name of any length does not fill the message', () => {
  assert.ok((refused({ models: [] }, { requestedModel: 'x'.repeat(100_000) }) ?? '').length < 400)
})

test('where two scopes hold, what both allow is left', () => {
  assert.deepEqual(intersected({}, {}), {})
  assert.deepEqual(intersected({ models: ['a', 'b'] }, {}), { models: ['a', 'b'] })
  assert.deepEqual(intersected({ models: ['openai/*', 'fast'] }, { models: ['openai/gpt-5', 'slow'] }), { models: ['openai/gpt-5'] })
  assert.deepEqual(intersected({ models: ['openai/gpt-5'] }, { models: ['*'] }), { models: ['openai/gpt-5'] })
  assert.deepEqual(intersected({ models: ['a'] }, { models: ['b'] }), { models: [] })
  assert.deepEqual(intersected({ ips: ['10.0.0.0/8'] }, { ips: ['10.1.0.0/16', '192.0.2.1'] }), { ips: ['10.1.0.0/16'] })
})

test('what goes beyond is found, by name', () => {
  assert.equal(beyond({ models: ['openai/gpt-5'] }, { models: ['openai/*'] }), undefined)
  assert.equal(beyond({ models: ['x'] }, {}), undefined)
  assert.deepEqual(beyond({ models: ['openai/*'] }, { models: ['openai/gpt-5'] }), { scope: 'models', name: 'openai/*' })
  assert.deepEqual(beyond({ models: ['*'] }, { models: ['openai/*'] }), { scope: 'models', name: '*' })
  assert.deepEqual(beyond({ ips: ['10.0.0.0/7'] }, { ips: ['10.0.0.0/8'] }), { scope: 'ips', name: '10.0.0.0/7' })
  assert.deepEqual(beyond({ ips: ['0.0.0.0/0'] }, { ips: ['10.0.0.0/8'] }), { scope: 'ips', name: '0.0.0.0/0' })
})

test('each role may what the one below it may, and more', () => {
  for (const [place, role] of roles.entries()) {
    const weaker = roles[place + 1]
    if (!weaker) continue
    for (const action of adminActions) if (can(weaker, action)) assert.ok(can(role, action), `${role} ${action}`)
    assert.ok(adminActions.filter((action) => can(role, action)).length > adminActions.filter((action) => can(weaker, action)).length)
  }
  assert.deepEqual(
    adminActions.filter((action) => can('member', action)),
    ['key.own', 'usage.own', 'token.exchange'],
  )
  assert.ok(!adminActions.some((action) => can('viewer', action) && /write|run|reload/.test(action)))
})

test('nobody without a key manages anything, and who belongs to an organisation does not manage the gateway', () => {
  assert.ok(!may(anonymous, 'key.own'))
  const admin: Principal = { ...anonymous, kind: 'key', id: 'adm_1', role: 'admin' }
  const tenant: Principal = { ...admin, tenant: { organisation: 'acme' } }
  assert.ok(may(admin, 'config.reload') && !may(tenant, 'config.reload') && may(tenant, 'key.write'))
})
