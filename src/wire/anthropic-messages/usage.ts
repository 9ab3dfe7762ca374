/** Tokens, as the API counts them and as the gateway does: the API's input leaves out what a cache had or took. */
import type { Usage } from '../../core/event.ts'
import { arrayOf, isNumber, isObject, type Json, type JsonObject, numberOf, objectOf, stringOf } from '../../core/json.ts'

export function usageOf(raw: JsonObject | undefined): Usage | undefined {
  if (!raw) return undefined
  // With compaction the totals cover the last step only; advisors are billed by themselves.
  const steps = arrayOf(raw['iterations']).filter((step): step is JsonObject => isObject(step) && step['type'] !== 'advisor_message')
  const counted = steps.length > 1 ? steps : [raw]
  const creation = objectOf(raw['cache_creation'])
  const [short, long] = [numberOf(creation?.['ephemeral_5m_input_tokens']), numberOf(creation?.['ephemeral_1h_input_tokens'])]
  const serverTools = objectOf(raw['server_tool_use'])
  return {
    input: total(counted, 'input_tokens', 'cache_read_input_tokens', 'cache_creation_input_tokens'),
    output: total(counted, 'output_tokens'),
    cacheRead: total(counted, 'cache_read_input_tokens'),
    cacheWrite:
      total(counted, 'cache_creation_input_tokens') ?? (short === undefined && long === undefined ? undefined : (short ?? 0) + (long ?? 0)),
    cacheWrite1h: long,
    reasoning: numberOf(objectOf(raw['output_tokens_details'])?.['thinking_tokens']),
    webSearches: numberOf(serverTools?.['web_search_requests']),
    // Fast mode is billed like a class of its own, whatever the tier.
    serviceTier: raw['speed'] === 'fast' ? 'fast' : stringOf(raw['service_tier']),
    providerCost: numberOf(raw['cost']),
    ...(raw['inference_geo'] && { geo: geoOf(raw['inference_geo']) }),
  }
}

/** Where it ran, unless that was wherever there was room, or the model cannot be told where. */
function geoOf(said: Json): string | undefined {
  const geo = stringOf(said)?.toLowerCase()
  return geo === '' || geo === 'global' || geo === 'not_available' ? undefined : geo
}

/** The sum over all steps; unknown when no step says the first name. */
function total(steps: readonly JsonObject[], first: string, ...more: readonly string[]): number | undefined {
  if (!steps.some((step) => isNumber(step[first]))) return undefined
  return steps.flatMap((step) => [first, ...more].map((name) => numberOf(step[name]) ?? 0)).reduce((sum, value) => sum + value, 0)
}

/** What a later statement says replaces what an earlier one said, member by member; null says nothing. */
export function mergedRaw(earlier: JsonObject | undefined, later: Json | undefined): JsonObject | undefined {
  if (!isObject(later)) return earlier
  return { ...earlier, ...Object.fromEntries(Object.entries(later).filter(([, value]) => value !== null && value !== undefined)) }
}

/** The API's numbers. It has no word for unknown where SDKs read numbers: those are 0. */
export function writeUsage(usage: Usage | undefined, cost?: string): JsonObject {
  const { input, output, cacheRead, cacheWrite, cacheWrite1h, reasoning, webSearches, serviceTier, geo } = usage ?? {}
  const read = Math.min(cacheRead ?? 0, input ?? cacheRead ?? 0)
  const written = Math.min(cacheWrite ?? 0, Math.max(0, (input ?? cacheWrite ?? 0) - read))
  const long = Math.min(cacheWrite1h ?? 0, written)
  const price = cost === undefined ? Number.NaN : Number(cost)
  return {
    input_tokens: Math.max(0, (input ?? 0) - read - written),
    cache_creation_input_tokens: cacheWrite === undefined ? null : written,
    cache_read_input_tokens: cacheRead === undefined ? null : read,
    cache_creation: cacheWrite === undefined ? null : { ephemeral_5m_input_tokens: written - long, ephemeral_1h_input_tokens: long },
    output_tokens: output ?? 0,
    ...(reasoning !== undefined && { output_tokens_details: { thinking_tokens: reasoning } }),
    ...(webSearches !== undefined && { server_tool_use: { web_search_requests: webSearches, web_fetch_requests: 0 } }),
    ...(serviceTier !== undefined && { service_tier: TIERS[serviceTier] ?? 'standard' }),
    ...(geo !== undefined && { inference_geo: geo }),
    ...(Number.isFinite(price) && { cost: price }),
  }
}

const TIERS: Readonly<Record<string, string>> = { priority: 'priority', batch: 'batch', fast: 'priority' }
