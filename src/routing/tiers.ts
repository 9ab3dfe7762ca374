/** Classes of service: what a tier offers, and what a call falls to when a tier's models are lost. */
export interface Tier {
  /** Names of routes. */
  readonly models: readonly string[]
  /** The tier behind it. */
  readonly next: string | undefined
}
export type Tiers = ReadonlyMap<string, Tier>

/** The tier that a route belongs to: the first that lists it. */
export function tierOf(tiers: Tiers, route: string): string | undefined {
  for (const [name, { models }] of tiers) if (models.includes(route)) return name
  return undefined
}

/** The routes of the tiers behind this one, in order, with their tiers. Circles end where they close. */
export function behind(tiers: Tiers, name: string): readonly { readonly tier: string; readonly route: string }[] {
  const found: { tier: string; route: string }[] = []
  const seen = new Set([name])
  let next = tiers.get(name)?.next
  while (next !== undefined && !seen.has(next)) {
    const tier = next
    seen.add(tier)
    found.push(...(tiers.get(tier)?.models ?? []).map((route) => ({ tier, route })))
    next = tiers.get(tier)?.next
  }
  return found
}
