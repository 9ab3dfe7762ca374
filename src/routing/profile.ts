/** What can be known of a route before any call: whether there is something to decide, and which needs make a difference. */

import { type Feature, features } from '../core/features.ts'
import type { Candidate } from '../core/target.ts'
import { lacks } from './needs/features.ts'
import type { Route } from './routes.ts'

export interface Profile {
  /** Each call is to be judged: there is a choice that needs could change, or a rule of the operator. */
  readonly decides: boolean
  /** There are several candidates, so that the needs of a call can tell them apart. */
  readonly choice: boolean
  /** Some candidate has a condition, or a strategy wants to know what conditions may ask about. */
  readonly conditions: boolean
  /** Features that some candidate is known to lack: others need not be looked for. */
  readonly lacking: ReadonlySet<Feature>
}

const profiles = new WeakMap<Route, Profile>()

export function profileOf(route: Route): Profile {
  let profile = profiles.get(route)
  if (!profile) {
    profile = read(route)
    profiles.set(route, profile)
  }
  return profile
}

function read(route: Route): Profile {
  const { candidates, fallback, constraints, prefer } = route
  const all = [...candidates, ...fallback]
  const choice = new Set(all.map(({ provider, model }) => `${provider} ${model}`)).size > 1
  const lacking = new Set(features.filter((feature) => all.some((candidate) => lacks(candidate, feature))))
  const limited = all.some((candidate) => contextOf(candidate) !== undefined)
  const ruled = all.some(({ when, shutdown, constraints: own }) => when !== undefined || shutdown !== undefined || own !== undefined)
  const asks = asksAbout(route)
  return {
    choice,
    conditions: asks || all.some(({ when }) => when !== undefined),
    lacking,
    decides: asks || constraints !== undefined || (prefer?.length ?? 0) > 0 || ruled || (choice && (lacking.size > 0 || limited)),
  }
}

/** Its strategy, or one of a group in it, wants to know more of each call. */
export const asksAbout = ({ strategy, members = [] }: Route): boolean =>
  strategy.about !== undefined || members.some((member) => 'route' in member && asksAbout(member.route))

export const contextOf = (candidate: Candidate): number | undefined =>
  candidate.on(candidate.wires[0] ?? 'openai-chat').capabilities.contextWindow
