import { withPostgres } from '../../../test/services/postgres.ts'
import { ledgerContract } from './testing/ledger-contract.ts'
import { ledgerRig } from './testing/ledger-rig.ts'

ledgerContract('PostgreSQL', async (t) => {
  const service = await withPostgres(t)
  return service && (await ledgerRig(t, service.url)).ledger()
})
