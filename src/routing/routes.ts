/** What answers to a model name: an exact route name, else `provider/model`; nothing else answers in its place. */

import type { Constraints } from '../core/constraints.ts'
import { GatewayError } from '../core/error.ts'
import type { Preference } from '../core/preferences.ts'
import type { Priority } from '../core/priority.ts'
import type { Candidate } from '../core/target.ts'
import type { RoutingStrategy } from './strategy.ts'

/** A route as one member of another: its own strategy chooses within. */
export interface Group {
  readonly route: Route
  readonly weight: number
}

export interface Route {
  /** The route's name, or `direct`. */
  readonly name: string
  readonly strategy: RoutingStrategy
  /** All of them, those of nested groups included. */
  readonly candidates: readonly Candidate[]
  /** The candidates of the routes behind this one, tried in order when all of these have failed. */
  readonly fallback: readonly Candidate[]
  readonly totalMs: number
  /** What follows when a stream breaks after its first event. Absent: an error. */
  readonly onBreak?: 'restart' | 'continue'
  /** Where a member is a group: the candidates and groups as they are written. */
  readonly members?: readonly (Candidate | Group)[] | undefined
  /** Which go first where not all calls can be served. Absent: `interactive`. */
  readonly priority?: Priority
  /** A second target is asked when the first is slow. */
  readonly hedge?: boolean
  /** Where its round has got to, for strategies that take turns. */
  readonly turns?: { count: number }
  readonly constraints?: Constraints
  readonly prefer?: readonly Preference[]
}

export interface Routes {
  /** Throws `unknown-model`. */
  resolve(model: string): Route
  find(model: string): Route | undefined
  /** The configured provider that goes by this id, or whose preset does. */
  provider(name: string): string | undefined
  /** Names of the routes, in the operator's order. */
  readonly names: readonly string[]
}

const MAX_DIRECT = 5_000

export function createRoutes(
  routes: ReadonlyMap<string, Route>,
  direct: (provider: string, model: string) => Route | undefined,
  provider: (name: string) => string | undefined = () => undefined,
): Routes {
  const remembered = new Map<string, Route>()
  const find = (model: string): Route | undefined => {
    const route = routes.get(model) ?? remembered.get(model)
    if (route) return route
    // Google's SDK names models `models/…`.
    const name = model.startsWith('models/') ? model.slice(7) : model
    const slash = name.indexOf('/')
    const found = routes.get(name) ?? (slash > 0 ? direct(name.slice(0, slash), name.slice(slash + 1)) : undefined)
    if (!found) return undefined
    if (remembered.size >= MAX_DIRECT) remembered.clear()
    remembered.set(model, found)
    return found
  }
  return {
    names: [...routes.keys()],
    find,
    provider,
    resolve(model) {
      const route = find(model)
      if (route) return route
      throw unknownModel(model)
    },
  }
}

export const unknownModel = (model: string): GatewayError =>
  new GatewayError(
    'unknown-model',
    `The model \`${model.slice(0, 200)}\` is neither a route nor \`provider/model\` of a configured provider. \`GET /v1/models\` lists what answers.`,
    {
      path: 'model',
      shouldRetry: false,
    },
  )
