import { sqliteUrl } from '../testing/databases.ts'
import { migrationContract } from '../testing/migration-contract.ts'

migrationContract('SQLite', async (t) => sqliteUrl(t))
