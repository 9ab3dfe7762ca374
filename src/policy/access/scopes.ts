/** Scopes: what a list of names allows, and what is left where two of them hold at once. */

import { parseRange } from '../../core/address.ts'
import type { Scopes } from '../../core/principal.ts'

export const scopeNames = ['models', 'tiers', 'endpoints', 'tools', 'ips'] as const satisfies readonly (keyof Scopes)[]
export type ScopeName = (typeof scopeNames)[number]

/** `openai/*` allows every name that begins so; everything else is the name itself. */
export function allows(list: readonly string[], name: string): boolean {
  for (const one of list) if (one === name || (one.endsWith('*') && name.startsWith(one.slice(0, -1)))) return true
  return false
}

/** Everything that `narrow` allows is allowed by one entry of `list`. */
function covers(scope: ScopeName, list: readonly string[], narrow: string): boolean {
  if (scope !== 'ips') return allows(list, narrow)
  const inner = parseRange(narrow)
  return list.some((one) => {
    const outer = parseRange(one)
    return inner !== undefined && outer !== undefined && outer.bits <= inner.bits && outer.contains(inner.first)
  })
}

/** What is allowed where both hold. */
export function intersected(one: Scopes, other: Scopes): Scopes {
  const both: { -readonly [Name in ScopeName]?: readonly string[] } = {}
  for (const name of scopeNames) {
    const left = one[name]
    const right = other[name]
    if (left && right) {
      const kept = [...left.filter((entry) => covers(name, right, entry)), ...right.filter((entry) => covers(name, left, entry))]
      both[name] = [...new Set(kept)]
    } else if (left ?? right) both[name] = left ?? right ?? []
  }
  return both
}

/** The first thing that `wished` asks for and `granted` does not allow. */
export function beyond(wished: Scopes, granted: Scopes): { readonly scope: ScopeName; readonly name: string } | undefined {
  for (const scope of scopeNames) {
    const list = granted[scope]
    const name = list && wished[scope]?.find((entry) => !covers(scope, list, entry))
    if (name !== undefined) return { scope, name }
  }
  return undefined
}
