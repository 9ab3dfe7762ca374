import { createSharedCounters, sharedCountersBuffer } from '../../store/counters/shared.ts'
import { sharedCountersSuite } from './fixtures/shared-counters.ts'

sharedCountersSuite('shared memory', async () => {
  const buffer = sharedCountersBuffer(1_024)
  return async () => createSharedCounters({ buffer })
})
