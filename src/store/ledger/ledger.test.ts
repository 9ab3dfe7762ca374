import { createMemoryLedger } from './memory-ledger.ts'
import { ledgerContract } from './testing/ledger-contract.ts'
import { ledgerRig } from './testing/ledger-rig.ts'

ledgerContract('memory', async () => createMemoryLedger())
ledgerContract('SQLite', async (t) => (await ledgerRig(t)).ledger())
