/** Google's token counts in the gateway's terms, and back. */
import type { Usage } from '../../core/event.ts'
import { arrayOf, isNumber, isObject, isString, type Json, type JsonObject } from '../../core/json.ts'
import { type Searches, searchUsage } from './searches.ts'

const count = (value: Json | undefined): number | undefined => (isNumber(value) && value >= 0 ? value : undefined)
const sum = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined ? other : other === undefined ? one : one + other

const details = (list: Json | undefined): readonly JsonObject[] => arrayOf(list).filter(isObject)

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

/** Thoughts and answers are counted apart there, and what tools brought in apart from the prompt. Comes with every chunk. */
export function usageOf(metadata: JsonObject, searches: Searches | undefined): Usage {
  const usage: Mutable<Usage> = {}
  const set = (name: Exclude<keyof Usage, 'estimated' | 'serviceTier' | 'geo'>, value: number | undefined): void => {
    if (value !== undefined) usage[name] = value
  }
  const prompt = count(metadata['promptTokenCount'])
  const tools = count(metadata['toolUsePromptTokenCount'])
  const answer = count(metadata['candidatesTokenCount'])
  const reasoning = count(metadata['thoughtsTokenCount'])
  const total = count(metadata['totalTokenCount'])
  const input = sum(prompt, tools)
  set('input', input)
  set('output', sum(answer, reasoning) ?? (total === undefined || input === undefined ? undefined : Math.max(0, total - input)))
  set('cacheRead', count(metadata['cachedContentTokenCount']))
  set('reasoning', reasoning)
  for (const { modality, tokenCount } of details(metadata['promptTokensDetails'])) {
    if (modality === 'AUDIO') set('inputAudio', count(tokenCount))
    else if (modality === 'IMAGE') set('inputImage', count(tokenCount))
  }
  for (const { modality, tokenCount } of details(metadata['candidatesTokensDetails'])) {
    if (modality === 'AUDIO') set('outputAudio', count(tokenCount))
    else if (modality === 'IMAGE') set('outputImage', count(tokenCount))
  }
  if (isString(metadata['serviceTier'])) usage.serviceTier = metadata['serviceTier']
  return searches ? { ...usage, ...searchUsage(searches) } : usage
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
