/** What answers to a model name: an exact route name, else `provider/model`; nothing else answers in its place. */
import { GatewayError } from '../core/error.ts'
import type { Candidate } from '../core/target.ts'
import type { RoutingStrategy } from './strategy.ts'

export interface Route {
  /** The route's name, or `direct`. */
  readonly name: string
  readonly strategy: RoutingStrategy
  readonly candidates: readonly Candidate[]
  /** The candidates of the routes behind this one, tried in order when all of these have failed. */
  readonly fallback: readonly Candidate[]
  readonly totalMs: number
}

export interface Routes {
  resolve(model: string): Route
  /** Names of the routes, in the operator's order. */
  readonly names: readonly string[]
}

const MAX_DIRECT = 5_000

export function createRoutes(routes: ReadonlyMap<string, Route>, direct: (provider: string, model: string) => Route | undefined): Routes {
  const remembered = new Map<string, Route>()
  return {
    names: [...routes.keys()],
    resolve(model) {
      const route = routes.get(model) ?? remembered.get(model)
      if (route) return route
      // Google's SDK names models `models/…`.
      const name = model.startsWith('models/') ? model.slice(7) : model
      const slash = name.indexOf('/')
      const found = routes.get(name) ?? (slash > 0 ? direct(name.slice(0, slash), name.slice(slash + 1)) : undefined)
      if (!found) throw unknownModel(model)
      if (remembered.size >= MAX_DIRECT) remembered.clear()
      remembered.set(model, found)
      return found
    },
  }
}

const unknownModel = (model: string): GatewayError =>
  new GatewayError(
    'unknown-model',
    `The model \`${model.slice(0, 200)}\` is neither a route nor \`provider/model\` of a configured provider. \`GET /v1/models\` lists what answers.`,
    {
      path: 'model',
      shouldRetry: false,
    },
  )
