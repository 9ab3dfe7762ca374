/** Hard limits on where a call may go. Several sets hold at once: the route's, the request's, the key's. */
import type { Requirement } from './requirements.ts'
import type { Retention } from './steering.ts'

export interface Constraints {
  /** Any of these: `eu` takes `eu-west-1` too. */
  readonly region?: readonly string[]
  readonly trust?: readonly string[]
  /** The most that the provider may keep. */
  readonly retention?: Retention
  /** USD per million tokens. */
  readonly maxPrice?: { readonly input?: number; readonly output?: number }
  /** USD that this call may be expected to cost. */
  readonly maxCost?: number
  /** Milliseconds until the first token of a stream, or until a plain answer is whole. */
  readonly maxLatencyMs?: number
  /** Provider ids. */
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
  readonly require?: readonly Requirement[]
}
