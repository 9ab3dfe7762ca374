import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Answer, type Asked, type FakeServer, fakeServer } from '../fixtures/fake-server.ts'
import { read } from '../fixtures/read.ts'
import { createSecrets } from '../secrets.ts'
import type { VaultOptions } from './vault-call.ts'

/** As Vault answers: mounts, KV 1 and 2, logins, leases. */
function vault(tokens: Set<string>, more: (asked: Asked) => Answer | undefined = () => undefined): Promise<FakeServer> {
  return fakeServer((asked) => {
    const special = more(asked)
    if (special) return special
    const { path, headers } = asked
    if (headers['x-vault-request'] !== 'true') return { status: 400, body: { errors: ['missing required header'] } }
    if (!tokens.has(headers['x-vault-token'] ?? '')) return { status: 403, body: { errors: ['permission denied'] } }
    if (path === '/v1/auth/token/lookup-self') return { body: { data: { ttl: 0, renewable: false } } }
    if (path.startsWith('/v1/sys/internal/ui/mounts/team/kv/'))
      return { body: { data: { path: 'team/kv/', type: 'kv', options: { version: '2' } } } }
    if (path.startsWith('/v1/sys/internal/ui/mounts/old/'))
      return { body: { data: { path: 'old/', type: 'kv', options: { version: '1' } } } }
    if (path.startsWith('/v1/sys/internal/ui/mounts/lease/')) return { body: { data: { path: 'lease/', type: 'openai', options: null } } }
    if (path === '/v1/team/kv/data/llm/openai')
      return { body: { data: { data: { key: 'sk-vault-2', other: 'x' }, metadata: { version: 3 } } } }
    if (path === '/v1/team/kv/data/gone') return { status: 404, body: { data: { data: null, metadata: { version: 1 } } } }
    if (path === '/v1/old/openai') return { body: { data: { key: 'sk-vault-1' }, lease_id: '', lease_duration: 2764800, renewable: false } }
    return { status: 404, body: { errors: [] } }
  })
}

const withToken = (url: string): { vault: VaultOptions; env: Record<string, string> } => ({
  vault: { url, auth: { token: 'env:VAULT_TOKEN' } },
  env: { VAULT_TOKEN: 'hvs.root' },
})

describe('vault: references', () => {
  test('KV 2 and KV 1 are told apart by the mount, which may have several segments', async () => {
    await using server = await vault(new Set(['hvs.root']))
    const settings = withToken(`${server.url}/`)
    assert.equal(await read('vault:team/kv/llm/openai#key', settings), 'sk-vault-2')
    assert.equal(await read('vault:team/kv/data/llm/openai#key', settings), 'sk-vault-2')
    assert.equal(await read('vault:old/openai#key', settings), 'sk-vault-1')
    // The only member needs no name; of several one has to be named.
    assert.equal(await read('vault:old/openai', settings), 'sk-vault-1')
    assert.match(await read('vault:team/kv/llm/openai', settings), /^malformed: the secret has 2 members/)
    assert.match(await read('vault:team/kv/llm/openai#absent', settings), /^unset: .*`absent`/)
    assert.match(await read('vault:team/kv/nothing#key', settings), /^unset: Vault at .* answered 404/)
  })

  test('a member is written beside the others of its secret, and over nothing that came meanwhile', async () => {
    const written: { method: string; path: string; body: unknown }[] = []
    await using server = await vault(new Set(['hvs.root']), ({ method, path, body }) => {
      if (method !== 'PUT') return undefined
      written.push({ method, path, body: JSON.parse(body) })
      return path.startsWith('/v1/old/') ? { status: 204, body: '' } : { body: { data: { version: 4 } } }
    })
    const secrets = createSecrets({ ...withToken(server.url), http: { backoffMs: 1 } })
    await secrets.write('vault:team/kv/llm/openai#key', 'sk-new')
    await secrets.write('vault:team/kv/keys/key_1#key', 'sk-first')
    await secrets.write('vault:old/openai#other', 'sk-other')
    assert.deepEqual(written, [
      { method: 'PUT', path: '/v1/team/kv/data/llm/openai', body: { data: { key: 'sk-new', other: 'x' }, options: { cas: 3 } } },
      { method: 'PUT', path: '/v1/team/kv/data/keys/key_1', body: { data: { key: 'sk-first' } } },
      { method: 'PUT', path: '/v1/old/openai', body: { key: 'sk-vault-1', other: 'sk-other' } },
    ])
    await assert.rejects(secrets.write('vault:lease/openai#key', 'sk-new'), { name: 'SecretError', fault: 'malformed' })
    for (const reference of ['env:NAME', 'secret:name', 'sk-literal'])
      await assert.rejects(
        secrets.write(reference, 'sk-new'),
        (error: Error) => error.name === 'SecretError' && !error.message.includes('sk-'),
      )
    server.answer = () => ({ status: 403, body: { errors: ['permission denied'] } })
    await assert.rejects(secrets.write('vault:old/openai#other', 'sk-canary'), (error: Error) => {
      assert.match(error.message, /answered 403, permission denied/)
      return !error.message.includes('sk-canary')
    })
    await secrets.close()
  })

  test('what Vault says of a wrong token is told, the token is not', async () => {
    await using server = await vault(new Set())
    const told = await read('vault:team/kv/llm/openai#key', withToken(server.url))
    assert.match(told, /^refused: Vault at 127\.0\.0\.1:\d+ answered 403, permission denied/)
    assert.doesNotMatch(told, /hvs/)
    server.answer = ({ headers }) => ({ status: 403, body: { errors: [`bad token ${headers['x-vault-token']}`] } })
    assert.doesNotMatch(await read('vault:team/kv/llm/openai#key', withToken(server.url)), /hvs/)
  })

  test('the namespace goes with every request, and a fixed KV version asks for no mounts', async () => {
    await using server = await vault(new Set(['hvs.root']))
    const settings = withToken(server.url)
    await read('vault:old/openai#key', { ...settings, vault: { ...settings.vault, namespace: 'team-a', kv: 1 } })
    assert.ok(server.asked.every(({ headers }) => headers['x-vault-namespace'] === 'team-a'))
    assert.ok(!server.asked.some(({ path }) => path.includes('/sys/')))
  })

  test('logs in with an AppRole, and again when the token is not taken any more', async () => {
    const tokens = new Set<string>()
    let logins = 0
    await using server = await vault(tokens, ({ path, body }) => {
      if (path !== '/v1/auth/apps/login') return undefined
      assert.deepEqual(JSON.parse(body), { role_id: 'role-1', secret_id: 'sid-canary' })
      const token = `hvs.${++logins}`
      tokens.add(token)
      return { body: { auth: { client_token: token, lease_duration: 3600, renewable: true } } }
    })
    const secrets = createSecrets({
      env: { ROLE: 'role-1', SID: 'sid-canary' },
      vault: { url: server.url, auth: { appRole: { roleId: 'env:ROLE', secretId: 'env:SID', mount: 'apps' } } },
      http: { backoffMs: 1 },
    })
    assert.deepEqual(await secrets.resolve('vault:old/openai#key'), { value: 'sk-vault-1' })
    assert.deepEqual(await secrets.resolve('vault:old/openai#key'), { value: 'sk-vault-1' })
    assert.equal(logins, 1)
    tokens.clear()
    assert.deepEqual(await secrets.resolve('vault:old/openai#key'), { value: 'sk-vault-1' })
    assert.equal(logins, 2)
    await secrets.close()
  })

  test("logs in with the pod's service account, read anew each time, and again before the token ends", async () => {
    let now = Date.now()
    let jwt = 'jwt-1'
    const seen: unknown[] = []
    const tokens = new Set<string>()
    await using server = await vault(tokens, ({ path, body }) => {
      if (path !== '/v1/auth/kubernetes/login') return undefined
      seen.push(JSON.parse(body))
      tokens.clear()
      tokens.add(`hvs.k${seen.length}`)
      return { body: { auth: { client_token: `hvs.k${seen.length}`, lease_duration: 900, renewable: true } } }
    })
    const secrets = createSecrets({
      env: {},
      now: () => now,
      readFile: (path) => {
        assert.equal(path, '/var/run/secrets/kubernetes.io/serviceaccount/token')
        return `${jwt}\n`
      },
      vault: { url: server.url, auth: { kubernetes: { role: 'signalbox' } } },
      http: { backoffMs: 1 },
    })
    await secrets.resolve('vault:old/openai#key')
    jwt = 'jwt-2'
    now += 601_000
    assert.deepEqual(await secrets.resolve('vault:old/openai#key'), { value: 'sk-vault-1' })
    assert.deepEqual(seen, [
      { role: 'signalbox', jwt: 'jwt-1' },
      { role: 'signalbox', jwt: 'jwt-2' },
    ])
    await secrets.close()
  })

  test('a given token that ends is renewed', async () => {
    let renewed = 0
    await using server = await vault(new Set(['hvs.root']), ({ path, method }) => {
      if (path === '/v1/auth/token/lookup-self') return { body: { data: { ttl: 120, renewable: true } } }
      if (path === '/v1/auth/token/renew-self' && method === 'PUT') {
        renewed++
        return { body: { auth: { client_token: 'hvs.root', lease_duration: 120, renewable: true } } }
      }
      return undefined
    })
    let now = Date.now()
    const secrets = createSecrets({ ...withToken(server.url), now: () => now })
    await secrets.resolve('vault:old/openai#key')
    assert.equal(renewed, 1)
    now += 81_000
    await secrets.resolve('vault:old/openai#key')
    assert.equal(renewed, 2)
    await secrets.close()
  })

  test('a lease is prolonged as long as Vault allows; then there is a new credential', async () => {
    let issued = 0
    let mayRenew = true
    const renewals: unknown[] = []
    await using server = await vault(new Set(['hvs.root']), ({ path, body }) => {
      if (path === '/v1/lease/creds/app')
        return {
          body: { data: { key: `sk-leased-${++issued}` }, lease_id: `lease/creds/app/${issued}`, lease_duration: 60, renewable: true },
        }
      if (path === '/v1/sys/leases/renew') {
        renewals.push(JSON.parse(body))
        return mayRenew
          ? { body: { lease_id: 'x', lease_duration: 60, renewable: true } }
          : { status: 400, body: { errors: ['lease expired'] } }
      }
      return undefined
    })
    let now = Date.now()
    const secrets = createSecrets({ ...withToken(server.url), now: () => now, rereadMs: 3_600_000, fileMs: 5 })
    assert.deepEqual(await secrets.start([{ reference: 'vault:lease/creds/app#key', path: 'x' }]), [])
    const [state] = secrets.state()
    assert.ok(state?.expiresAt !== undefined && state.expiresAt - now <= 60_000)
    now += 41_000
    // The answer has to be there before time goes on.
    await until(() => renewals.length === 1 && secrets.state()[0]?.expiresAt === now + 60_000)
    assert.deepEqual(renewals[0], { lease_id: 'lease/creds/app/1' })
    assert.equal(secrets.current('vault:lease/creds/app#key'), 'sk-leased-1')
    mayRenew = false
    now += 41_000
    await until(() => secrets.current('vault:lease/creds/app#key') === 'sk-leased-2')
    await secrets.close()
  })
})

async function until(what: () => boolean): Promise<void> {
  for (let i = 0; i < 300 && !what(); i++) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.ok(what())
}
