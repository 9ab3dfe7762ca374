import assert from 'node:assert/strict'
import { createVerify, generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { fakeServer } from '../fixtures/fake-server.ts'
import { read } from '../fixtures/read.ts'
import { createSecrets } from '../secrets.ts'
import { crc32c } from './gcp.ts'

describe('gcp: references', () => {
  const secret = (value: string, checksum = crc32c(Buffer.from(value))) => ({
    name: 'projects/123/secrets/openai/versions/7',
    payload: { data: Buffer.from(value).toString('base64'), dataCrc32c: String(checksum) },
  })

  test('CRC-32C is the one of the standard', () => assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283))

  test('with the token of the metadata server; latest, a version, and the long form', async () => {
    await using metadata = await fakeServer(({ path, headers }) =>
      path === '/computeMetadata/v1/instance/service-accounts/default/token' && headers['metadata-flavor'] === 'Google'
        ? { body: { access_token: 'ya29.token', expires_in: 3599, token_type: 'Bearer' } }
        : { status: 403, body: {} },
    )
    await using server = await fakeServer(({ path, headers }) => {
      if (headers['authorization'] !== 'Bearer ya29.token')
        return { status: 401, body: { error: { code: 401, status: 'UNAUTHENTICATED' } } }
      if (path === '/v1/projects/my-project/secrets/openai/versions/latest:access') return { body: secret('sk-gcp') }
      if (path === '/v1/projects/my-project/secrets/openai/versions/5:access') return { body: secret('{"key":"sk-gcp-5"}') }
      if (path === '/v1/projects/my-project/secrets/broken/versions/latest:access') return { body: secret('sk-gcp', 1) }
      return { status: 404, body: { error: { code: 404, status: 'NOT_FOUND', message: 'Secret not found' } } }
    })
    const settings = { env: { GCE_METADATA_HOST: `127.0.0.1:${metadata.port}` }, gcp: { endpoint: server.url } }
    assert.equal(await read('gcp:my-project/openai', settings), 'sk-gcp')
    assert.equal(await read('gcp:my-project/openai@5#key', settings), 'sk-gcp-5')
    assert.equal(await read('gcp:projects/my-project/secrets/openai/versions/5#key', settings), 'sk-gcp-5')
    assert.equal(await read('gcp:projects/my-project/secrets/openai', settings), 'sk-gcp')
    assert.match(await read('gcp:my-project/absent', settings), /^unset: .*NOT_FOUND/)
    assert.match(await read('gcp:my-project/broken', settings), /^unreachable: .*checksum/)
  })

  test('a value becomes a version, of a secret that is made where there is none', async () => {
    const there = new Map([['p/secrets/old', '{"key":"sk-old"}']])
    const posted: [string, unknown][] = []
    await using server = await fakeServer(({ method, path, body }) => {
      if (path === '/computeMetadata/v1/instance/service-accounts/default/token')
        return { body: { access_token: 'ya29.token', expires_in: 3599 } }
      const [, name = '', id] = /^\/v1\/projects\/([^:?]+?)(?:\/versions\/latest)?(?::\w+|\?secretId=(.+))$/.exec(path) ?? []
      if (method === 'POST') posted.push([path, JSON.parse(body)])
      if (id !== undefined) {
        there.set(`${name}/${id}`, '')
        return { body: {} }
      }
      const known = there.get(name)
      if (known === undefined) return { status: 404, body: { error: { status: 'NOT_FOUND' } } }
      return { body: secret(known) }
    })
    const secrets = createSecrets({
      env: { GCE_METADATA_HOST: `127.0.0.1:${server.port}` },
      gcp: { endpoint: server.url },
      http: { backoffMs: 1 },
    })
    await secrets.write('gcp:p/old#other', 'sk-1')
    await secrets.write('gcp:p/fresh', 'sk-2')
    const versionOf = (text: string) => ({ payload: secret(text).payload })
    assert.deepEqual(posted, [
      ['/v1/projects/p/secrets/old:addVersion', versionOf('{"key":"sk-old","other":"sk-1"}')],
      ['/v1/projects/p/secrets/fresh:addVersion', versionOf('sk-2')],
      ['/v1/projects/p/secrets?secretId=fresh', { replication: { automatic: {} } }],
      ['/v1/projects/p/secrets/fresh:addVersion', versionOf('sk-2')],
    ])
    await secrets.close()
  })

  test("with a service account's key: the assertion is signed, for the token endpoint, for an hour", async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    await using server = await fakeServer(({ path, headers, body }) => {
      if (path === '/token') {
        const form = new URLSearchParams(body)
        assert.equal(form.get('grant_type'), 'urn:ietf:params:oauth:grant-type:jwt-bearer')
        const [head = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.')
        assert.ok(createVerify('RSA-SHA256').update(`${head}.${claims}`).verify(publicKey, signature, 'base64url'))
        assert.deepEqual(JSON.parse(Buffer.from(head, 'base64url').toString()), { alg: 'RS256', typ: 'JWT', kid: 'kid-1' })
        const { iss, aud, scope, iat, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString())
        assert.deepEqual(
          { iss, aud, scope },
          { iss: 'box@my.iam', aud: `${server.url}/token`, scope: 'https://www.googleapis.com/auth/cloud-platform' },
        )
        assert.equal(exp - iat, 3600)
        return { body: { access_token: 'ya29.sa', expires_in: 3600 } }
      }
      return headers['authorization'] === 'Bearer ya29.sa' ? { body: secret('sk-sa') } : { status: 401, body: {} }
    })
    const account = JSON.stringify({
      type: 'service_account',
      client_email: 'box@my.iam',
      private_key_id: 'kid-1',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      token_uri: `${server.url}/token`,
    })
    const settings = { readFile: () => account, gcp: { endpoint: server.url } }
    assert.equal(await read('gcp:p/openai', { ...settings, env: { GOOGLE_APPLICATION_CREDENTIALS: '/sa.json' } }), 'sk-sa')
    assert.equal(await read('gcp:p/openai', { ...settings, env: {}, gcp: { endpoint: server.url, credentials: 'file:/sa.json' } }), 'sk-sa')
    const broken = await read('gcp:p/openai', {
      readFile: () => '{"client_email":"a","private_key":"canary"}',
      gcp: { credentials: 'file:/x' },
    })
    assert.match(broken, /^malformed/)
    assert.doesNotMatch(broken, /canary/)
  })
})

describe('azure: references', () => {
  const keyVault = (token: string) =>
    fakeServer(({ path, headers }) => {
      if (headers['authorization'] !== `Bearer ${token}`) return { status: 401, body: { error: { code: 'Unauthorized' } } }
      if (path === '/secrets/openai?api-version=7.4')
        return { body: { value: 'sk-azure', id: 'https://v.vault.azure.net/secrets/openai/abc', attributes: { enabled: true } } }
      if (path === '/secrets/openai/0f?api-version=7.4')
        return {
          body: { value: '{"key":"sk-azure-0f"}', id: 'https://v.vault.azure.net/secrets/openai/0f', attributes: { enabled: true } },
        }
      if (path === '/secrets/old?api-version=7.4') return { body: { value: 'x', attributes: { enabled: true, exp: 1 } } }
      return { status: 404, body: { error: { code: 'SecretNotFound' } } }
    })

  test('with client credentials', async () => {
    await using server = await keyVault('entra-token')
    await using entra = await fakeServer(({ method, path, body }) => {
      const form = Object.fromEntries(new URLSearchParams(body))
      assert.deepEqual([method, path], ['POST', '/tenant-1/oauth2/v2.0/token'])
      if (form['client_secret'] !== 'azure-canary') return { status: 401, body: { error: 'invalid_client' } }
      assert.deepEqual(form, {
        grant_type: 'client_credentials',
        client_id: 'client-1',
        scope: 'https://vault.azure.net/.default',
        client_secret: 'azure-canary',
      })
      return { body: { access_token: 'entra-token', expires_in: 3599, token_type: 'Bearer' } }
    })
    const env = {
      AZURE_TENANT_ID: 'tenant-1',
      AZURE_CLIENT_ID: 'client-1',
      AZURE_CLIENT_SECRET: 'azure-canary',
      AZURE_AUTHORITY_HOST: entra.url,
    }
    const settings = { env, azure: { endpoint: server.url } }
    assert.equal(await read('azure:my-vault/openai', settings), 'sk-azure')
    assert.equal(await read('azure:my-vault/openai@0f#key', settings), 'sk-azure-0f')
    assert.match(await read('azure:my-vault/absent', settings), /^unset: .*SecretNotFound/)
    assert.match(await read('azure:my-vault/old', settings), /^unset: .*expired/)
    const told = await read('azure:my-vault/openai', { ...settings, env: { ...env, AZURE_CLIENT_SECRET: 'wrong-canary' } })
    assert.match(told, /^refused: Microsoft Entra at .* answered 401, invalid_client/)
    assert.doesNotMatch(told, /canary/)
  })

  test('with workload identity, and with the managed identities of virtual machines and of App Service', async () => {
    await using server = await keyVault('identity-token')
    const token = { access_token: 'identity-token', expires_in: '86399', token_type: 'Bearer' }
    await using entra = await fakeServer(({ body }) => {
      const form = new URLSearchParams(body)
      const right =
        form.get('client_assertion') === 'federated' &&
        form.get('client_assertion_type') === 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
      return right ? { body: token } : { status: 400, body: { error: 'invalid_request' } }
    })
    const azure = { endpoint: server.url }
    const federated = { AZURE_TENANT_ID: 't', AZURE_CLIENT_ID: 'c', AZURE_FEDERATED_TOKEN_FILE: '/token', AZURE_AUTHORITY_HOST: entra.url }
    assert.equal(await read('azure:my-vault/openai', { env: federated, readFile: () => 'federated', azure }), 'sk-azure')

    await using machine = await fakeServer(({ path, headers }) => {
      const { pathname, searchParams } = new URL(path, 'http://x')
      const right =
        headers['metadata'] === 'true' &&
        pathname === '/metadata/identity/oauth2/token' &&
        searchParams.get('api-version') === '2018-02-01' &&
        searchParams.get('resource') === 'https://vault.azure.net' &&
        searchParams.get('client_id') === 'user-assigned'
      return right ? { body: token } : { status: 400, body: {} }
    })
    const managed = { AZURE_POD_IDENTITY_AUTHORITY_HOST: machine.url, AZURE_CLIENT_ID: 'user-assigned' }
    assert.equal(await read('azure:my-vault/openai', { env: managed, azure }), 'sk-azure')

    await using app = await fakeServer(({ path, headers }) =>
      headers['x-identity-header'] === 'secret-header' &&
      path.startsWith('/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fvault.azure.net')
        ? { body: token }
        : { status: 400, body: {} },
    )
    const service = { IDENTITY_ENDPOINT: `${app.url}/msi/token`, IDENTITY_HEADER: 'secret-header' }
    assert.equal(await read('azure:my-vault/openai', { env: service, azure }), 'sk-azure')
  })
})

describe('k8s: references', () => {
  test("as the pod's service account, in its own namespace or another", async () => {
    const files: Record<string, string> = { token: 'bound-1', namespace: 'team-a' }
    const readFile = (path: string): string => {
      const text = files[path.replace('/sa/', '')]
      if (text === undefined) throw Object.assign(new Error('absent'), { code: 'ENOENT' })
      return text
    }
    await using server = await fakeServer(({ path, headers }) => {
      if (headers['authorization'] !== `Bearer ${files['token']}`) return { status: 401, body: { kind: 'Status', reason: 'Unauthorized' } }
      if (path === '/api/v1/namespaces/team-a/secrets/llm')
        return {
          body: { kind: 'Secret', metadata: { resourceVersion: '42' }, data: { openai: Buffer.from('sk-k8s\n').toString('base64') } },
        }
      if (path === '/api/v1/namespaces/other/secrets/llm')
        return { status: 403, body: { kind: 'Status', reason: 'Forbidden', message: 'bound-1' } }
      return { status: 404, body: { kind: 'Status', reason: 'NotFound' } }
    })
    const settings = { readFile, kubernetes: { url: server.url, serviceAccount: '/sa' } }
    assert.equal(await read('k8s:llm#openai', settings), 'sk-k8s')
    files['token'] = 'bound-2'
    assert.equal(await read('k8s:team-a/llm#openai', settings), 'sk-k8s')
    assert.match(await read('k8s:other/llm#openai', settings), /^refused: Kubernetes at .* answered 403, Forbidden/)
    assert.match(await read('k8s:llm#absent', settings), /^unset: .*`absent`/)
    assert.match(await read('k8s:llm#constructor', settings), /^unset/)
    assert.match(await read('k8s:nothing#key', settings), /^unset: .*NotFound/)
    assert.match(await read('k8s:llm#openai', { readFile }), /^unreachable: this is not a pod/)
  })

  test('one key of a secret is set, and the others stay', async () => {
    await using server = await fakeServer(({ path }) =>
      path === '/api/v1/namespaces/team-a/secrets/keys' ? { body: { kind: 'Secret' } } : { status: 404, body: { reason: 'NotFound' } },
    )
    const secrets = createSecrets({
      env: {},
      readFile: (path) => (path.endsWith('token') ? 'bound-1' : 'team-a'),
      kubernetes: { url: server.url, serviceAccount: '/sa' },
      http: { backoffMs: 1 },
    })
    await secrets.write('k8s:keys#key_1', 'sk-new')
    const { method, headers, body } = server.asked[0]!
    assert.deepEqual(
      [method, headers['content-type'], headers['authorization']],
      ['PATCH', 'application/merge-patch+json', 'Bearer bound-1'],
    )
    assert.deepEqual(JSON.parse(body), { data: { key_1: Buffer.from('sk-new').toString('base64') } })
    await assert.rejects(secrets.write('k8s:absent#key_1', 'sk-new'), { name: 'SecretError', fault: 'unset' })
    await secrets.close()
  })
})
