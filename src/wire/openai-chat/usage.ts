/** Token counts of Chat Completions and its relatives, to and from the gateway's totals. */
import type { Usage } from '../../core/event.ts'
import { isFilled, isObject, type Json, type JsonObject } from '../../core/json.ts'

/** A count that can be true: absurd ones say nothing. */
const tokens = (value: Json | undefined): number | undefined =>
  typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER ? Math.floor(value) : undefined

const first = (...values: readonly (Json | undefined)[]): number | undefined => {
  for (const value of values) {
    const count = tokens(value)
    if (count !== undefined) return count
  }
  return undefined
}

const inner = (value: JsonObject, name: string): JsonObject => {
  const member = value[name]
  return isObject(member) ? member : {}
}

export interface UsageOptions {
  readonly reasoningOutside?: boolean | undefined
  /** The class of service that the answer tells beside its usage. */
  readonly serviceTier?: Json | undefined
  /** The model that the answer names. */
  readonly model?: Json | undefined
}

/** OpenAI's search models search for every answer, and count no searches. */
const searchesOf = (model: Json | undefined): number | undefined =>
  typeof model === 'string' && (model.includes('-search-preview') || model.includes('-search-api')) ? 1 : undefined

/** What a `usage` object says, in totals. Undefined when it counts neither side. */
export function usageOf(value: Json | undefined, { reasoningOutside = false, serviceTier, model }: UsageOptions = {}): Usage | undefined {
  if (!isObject(value)) return undefined
  const prompt = tokens(value['prompt_tokens'])
  const completion = tokens(value['completion_tokens'])
  if (prompt === undefined && completion === undefined) return undefined
  const read = inner(value, 'prompt_tokens_details')
  const written = inner(value, 'completion_tokens_details')
  const cacheRead = first(
    read['cached_tokens'],
    value['prompt_cache_hit_tokens'],
    value['cached_tokens'],
    value['cache_read_input_tokens'],
    value['num_cached_tokens'],
  )
  const reasoning = first(written['reasoning_tokens'], value['reasoning_tokens'])
  const inputAudio = tokens(read['audio_tokens'])
  const { input, output } = totals({
    prompt,
    completion,
    total: tokens(value['total_tokens']),
    cacheRead: cacheRead ?? 0,
    reasoning: reasoning ?? 0,
    audio: inputAudio ?? 0,
    reasoningOutside,
  })
  const seen = inner(value, 'cache_creation')
  const usage = {
    input,
    output,
    cacheRead,
    cacheWrite: first(read['cache_write_tokens'], read['cache_creation_input_tokens'], value['cache_creation_input_tokens']),
    cacheWrite1h: first(seen['ephemeral_1h_input_tokens']),
    reasoning,
    inputAudio,
    outputAudio: tokens(written['audio_tokens']),
    inputImage: tokens(read['image_tokens']),
    outputImage: tokens(written['image_tokens']),
    webSearches:
      first(
        inner(value, 'server_tool_use_details')['web_search_requests'],
        inner(value, 'server_tool_use')['web_search_requests'],
        value['num_search_queries'],
      ) ?? searchesOf(model),
    providerCost: costOf(value['cost']),
    serviceTier: [value['service_tier'], serviceTier].find(isFilled),
  }
  return known(usage)
}

/** A copy without the members that nobody counted. */
function known(usage: Usage): Usage {
  const counted: Record<string, unknown> = {}
  for (const name in usage) {
    const count = usage[name as keyof Usage]
    if (count !== undefined) counted[name] = count
  }
  return counted
}

interface Counts {
  readonly prompt: number | undefined
  readonly completion: number | undefined
  readonly total: number | undefined
  readonly cacheRead: number
  readonly reasoning: number
  readonly audio: number
  readonly reasoningOutside: boolean
}

/** Hosts differ in what their two numbers leave out; the total, where there is one, tells. */
function totals({ prompt, completion, total, cacheRead, reasoning, audio, reasoningOutside }: Counts): {
  input: number | undefined
  output: number | undefined
} {
  let input = prompt
  let output = completion
  // xAI may leave cached tokens out of the prompt.
  if (prompt !== undefined && cacheRead > prompt) input = prompt + cacheRead
  if (completion === undefined) return { input, output }
  // xAI and Perplexity may leave the thinking out of the completion.
  if (reasoning > completion || (reasoning > 0 && reasoningOutside)) return { input, output: completion + reasoning }
  const over = prompt === undefined || total === undefined ? 0 : total - prompt - completion
  if (over <= 0 || input !== prompt || prompt === undefined) return { input, output }
  if (over === audio) input = prompt + audio
  // Google's compatible API hides the thoughts in the total.
  else output = completion + over
  return { input, output }
}

/** USD, as a number (OpenRouter) or in parts with a total (Perplexity). */
function costOf(value: Json | undefined): number | undefined {
  const cost = isObject(value) ? value['total_cost'] : value
  return typeof cost === 'number' && Number.isFinite(cost) && cost >= 0 ? cost : undefined
}

/** The `usage` object for a client; undefined when nothing is known. One unknown side is 0: the dialect's SDKs need numbers. */
export function chatUsage(usage: Usage | undefined, cost: string | undefined): JsonObject | undefined {
  if (usage?.input === undefined && usage?.output === undefined && cost === undefined) return undefined
  const { input = 0, output = 0, cacheRead, cacheWrite, reasoning, inputAudio, outputAudio, inputImage } = usage ?? {}
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: {
      cached_tokens: cacheRead ?? 0,
      ...(cacheWrite !== undefined && { cache_write_tokens: cacheWrite }),
      ...(inputAudio !== undefined && { audio_tokens: inputAudio }),
      ...(inputImage !== undefined && { image_tokens: inputImage }),
    },
    completion_tokens_details: {
      reasoning_tokens: reasoning ?? 0,
      ...(outputAudio !== undefined && { audio_tokens: outputAudio }),
    },
    ...(cost !== undefined && { cost: Number(cost) }),
  }
}
