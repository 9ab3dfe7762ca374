import { auditLogContract } from '../testing/audit-log-contract.ts'
import { openFor, sqliteUrl } from '../testing/databases.ts'
import { createSqlAudit } from './audit.ts'

auditLogContract('SQLite', async (t) => {
  const url = sqliteUrl(t)
  const database = await openFor(t, url)
  return {
    log: createSqlAudit(database),
    again: async () => createSqlAudit(await openFor(t, url)),
    tamper: async (statement) => database.sqlite?.exec(statement),
  }
})
