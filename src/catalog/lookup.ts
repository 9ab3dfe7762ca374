/** Finds a model among a provider's by any of its spellings. */
import { foldedName, tailOf, undatedName } from './names.ts'
import type { ModelEntry } from './types.ts'

export interface Found {
  readonly entry: ModelEntry
  /** The name to send to the provider: the listed spelling, or what was asked where that is a name of its own. */
  readonly sendAs: string
}

export interface Lookup {
  readonly entries: readonly ModelEntry[]
  find(asked: string): Found | undefined
}

/** `prefixes` are the names of the provider that may stand before a model's. */
export function createLookup(entries: readonly ModelEntry[], prefixes: readonly string[]): Lookup {
  const exact = new Map(entries.map((entry) => [entry.id, entry]))
  let folded: ReadonlyMap<string, ModelEntry | null> | undefined
  let tails: ReadonlyMap<string, ModelEntry | null> | undefined
  let undated: ReadonlyMap<string, ModelEntry> | undefined

  const listed = (name: string): ModelEntry | undefined => {
    folded ??= indexOf(entries, ({ id }) => foldedName(id))
    return exact.get(name) ?? folded.get(foldedName(name)) ?? undefined
  }
  // Aggregators list `vendor/model`; people ask for the model alone.
  const byTail = (name: string): ModelEntry | undefined => {
    tails ??= indexOf(
      entries.filter(({ id }) => id.includes('/')),
      ({ id }) => foldedName(tailOf(id)),
    )
    return tails.get(foldedName(name)) ?? undefined
  }
  const newestOf = (base: string): ModelEntry | undefined => {
    undated ??= newestByBase(entries)
    return undated.get(foldedName(base))
  }

  return {
    entries,
    find(asked) {
      const same = exact.get(asked)
      if (same) return { entry: same, sendAs: asked }
      const bare = withoutPrefix(asked, prefixes)
      const spelt = listed(bare) ?? (bare.includes('/') ? undefined : byTail(bare))
      if (spelt) return { entry: spelt, sendAs: spelt.id }
      const base = undatedName(bare)
      const family = base === undefined ? undefined : (listed(base) ?? newestOf(base))
      // A date or `-latest` is a name of its own at the vendor: the facts are the family's, the name stays.
      if (family) return { entry: family, sendAs: bare }
      const dated = base === undefined ? newestOf(bare) : undefined
      if (dated) return { entry: dated, sendAs: dated.id }
      const foreign = bare.includes('/') ? listed(tailOf(bare)) : undefined
      return foreign && { entry: foreign, sendAs: bare }
    },
  }
}

function withoutPrefix(asked: string, prefixes: readonly string[]): string {
  const name = asked.startsWith('models/') ? asked.slice('models/'.length) : asked
  const slash = name.indexOf('/')
  return slash > 0 && prefixes.includes(name.slice(0, slash).toLowerCase()) ? name.slice(slash + 1) : name
}

/** Null where two entries share a key: then the key names neither. */
function indexOf(entries: readonly ModelEntry[], keyOf: (entry: ModelEntry) => string): ReadonlyMap<string, ModelEntry | null> {
  const index = new Map<string, ModelEntry | null>()
  for (const entry of entries) {
    const key = keyOf(entry)
    index.set(key, index.has(key) ? null : entry)
  }
  return index
}

function newestByBase(entries: readonly ModelEntry[]): ReadonlyMap<string, ModelEntry> {
  const newest = new Map<string, ModelEntry>()
  for (const entry of entries) {
    const base = undatedName(entry.id)
    if (base === undefined) continue
    const key = foldedName(base)
    const known = newest.get(key)
    if (!known || (known.released ?? '') < (entry.released ?? '')) newest.set(key, entry)
  }
  return newest
}
