/** Issuers of JWTs on one small server: one that everything is well with, one for calls only, one that is away, and one that goes away. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'
import { base64url, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'

export type IssuerName = 'good' | 'calls-only' | 'away' | 'leaving'

export interface TokenWish {
  /** Default `good`. One without a configuration is a stranger. */
  readonly issuer?: IssuerName | 'stranger'
  readonly claims?: JWTPayload
  /** `unpublished`: signed by a key that no issuer publishes. */
  readonly key?: 'published' | 'unpublished'
}

export interface Issuers {
  /** For `access.jwt`. */
  readonly settings: readonly object[]
  token(wish?: TokenWish): Promise<string>
  /** Says that it has no signature, which is no way to be believed. */
  unsigned(claims: JWTPayload): string
  /** Signed with the published key, taken for a shared secret. */
  confused(claims: JWTPayload): Promise<string>
  /** From now on `leaving` is away too. */
  leave(): void
}

const AUDIENCE = 'signalbox'
const KID = 'one'

export async function startIssuers(): Promise<Issuers> {
  const [published, unpublished] = [await generateKeyPair('ES256'), await generateKeyPair('ES256')]
  const jwk = { ...(await exportJWK(published.publicKey)), kid: KID, alg: 'ES256' }
  let left = false
  const server = createServer(({ url = '' }, response) => {
    if (url.startsWith('/away/') || (left && url.startsWith('/leaving/'))) response.writeHead(500).end()
    else response.end(JSON.stringify({ keys: [jwk] }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  const issuerOf = (name: string): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}`
  const claims = { role: 'role', organisation: 'org' }
  const settings = (['good', 'calls-only', 'away', 'leaving'] as const).map((name) => ({
    issuer: issuerOf(name),
    audience: AUDIENCE,
    jwksUrl: `${issuerOf(name)}/keys`,
    claims,
    ...(name === 'calls-only' && { endpoints: ['chat', 'count', 'models', 'explain'] }),
  }))
  const now = (): number => Math.floor(Date.now() / 1_000)
  const payloadOf = (issuer: string, more: JWTPayload): JWTPayload => ({
    ...{ iss: issuerOf(issuer), aud: AUDIENCE, sub: 'ann', exp: now() + 3_600 },
    ...more,
  })

  return {
    settings,
    token: ({ issuer = 'good', claims: more = {}, key = 'published' } = {}) =>
      new SignJWT(payloadOf(issuer, more))
        .setProtectedHeader({ alg: 'ES256', kid: key === 'published' ? KID : 'two' })
        .sign((key === 'published' ? published : unpublished).privateKey),
    unsigned: (more) =>
      `${base64url.encode(JSON.stringify({ alg: 'none' }))}.${base64url.encode(JSON.stringify(payloadOf('good', more)))}.`,
    confused: (more) =>
      new SignJWT(payloadOf('good', more))
        .setProtectedHeader({ alg: 'HS256', kid: KID })
        .sign(new TextEncoder().encode(JSON.stringify(jwk))),
    leave() {
      left = true
    },
  }
}
