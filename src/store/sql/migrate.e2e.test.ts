import { withPostgres } from '../../../test/services/postgres.ts'
import { migrationContract } from '../testing/migration-contract.ts'

migrationContract('PostgreSQL', async (t) => (await withPostgres(t))?.url)
