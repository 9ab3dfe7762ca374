import { byScore } from '../scores.ts'
import type { RoutingStrategy } from '../strategy.ts'

/**
 * The same session goes to the same target, where its cache is warm (rendezvous hashing: when a target leaves, only its own
 * sessions move, and they come back with it). Calls without a session are drawn by weight.
 */
export const sticky: RoutingStrategy = {
  name: 'sticky',
  order(candidates, view) {
    const { session } = view.asked
    return byScore(candidates, ({ provider, model, weight }) => {
      const luck = session === undefined ? view.random() : chanceOf(`${session}\n${provider}\n${model}`)
      return weight > 0 ? -Math.log(1 - luck) / weight : Number.POSITIVE_INFINITY
    })
  },
}

/** 0 to 1, the same for the same text: FNV-1a with a final mix, since names differ only in their last letters. */
export function chanceOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
