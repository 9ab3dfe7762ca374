/** Secrets of every kind in a running gateway, through calls good and bad: none of them is found anywhere afterwards. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Canary, canary, type Place, plantCanaries, search } from './canaries.ts'
import { createWorld, misbehaviours, type World } from './canary-world.ts'

const cli = fileURLToPath(new URL('../../src/server/cli.ts', import.meta.url))
const planted = plantCanaries()

test('the search finds a secret in every form that it may take', () => {
  const [one, master] = [canary('a', planted['owner key']), canary('m', planted['master key'])]
  const hidden = (bytes: Buffer | string): Place[] => [{ name: 'here', bytes: Buffer.from(bytes) }]
  for (const text of [
    `before ${one.text} after`,
    one.text.slice(5, 40),
    Buffer.from(`x${one.text}`).toString('base64'),
    Buffer.from(`xy${one.text}`).toString('base64url'),
    Buffer.from(one.text).toString('hex'),
  ])
    assert.equal(search(hidden(text), [one]).length, 1, text)
  assert.equal(search(hidden(Buffer.from(master.text, 'base64')), [master]).length, 1)
  assert.deepEqual(search(hidden(`prefix ${one.text.slice(0, 10)}…`), [one]), [])
  // What may be shown of a key is its beginning.
  assert.deepEqual(search(hidden(one.text.slice(0, 12)), [canary('a', one.text, 12)]), [])
})

interface Gateway {
  readonly url: string
  readonly output: () => string
  reload(): void
  stop(): Promise<number | null>
}

async function startGateway(folder: string, env: Record<string, string>): Promise<Gateway> {
  const child = spawn(process.execPath, [cli, 'serve', '--config', 'signalbox.yaml', '--port', '0'], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  for (let wait = 0; wait < 600; wait++) {
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0]
    const ready = url ? await fetch(`${url}/readyz`).catch(() => undefined) : undefined
    if (url && ready?.status === 200)
      return {
        url,
        output: () => text,
        reload: () => void child.kill('SIGHUP'),
        async stop() {
          child.kill('SIGTERM')
          const killer = setTimeout(() => child.kill('SIGKILL'), 20_000)
          const code = await ended
          clearTimeout(killer)
          return code
        },
      }
    if (child.exitCode !== null) break
    await sleep(25)
  }
  child.kill('SIGKILL')
  throw new Error(`it did not start: ${text}`)
}

/** A command of the CLI, with what it printed. */
async function command(folder: string, env: Record<string, string>, ...args: string[]): Promise<Place> {
  const child = spawn(process.execPath, [cli, ...args], { cwd: folder, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const chunks: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  await new Promise((resolve) => child.once('close', resolve))
  return { name: `signalbox ${args.join(' ')}`, bytes: Buffer.concat(chunks) }
}

/** All files that the gateway made. */
function filesOf(folder: string, except: readonly string[]): Place[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !except.includes(name) && statSync(join(folder, name)).isFile())
    .map((name) => ({ name: `the file ${relative(folder, join(folder, name))}`, bytes: readFileSync(join(folder, name)) }))
}

const configOf = ({ provider, vault, issuer, webhook }: World): string => `
telemetry: { log: calls }
access:
  mode: keys
  jwt: [{ issuer: "${issuer.url}", audience: signalbox, jwksUrl: "${issuer.url}/jwks" }]
providers:
  # Two of them, so that what is known of the faults of one does not keep the other's keys from being used.
  prov: &prov
    preset: openai-compatible
    baseUrl: "${provider.url}/v1"
    keys: ["env:CANARY_PROVIDER", "file:provider.key", "secret:prov", "vault:kv/prov#key"]
  calm: *prov
defaults: { retries: { attempts: 1 } }
models:
  main: { targets: [{ provider: prov, model: m }] }
  calm: { targets: [{ provider: calm, model: m }] }
drills:
  every: 1h
  webhook: { url: "${webhook.url}/hook", secret: "env:CANARY_WEBHOOK", when: always }
secrets:
  masterKey: "env:CANARY_MASTER"
  vault: { url: "${vault.url}", token: "env:CANARY_VAULT" }
`

/** Wrong in many ways, with secrets in the wrong places. */
const brokenConfig = `
admin: { key: "${planted['owner key']}" }
providers:
  prov: { preset: openai-compatible, baseUrl: "https://u:${planted['provider key from Vault']}@example.com/v1", keys: ["${planted['provider key from the environment']}", { a: "${planted['provider key from a file']}" }] }
secrets: { masterKey: "${planted['master key']}", vault: { url: "https://v.example:8200", token: "${planted['Vault token']}" } }
drills: { webhook: { url: "https://h.example/x", secret: "${planted['webhook secret']}" } }
`

test('secrets of every kind are found in no output, answer, metric, record, row or file', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-canaries-'))
  await using world = await createWorld(planted['Vault token'], () => planted['provider key from Vault'])
  const env = {
    SIGNALBOX_ADMIN_KEY: planted['owner key'],
    CANARY_PROVIDER: planted['provider key from the environment'],
    CANARY_WEBHOOK: planted['webhook secret'],
    CANARY_MASTER: planted['master key'],
    CANARY_NEXT: planted['next master key'],
    CANARY_VAULT: planted['Vault token'],
  }
  const ours = ['signalbox.yaml', 'provider.key', 'broken.yaml']
  writeFileSync(join(folder, 'signalbox.yaml'), configOf(world))
  writeFileSync(join(folder, 'broken.yaml'), brokenConfig)
  writeFileSync(join(folder, 'provider.key'), `${planted['provider key from a file']}\n`)
  const places: Place[] = [await command(folder, env, 'check', 'signalbox.yaml'), await command(folder, env, 'check', 'broken.yaml')]
  const checked = places[0]?.bytes.toString() ?? ''
  // Whoever joins the parts takes this word away; from then on everything below has to be there.
  const wired = !/secret|vault|masterKey/.test(checked)

  const gateway = await startGateway(folder, env)
  /** Keys that the gateway makes: shown once, and their beginning is no secret. */
  const made: Canary[] = []
  const request = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = { authorization: `Bearer ${planted['owner key']}` },
    what = '',
  ): Promise<{ status: number; json: Record<string, unknown> }> => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const answer = await fetch(gateway.url + path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(text !== undefined && { body: text }),
    })
    const told = await answer.text().catch((error: Error) => `broken off: ${error.message}`)
    let json: Record<string, unknown> = {}
    try {
      json = JSON.parse(told) as Record<string, unknown>
    } catch {
      // A stream, or no JSON.
    }
    // A key or token that was just made is shown this once.
    const { key, token, ...rest } = json
    for (const secret of method === 'POST' && answer.ok ? [key, token] : [])
      if (typeof secret === 'string') made.push(canary(`made by ${method} ${path}`, secret, 14))
    const shown = made.some(({ text: one }) => one === key || one === token) ? JSON.stringify(rest) : told
    places.push({
      name: `the answer to ${method} ${path} ${what}`.trimEnd(),
      bytes: Buffer.from(`${answer.status} ${JSON.stringify([...answer.headers])} ${shown}`),
    })
    return { status: answer.status, json }
  }
  const chat = (prompt: string, credential: string, more: Record<string, unknown> = {}): Promise<{ status: number }> =>
    request(
      'POST',
      '/v1/chat/completions',
      { model: prompt === 'Hello' ? 'calm' : 'main', messages: [{ role: 'user', content: prompt }], ...more },
      { authorization: `Bearer ${credential}` },
      `(${prompt}${more['stream'] === true ? ', streamed' : ''})`,
    )

  try {
    // Secrets of the built-in store.
    const put = await request('POST', '/admin/v1/secrets', { name: 'prov', value: planted['provider key from the built-in store'] })
    if (wired) assert.equal(put.status, 201)
    await request('GET', '/admin/v1/secrets')
    await request('GET', '/admin/v1/secrets/prov')
    await request('POST', '/admin/v1/secrets', { name: 'a b', value: planted['provider key from the built-in store'] })
    await request('POST', '/admin/v1/secrets', { name: 'x', value: [planted['provider key from the built-in store']] })
    await request('POST', '/admin/v1/organisations', { id: 'acme', name: 'Acme' })
    await request('POST', '/admin/v1/secrets', {
      name: 'prov',
      value: planted["provider key of one organisation's own"],
      organisation: 'acme',
    })

    // Keys of callers and of admins, and tokens for them.
    const keyOf = ({ json }: { json: Record<string, unknown> }): string =>
      String(json['key'] ?? json['token'] ?? planted['wrong credential of a caller'])
    const key = keyOf(await request('POST', '/admin/v1/keys', { alias: 'one', models: ['main', 'calm', 'prov/*'] }))
    const theirs = keyOf(await request('POST', '/admin/v1/keys', { alias: 'theirs', organisation: 'acme' }))
    const admin = keyOf(await request('POST', '/admin/v1/admins', { alias: 'ops', role: 'operator' }))
    const token = keyOf(await request('POST', '/admin/v1/tokens', {}, { authorization: `Bearer ${key}` }))
    await request('GET', '/admin/v1/keys', undefined, { authorization: `Bearer ${admin}` })
    await request('GET', '/admin/v1/secrets', undefined, { authorization: `Bearer ${admin}` })

    // Calls, good and bad, with every kind of credential.
    const [jwt, strangeJwt] = world.jwts
    for (const credential of [key, token, jwt, theirs, planted['owner key']])
      for (let i = 0; i < 6; i++) await chat('Hello', credential, i % 2 === 1 ? { stream: true } : {})
    for (const credential of [planted['wrong credential of a caller'], strangeJwt, planted['provider key from the environment']])
      await chat('Hello', credential)
    await request('POST', `/v1beta/models/main:generateContent?key=${key}`, { contents: [{ parts: [{ text: 'Hello' }] }] }, {})
    await request('POST', `/v1beta/models/main:generateContent?key=${planted['wrong credential of a caller']}`, { contents: [] }, {})
    await request(
      'POST',
      '/v1/messages',
      { model: 'main', max_tokens: 9, messages: [{ role: 'user', content: 'Hello' }] },
      { 'x-api-key': key },
    )
    await request('POST', '/v1/messages', '{"model":', { 'x-api-key': key })
    for (const prompt of misbehaviours)
      for (const stream of [false, true]) {
        await chat(prompt, key, stream ? { stream } : {})
        await request(
          'POST',
          '/v1/messages',
          { model: 'main', max_tokens: 9, stream, messages: [{ role: 'user', content: prompt }] },
          { 'x-api-key': key },
          `(${prompt}${stream ? ', streamed' : ''})`,
        )
      }
    await chat('error-401', theirs)

    // Rotations, a reload by signal and one by call, a broken one.
    await request('PATCH', '/admin/v1/secrets/prov', { value: planted['replaced provider key from the built-in store'] })
    const rotated = await request('POST', '/admin/v1/master-key/rotate', { reference: 'env:CANARY_NEXT' })
    if (wired) assert.equal(rotated.status, 200)
    await request('POST', '/admin/v1/master-key/rotate', { reference: planted['master key'] })
    for (let i = 0; i < 12; i++) await chat('Hello', key)
    await request('POST', '/admin/v1/reload')
    gateway.reload()
    await sleep(300)
    writeFileSync(join(folder, 'signalbox.yaml'), brokenConfig)
    await request('POST', '/admin/v1/reload')
    writeFileSync(join(folder, 'signalbox.yaml'), configOf(world))
    await request('POST', '/admin/v1/reload')
    await chat('Hello', key)

    // Whatever can be read of it.
    const { json: document } = await request('GET', '/admin/v1/openapi.json')
    const paths = Object.entries((document['paths'] ?? {}) as Record<string, Record<string, unknown>>)
    for (const [path, methods] of paths) {
      if (methods['get'] === undefined || path.includes('{')) continue
      await request('GET', path.startsWith('/admin') ? path : `/admin/v1${path}`)
    }
    for (const path of ['/metrics', '/v1/models', '/healthz', '/readyz', '/console', '/admin/v1/config', '/nowhere'])
      await request('GET', path)
    const ids = [...new Set([...gateway.output().matchAll(/req_[0-9a-z]+/g)].map(([id]) => id))]
    assert.ok(ids.length > 20, 'calls are logged')
    for (const id of ids.slice(0, 60)) await request('GET', `/admin/v1/requests/${id}`)
    const audit = await request('GET', '/admin/v1/audit?limit=1000')
    if (audit.status === 200) assert.match(JSON.stringify(audit.json), /key\.create/)
    await request('GET', '/admin/v1/audit/verify')

    const seen = world.keysSeen()
    assert.ok(seen.has(planted['provider key from the environment']) && seen.has(planted['provider key from a file']))
    if (wired)
      for (const kind of [
        'provider key from the built-in store',
        'replaced provider key from the built-in store',
        "provider key of one organisation's own",
        'provider key from Vault',
      ] as const)
        assert.ok(seen.has(planted[kind]), `${kind} was never used`)
    else context.diagnostic('`secret:` and `vault:` keys are not read yet: their canaries were planted, but not used')

    places.push(...filesOf(folder, ours).map(({ name, bytes }) => ({ name: `${name}, while it ran`, bytes })))
    assert.equal(await gateway.stop(), 0)
    places.push({ name: 'what it printed', bytes: Buffer.from(gateway.output()) }, ...filesOf(folder, ours))
    const names = places.map(({ name }) => name)
    for (const file of ['signalbox.db', 'signalbox.db-ledger'])
      assert.ok(
        names.some((name) => name.startsWith(`the file ${file}`)),
        `${file} was looked at: ${names.filter((name) => name.startsWith('the file')).join()}`,
      )
    assert.ok(made.length >= 4, String(made.length))

    const canaries = [
      ...Object.entries(planted).map(([kind, text]) => canary(kind, text)),
      ...made,
      ...world.jwts.map((text, index) => canary(`JWT ${index}`, text.split('.')[2] ?? '')),
    ]
    assert.deepEqual(search(places, canaries), [])
    context.diagnostic(`${canaries.length} secrets, ${places.length} places, ${ids.length} calls`)
  } finally {
    await gateway.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})
