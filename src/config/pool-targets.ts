/** Fills a pool without targets: models of the configured providers that are good for its category, best first. */
import type { ModelEntry } from '../catalog/types.ts'
import type { PoolCategory, PoolConfig, TargetConfig } from './config.ts'

/** What must be known of the catalogue to fill a pool. */
export interface PoolCatalog {
  provider(id: string): { readonly generic?: boolean } | undefined
  models(provider: string): readonly ModelEntry[]
}

/** Older models are left out: there is a newer one of their family. */
const NEWEST_MS = 550 * 86_400_000
const LONG_CONTEXT = 400_000

/** `presets`: by the provider's id. */
export function poolTargets(
  presets: Iterable<readonly [provider: string, preset: string]>,
  catalog: PoolCatalog,
  { category, size }: PoolConfig,
  now = Date.now(),
): readonly TargetConfig[] {
  const found = [...presets].flatMap(([provider, preset]) =>
    (catalog.provider(preset)?.generic ? [] : catalog.models(preset))
      .filter((model) => isCurrent(model, now) && fits(model, category))
      .map((model) => ({ provider, model })),
  )
  // What a vendor dares to ask for it is the first guess of what a model is worth; service then corrects it.
  const dearest = found.toSorted((one, other) => worthOf(other.model) - worthOf(one.model))
  const families = new Set<string>()
  const chosen: TargetConfig[] = []
  for (const { provider, model } of dearest) {
    const family = `${provider} ${model.family ?? model.id}`
    if (families.has(family) || chosen.length >= size) continue
    families.add(family)
    chosen.push({ provider, model: model.id, weight: 1, wire: undefined, price: undefined, headers: undefined, body: undefined })
  }
  return chosen
}

const worthOf = ({ price }: ModelEntry): number => price?.output ?? 0

function isCurrent({ status, released, outputModalities, price, shutdown }: ModelEntry, now: number): boolean {
  if (status === 'retired' || status === 'deprecated' || shutdown !== undefined || !price?.output) return false
  if (outputModalities.length > 0 && !outputModalities.includes('text')) return false
  return released === undefined || now - Date.parse(released) < NEWEST_MS
}

function fits({ id, tools, reasoning, jsonSchema, inputModalities, contextWindow = 0 }: ModelEntry, category: PoolCategory): boolean {
  switch (category) {
    case 'chat':
      return true
    case 'code':
      return tools === true && (/code|codex|coder|devstral/i.test(id) || reasoning === true)
    case 'reasoning':
      return reasoning === true
    case 'vision':
      return inputModalities.includes('image')
    case 'documents':
      return inputModalities.includes('pdf')
    case 'audio':
      return inputModalities.includes('audio')
    case 'tools':
      return tools === true
    case 'structured':
      return jsonSchema === true
    case 'long-context':
      return contextWindow >= LONG_CONTEXT
    default:
      return category satisfies never
  }
}
