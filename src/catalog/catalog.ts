/** Providers and models: what is known of them offline. Facts come from the built data (or a synced file), the rest from presets. */
import type { WireId } from '../core/call.ts'
import type { Quirks } from '../core/target.ts'
import { type CompactCatalog, type CompactProvider, wireOfPackage } from './compact.ts'
import { builtData } from './data.ts'
import { aliasesOf, expandModels } from './expand.ts'
import { createLookup, type Found, type Lookup } from './lookup.ts'
import { generic } from './presets/generic.ts'
import { lifecycles } from './presets/lifecycle.ts'
import { newerModels } from './presets/models.ts'
import { bearer, type Preset, xApiKey } from './presets/preset.ts'
import { canonicalProvider, providerAliases, providerPresets } from './presets/providers.ts'
import { chatQuirks } from './presets/quirks.ts'
import { searchModels } from './search.ts'
import type { ModelEntry, ModelFilters, ProviderEntry } from './types.ts'

export interface Catalog {
  /** By id or by another of its names: `gemini` is `google`. */
  provider(id: string): ProviderEntry | undefined
  /** Generic presets included, in order of their ids. */
  providers(): readonly ProviderEntry[]
  /** By any spelling: dots or dashes, with the provider or `models/` before it, with a date behind it. */
  model(provider: string, model: string): ModelEntry | undefined
  /** The same, with the name to send to the provider. */
  resolve(provider: string, model: string): Found | undefined
  models(provider: string): readonly ModelEntry[]
  /** Every word of the text must occur in the model's id, name, provider or family. */
  search(text: string, filters?: ModelFilters): readonly ModelEntry[]
  /** Environment variables named `…_API_KEY` that exactly one provider claims, with that provider's id. */
  keyVariables(): ReadonlyMap<string, string>
}

export interface CatalogOptions {
  /** Facts to use instead of the built ones: what `readCatalogFile` gives. */
  readonly data?: CompactCatalog
  /** Decides which models are retired. Default: now. */
  readonly now?: () => Date
}

export function createCatalog({ data = builtData(), now = () => new Date() }: CatalogOptions = {}): Catalog {
  let entries: ReadonlyMap<string, ProviderEntry> | undefined
  const lookups = new Map<string, Lookup>()

  const all = (): ReadonlyMap<string, ProviderEntry> => {
    entries ??= providerEntries(data)
    return entries
  }
  const idOf = (id: string): string => (all().has(id) ? id : canonicalProvider(id))

  const lookupOf = (asked: string): Lookup => {
    const id = idOf(asked)
    let lookup = lookups.get(id)
    if (!lookup) {
      const names = Object.keys(providerAliases).filter((alias) => providerAliases[alias] === id)
      lookup = createLookup(all().has(id) ? modelsOf(id, data, now()) : [], [id, ...names])
      if (all().has(id)) lookups.set(id, lookup)
    }
    return lookup
  }

  return {
    provider: (id) => all().get(idOf(id)),
    providers: () => [...all().values()],
    model: (provider, model) => lookupOf(provider).find(model)?.entry,
    resolve: (provider, model) => lookupOf(provider).find(model),
    models: (provider) => lookupOf(provider).entries,
    search(text, filters = {}) {
      const providers = filters.provider === undefined ? [...all().keys()] : [idOf(filters.provider)]
      return searchModels(
        providers.flatMap((provider) => lookupOf(provider).entries),
        text,
        filters,
      )
    },
    keyVariables() {
      const claims = new Map<string, string | null>()
      for (const { id, env } of data.providers)
        for (const name of env) if (name.endsWith('_API_KEY')) claims.set(name, claims.has(name) ? null : id)
      return new Map([...claims].flatMap(([name, id]) => (id === null ? [] : [[name, id] as const])))
    },
  }
}

/** The provider's base URL for a wire. */
export const baseUrlOf = (provider: ProviderEntry, wire: WireId, model?: ModelEntry): string | undefined =>
  model?.baseUrl ?? provider.baseUrls?.[wire] ?? provider.baseUrl

/** The host's quirks on a wire, with what the model's own facts say of where its thinking goes. */
export function quirksOf(provider: ProviderEntry | undefined, wire: WireId, model?: ModelEntry): Quirks {
  const quirks = provider?.quirks[wire] ?? {}
  if (wire !== 'openai-chat' || quirks.reasoningField || !model?.reasoningField) return quirks
  return { ...quirks, reasoningField: model.reasoningField }
}

function providerEntries(data: CompactCatalog): ReadonlyMap<string, ProviderEntry> {
  const facts = new Map(data.providers.map((provider) => [provider.id, provider]))
  // Presets exist whatever the data says: a synced file that lacks OpenAI does not take it away.
  const ids = new Set([...facts.keys(), ...Object.keys(providerPresets), ...Object.keys(generic)])
  return new Map([...ids].sort().map((id) => [id, providerEntry(id, facts.get(id), own(generic, id) ?? own(providerPresets, id) ?? {})]))
}

function providerEntry(id: string, facts: CompactProvider | undefined, preset: Preset): ProviderEntry {
  const wires = preset.wires ?? [wireOfPackage(facts?.npm) ?? 'openai-chat']
  const baseUrl = preset.baseUrl ?? facts?.api
  const chat = own(chatQuirks, id)
  const quirks = preset.quirks ?? (chat && { 'openai-chat': chat })
  const doc = preset.doc ?? facts?.doc
  return {
    id,
    name: preset.name ?? facts?.name ?? id,
    wires,
    auth: preset.auth ?? (wires.length === 1 && wires[0] === 'anthropic-messages' ? xApiKey : bearer),
    env: preset.env ?? facts?.env ?? [],
    quirks: quirks ?? {},
    ...(baseUrl && { baseUrl }),
    ...(preset.baseUrls && { baseUrls: preset.baseUrls }),
    ...(doc && { doc }),
    ...(preset.headers && { headers: preset.headers }),
    ...(preset.limitation && { limitation: preset.limitation }),
    ...(preset.generic && { generic: true }),
    ...(baseUrl && /^https?:\/\/(?:127\.|localhost|\[::1\])/.test(baseUrl) && { local: true }),
  }
}

function modelsOf(id: string, data: CompactCatalog, now: Date): readonly ModelEntry[] {
  // Asking for any text reads them all from disk: not for a provider that has none.
  const text = data.providers.some((provider) => provider.id === id) ? data.models[id] : undefined
  const listed = expandModels(id, text ?? '', own(lifecycles, id) ?? {}, now.toISOString().slice(0, 10))
  const known = new Set(listed.map((model) => model.id))
  if (own(providerPresets, id)?.oneWire) for (const model of listed) delete (model as { wires?: unknown }).wires
  const newer = (own(newerModels, id) ?? []).filter((model) => !known.has(model.id))
  return newer.length === 0 ? listed : [...listed, ...newer.map((model) => ({ ...model, aliases: aliasesOf(id, model.id) }))]
}

/** Ids come from files and callers too: `constructor` is no preset. */
const own = <T>(map: Readonly<Record<string, T>>, id: string): T | undefined => (Object.hasOwn(map, id) ? map[id] : undefined)
