/** One candidate before one call: may it be tried, what does it lack, is there something to warn of. */

import type { Drop } from '../core/notes.ts'
import type { Candidate, ConditionFacts } from '../core/target.ts'
import { objectionTo } from './constraints/objection.ts'
import type { Rule } from './constraints/rules.ts'
import { isGone, warningOf } from './constraints/shutdown.ts'
import type { Estimates } from './estimates.ts'
import { lacks } from './needs/features.ts'
import type { Needs } from './needs/needs.ts'
import { contextOf } from './profile.ts'
import type { Route } from './routes.ts'

export interface Verdict {
  /** Why it is not tried. */
  readonly removed?: string
  /** What it is known to lack of what would be good to have. */
  readonly lacking: readonly string[]
  readonly warning?: string
}

export interface JudgeParts {
  readonly route: Route
  readonly rules: readonly Rule[]
  readonly needs: Needs
  readonly estimates: Estimates
  readonly facts: () => ConditionFacts
  /** Milliseconds since 1970. */
  readonly now: number
  readonly losses: ((candidate: Candidate) => readonly Drop[]) | undefined
}

/** Estimates miss: below this share of the estimate a window is surely too small, below that one it may be. */
const SURELY = 0.85
const PERHAPS = 1.15

const nobody: readonly string[] = []

/** Gives undefined for a candidate that may be tried and of which there is nothing to say. */
export function createJudge({
  route,
  rules,
  needs,
  estimates,
  facts,
  now,
  losses,
}: JudgeParts): (candidate: Candidate) => Verdict | undefined {
  let known: ConditionFacts | undefined
  // The caller has named one target outright: there is nothing else to take.
  const direct = route.name === 'direct' && route.candidates.length + route.fallback.length === 1
  return (candidate) => {
    const { when, shutdown } = candidate
    if (when) {
      known ??= facts()
      if (!when(known)) return { removed: 'its condition does not hold', lacking: [] }
    }
    const warning = shutdown === undefined ? undefined : warningOf(shutdown, now)
    // Who names a model outright is told by its provider that it is gone.
    if (shutdown !== undefined && !direct && isGone(shutdown, now)) return { removed: `it was switched off on ${shutdown}`, lacking: [] }
    for (const { source, constraints } of rules) {
      // A host that reads another gateway's fields itself keeps to them, where the caller has named it outright.
      if (direct && candidate.takesSteering && source === 'provider') continue
      const objection = objectionTo(candidate, constraints, estimates)
      if (objection) return { removed: `${objection} (${source})`, lacking: [] }
    }
    const inner = candidate.constraints && objectionTo(candidate, candidate.constraints, estimates)
    if (inner) return { removed: `${inner} (constraints of its own route)`, lacking: [] }
    for (const feature of needs.features) if (lacks(candidate, feature)) return { removed: `it lacks ${feature}`, lacking: [] }
    const size = sizeOf(candidate, needs, estimates)
    if (size.removed) return { removed: size.removed, lacking: [] }
    if (losses && !(direct && candidate.takesSteering)) {
      const loss = lossOn(candidate, losses)
      if (loss) return { removed: `${loss} (provider.require_parameters)`, lacking: [] }
    }
    const lacking = needs.wishes.size > 0 || size.doubtful ? lackingOf(candidate, needs, size.doubtful) : nobody
    return lacking.length === 0 && warning === undefined ? undefined : { lacking, ...(warning !== undefined && { warning }) }
  }
}

interface Size {
  readonly removed?: string
  readonly doubtful?: boolean
}
const fits: Size = {}

function sizeOf(candidate: Candidate, needs: Needs, estimates: Estimates): Size {
  const window = contextOf(candidate)
  if (window === undefined || needs.characters === undefined) return fits
  const output = needs.output ?? 0
  // A token has a character at least: short requests are not counted at all.
  if (needs.characters + output < window) return fits
  const input = estimates.inputTokens()
  if (input * SURELY > window) return { removed: `its context of ${window} tokens is too small for about ${input}` }
  return { doubtful: input * PERHAPS + output > window }
}

function lackingOf(candidate: Candidate, { wishes }: Needs, doubtful: boolean | undefined): readonly string[] {
  const lacking: string[] = [...wishes].filter((feature) => lacks(candidate, feature))
  return doubtful ? [...lacking, 'context'] : lacking
}

function lossOn(candidate: Candidate, losses: (candidate: Candidate) => readonly Drop[]): string | undefined {
  try {
    const [first] = losses(candidate)
    return first && `it cannot be told ${first.path}`
  } catch {
    return 'the request cannot be said there'
  }
}
