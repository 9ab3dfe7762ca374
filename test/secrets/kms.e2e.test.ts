/** Whole gateways whose master key a KMS wraps: two that start together over one database, rotations by command, a KMS that is away. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createAdminClient } from '../../src/admin/client.generated.ts'
import type { Config } from '../../src/config/config.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { type FakeKms, fakeAwsKms, fakeVaultTransit } from '../../src/secrets/fixtures/fake-kms.ts'
import { fakeServer } from '../../src/secrets/fixtures/fake-server.ts'
import { secretsCommand } from '../../src/server/commands/secrets.ts'
import { startServing } from '../../src/server/start.ts'
import { sqliteUrl } from '../../src/store/testing/databases.ts'
import { withPostgres } from '../services/postgres.ts'
import { reply } from './chat-reply.ts'

const OWNER = 'the-owner-of-this-test'
const KEY = 'provider-key-canary'
const before = process.env['SIGNALBOX_ADMIN_KEY']
process.env['SIGNALBOX_ADMIN_KEY'] = OWNER
after(() => {
  if (before === undefined) delete process.env['SIGNALBOX_ADMIN_KEY']
  else process.env['SIGNALBOX_ADMIN_KEY'] = before
})

const provider = () =>
  fakeServer(({ headers }) =>
    headers['authorization'] === `Bearer ${KEY}` ? { body: reply } : { status: 401, body: { error: { message: 'no such key' } } },
  )

interface Gateway extends AsyncDisposable {
  readonly url: string
  readonly output: () => string
  call(): Promise<number>
  command(words: string, options?: Record<string, string | boolean>, input?: string): Promise<string>
  masters(): Promise<readonly string[]>
}

async function gateway(
  store: string,
  upstream: string,
  kms: FakeKms,
  secrets: object,
  more: Record<string, string> = {},
): Promise<Gateway> {
  const env = { SIGNALBOX_ADMIN_KEY: OWNER, ...kms.settings.env, ...more }
  const { config, problems } = parseConfig(
    {
      server: { port: 0 },
      store: { url: store },
      access: { mode: 'keys' },
      providers: { p: { preset: 'openai-compatible', baseUrl: `${upstream}/v1`, keys: ['secret:p'] } },
      models: { main: { targets: [{ provider: 'p', model: 'm' }] } },
      secrets: { reread: '1s', ...secrets },
    },
    { env },
  )
  assert.deepEqual(problems, [])
  let output = ''
  const serving = await startServing({
    config: config as Config,
    env,
    quiet: true,
    write: (text) => {
      output += text
    },
  })
  const client = createAdminClient({ url: serving.url, key: OWNER })
  const { key } = await client.keys.create({ alias: `caller-${randomBytes(4).toString('hex')}`, models: ['main'] })
  return {
    url: serving.url,
    output: () => output,
    async call() {
      const answer = await fetch(`${serving.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}` },
        body: JSON.stringify({ model: 'main', messages: [{ role: 'user', content: 'Hello' }] }),
      })
      await answer.text()
      return answer.status
    },
    async command(words, options = {}, input = '') {
      let told = ''
      await secretsCommand(
        {
          positionals: words.split(' '),
          options: { url: serving.url, ...options },
          write: (text) => {
            told += text
          },
        },
        () => input,
      )
      return told
    },
    masters: async () => (await client.secrets.list()).data.map(({ masterKey }) => masterKey),
    [Symbol.asyncDispose]: () => serving.stop(),
  }
}

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 100; i++) {
    if (await what()) return
    await sleep(50)
  }
  assert.fail('it did not come to that')
}

function contract(name: string, storeFor: (t: TestContext) => Promise<string | undefined>): void {
  describe(`a master key of a KMS, ${name}`, () => {
    test('gateways that start together agree on one; it is wrapped anew, replaced, and goes elsewhere while they serve', async (t) => {
      const store = await storeFor(t)
      if (store === undefined) return
      await using kms = await fakeAwsKms()
      await using vault = await fakeVaultTransit()
      await using upstream = await provider()
      const also = { ...vault.settings.env, NEXT_MASTER: randomBytes(32).toString('base64') }
      const open = (): Promise<Gateway> => gateway(store, upstream.url, kms, { masterKey: kms.reference }, also)
      const gateways = await Promise.all([open(), open()])
      const [one, two] = gateways
      try {
        assert.match(await one.command('set p', {}, KEY), /^p is stored \(version 1\)/)
        await Promise.all([two.command('set q', {}, 'other-canary'), one.command('set r', {}, 'third-canary')])
        assert.equal(new Set(await two.masters()).size, 1)
        for (const each of gateways) await until(async () => (await each.call()) === 200)
        const [first] = await one.masters()

        kms.newVersion()
        assert.match(
          await two.command(`rotate-master ${kms.reference}`),
          /^The KMS wrapped the master key anew; write `masterKey: aws-kms:alias\/one`/,
        )
        assert.deepEqual(new Set(await one.masters()), new Set([first]))
        kms.dropOldVersions()

        assert.match(await one.command(`rotate-master ${kms.reference}`, { fresh: true }), /^3 secrets are under the new key/)
        const [second] = await one.masters()
        assert.notEqual(second, first)
        for (const each of gateways) assert.equal(await each.call(), 200)
        await two.command('set q', {}, 'changed-canary')

        assert.match(await two.command(`rotate-master ${vault.reference}`), /^The KMS wrapped the master key anew/)
        assert.match(await two.command('rotate-master env:NEXT_MASTER'), /^3 secrets are under the new key/)
        assert.match(await one.command(`rotate-master ${vault.reference}`), /^3 secrets are under the new key/)
        for (const each of gateways) assert.equal(await each.call(), 200)
        assert.match(await one.command('rotate-master aws-kms:arn:nonsense'), /not a key of AWS KMS|ARN/)
        assert.match(await one.command(`rotate-master ${kms.absent}`), /NotFoundException/)
      } finally {
        for (const each of gateways) await each[Symbol.asyncDispose]()
      }
      // With the last one alone, from nothing.
      await using last = await gateway(store, upstream.url, vault, { masterKey: vault.reference })
      await until(async () => (await last.call()) === 200)
      // Neither values, nor credentials for the KMS, nor a master key.
      assert.ok(kms.given.length > 0 && vault.given.length > 0)
      for (const { output } of [...gateways, last])
        for (const hidden of ['canary', ...kms.canaries, ...vault.canaries, ...kms.given, ...vault.given])
          assert.ok(!output().includes(hidden))
    })

    test('a KMS that is away keeps no gateway from starting; what needs it waits, and then serves', async (t) => {
      const store = await storeFor(t)
      if (store === undefined) return
      await using kms = await fakeAwsKms()
      await using upstream = await provider()
      {
        await using first = await gateway(store, upstream.url, kms, { masterKey: kms.reference })
        await first.command('set p', {}, KEY)
        await until(async () => (await first.call()) === 200)
        // From here on nothing depends on it.
        kms.down = true
        assert.match(await first.command('set q', {}, 'other-canary'), /^q is stored/)
        assert.equal(await first.call(), 200)
      }
      await using second = await gateway(store, upstream.url, kms, { masterKey: kms.reference })
      assert.match(
        second.output(),
        /providers\.p\.keys\[0\]: the master key \(aws-kms:alias\/one\): AWS KMS at .+ cannot be reached .+it is asked again/,
      )
      assert.notEqual(await second.call(), 200)
      assert.match(await second.command('set q', {}, 'x'), /the master key \(aws-kms:alias\/one\)/)
      kms.down = false
      await until(async () => (await second.call()) === 200)
      assert.doesNotMatch(second.output(), /canary/)
    })
  })
}

contract('SQLite', async (t) => sqliteUrl(t))
contract('PostgreSQL', async (t) => (await withPostgres(t))?.url)
