/** Tells the memory of targets what their answers held: how long they are, how much a cache served, how fast they came. */
import type { Usage } from '../../core/event.ts'
import type { Health } from './health.ts'

/** The part of an outcome that is read here. */
export interface Ended {
  readonly provider: string | undefined
  readonly model: string | undefined
  readonly wire: string | undefined
  readonly streamed: boolean
  readonly usage: Usage | undefined
  readonly error: unknown
  readonly latency: { readonly total: number; readonly first: number | undefined }
}

/** Below this many tokens a rate says nothing. */
const LEAST_TOKENS = 20

export function learningSink(health: Pick<Health, 'learn'>): { readonly name: string; record(ended: Ended): void } {
  return {
    name: 'learning',
    record({ provider, model, wire, streamed, usage, error, latency }) {
      if (!provider || !model || !wire || !usage || error !== undefined) return
      const { input, output, cacheRead = 0 } = usage
      const streamMs = streamed && latency.first !== undefined ? latency.total - latency.first : 0
      health.learn(
        { provider, wire, model },
        {
          output,
          cachedShare: input ? Math.min(1, cacheRead / input) : undefined,
          tokensPerSecond: output !== undefined && output >= LEAST_TOKENS && streamMs > 0 ? (output / streamMs) * 1000 : undefined,
        },
      )
    },
  }
}
