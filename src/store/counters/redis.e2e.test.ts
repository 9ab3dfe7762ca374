import { setTimeout as sleep } from 'node:timers/promises'
import { withRedis } from '../../../test/services/redis.ts'
import { countersContract } from './contract.ts'
import { openRedisCounters } from './open-redis.ts'

countersContract('Redis', async (t) => {
  const redis = await withRedis(t)
  if (!redis) return undefined
  const counters = await openRedisCounters({ url: redis.url, replica: 'one', onFailure: 'closed', deadlineMs: 5_000, patienceMs: 20_000 })
  t.after(() => counters.close())
  return { counters, now: Date.now, elapse: (ms) => sleep(ms).then(() => {}) }
})
