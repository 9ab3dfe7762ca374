import { recordStoreContract } from '../testing/record-store-contract.ts'
import { createMemoryRecords } from './records.ts'

recordStoreContract('memory', async () => ({ store: createMemoryRecords() }))
