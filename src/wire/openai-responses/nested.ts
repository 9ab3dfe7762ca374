/** Members deep in the body, kept under their whole path (`text.format.x`, `tools[3].description`). */
import type { JsonObject } from '../../core/json.ts'

/** Those directly inside `path`, by their own name. */
export function nestedExtras(kept: JsonObject | undefined, path: string): JsonObject {
  if (!kept) return {}
  const prefix = `${path}.`
  const found = Object.entries(kept)
    .filter(([key]) => key.startsWith(prefix) && !/[.[]/.test(key.slice(prefix.length)))
    .map(([key, value]) => [key.slice(prefix.length), value] as const)
  return Object.fromEntries(found)
}

/** Those of the body itself. */
export function topExtras(kept: JsonObject | undefined): JsonObject {
  if (!kept) return {}
  return Object.fromEntries(Object.entries(kept).filter(([key]) => !/^(?:tools|tool_choice|input|text|stream_options)(?:[.[])/.test(key)))
}
