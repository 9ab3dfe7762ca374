/** The store that `store.url` names. What it needs is loaded only then. */
import type { AuditLog } from '../core/audit.ts'
import type { RecordStore } from '../core/records.ts'
import type { Database, DatabaseOptions } from './sql/database.ts'

export interface Store {
  readonly records: RecordStore
  readonly audit: AuditLog
  /** Undefined: `memory:`. */
  readonly database?: Database
  /** Of the records too. */
  close(): Promise<void>
}

/** `memory:` keeps nothing; else as `openDatabase`. Rejects with a GatewayError that names `store.url` and a remedy. */
export async function openStore(url: string, options: DatabaseOptions = {}): Promise<Store> {
  if (url === 'memory:') {
    const [{ createMemoryRecords }, { createMemoryAudit }] = await Promise.all([import('./memory/records.ts'), import('./memory/audit.ts')])
    const records = createMemoryRecords()
    return { records, audit: createMemoryAudit(), close: () => records.close() }
  }
  const [{ openDatabase }, { openSqlRecords }, { createSqlAudit }] = await Promise.all([
    import('./sql/database.ts'),
    import('./sql/records.ts'),
    import('./sql/audit.ts'),
  ])
  const database = await openDatabase(url, options)
  const records = await openSqlRecords(database)
  return {
    records,
    audit: createSqlAudit(database),
    database,
    close: async () => {
      await records.close()
      await database.close()
    },
  }
}
