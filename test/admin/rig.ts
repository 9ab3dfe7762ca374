/** A gateway that serves, with access by keys, the simulator behind it, and clients for whoever administers it. */
import assert from 'node:assert/strict'
import { after } from 'node:test'
import { type AdminClient, createAdminClient } from '../../src/admin/client.generated.ts'
import { AdminError } from '../../src/admin/client-call.ts'
import type { Config } from '../../src/config/config.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { startServing } from '../../src/server/start.ts'

export const OWNER = 'the-owner-of-this-test'

export interface AdminRig {
  readonly url: string
  readonly owner: AdminClient
  as(key: string): AdminClient
  /** Any request, with any headers; a body is sent as JSON. */
  send(
    method: string,
    path: string,
    options?: { key?: string | undefined; body?: unknown; headers?: Record<string, string> },
  ): Promise<Response>
  /** A call of the data plane. */
  ask(key: string | undefined, model?: string): Promise<Response>
  output(): string
  stop(): Promise<void>
}

export async function adminRig(written: object = {}, env: Readonly<Record<string, string>> = {}): Promise<AdminRig> {
  const { config, problems } = parseConfig(
    {
      server: { port: 0 },
      store: { url: 'memory:' },
      access: { mode: 'keys' },
      providers: { sim: { preset: 'simulator' } },
      models: {
        main: { targets: [{ provider: 'sim', model: 'echo', price: { input: 1, output: 2 } }] },
        other: { targets: [{ provider: 'sim', model: 'think' }] },
      },
      ...written,
    },
    { env },
  )
  assert.deepEqual(problems, [])
  let output = ''
  const serving = await startServing({
    config: config as Config,
    env: { SIGNALBOX_ADMIN_KEY: OWNER, ...env },
    quiet: true,
    write: (text) => {
      output += text
    },
  })
  const stop = (): Promise<void> => serving.stop()
  after(stop)
  const as = (key: string): AdminClient => createAdminClient({ url: serving.url, key })
  const send: AdminRig['send'] = (method, path, { key, body, headers } = {}) =>
    fetch(`${serving.url}${path}`, {
      method,
      headers: {
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  return {
    url: serving.url,
    owner: as(OWNER),
    as,
    send,
    ask: (key, model = 'main') =>
      send('POST', '/v1/chat/completions', { key, body: { model, messages: [{ role: 'user', content: 'Hello there' }] } }),
    output: () => output,
    stop,
  }
}

/** The error that a request ends in: its status and code, and the path at fault where there is one. */
export async function refusal(request: Promise<unknown>): Promise<string> {
  try {
    await request
  } catch (error) {
    if (!(error instanceof AdminError)) throw error
    return [error.status, error.code, error.path].filter((part) => part !== undefined).join(' ')
  }
  throw new assert.AssertionError({ message: 'it was not refused' })
}
