/** Rules for some models only: names of routes, `provider/model`, and `provider/*`. */

export interface NameFilter {
  /** What the client asked for, or the route that it came to. */
  asked(name: string): boolean
  place(provider: string, model: string): boolean
}

export function nameFilter(names: readonly string[]): NameFilter {
  const exact = new Set(names)
  const providers = new Set(names.filter((name) => name.endsWith('/*')).map((name) => name.slice(0, -2)))
  return {
    asked(name) {
      if (exact.has(name)) return true
      const slash = name.indexOf('/')
      return slash > 0 && providers.has(name.slice(0, slash))
    },
    place: (provider, model) => providers.has(provider) || exact.has(`${provider}/${model}`),
  }
}
