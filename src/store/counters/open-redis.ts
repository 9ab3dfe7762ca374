/** Redis counters from an address: connection, scripts and what happens without Redis, joined. */
import { createFallbackCounters, type FallbackCounters } from './fallback.ts'
import { createRedisCounters } from './redis.ts'
import { createRedisLink, redisConnector } from './redis-link.ts'

export interface RedisCountersSettings {
  /** `redis://…`, `rediss://…` */
  readonly url: string
  /** Name of this process among its like: anything that no other has. */
  readonly replica: string
  readonly onFailure: 'open' | 'closed'
  /** How many replicas there are at least. Default 1. */
  readonly replicas?: number
  /** For every command on the way of a call. Default 25. */
  readonly deadlineMs?: number
  /** How long to wait for Redis at the start, before calls are counted without it. Default 2,000. */
  readonly patienceMs?: number
  /** One line for the operator: Redis is gone, is back, was away for too long. */
  readonly onTrouble?: (message: string) => void
}

/** Resolves when Redis is there, or when patience ends: it is found later then, without a restart. */
export async function openRedisCounters(settings: RedisCountersSettings): Promise<FallbackCounters> {
  const { url, replica, onFailure, replicas = 1, deadlineMs = 25, patienceMs = 2_000, onTrouble = () => {} } = settings
  const meanwhile = onFailure === 'open' ? "counted against this replica's share" : 'refused'
  const onChange = (up: boolean, why: string): void =>
    onTrouble(up ? 'Redis is back: calls are counted there again' : `Redis is away (${why}): calls are ${meanwhile} until it is back`)
  const link = createRedisLink({ connect: redisConnector(url), deadlineMs, onChange })
  const redis = createRedisCounters({ link, replica, onTrouble })
  const counters = createFallbackCounters({ redis, onFailure, replicas })
  await new Promise<void>((resolve) => {
    const late = setTimeout(resolve, patienceMs)
    redis.onReady(() => {
      clearTimeout(late)
      resolve()
    })
  })
  return counters
}
