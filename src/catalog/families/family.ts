/** What a family's name says of a model, wherever it is hosted. */
import type { Capabilities } from '../../core/target.ts'

/** Capabilities of the named model, or undefined when the name is not of this family. `name` is bare and in lower case. */
export type Family = (name: string) => Capabilities | undefined

/**
 * The part of a name that families look at: without providers, regions, dates and variants before or behind it.
 * `us.anthropic.claude-opus-4-5-20251101-v1:0` → `claude-opus-4-5-20251101-v1`.
 */
export function bareName(model: string): string {
  const tail = model.toLowerCase().slice(model.lastIndexOf('/') + 1)
  const start = /(?:^|[.@~-])((?:claude|gemini|gemma|gpt|grok|deepseek|magistral|qwen|qwq)(?=[-.\d]|$).*)$/.exec(tail)
  return (start?.[1] ?? tail).replace(/:.*$/, '')
}

/** `5`, `4-5`, `4.5` as 5.0, 4.5, 4.5 in hundredths: 500, 405, 405. */
export const versionOf = (major: string | undefined, minor: string | undefined): number => Number(major ?? 0) * 100 + Number(minor ?? 0)
