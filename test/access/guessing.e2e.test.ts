/** Guessing at keys by calling models, as whoever guesses meets it: over HTTP, behind a proxy that is trusted. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adminRig, OWNER } from '../admin/rig.ts'

const rig = await adminRig({ access: { mode: 'keys', trustedProxies: ['127.0.0.1'] } })
const said = [{ role: 'user', content: 'Hello' }]

const call = (key: string, address: string, path = '/v1/chat/completions', body: object = { model: 'main', messages: said }) =>
  rig.send('POST', path, { key, body, headers: { 'x-forwarded-for': address } })

async function statusOf(key: string, address: string): Promise<number> {
  const response = await call(key, address)
  await response.text()
  return response.status
}

async function guessed(): Promise<string[]> {
  const { data } = await rig.owner.audit.list({ limit: 1_000 })
  return data.filter(({ action }) => action === 'key.guessed').map(({ subject, ip }) => `${subject} ${ip}`)
}

test('an address that guesses is told to wait; its good keys, and other addresses, are not', async () => {
  const here = '198.51.100.7'
  const { key } = await rig.owner.keys.create({})
  const statuses: number[] = []
  for (let guess = 0; guess < 15; guess++) {
    statuses.push(await statusOf(`guess-number-${guess}`, here))
    assert.equal(await statusOf(key, here), 200)
  }
  assert.deepEqual(statuses, [...Array(10).fill(401), ...Array(5).fill(429)])
  assert.equal(await statusOf(OWNER, here), 200)
  const made = await rig.owner.keys.create({})
  assert.equal(await statusOf(made.key, here), 200, 'a key that was made meanwhile')
  assert.equal(await statusOf('another-guess', '198.51.100.8'), 401)
  // What was told to be wrong is told nothing new.
  assert.equal(await statusOf('guess-number-1', here), 401)
})

test('it is told so in its dialect, with when to come back', async () => {
  const here = '198.51.100.9'
  for (let guess = 0; guess < 10; guess++) assert.equal(await statusOf(`guess-number-${guess}`, here), 401)
  const dialects = [
    { path: '/v1/chat/completions', body: { model: 'main', messages: said }, at: ['error', 'code'], says: 'rate_limited' },
    { path: '/v1/responses', body: { model: 'main', input: 'Hello' }, at: ['error', 'code'], says: 'rate_limited' },
    { path: '/v1/messages', body: { model: 'main', max_tokens: 5, messages: said }, at: ['error', 'type'], says: 'rate_limit_error' },
    {
      path: '/v1beta/models/main:generateContent',
      body: { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] },
      at: ['error', 'status'],
      says: 'RESOURCE_EXHAUSTED',
    },
  ]
  for (const { path, body, at, says } of dialects) {
    const response = await call(`late ${path}`.replaceAll(/\W/g, '-'), here, path, body)
    assert.equal(response.status, 429, path)
    const wait = Number(response.headers.get('retry-after'))
    assert.ok(wait >= 1 && wait <= 60, String(wait))
    assert.equal(response.headers.get('x-signalbox-error'), 'rate_limited')
    assert.equal(response.headers.get('x-should-retry'), 'false')
    let found: unknown = await response.json()
    for (const name of at) found = (found as Record<string, unknown>)[name]
    assert.equal(found, says, path)
  }
})

test('one network of IPv6 is one address', async () => {
  for (let guess = 0; guess < 10; guess++) assert.equal(await statusOf(`guess-number-${guess}`, `2001:db8:0:7::${guess}`), 401)
  assert.equal(await statusOf('guess-number-10', '2001:db8:0:7:ffff::1'), 429)
  assert.equal(await statusOf('guess-number-10', '2001:db8:0:8::1'), 401)
})

test('one stale key, and those that have expired or were revoked, are no guesses', async () => {
  const here = '203.0.113.5'
  for (let time = 0; time < 30; time++) assert.equal(await statusOf('a-stale-key', here), 401)
  for (let time = 0; time < 12; time++) {
    const ended = await rig.owner.keys.create({ expiresIn: '1ms' })
    assert.equal(await statusOf(ended.key, here), 401)
    const { id, key } = await rig.owner.keys.create({})
    assert.equal(await statusOf(key, here), 200)
    await rig.owner.keys.revoke(id)
    for (let tries = 0; tries < 100 && (await statusOf(key, here)) === 200; tries++) await new Promise((resolve) => setTimeout(resolve, 10))
    assert.equal(await statusOf(key, here), 401)
  }
})

test('calls and the admin API count apart', async () => {
  const here = '203.0.113.6'
  for (let guess = 0; guess < 11; guess++) await statusOf(`guess-number-${guess}`, here)
  const response = await rig.send('GET', '/admin/v1/keys', { key: 'guess-number-11', headers: { 'x-forwarded-for': here } })
  assert.equal(response.status, 401)
})

test('the audit log is told once of each address that guesses, and the metrics count each call', async () => {
  for (let tries = 0; tries < 100 && (await guessed()).length < 4; tries++) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.deepEqual((await guessed()).toSorted(), [
    'calls 198.51.100.7',
    'calls 198.51.100.9',
    'calls 2001:db8:0:7:ffff::1',
    'calls 203.0.113.6',
  ])
  assert.ok(!JSON.stringify(await rig.owner.audit.list({ limit: 1_000 })).includes('guess-number'))
  const page = await (await rig.send('GET', '/metrics', { key: OWNER })).text()
  assert.match(page, /^signalbox_strangers_total\{why="guessing"\} 11$/m)
  assert.match(page, /^signalbox_strangers_total\{why="unknown"\} 73$/m)
})
