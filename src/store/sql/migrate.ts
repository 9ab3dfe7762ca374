/** Brings the schema up to date. Several processes may do so at once: one does the work, the others wait and find it done. */
import { GatewayError } from '../../core/error.ts'
import type { DatabaseKind } from './database.ts'
import { type Migration, migrations } from './migrations/index.ts'
import { type Steps, statement, type Transact } from './steps.ts'

/** Any number, as long as all versions of Signalbox use the same. */
const LOCK = 7_303_014_001

/** How long the others wait for the one who migrates. */
const TIMEOUT_MS = 60_000

export async function migrate(kind: DatabaseKind, transact: Transact, all: readonly Migration[] = migrations): Promise<void> {
  const newest = all.at(-1)?.version ?? 0
  const found = await transact(() => versionOf(kind))
  refuseNewer(found, newest)
  if (found === newest) return
  for (const migration of all) {
    if (migration.version > found) await transact(() => apply(kind, migration, newest), { timeoutMs: TIMEOUT_MS })
  }
}

function* apply(kind: DatabaseKind, migration: Migration, newest: number): Steps<void> {
  if (kind === 'postgres') {
    yield* statement('select pg_advisory_xact_lock($1)', [LOCK])
    // A lock on a table in use is waited for briefly: those who come after would wait behind us.
    yield* statement(`set local lock_timeout = '2s'`)
  }
  // Somebody else may have been here while we waited.
  const found = yield* versionOf(kind)
  refuseNewer(found, newest)
  if (found >= migration.version) return
  if (found === 0) {
    const integer = kind === 'postgres' ? 'bigint' : 'integer'
    yield* statement(
      `create table if not exists signalbox_migrations (version ${integer} primary key, name text not null, at ${integer} not null)`,
    )
  }
  for (const text of migration.statements(kind)) yield* statement(text)
  const values = kind === 'postgres' ? '($1, $2, $3)' : '(?, ?, ?)'
  yield* statement(`insert into signalbox_migrations (version, name, at) values ${values}`, [migration.version, migration.name, Date.now()])
}

/** 0: an empty database. */
function* versionOf(kind: DatabaseKind): Steps<number> {
  const [table] = yield* statement<{ name: string | null }>(
    kind === 'postgres'
      ? // Not `to_regclass`: it answers from a cache that has not heard of what was made while we waited for the lock.
        `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relname = 'signalbox_migrations' and n.nspname = any (current_schemas(false))`
      : `select name from sqlite_master where type = 'table' and name = 'signalbox_migrations'`,
  )
  if (!table?.name) return 0
  const [row] = yield* statement<{ version: number | null }>('select max(version) as version from signalbox_migrations')
  return row?.version ?? 0
}

function refuseNewer(found: number, newest: number): void {
  if (found <= newest) return
  throw new GatewayError(
    'store-unavailable',
    `The database was used by a newer version of Signalbox: its schema is ${found}, this version knows ${newest}. Run that version, or restore a backup from before the upgrade.`,
    { path: 'store.url' },
  )
}
