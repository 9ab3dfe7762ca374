/** Guessing at keys of the admin API, as whoever guesses meets it: over HTTP, behind a proxy that is trusted. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adminRig, OWNER } from './rig.ts'

const rig = await adminRig({ access: { mode: 'keys', trustedProxies: ['127.0.0.1'] } })
const from = (address: string) => ({ 'x-forwarded-for': address })
const look = (key: string, address: string, path = '/admin/v1/keys') => rig.send('GET', path, { key, headers: from(address) })

async function eventually<T>(read: () => Promise<T>, good: (value: T) => boolean): Promise<T> {
  const began = performance.now()
  for (;;) {
    const value = await read()
    if (good(value)) return value
    assert.ok(performance.now() - began < 3_000, JSON.stringify(value))
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('an address that guesses is told to wait; its good keys, and other addresses, are not', async () => {
  const statuses: number[] = []
  for (let guess = 0; guess < 15; guess++) statuses.push((await look(`guess-number-${guess}`, '198.51.100.7')).status)
  assert.deepEqual(statuses, [...Array(10).fill(401), ...Array(5).fill(429)])
  const late = await look('another-guess', '198.51.100.7')
  assert.equal(late.status, 429)
  assert.equal(late.headers.get('x-signalbox-error'), 'rate_limited')
  const wait = Number(late.headers.get('retry-after'))
  assert.ok(wait >= 1 && wait <= 60, String(wait))
  assert.equal(((await late.json()) as { error: { code: string } }).error.code, 'rate_limited')

  assert.equal((await look(OWNER, '198.51.100.7')).status, 200)
  const admin = await rig.owner.admins.create({ role: 'viewer', alias: 'vi' })
  assert.equal((await look(admin.key, '198.51.100.7')).status, 200)
  assert.equal((await look('another-guess', '198.51.100.8')).status, 401)
  // A credential that was told to be wrong tells nothing when it is told so again; none at all is no guess.
  assert.equal((await look('guess-number-1', '198.51.100.7')).status, 401)
  assert.equal((await rig.send('GET', '/admin/v1/keys', { headers: from('198.51.100.7') })).status, 401)
})

test("the owner's key is guessed no faster at the metrics", async () => {
  for (let guess = 0; guess < 10; guess++) assert.equal((await look(`guess-number-${guess}`, '198.51.100.9', '/metrics')).status, 401)
  const late = await look('guess-number-10', '198.51.100.9', '/metrics')
  assert.equal(late.status, 429)
  assert.ok(Number(late.headers.get('retry-after')) >= 1)
  assert.equal((await look('guess-number-11', '198.51.100.9')).status, 429)
  assert.equal((await look(OWNER, '198.51.100.9', '/metrics')).status, 200)
})

test('refusals are in the audit log once for each address and hour, and in the metrics each time', async () => {
  const { key } = await rig.owner.admins.create({ role: 'viewer', alias: 'curious' })
  for (let time = 0; time < 3; time++)
    assert.equal((await rig.send('POST', '/admin/v1/keys', { key, body: {}, headers: from('203.0.113.5') })).status, 403)
  const narrow = await rig.owner.keys.create({ scopes: { endpoints: ['chat'] } })
  assert.equal((await look(narrow.key, '203.0.113.6', '/admin/v1/me')).status, 403)
  const refused = await eventually(
    async () =>
      (await rig.owner.audit.list({ limit: 1_000 })).data
        .filter(({ action }) => action.startsWith('admin.') && !action.endsWith('create'))
        .map(({ action, subject, ip }) => `${action} ${subject} ${ip}`)
        .toSorted(),
    (found) => found.length >= 7,
  )
  assert.deepEqual(refused, [
    'admin.forbidden admin 203.0.113.6',
    'admin.forbidden keys.create 203.0.113.5',
    'admin.guessed admin 198.51.100.7',
    'admin.guessed metrics 198.51.100.9',
    'admin.unauthenticated admin 198.51.100.7',
    'admin.unauthenticated admin 198.51.100.8',
    'admin.unauthenticated metrics 198.51.100.9',
  ])
  assert.equal((await rig.owner.audit.verify()).brokenAt, undefined)
  assert.ok(!JSON.stringify(await rig.owner.audit.list({ limit: 1_000 })).includes('guess-number'))
  const page = await (await look(OWNER, '198.51.100.7', '/metrics')).text()
  assert.match(page, /^signalbox_admin_requests_total\{operation="keys.create",status="403"\} 3$/m)
  assert.match(page, /^signalbox_admin_requests_total\{operation="",status="429"\} 7$/m)
  assert.match(page, /^signalbox_access_loaded 1$/m)
  assert.match(page, /^signalbox_ledger_behind 0$/m)
  assert.doesNotMatch(page, /^signalbox_database_up \d/m, 'there is no database')
})
