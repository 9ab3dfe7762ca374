import { withRedis } from '../../../test/services/redis.ts'
import { openRedisCounters } from '../../store/counters/open-redis.ts'
import { sharedCountersSuite } from './fixtures/shared-counters.ts'

sharedCountersSuite('Redis', async (t) => {
  const redis = await withRedis(t)
  if (!redis) return undefined
  let replicas = 0
  return async () => {
    const counters = await openRedisCounters({
      url: redis.url,
      replica: `replica-${++replicas}`,
      onFailure: 'closed',
      deadlineMs: 5_000,
      patienceMs: 20_000,
    })
    t.after(() => counters.close())
    return counters
  }
})
