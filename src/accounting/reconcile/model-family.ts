/**
 * Statements name models otherwise than clients do: with the date of the version (`gpt-5-2025-08-07` for `gpt-5`). Names of
 * one family are told apart as long as both sides use the same ones; else the family is compared as a whole.
 */

const VERSION = /(?:[-@](?:\d{4}-\d{2}-\d{2}|\d{8}|\d{4}|latest|preview-\d{2}-\d{2,4})|-v\d+(?::\d+)?|:\d+)$/

/** `anthropic.claude-haiku-4-5-20251001-v1:0` is of the family `claude-haiku-4-5`. */
export function familyOf(model: string): string {
  let name = model
    .toLowerCase()
    .replace(/^.*\//, '')
    .replace(/^(?:[a-z]{2,6}\.)?(?:anthropic|amazon|meta|mistral|cohere|deepseek|openai)\./, '')
  for (let shorter = name.replace(VERSION, ''); shorter !== name && shorter !== ''; shorter = name.replace(VERSION, '')) name = shorter
  return name
}

/** The name under which a model of either side is compared. */
export function comparedNames(ledger: Iterable<string>, statement: Iterable<string>): (model: string) => string {
  const families = new Map<string, { ledger: Set<string>; statement: Set<string> }>()
  const note = (model: string, side: 'ledger' | 'statement'): void => {
    const family = familyOf(model)
    const names = families.get(family) ?? { ledger: new Set(), statement: new Set() }
    names[side].add(model.toLowerCase())
    families.set(family, names)
  }
  for (const model of ledger) note(model, 'ledger')
  for (const model of statement) note(model, 'statement')
  return (model) => {
    const family = familyOf(model)
    const names = families.get(family)
    if (!names) return model.toLowerCase()
    const all = new Set([...names.ledger, ...names.statement])
    // One name, or the same names on both sides.
    return all.size === 1 || (all.size === names.ledger.size && all.size === names.statement.size) ? model.toLowerCase() : family
  }
}
