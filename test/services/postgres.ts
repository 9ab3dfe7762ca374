/** PostgreSQL for tests. One instance per test file and a database per test, or an instance of a test's own. */
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import pg from 'pg'
import { canRun, onPath, type Program, provide, ServiceMissing } from './install.ts'
import { accountOf, type Service, startService } from './service.ts'

export interface PostgresService extends Service {
  /** `postgres://…`, of a database that is empty. */
  readonly url: string
}

const program: Program = {
  name: 'PostgreSQL',
  packageName: 'postgresql',
  locate: () => {
    const installed = '/usr/lib/postgresql'
    const folders = entriesOf(installed)
      .toSorted((a, b) => Number(b) - Number(a))
      .map((version) => join(installed, version, 'bin'))
    const found = folders.find((folder) => canRun(join(folder, 'postgres')) && canRun(join(folder, 'initdb')))
    if (found) return found
    const initdb = onPath('initdb')
    return initdb && onPath('postgres') ? dirname(initdb) : undefined
  },
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** An instance of one's own; its database is called `postgres`. Throws ServiceMissing where there is none. */
export async function startPostgres(): Promise<PostgresService> {
  const bin = await provide(program)
  const user = accountOf('postgres', 'nobody')
  const service = await startService({
    name: 'postgres',
    ...(user && { user }),
    command: join(bin, 'postgres'),
    // A process that is killed loses nothing that it has handed to the kernel, so without fsync the tests still hold.
    args: (folder, port) => [
      ...['-D', join(folder, 'data'), '-p', String(port), '-k', '', '-h', '127.0.0.1'],
      ...['-c', 'fsync=off', '-c', 'shared_buffers=32MB', '-c', 'max_connections=200', '-c', 'autovacuum_max_workers=1'],
    ],
    endSignal: 'SIGINT',
    prepare: (folder) => {
      const args = ['-D', join(folder, 'data'), '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
      execFileSync(join(bin, 'initdb'), args, { cwd: folder, stdio: 'pipe', ...user })
    },
    probe: (port) => query(urlOf(port), 'select 1'),
  })
  return Object.defineProperties(service, { url: { value: urlOf(service.port) } }) as PostgresService
}

const urlOf = (port: number, database = 'postgres'): string => `postgres://postgres@127.0.0.1:${port}/${database}`

async function query(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query(text)
  } finally {
    await client.end().catch(() => {})
  }
}

let shared: Promise<PostgresService> | undefined
let databases = 0

/**
 * A fresh database for this test, or with `own` an instance for it alone. What the test did to the instance is undone at its end.
 * Undefined where PostgreSQL cannot be had: the test is marked as skipped then and should return.
 */
export async function withPostgres(t: TestContext, { own = false } = {}): Promise<PostgresService | undefined> {
  try {
    if (own) {
      const service = await startPostgres()
      t.after(() => service.stop())
      return service
    }
    shared ??= startPostgres()
    const service = await shared
    const name = `test_${++databases}`
    await query(service.url, `create database ${name}`)
    t.after(async () => {
      await service.heal()
      await query(service.url, `drop database ${name} with (force)`)
    })
    return Object.create(service, { url: { value: urlOf(service.port, name), enumerable: true } }) as PostgresService
  } catch (error) {
    if (!(error instanceof ServiceMissing)) throw error
    t.skip(error.message)
    return undefined
  }
}
