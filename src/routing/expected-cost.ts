/** What a call will probably cost at a target, before it is sent. Plain numbers: this chooses, it does not bill. */
import type { TargetHealth } from '../core/health.ts'
import type { Candidate } from '../core/target.ts'
import type { Asked } from './asked.ts'

/** USD per million tokens. */
export interface RateCard {
  readonly input?: number | undefined
  readonly output?: number | undefined
  readonly cacheRead?: number | undefined
}
/** Undefined: nobody knows. */
export type RatesOf = (candidate: Candidate, inputTokens: number, now: number) => RateCard | undefined

/** Tokens of an answer, until a target has shown what its answers are like. */
const USUAL_OUTPUT = 400

export function expectedCost(
  { input, output, cacheRead }: RateCard,
  { inputTokens, maxOutput }: Asked,
  health: TargetHealth | undefined,
): number | undefined {
  if (input === undefined || output === undefined) return undefined
  const usual = health?.meanOutput ?? USUAL_OUTPUT
  const answer = maxOutput === undefined ? usual : Math.min(usual, maxOutput)
  const cached = cacheRead === undefined ? 0 : (health?.meanCachedShare ?? 0)
  return (inputTokens * (input * (1 - cached) + (cacheRead ?? 0) * cached) + answer * output) / 1e6
}
