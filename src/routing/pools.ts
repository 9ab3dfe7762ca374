/** A ranked pool: the operator's (or the catalogue's) rank, moved by how the models do in service. */
import type { Candidate } from '../core/target.ts'
import type { RoutingStrategy, RoutingView } from './strategy.ts'

/** A rank lower counts for so much less. */
const RANK_STEP = 0.9
/** How much slower or faster than the middle of the pool still counts. */
const SLOWEST = 0.5
const FASTEST = 1.25

export const ranked: RoutingStrategy = {
  name: 'ranked',
  needsLoad: true,
  order(candidates, view) {
    const scores = poolScores(candidates, view)
    return candidates.toSorted((one, other) => (scores.get(other) ?? 0) - (scores.get(one) ?? 0))
  },
}

/** Rank × share of good answers (twice: a failure costs more than its share) × speed × room under its rate limits. */
export function poolScores(candidates: readonly Candidate[], view: RoutingView): ReadonlyMap<Candidate, number> {
  const { asked, now } = view
  const latencies = candidates.map((candidate) => view.health(candidate)?.latencyMs(asked.inputTokens, asked.streamed, now))
  const known = latencies.filter((latency) => latency !== undefined).toSorted((one, other) => one - other)
  const middle = known[Math.floor(known.length / 2)]
  return new Map(
    candidates.map((candidate, rank) => {
      const health = view.health(candidate)
      const good = 1 - (health?.errors(now) ?? 0)
      const latency = latencies[rank]
      const speed = latency === undefined || middle === undefined ? 1 : Math.min(FASTEST, Math.max(SLOWEST, middle / Math.max(latency, 1)))
      const room = Math.min(1, 0.5 + (health?.headroom(now) ?? 1))
      return [candidate, RANK_STEP ** rank * good * good * speed * room]
    }),
  )
}
