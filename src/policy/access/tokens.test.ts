import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GatewayError } from '../../core/error.ts'
import { anonymous, type Principal } from '../../core/principal.ts'
import { createDirectory } from './directory.ts'
import { callerWith, eventually, ownerKey, plainKey, type Rig, rig } from './fixtures/rig.ts'
import { sweepTokens } from './tokens.ts'

const isRefusal = (id: string) => (error: unknown) => error instanceof GatewayError && error.id === id
const who = async ({ access }: Pick<Rig, 'access'>, credential: string): Promise<Principal> => access.authenticate(callerWith(credential))

test('a token stands for its key, with fewer rights and less time', async () => {
  const one = await rig()
  const { key, secret } = await one.keys.create({
    ...plainKey,
    alias: 'app',
    tags: ['web'],
    scopes: { models: ['openai/*', 'fast'] },
    limits: [{ id: 'lim_1', what: 'requests', limit: 5, windowMs: 60_000, by: 'key' }],
  })
  const holder = await who(one, secret)
  const made = await one.access.exchange(holder, {
    scopes: { models: ['openai/gpt-5'] },
    ttlMs: 60_000,
    user: 'ann',
    tags: ['beta'],
    tier: 'free',
  })
  assert.ok(made.token.startsWith('sbt-'))
  assert.equal(made.expiresAt, one.now() + 60_000)
  assert.deepEqual(made.scopes, { models: ['openai/gpt-5'] })
  const principal = one.access.authenticate(callerWith(made.token))
  assert.ok(!(principal instanceof Promise), 'known at once where it was made')
  assert.deepEqual([principal.id, principal.alias, principal.user, principal.tier], [key.id, 'app', 'ann', 'free'])
  assert.deepEqual([principal.scopes, principal.tags], [{ models: ['openai/gpt-5'] }, ['web', 'beta']])
  assert.equal(principal.limits[0], holder.limits[0], 'its calls count where those of the key do')
  assert.equal(one.access.authenticate(callerWith(made.token)), principal)
  one.pass(60_000)
  await assert.rejects(who(one, made.token), isRefusal('unauthenticated'))
  assert.ok(!JSON.stringify(await one.records.list('token')).includes(made.token.slice(15)))
  one.close()
})

test('a token made by one gateway is known to the others', async () => {
  const one = await rig()
  const other = one.other()
  const { key, secret } = await one.keys.create(plainKey)
  const { token } = await one.access.exchange(await who(one, secret), {})
  assert.equal((await who({ access: other }, token)).id, key.id)
  one.close()
})

test('no token gets more than its key: not at first, not by exchanging it again, not when the key loses rights', async () => {
  const one = await rig()
  const { key, secret } = await one.keys.create({
    ...plainKey,
    user: 'ann',
    tier: 'free',
    scopes: { models: ['openai/*'], ips: ['10.0.0.0/8'] },
    expiresAt: one.now() + 120_000,
  })
  const holder = await who(one, secret)
  for (const wish of [
    { scopes: { models: ['groq/x'] } },
    { scopes: { models: ['*'] } },
    { scopes: { ips: ['0.0.0.0/0'] } },
    { user: 'bob' },
    { tier: 'premium' },
  ])
    await assert.rejects(one.access.exchange(holder, wish), isRefusal('forbidden'))
  for (const ttlMs of [0, 999, 86_400_001, Number.NaN])
    await assert.rejects(one.access.exchange(holder, { ttlMs }), isRefusal('invalid-request'))

  const first = await one.access.exchange(holder, { scopes: { models: ['openai/gpt-5', 'openai/o9'] }, ttlMs: 3_600_000 })
  assert.equal(first.expiresAt, one.now() + 120_000, 'not longer than the key')
  const token = await who(one, first.token)
  assert.deepEqual(token.scopes, { models: ['openai/gpt-5', 'openai/o9'], ips: ['10.0.0.0/8'] })
  await assert.rejects(one.access.exchange(token, { scopes: { models: ['openai/*'] } }), isRefusal('forbidden'))
  // A token of a token has the key's rights to narrow, but never those it was denied itself.
  const second = await one.access.exchange(token, {})
  assert.deepEqual(second.scopes.models, ['openai/gpt-5', 'openai/o9'])
  assert.deepEqual((await who(one, second.token)).scopes.models, ['openai/gpt-5', 'openai/o9'])

  await one.keys.update(key.id, 1, { ...plainKey, scopes: { models: ['openai/gpt-5'] } })
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.deepEqual((await who(one, first.token)).scopes, { models: ['openai/gpt-5'], ips: ['10.0.0.0/8'] })
  one.close()
})

test('a token manages nothing, whatever its key may', async () => {
  const one = await rig()
  const { secret } = await one.admins.create({ ...plainKey, role: 'admin' })
  const { token } = await one.access.exchange(await who(one, secret), {})
  assert.equal((await who(one, token)).role, 'member')
  one.close()
})

test('revoking the key ends its tokens, everywhere', async () => {
  const one = await rig()
  const other = one.other()
  await other.load()
  const { key, secret } = await one.keys.create(plainKey)
  const { token } = await one.access.exchange(await who(one, secret), {})
  await eventually(() => other.known(callerWith(token)) && one.access.known(callerWith(token)))
  await one.keys.revoke(key.id)
  await eventually(() => !other.known(callerWith(token)) && !one.access.known(callerWith(token)), 1_000)
  await assert.rejects(who(one, token), isRefusal('unauthenticated'))
  await assert.rejects(who({ access: other }, token), isRefusal('unauthenticated'))
  one.close()
})

test('a token survives the rotation of its key', async () => {
  const one = await rig()
  const { key, secret } = await one.keys.create(plainKey)
  const { token } = await one.access.exchange(await who(one, secret), {})
  await one.keys.rotate(key.id, { overlapMs: 0 })
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal((await who(one, token)).id, key.id)
  one.close()
})

test('neither the owner nor anybody gets a token', async () => {
  const one = await rig({ mode: 'open' })
  await assert.rejects(one.access.exchange(await who(one, ownerKey), {}), isRefusal('forbidden'))
  await assert.rejects(one.access.exchange(anonymous, {}), isRefusal('forbidden'))
  one.close()
})

test('tokens that ended, and those whose key is gone, are taken out of the store', async () => {
  const one = await rig()
  const kept = await one.keys.create(plainKey)
  const gone = await one.keys.create(plainKey)
  await one.access.exchange(await who(one, kept.secret), { ttlMs: 1_000 })
  const lasting = await one.access.exchange(await who(one, kept.secret), { ttlMs: 3_600_000 })
  await one.access.exchange(await who(one, gone.secret), { ttlMs: 3_600_000 })
  await one.keys.revoke(gone.key.id)
  one.pass(120_000)
  const directory = createDirectory({ records: one.records, now: one.now })
  await directory.load()
  await sweepTokens(directory, one.records, one.now())
  assert.deepEqual(
    (await one.records.list('token')).data.map(({ id }) => id),
    [lasting.id],
  )
  directory.close()
  one.close()
})
