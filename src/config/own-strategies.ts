/** Strategies that operators write themselves, in a configuration in TypeScript. The schema knows names only, so they wait aside. */
import { isObject } from '../core/json.ts'
import type { RoutingStrategy } from '../routing/strategy.ts'
import type { Config, RouteConfig } from './config.ts'

export interface SetAside {
  /** The configuration with a name in each one's place. */
  readonly input: unknown
  readonly strategies: ReadonlyMap<string, RoutingStrategy>
}

export function setAside(input: unknown): SetAside {
  const models = isRecord(input) ? input['models'] : undefined
  const strategies = new Map<string, RoutingStrategy>()
  if (!isRecord(input) || !isRecord(models)) return { input, strategies }
  for (const [name, route] of Object.entries(models)) {
    const strategy = isRecord(route) ? route['strategy'] : undefined
    if (isStrategy(strategy)) strategies.set(name, strategy)
  }
  if (strategies.size === 0) return { input, strategies }
  const named = Object.entries(models).map(([name, route]) => [
    name,
    strategies.has(name) ? { ...(route as object), strategy: 'priority' } : route,
  ])
  return { input: { ...input, models: Object.fromEntries(named) }, strategies }
}

export function putBack(config: Config, strategies: SetAside['strategies']): Config {
  if (strategies.size === 0) return config
  const models = [...config.models].map(([name, route]): [string, RouteConfig] => [
    name,
    { ...route, strategy: strategies.get(name) ?? route.strategy },
  ])
  return { ...config, models: new Map(models) }
}

const isRecord = (value: unknown): value is Record<string, unknown> => isObject(value as never)

const isStrategy = (value: unknown): value is RoutingStrategy =>
  isRecord(value) && typeof value['name'] === 'string' && typeof value['order'] === 'function'
