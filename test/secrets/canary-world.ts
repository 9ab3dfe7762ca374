/** What stands around the gateway: a provider that repeats what it was sent, Vault, an issuer of JWTs. */
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { type Asked, type FakeServer, fakeServer } from '../../src/secrets/fixtures/fake-server.ts'

export interface World extends AsyncDisposable {
  readonly provider: FakeServer
  readonly vault: FakeServer
  readonly issuer: FakeServer
  readonly webhook: FakeServer
  /** A JWT that the gateway lets in, and one of another audience. */
  readonly jwts: readonly [string, string]
  /** Keys that the provider was called with. */
  keysSeen(): ReadonlySet<string>
}

export async function createWorld(vaultToken: string, vaultValue: () => string): Promise<World> {
  const provider = await fakeServer(answerOf)
  const vault = await fakeServer(({ path, headers }) => {
    if (headers['x-vault-token'] !== vaultToken) return { status: 403, body: { errors: [`no such token: ${headers['x-vault-token']}`] } }
    if (path.includes('/lookup-self')) return { body: { data: { ttl: 0, renewable: false } } }
    if (path.startsWith('/v1/sys/internal/ui/mounts/')) return { body: { data: { path: 'kv/', type: 'kv', options: { version: '2' } } } }
    if (path === '/v1/kv/data/prov') return { body: { data: { data: { key: vaultValue() }, metadata: { version: 1 } } } }
    return { status: 404, body: { errors: [`nothing for ${headers['x-vault-token']}`] } }
  })
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'canary', alg: 'ES256', use: 'sig' }
  const issuer = await fakeServer(({ path }) =>
    path === '/.well-known/openid-configuration'
      ? { body: { issuer: issuer.url, jwks_uri: `${issuer.url}/jwks` } }
      : { body: { keys: [jwk] } },
  )
  const webhook = await fakeServer(() => ({ status: 500, body: 'no' }))
  const jwtFor = (audience: string): Promise<string> =>
    new SignJWT({ sub: 'someone' })
      .setProtectedHeader({ alg: 'ES256', kid: 'canary' })
      .setIssuer(issuer.url)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(privateKey)
  return {
    provider,
    vault,
    issuer,
    webhook,
    jwts: [await jwtFor('signalbox'), await jwtFor('elsewhere')],
    keysSeen: () => new Set(provider.asked.map(({ headers }) => (headers['authorization'] ?? '').replace('Bearer ', ''))),
    async [Symbol.asyncDispose]() {
      for (const server of [provider, vault, issuer, webhook]) await server[Symbol.asyncDispose]()
    },
  }
}

/** Prompts that make the provider misbehave; in each the caller's view of it holds the key that it was called with. */
export const misbehaviours = [
  'error-400',
  'error-401',
  'error-403',
  'error-404',
  'error-429',
  'error-500',
  'html',
  'error-in-200',
  'half',
  'nothing',
  'header',
  'stream-error',
  'stream-cut',
] as const

function answerOf({ body, headers }: Asked): ReturnType<FakeServer['answer']> {
  const key = headers['authorization'] ?? ''
  const asked = JSON.parse(body || '{}') as { messages?: { content?: unknown }[]; stream?: boolean; model?: string }
  const prompt = String(asked.messages?.[0]?.content ?? '')
  const error = { error: { message: `Incorrect API key provided: ${key}. You sent ${key}`, type: 'x', code: `bad ${key}`, param: key } }
  const status = /^error-(\d+)$/.exec(prompt)?.[1]
  if (status !== undefined)
    return { status: Number(status), headers: { 'x-debug': key, 'set-cookie': `k=${encodeURIComponent(key)}` }, body: error }
  const stream = { 'content-type': 'text/event-stream' }
  const chunk = (content: string, finish: string | null = null): string =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`
  switch (prompt) {
    case 'html':
      return { status: 502, headers: { 'content-type': 'text/html' }, body: `<html><body>Upstream said no to ${key}</body></html>` }
    case 'error-in-200':
      return { body: error }
    case 'half':
      return { body: `{"id":"c","object":"chat.completion","choices":[{"message":{"content":"${key}` }
    case 'nothing':
      return { body: undefined }
    case 'header':
      return { status: 500, headers: { 'x-request-id': key, 'retry-after': key, 'content-type': `text/${key.slice(7)}` }, body: error }
    case 'stream-error':
      return { headers: stream, body: `${chunk('Hello')}data: ${JSON.stringify(error)}\n\n` }
    case 'stream-cut':
      return { headers: stream, body: `${chunk('Hello')}data: {"error":{"message":"${key}` }
  }
  const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }
  if (asked.stream) return { headers: stream, body: `${chunk('Hello')}${chunk('', 'stop')}data: [DONE]\n\n` }
  const choices = [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }]
  return { body: { id: 'c', object: 'chat.completion', created: 1, model: asked.model ?? 'm', choices, usage } }
}
