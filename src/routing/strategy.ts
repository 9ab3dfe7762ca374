/** A strategy orders the candidates of a route, best first. Pure: what it needs to know is in the view. */
import type { TargetHealth } from '../core/health.ts'
import type { Candidate, ConditionFacts } from '../core/target.ts'
import type { Asked } from './asked.ts'

/** What routing knows of the world when it decides. */
export interface RoutingView {
  /** Milliseconds since 1970. */
  readonly now: number
  readonly asked: Asked
  /** 0 to 1. */
  random(): number
  /** Counts the calls of the route, from 0. */
  turn(): number
  /** How the target does; undefined where nothing is remembered. */
  health(candidate: Candidate): TargetHealth | undefined
  /** Expected USD for this call there; undefined where nobody knows the price. */
  cost(candidate: Candidate): number | undefined
}

export interface RoutingStrategy {
  readonly name: string
  /** It spreads calls over all targets, so each of them gets some. Default false: the first ones get them all. */
  readonly spreads?: boolean
  /** It reads latencies or load: they are kept even where faults are not. */
  readonly needsLoad?: boolean
  /** Gets only targets that may be called now, in the operator's order. Returns all of them. */
  order(candidates: readonly Candidate[], view: RoutingView): readonly Candidate[]
  /** The same for one call, of which it then knows what conditions may ask about. `facts` is dear, and asked once at most. */
  about?(facts: () => ConditionFacts): RoutingStrategy
}
