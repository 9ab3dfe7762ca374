/** What may be configured but does nothing yet. An engine that arrives takes its line out of here. */
import { type Config, laterSections, type Notice } from './config.ts'
import { spokenWires } from './known.ts'

const has = (value: unknown, ...keys: readonly string[]): boolean => {
  let current = value
  for (const key of keys) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return false
    current = (current as Record<string, unknown>)[key]
  }
  return true
}

/** `given` is what the operator wrote: defaults are no use of a section. */
export function noEffectYet(config: Config, given: unknown): Notice[] {
  const notices: Notice[] = []
  const note = (path: string, message = 'has no effect yet'): unknown => notices.push({ path, message })

  // Tiers order routes already; binding keys and budgets to them comes with those.
  for (const section of laterSections) if (section !== 'tiers' && has(given, section)) note(section)
  if (has(given, 'admin', 'console')) note('admin.console')

  for (const [id, { wire }] of config.providers) {
    if (wire && !spokenWires.has(wire)) note(`providers.${id}.wire`, `has no effect yet: ${wire} is not spoken`)
  }
  for (const [name, route] of config.models) {
    const path = `models.${name}`
    route.targets.forEach(({ wire }, index) => {
      if (wire && !spokenWires.has(wire)) note(`${path}.targets[${index}].wire`, `has no effect yet: ${wire} is not spoken`)
    })
  }
  return notices
}
