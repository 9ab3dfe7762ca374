/** Names that may stand in labels of metrics: models that a configuration names, or that its providers have in the catalogue. */
import type { Catalog } from '../catalog/catalog.ts'
import type { Config } from '../config/config.ts'

export function knownModels(config: () => Config, catalog: () => Catalog): (provider: string, model: string) => boolean {
  const named = new WeakMap<Config, ReadonlySet<string>>()
  return (provider, model) => {
    const current = config()
    const preset = current.providers.get(provider)?.preset
    if (preset === undefined) return false
    let names = named.get(current)
    if (!names) {
      names = new Set([...current.models.values()].flatMap(({ targets }) => targets.map((target) => `${target.provider}/${target.model}`)))
      named.set(current, names)
    }
    return names.has(`${provider}/${model}`) || catalog().resolve(preset, model) !== undefined
  }
}
