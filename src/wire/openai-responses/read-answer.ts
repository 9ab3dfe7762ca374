/** What a response object says as a whole: usage, ending, errors. */
import type { GatewayError } from '../../core/error.ts'
import type { Finish, Usage } from '../../core/event.ts'
import { isNumber, isObject, type Json, type JsonObject, numberOf, objectOf, stringOf } from '../../core/json.ts'
import { providerErrorOf, toldError } from '../provider-error.ts'
import { toolsOf } from './hosted-tools.ts'

/** xAI counts money in these. */
const TICKS_PER_DOLLAR = 1e10

export function usageOf(response: JsonObject): Usage | undefined {
  const usage = objectOf(response['usage'])
  if (!usage || !isNumber(usage['input_tokens'])) return undefined
  const details = objectOf(usage['input_tokens_details'])
  const written = objectOf(details?.['cache_write_tokens_details'])
  const read = numberOf(details?.['cached_tokens'])
  const { input_tokens: said, output_tokens: output, total_tokens: total } = usage
  const reasoning = numberOf(objectOf(usage['output_tokens_details'])?.['reasoning_tokens'])
  const ticks = numberOf(usage['cost_in_usd_ticks'])
  // Some hosts count what was cached, or what was thought, outside the totals.
  const input = read !== undefined && read > said ? said + read : said
  const outside =
    isNumber(output) && reasoning !== undefined && reasoning > 0 && (reasoning > output || total === said + output + reasoning)
  return defined({
    input,
    output: outside ? output + reasoning : numberOf(output),
    cacheRead: read,
    cacheWrite: numberOf(details?.['cache_write_tokens']),
    cacheWrite1h: numberOf(written?.['ttl_12h']),
    reasoning,
    providerCost: numberOf(usage['cost']) ?? (ticks === undefined ? undefined : ticks / TICKS_PER_DOLLAR),
    ...toolsOf(response, usage),
    serviceTier: stringOf(response['service_tier']),
  })
}

const defined = (usage: Usage): Usage => Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== undefined))

export interface Ending {
  readonly finish: Finish
  readonly raw?: string
}

/** `calls`: the answer holds calls of the client's tools. */
export function endingOf(response: JsonObject, calls: boolean): Ending {
  const status = stringOf(response['status'])
  if (status === 'incomplete') {
    const reason = stringOf(objectOf(response['incomplete_details'])?.['reason'])
    const finish = reason === 'content_filter' ? 'filter' : reason && /max_(output_)?tokens|length/.test(reason) ? 'length' : 'other'
    return { finish, raw: reason ?? status }
  }
  if (status === 'queued' || status === 'in_progress') return { finish: 'other', raw: status }
  return { finish: calls ? 'tool-calls' : 'stop', ...(status !== undefined && { raw: status }) }
}

/** The error that a response object tells; undefined when it tells none. */
export function errorOf(response: JsonObject): GatewayError | undefined {
  const { status } = response
  if (isObject(response['error'])) return toldError({ error: response['error'] })
  if (status === 'failed' || status === 'cancelled')
    return toldError(Array.isArray(response['output']) ? { message: `The response was ${status}.` } : response)
  if (!Array.isArray(response['output'])) {
    const told: Json = response
    if (providerErrorOf(told)) return toldError(told)
  }
  return undefined
}
