/** LiteLLM's routing words in a body: `fallbacks`, and tags in `metadata.tags` or `tags`. */
import { isFilled, isObject, type JsonObject } from '../../core/json.ts'
import type { SteeringName } from '../../core/steering.ts'

/** A list of names, of `{ model }`, or of `{ asked: [names] }`. Undefined when it is something else. */
export function litellmFallbacks(
  value: unknown,
  model: string,
  ignored: { path: string; reason: string }[],
): readonly SteeringName[] | undefined {
  if (!Array.isArray(value)) return undefined
  const found: SteeringName[] = []
  for (const [index, entry] of value.entries()) {
    const path = `fallbacks[${index}]`
    if (isFilled(entry)) found.push({ name: entry, path })
    else if (!isObject(entry)) return undefined
    else if (isFilled(entry['model'])) {
      found.push({ name: entry['model'], path: `${path}.model` })
      for (const key of Object.keys(entry))
        if (key !== 'model') ignored.push({ path: `${path}.${key}`, reason: 'a fallback changes the model only' })
    } else {
      for (const [asked, names] of Object.entries(entry)) {
        if (!Array.isArray(names)) return undefined
        if (asked !== model && asked !== '*') continue
        names.forEach((name, at) => {
          if (isFilled(name)) found.push({ name, path: `${path}.${asked}[${at}]` })
        })
      }
    }
  }
  return found
}

/** `metadata` is also OpenAI's own field, whose values are strings: only a list of tags is LiteLLM's. */
export function litellmTags(json: JsonObject): Tags | undefined {
  const metadata = json['metadata']
  const nested = isObject(metadata) ? tagsOf(metadata['tags']) : undefined
  const top = tagsOf(json['tags'])
  return nested || top ? { all: [...new Set([...(nested ?? []), ...(top ?? [])])], nested: nested !== undefined } : undefined
}

interface Tags {
  readonly all: readonly string[]
  /** Some of them stand in `metadata`. */
  readonly nested: boolean
}

const tagsOf = (value: unknown): readonly string[] | undefined =>
  Array.isArray(value) && value.length > 0 && value.every(isFilled) ? value : undefined
