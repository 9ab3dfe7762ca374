/** What a configuration says of its targets: how many keys each provider has, and where connections may go. */
import { baseUrlOf, type Catalog } from '../catalog/catalog.ts'
import type { Config } from '../config/config.ts'
import { spokenWires } from '../config/known.ts'

/** Providers without references have one key, which is none. */
export const countsFor = ({ providers }: Config, counts: ReadonlyMap<string, number>): ReadonlyMap<string, number> =>
  new Map([...providers.keys()].map((id) => [id, counts.get(id) ?? 1]))

/** Where connections may go. */
export function originsOf({ providers }: Config, catalog: Catalog): ReadonlySet<string> {
  const origins = new Set<string>()
  for (const { preset, baseUrl } of providers.values()) {
    const entry = baseUrl === undefined ? catalog.provider(preset) : undefined
    const urls = baseUrl === undefined ? [...spokenWires].map((wire) => entry && baseUrlOf(entry, wire)) : [baseUrl]
    for (const url of urls) if (url !== undefined && URL.canParse(url)) origins.add(new URL(url).origin)
  }
  return origins
}
