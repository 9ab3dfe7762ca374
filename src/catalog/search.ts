/** Finding models by words and by what they can do. Pure. */
import type { ModelEntry, ModelFilters } from './types.ts'

export function searchModels(entries: readonly ModelEntry[], text: string, filters: ModelFilters): readonly ModelEntry[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const found = entries.filter((entry) => fits(entry, filters) && words.every((word) => textOf(entry).includes(word)))
  return filters.limit === undefined ? found : found.slice(0, filters.limit)
}

const textOf = ({ id, name, provider, family, aliases }: ModelEntry): string =>
  `${provider} ${id} ${name} ${family ?? ''} ${aliases.join(' ')}`.toLowerCase()

function fits(
  entry: ModelEntry,
  { tools, reasoning, jsonSchema, input, output, context, maxInputPrice, deprecated = true }: ModelFilters,
): boolean {
  if (tools !== undefined && entry.tools !== tools) return false
  if (reasoning !== undefined && entry.reasoning !== reasoning) return false
  if (jsonSchema !== undefined && entry.jsonSchema !== jsonSchema) return false
  if (input !== undefined && !entry.inputModalities.includes(input)) return false
  if (output !== undefined && !entry.outputModalities.includes(output)) return false
  if (context !== undefined && (entry.contextWindow ?? 0) < context) return false
  if (maxInputPrice !== undefined && (entry.price?.input === undefined || entry.price.input > maxInputPrice)) return false
  return deprecated || (entry.status !== 'deprecated' && entry.status !== 'retired')
}
