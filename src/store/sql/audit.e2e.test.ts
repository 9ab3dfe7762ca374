import { withPostgres } from '../../../test/services/postgres.ts'
import { auditLogContract } from '../testing/audit-log-contract.ts'
import { openFor } from '../testing/databases.ts'
import { createSqlAudit } from './audit.ts'
import { statement } from './steps.ts'

auditLogContract('PostgreSQL', async (t) => {
  const service = await withPostgres(t)
  if (!service) return undefined
  const database = await openFor(t, service.url)
  return {
    log: createSqlAudit(database),
    again: async () => createSqlAudit(await openFor(t, service.url)),
    tamper: async (text) => {
      await database.transaction(() => statement(text))
    },
  }
})
