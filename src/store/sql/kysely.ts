/** Kysely over a database, made only when somebody asks for it: it is a quarter of a second and 13 MB that few need. */
import { createRequire } from 'node:module'
import type { CompiledQuery, DatabaseConnection, Dialect, Driver, Kysely, QueryResult } from 'kysely'
import type { DatabaseKind } from './database.ts'
import type { Result, Statement } from './steps.ts'
import type { Tables } from './tables.ts'

export function kyselyOver(kind: DatabaseKind, run: (query: Statement) => Promise<Result>): Kysely<Tables> {
  const library = createRequire(import.meta.url)('kysely') as typeof import('kysely')
  const sqlite = kind === 'sqlite'
  const dialect: Dialect = {
    createAdapter: () => (sqlite ? new library.SqliteAdapter() : new library.PostgresAdapter()),
    createDriver: () => driverOver(run),
    createIntrospector: (db) => (sqlite ? new library.SqliteIntrospector(db) : new library.PostgresIntrospector(db)),
    createQueryCompiler: () => (sqlite ? new library.SqliteQueryCompiler() : new library.PostgresQueryCompiler()),
  }
  return new library.Kysely<Tables>({ dialect })
}

function driverOver(run: (query: Statement) => Promise<Result>): Driver {
  const connection: DatabaseConnection = {
    async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      const { rows, count } = await run(query)
      return { rows: rows as R[], numAffectedRows: BigInt(count) }
    },
    streamQuery: () => {
      throw new Error('not streamed: ask for pages')
    },
  }
  const nothing = async (): Promise<void> => {}
  return {
    init: nothing,
    acquireConnection: async () => connection,
    beginTransaction: async () => {
      throw new Error('use database.transaction: this one would be open while others use the connection')
    },
    commitTransaction: nothing,
    rollbackTransaction: nothing,
    releaseConnection: nothing,
    destroy: nothing,
  }
}
