/** Turns what another gateway's request asks for into a route of ours. Names resolve like any model name; unknown ones are skipped. */
import type { Steering, SteeringGroup, SteeringTarget } from '../core/steering.ts'
import type { Candidate, Target } from '../core/target.ts'
import { type Group, type Route, type Routes, unknownModel } from './routes.ts'
import { strategies } from './strategies/index.ts'
import { priority } from './strategies/priority.ts'

export interface SteeredRoute {
  readonly route: Route
  /** With names of providers as they are called here. */
  readonly steering: Steering
  readonly notes: readonly string[]
  /** Lists of names that only this gateway knows: no target can read them. */
  readonly ours: readonly string[]
}

export function steer(asked: Steering, model: string, routes: Routes): SteeredRoute {
  const notes = asked.ignored.map(({ path, reason }) => `${path}: ${reason}`)
  const steering = withOwnNames(asked, routes, notes)
  const main = mainRoute(steering, model, routes, notes)
  const extra: Candidate[] = []
  for (const { name, path } of steering.fallbacks) {
    const found = routes.find(name)
    if (found) extra.push(...found.candidates, ...found.fallback)
    else notes.push(`${path}: nothing here answers to ${name.slice(0, 200)}`)
  }
  const ours = extra.length > 0 && main.name !== 'direct' ? steering.fields.filter((name) => name === 'models' || name === 'fallbacks') : []
  if (extra.length === 0 && steering.timeoutMs === undefined) return { route: main, steering, notes, ours }
  const totalMs = Math.max(main.totalMs, ...extra.map(({ timeouts }) => timeouts.totalMs))
  const route: Route = { ...main, fallback: [...main.fallback, ...extra], totalMs: Math.min(totalMs, steering.timeoutMs ?? totalMs) }
  return { route, steering, notes, ours }
}

/** `Google Vertex` → `google-vertex` → the id of the provider that has this preset. */
function withOwnNames(steering: Steering, routes: Routes, notes: string[]): Steering {
  const { order, only, ignore } = steering
  if (!order && !only && !ignore) return steering
  const own = (names: readonly string[], list: string): readonly string[] =>
    names.flatMap((name) => {
      const id = routes.provider(name) ?? routes.provider(name.replaceAll(' ', '-'))
      if (id === undefined) notes.push(`provider.${list}: no provider here is called ${name.slice(0, 100)}`)
      return id ?? []
    })
  return {
    ...steering,
    ...(order && { order: own(order, 'order') }),
    ...(only && { only: own(only, 'only') }),
    ...(ignore && { ignore: own(ignore, 'ignore') }),
  }
}

function mainRoute(steering: Steering, model: string, routes: Routes, notes: string[]): Route {
  const grouped = steering.group && groupRoute(steering.group, routes, notes)
  if (grouped) return grouped
  if (steering.implied) {
    for (const name of [model, ...steering.fallbacks.map((one) => one.name)]) {
      const found = routes.find(name)
      if (found) return found
    }
    throw unknownModel(model)
  }
  if (steering.model === undefined) return routes.resolve(model)
  const whole = routes.find(model)
  // A host that knows the suffix gets it; an operator's route may be called so.
  if (whole && (whole.name !== 'direct' || whole.candidates[0]?.takesSteering)) return whole
  return routes.resolve(steering.model)
}

const isGroup = (member: SteeringGroup | SteeringTarget): member is SteeringGroup => 'members' in member

/** Undefined when none of its targets is configured here. */
function groupRoute(group: SteeringGroup, routes: Routes, notes: string[]): Route | undefined {
  const members: (Candidate | Group)[] = []
  for (const member of group.mode === 'single' ? group.members.slice(0, 1) : group.members) {
    if (isGroup(member)) {
      const route = groupRoute(member, routes, notes)
      if (route) members.push({ route, weight: member.weight })
    } else {
      const found = targetRoute(member, routes)
      if (!found)
        notes.push(`${member.path}: nothing here answers to ${[member.provider, member.name].filter(Boolean).join('/').slice(0, 200)}`)
      else if (found.candidates.length === 1 && found.candidates[0]) members.push(adjusted(found.candidates[0], member))
      else members.push({ route: found, weight: member.weight })
    }
  }
  if (members.length === 0) return undefined
  const candidates = members.flatMap((member) => ('route' in member ? member.route.candidates : [member]))
  return {
    name: 'direct',
    strategy: (group.mode === 'loadbalance' ? strategies['weighted'] : undefined) ?? priority,
    candidates,
    fallback: [],
    totalMs: Math.max(...candidates.map(({ timeouts }) => timeouts.totalMs)),
    ...(members.some((member) => 'route' in member) && { members }),
  }
}

function targetRoute({ provider, name }: SteeringTarget, routes: Routes): Route | undefined {
  if (provider === undefined) return routes.find(name)
  const id = routes.provider(provider)
  if (id === undefined) return undefined
  // `openai/gpt-5` may be given with the provider `openai` beside it.
  return routes.find(`${id}/${name.startsWith(`${id}/`) ? name.slice(id.length + 1) : name}`)
}

function adjusted(candidate: Candidate, { weight, body, attempts }: SteeringTarget): Candidate {
  if (weight === candidate.weight && !body && attempts === undefined) return candidate
  return {
    ...candidate,
    weight,
    ...(attempts !== undefined && { attempts }),
    on(wire): Target {
      const target = candidate.on(wire)
      return body ? { ...target, body: { ...target.body, ...body } } : target
    },
  }
}
