/** Keys, tokens, JWTs and addresses as callers meet them: over HTTP, against a gateway that serves. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { adminRig } from '../admin/rig.ts'

const { publicKey, privateKey } = await generateKeyPair('ES256')
const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }
let issuerAnswers = true
const idp = createServer((_, response) => {
  if (issuerAnswers) response.end(JSON.stringify({ keys: [jwk] }))
  else response.writeHead(500).end()
})
await new Promise<void>((resolve) => idp.listen(0, '127.0.0.1', resolve))
after(() => {
  idp.closeAllConnections()
  idp.close()
})
const issuer = `http://127.0.0.1:${(idp.address() as AddressInfo).port}`

const rig = await adminRig({
  access: {
    mode: 'keys',
    trustedProxies: ['127.0.0.1'],
    jwt: [
      {
        issuer,
        audience: 'signalbox',
        jwksUrl: `${issuer}/keys`,
        claims: { models: 'models', role: 'role', organisation: 'org' },
      },
    ],
  },
})

const token = (claims: JWTPayload = {}): Promise<string> =>
  new SignJWT({ iss: issuer, aud: 'signalbox', sub: 'ann', exp: Math.floor(Date.now() / 1_000) + 60, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'one' })
    .sign(privateKey)

const chat = (key: string | undefined, headers: Record<string, string> = {}, model = 'main'): Promise<Response> =>
  rig.send('POST', '/v1/chat/completions', { key, headers, body: { model, messages: [{ role: 'user', content: 'Hello' }] } })

const codeOf = async (response: Response): Promise<string> => {
  const { error } = (await response.json()) as { error: { code: string } }
  return `${response.status} ${error.code}`
}

test('while an issuer cannot be reached its tokens are 503, with a time to come back, and not 401', async () => {
  issuerAnswers = false
  const response = await chat(await token())
  assert.ok(Number(response.headers.get('retry-after')) >= 1)
  assert.equal(await codeOf(response), '503 store_unavailable')
  issuerAnswers = true
  await new Promise((resolve) => setTimeout(resolve, 1_100))
  assert.equal((await chat(await token())).status, 200)
})

test('a JWT calls what its claims allow, and manages what its role allows', async () => {
  assert.equal((await chat(await token({ models: ['main'] }))).status, 200)
  assert.equal(await codeOf(await chat(await token({ models: ['other'] }))), '403 forbidden')
  assert.equal(await codeOf(await chat(await token({ aud: 'another' }))), '401 unauthenticated')
  assert.equal((await rig.send('GET', '/admin/v1/keys', { key: await token({ role: 'viewer' }) })).status, 200)
  assert.equal((await rig.send('GET', '/admin/v1/keys', { key: await token() })).status, 403)
  assert.equal((await rig.send('POST', '/admin/v1/reload', { key: await token({ role: 'owner' }) })).status, 403)
})

test('the list of models shows what a key may ask for', async () => {
  const { key } = await rig.owner.keys.create({ models: ['other'] })
  const listed = (await (await rig.send('GET', '/v1/models', { key })).json()) as { data: { id: string }[] }
  assert.deepEqual(
    listed.data.map(({ id }) => id),
    ['other'],
  )
})

test('a key for some addresses is let in from there, as a trusted proxy tells it', async () => {
  const { key } = await rig.owner.keys.create({ scopes: { ips: ['198.51.100.0/24'] } })
  const from = async (forwarded: string | undefined): Promise<number> =>
    (await chat(key, forwarded === undefined ? {} : { 'x-forwarded-for': forwarded })).status
  assert.equal(await from('198.51.100.7'), 200)
  assert.equal(await from('203.0.113.1, 198.51.100.7'), 200)
  // What stands left of the first stranger is the stranger's own word.
  assert.equal(await from('198.51.100.7, 203.0.113.1'), 403)
  assert.equal(await from('unknown'), 403)
  assert.equal(await from(undefined), 403)
})

test('a token has no more than its key, and ends with it within a second', async () => {
  const made = await rig.owner.keys.create({ models: ['main', 'other'] })
  const response = await rig.send('POST', '/admin/v1/tokens', { key: made.key, body: { models: ['main'], ttl: '10m' } })
  assert.equal(response.status, 201)
  const short = ((await response.json()) as { token: string }).token
  assert.equal((await chat(short)).status, 200)
  assert.equal((await chat(short, {}, 'other')).status, 403)
  assert.equal((await rig.send('POST', '/admin/v1/tokens', { key: short, body: { models: ['other'] } })).status, 403)
  await rig.owner.keys.revoke(made.id)
  const began = performance.now()
  while ((await chat(short)).status !== 401) assert.ok(performance.now() - began < 1_000)
  assert.equal(await codeOf(await chat(made.key)), '401 unauthenticated')
})

test('a refusal speaks the dialect of whoever asks', async () => {
  const anthropic = await rig.send('POST', '/v1/messages', { key: 'nobody', body: {} })
  assert.equal(anthropic.status, 401)
  assert.equal(((await anthropic.json()) as { type: string }).type, 'error')
  assert.equal(anthropic.headers.get('x-signalbox-error'), 'unauthenticated')
  assert.equal(anthropic.headers.get('x-should-retry'), 'false')
})

test('a key is rotated five times under load, and no call fails', async () => {
  const made = await rig.owner.keys.create({})
  let key = made.key
  let rotating = true
  const statuses = new Map<number, number>()
  const callers = Array.from({ length: 4 }, async () => {
    while (rotating) {
      const { status } = await chat(key)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  })
  for (let time = 0; time < 5; time++) {
    const response = await rig.send('POST', `/admin/v1/keys/${made.id}/rotate`, { key: 'the-owner-of-this-test', body: { overlap: '1m' } })
    key = ((await response.json()) as { key: string }).key
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  rotating = false
  await Promise.all(callers)
  assert.deepEqual([...statuses.keys()], [200])
  assert.ok((statuses.get(200) ?? 0) > 20)
})
