/** Google's token counts in the gateway's terms, and back. */
import type { Usage } from '../../core/event.ts'
import { arrayOf, isNumber, isObject, type Json, type JsonObject, stringOf } from '../../core/json.ts'

const count = (value: Json | undefined): number | undefined => (isNumber(value) && value >= 0 ? value : undefined)
const sum = (...values: (number | undefined)[]): number | undefined =>
  values.every((value) => value === undefined) ? undefined : values.reduce<number>((total, value) => total + (value ?? 0), 0)

/** Tokens of one modality in a list of `{ modality, tokenCount }`. */
function ofModality(details: Json | undefined, modality: string): number | undefined {
  const found = arrayOf(details).find((entry) => isObject(entry) && entry['modality'] === modality)
  return isObject(found) ? count(found['tokenCount']) : undefined
}

/** Thoughts and answers are counted apart there, and what tools brought in apart from the prompt. */
export function usageOf(metadata: JsonObject): Usage {
  const input = sum(count(metadata['promptTokenCount']), count(metadata['toolUsePromptTokenCount']))
  const reasoning = count(metadata['thoughtsTokenCount'])
  const total = count(metadata['totalTokenCount'])
  const output =
    sum(count(metadata['candidatesTokenCount']), reasoning) ??
    (total !== undefined && input !== undefined ? Math.max(0, total - input) : undefined)
  const known = {
    input,
    output,
    cacheRead: count(metadata['cachedContentTokenCount']),
    reasoning,
    inputAudio: ofModality(metadata['promptTokensDetails'], 'AUDIO'),
    outputAudio: ofModality(metadata['candidatesTokensDetails'], 'AUDIO'),
    inputImage: ofModality(metadata['promptTokensDetails'], 'IMAGE'),
    outputImage: ofModality(metadata['candidatesTokensDetails'], 'IMAGE'),
    serviceTier: stringOf(metadata['serviceTier']),
  }
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)) as Usage
}

/** `usageMetadata` of an answer; undefined when nothing is known. Cost is in USD. */
export function usageMetadata(usage: Usage | undefined, cost: string | undefined): JsonObject | undefined {
  if (!usage || (usage.input === undefined && usage.output === undefined)) return cost === undefined ? undefined : { cost: Number(cost) }
  const { input = 0, output, reasoning } = usage
  const entries: [string, Json | undefined][] = [
    ['promptTokenCount', input],
    ['candidatesTokenCount', output === undefined ? undefined : Math.max(0, output - (reasoning ?? 0))],
    ['totalTokenCount', input + (output ?? 0)],
    ['thoughtsTokenCount', reasoning],
    ['cachedContentTokenCount', usage.cacheRead],
    ['serviceTier', usage.serviceTier],
    ['cost', cost === undefined ? undefined : Number(cost)],
  ]
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}
