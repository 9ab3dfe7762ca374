/** A strategy orders the candidates of a route, best first. Pure: what it needs to know is in the view. */
import type { Candidate } from '../core/target.ts'

/** What routing knows of the world when it decides. */
export interface RoutingView {
  /** Milliseconds since 1970. */
  readonly now: number
}

export interface RoutingStrategy {
  readonly name: string
  order(candidates: readonly Candidate[], view: RoutingView): readonly Candidate[]
}
