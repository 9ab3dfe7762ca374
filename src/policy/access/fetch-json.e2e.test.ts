import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { fetchJsonWith } from './fetch-json.ts'
import { callerWith, rig } from './fixtures/rig.ts'

async function serving(answer: RequestListener, run: (url: string) => Promise<void>): Promise<void> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

test('a document of an issuer is its JSON; nothing else will do, and nobody is followed elsewhere', () =>
  serving(
    (request, response) => {
      if (request.url === '/good') return response.end('{"keys":[]}')
      if (request.url === '/moved') return response.writeHead(302, { location: '/good' }).end()
      if (request.url === '/missing') return response.writeHead(404).end('{"keys":[]}')
      if (request.url === '/page') return response.end('<html></html>')
      if (request.url === '/broken') return response.writeHead(200, { 'content-length': '100' }).write('{"ke', () => response.destroy())
      const block = Buffer.alloc(100_000, 0x20)
      const more = (): boolean => response.write(block, (error) => void (error ?? more()))
      return more()
    },
    async (url) => {
      const fetchJson = fetchJsonWith()
      assert.deepEqual(await fetchJson(`${url}/good`), { keys: [] })
      for (const path of ['moved', 'missing', 'page', 'broken', 'endless']) await assert.rejects(fetchJson(`${url}/${path}`), path)
    },
  ))

test('a JWT is let in by keys that an issuer on the network publishes', async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }
  let issuer = ''
  await serving(
    (request, response) => response.end(JSON.stringify(request.url === '/keys' ? { keys: [jwk] } : { issuer, jwks_uri: `${issuer}/keys` })),
    async (url) => {
      issuer = url
      const one = await rig({ jwt: [{ issuer, audience: 'signalbox' }] }, { fetchJson: fetchJsonWith() })
      const token = await new SignJWT({ iss: issuer, aud: 'signalbox', sub: 'ann', exp: one.now() / 1_000 + 60 })
        .setProtectedHeader({ alg: 'ES256', kid: 'one' })
        .sign(privateKey)
      const principal = await one.access.authenticate(callerWith(token))
      assert.equal(principal.user, 'ann')
      one.close()
    },
  )
})
