/** The SQL database behind the store: SQLite in a file of this machine, or PostgreSQL for a fleet. One set of queries for both. */
import type { DatabaseSync } from 'node:sqlite'
import { GatewayError } from '../../core/error.ts'
import type { Migration } from './migrations/index.ts'
import type { Sql } from './sql.ts'
import type { Transact } from './steps.ts'

export type DatabaseKind = 'sqlite' | 'postgres'

/** Every method and query rejects with a GatewayError `store-unavailable` when the database does not answer in time. */
export interface Database {
  readonly kind: DatabaseKind
  /** The rows of one statement, which may take 2 s. */
  query<Row>(query: Sql<Row>): Promise<readonly Row[]>
  /** All or nothing. A SQLite transaction takes the write lock at its start. */
  readonly transaction: Transact
  /** What a call waits for: gives up after 250 ms. */
  lookup<T>(work: () => Promise<T>): Promise<T>
  /** For prepared statements on hot paths. Never leave a transaction open across an await: others use the same connection. */
  readonly sqlite?: DatabaseSync
  /** Calls back on each notification of the channel and each time the connection that hears them stands anew. PostgreSQL only. */
  listen?(channel: string, heard: () => void): () => void
  /** Resolves once it was reached and has the newest schema; rejects when it never will. */
  readonly ready: Promise<void>
  /** True: the last calls were answered. */
  readonly reachable: boolean
  close(): Promise<void>
}

export interface DatabaseOptions {
  /** Told once when the database stops answering and once when it answers again. */
  readonly onState?: (state: { readonly up: boolean; readonly why?: string }) => void
  /** How long opening waits for a PostgreSQL that does not answer before it goes on without. Default 1 000. */
  readonly patienceMs?: number
  /** Most connections to PostgreSQL. Default 10. */
  readonly connections?: number
  /** What a lookup may take. Default 250. */
  readonly lookupMs?: number
  /** What a write may take. Default 2 000. */
  readonly writeMs?: number
  /** Another schema than this version's. */
  readonly migrations?: readonly Migration[]
}

/**
 * Opens and migrates. SQLite: rejects when the file cannot be used. PostgreSQL: rejects when it refuses us or is of a newer
 * version; when it is down, it is connected to and migrated as soon as it is there.
 */
export async function openDatabase(url: string, options: DatabaseOptions = {}): Promise<Database> {
  if (url.startsWith('sqlite:')) return (await import('./sqlite.ts')).openSqlite(url.slice('sqlite:'.length), options)
  if (/^postgres(?:ql)?:\/\//.test(url)) return (await import('./postgres.ts')).openPostgres(url, options)
  throw new GatewayError('invalid-request', 'not a database: write `sqlite:./signalbox.db` or `postgres://user@host/database`', {
    path: 'store.url',
  })
}
