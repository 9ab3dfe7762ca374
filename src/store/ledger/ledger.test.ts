import { ledgerContract } from './ledger-contract.ts'
import { ledgerRig } from './ledger-rig.ts'
import { createMemoryLedger } from './memory-ledger.ts'

ledgerContract('memory', async () => createMemoryLedger())
ledgerContract('SQLite', async (t) => (await ledgerRig(t)).ledger())
