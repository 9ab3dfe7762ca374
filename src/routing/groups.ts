/** Nested groups: a route as a member of another. The inner one's strategy chooses within, the outer one's among its members. */
import type { Plan } from '../core/health.ts'
import type { Candidate } from '../core/target.ts'
import type { Group, Route } from './routes.ts'

/** Orders plain candidates: what `planOf` does for one route. */
export type PlanRoute = (route: Route) => Plan

/** `route.candidates` may be fewer than its members hold: the others are left out. */
export function planGroups(route: Route, plan: PlanRoute): Plan {
  if (!route.members) return plan(route)
  const kept = new Set(route.candidates)
  const own = unfold(route, route.members, kept, plan)
  const behind = route.fallback.length === 0 ? undefined : plan({ ...route, members: undefined, candidates: [], fallback: route.fallback })
  const ready = [...own.candidates.slice(0, own.ready), ...(behind?.candidates.slice(0, behind.ready) ?? [])]
  const resting = [...own.candidates.slice(own.ready), ...(behind?.candidates.slice(behind.ready) ?? [])]
  return { candidates: [...ready, ...resting], ready: ready.length, why: own.why }
}

function unfold(route: Route, members: readonly (Candidate | Group)[], kept: ReadonlySet<Candidate>, plan: PlanRoute): Plan {
  const resting: Candidate[] = []
  const inner = new Map<Candidate, readonly Candidate[]>()
  const heads: Candidate[] = []
  for (const member of members) {
    if (!('route' in member)) {
      if (kept.has(member)) heads.push(member)
      continue
    }
    const { candidates, ready } = planGroups(
      { ...member.route, candidates: member.route.candidates.filter((candidate) => kept.has(candidate)), fallback: [] },
      plan,
    )
    resting.push(...candidates.slice(ready))
    const [first] = candidates
    if (first === undefined || ready === 0) continue
    const head = standIn(first, member)
    inner.set(head, candidates.slice(0, ready))
    heads.push(head)
  }
  const outer = plan({ ...route, candidates: heads, fallback: [] })
  const open = (candidate: Candidate): readonly Candidate[] => inner.get(candidate) ?? [candidate]
  const ready = outer.candidates.slice(0, outer.ready).flatMap(open)
  return {
    candidates: [...ready, ...outer.candidates.slice(outer.ready).flatMap(open), ...resting],
    ready: ready.length,
    why: outer.why,
  }
}

/** A group is judged by its first choice, with the group's own weight. The same object each time, since health is remembered by it. */
const standIns = new WeakMap<Group, Map<Candidate, Candidate>>()

function standIn(candidate: Candidate, group: Group): Candidate {
  const known = standIns.get(group) ?? new Map<Candidate, Candidate>()
  standIns.set(group, known)
  const copy = known.get(candidate) ?? { ...candidate, weight: group.weight }
  known.set(candidate, copy)
  return copy
}
