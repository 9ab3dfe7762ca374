/** Redis or Valkey for tests. One instance per test file and a numbered database per test, or an instance of a test's own. */
import { connect } from 'node:net'
import type { TestContext } from 'node:test'
import { onPath, type Program, provide, ServiceMissing } from './install.ts'
import { accountOf, type Service, startService } from './service.ts'

export interface RedisService extends Service {
  /** `redis://…`, of a database that is empty. */
  readonly url: string
}

const DATABASES = 512

const program: Program = {
  name: 'Redis',
  packageName: 'redis-server',
  locate: () => onPath('valkey-server') ?? onPath('redis-server'),
}

/** An instance of one's own. `keep`: what was written survives `restart` and `kill` (default: a restart forgets all). */
export async function startRedis({ keep = false } = {}): Promise<RedisService> {
  const command = await provide(program)
  const user = accountOf('redis', 'valkey', 'nobody')
  const service = await startService({
    name: 'redis',
    ...(user && { user }),
    command,
    args: (folder, port) => [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--databases', String(DATABASES)],
      ...['--appendonly', keep ? 'yes' : 'no', '--appendfsync', 'always'],
    ],
    endSignal: 'SIGTERM',
    probe: ping,
  })
  return Object.defineProperties(service, { url: { value: urlOf(service.port) } }) as RedisService
}

const urlOf = (port: number, database = 0): string => `redis://127.0.0.1:${port}/${database}`

/** Plain protocol: what starts a service must not depend on the client under test. */
const ping = (port: number): Promise<void> => command(port, 'PING', '+PONG')

function command(port: number, words: string, answer: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${words}\r\n`))
    socket.setTimeout(2_000, () => socket.destroy(new Error('no answer')))
    socket.once('error', reject)
    socket.once('data', (data) => {
      socket.destroy()
      if (data.toString().startsWith(answer)) resolve()
      else reject(new Error(data.toString().trim()))
    })
  })
}

let shared: Promise<RedisService> | undefined
let databases = 0

/**
 * An empty database for this test, or with `own` an instance for it alone. What the test did to the instance is undone at its end.
 * Undefined where Redis cannot be had: the test is marked as skipped then and should return.
 */
export async function withRedis(t: TestContext, { own = false, keep = false } = {}): Promise<RedisService | undefined> {
  try {
    if (own) {
      const service = await startRedis({ keep })
      t.after(() => service.stop())
      return service
    }
    shared ??= startRedis({ keep })
    const service = await shared
    const number = 1 + (databases++ % (DATABASES - 1))
    t.after(() => service.heal())
    return Object.create(service, { url: { value: urlOf(service.port, number), enumerable: true } }) as RedisService
  } catch (error) {
    if (!(error instanceof ServiceMissing)) throw error
    t.skip(error.message)
    return undefined
  }
}
