/** The most that a call can cost, worked out before it is made: what a budget sets aside for it. Pure. */
import type { Nanos } from '../core/money.ts'
import { inGeo, inTier, type Price, type Rates, ratesAt } from './price.ts'

export interface WorstCase {
  /** When it is made. */
  readonly at: Date
  /** Tokens of its whole input, and of the longest answer it allows. */
  readonly inputTokens: number
  readonly outputTokens: number
  /** It asks for cache marks: all of its input may be written to a cache, and for how long. */
  readonly cacheMarks?: '5m' | '1h' | undefined
  /** Its input holds sound or pictures. */
  readonly inputAudio?: boolean | undefined
  readonly inputImage?: boolean | undefined
  /** It asks for sound or pictures. */
  readonly outputAudio?: boolean | undefined
  readonly outputImage?: boolean | undefined
  /** Searches that the provider may make for it. */
  readonly webSearches?: number | undefined
  /** The class of service it asks for. It may be served in the usual one all the same. */
  readonly serviceTier?: string | undefined
  /** The place that it asks to be served in. */
  readonly geo?: string | undefined
}

/**
 * Every token at the dearest rate that can hold for it: no discount for what a cache may serve, the premium for what may
 * be written to one, the long-context band as soon as the input reaches it. Undefined when a side has no price. Rounded
 * up, so that no call of this size costs more.
 */
export function worstCost(price: Price, call: WorstCase): Nanos | undefined {
  const listed = ratesAt(price, call.at, call.inputTokens)
  if (!listed) return undefined
  // The usage may turn out smaller than what was reckoned with, and then fall below a band that is cheaper than the base.
  const base = ratesAt(price, call.at, 0) ?? listed
  let most: Nanos | undefined
  for (const card of listed === base ? [listed] : [listed, base]) {
    const tiered = inTier(card, call.serviceTier, price.tiers).rates
    for (const rates of tiered === card ? [card] : [card, tiered]) {
      const cost = worstAt(rates, call)
      if (cost === undefined) return undefined
      if (most === undefined || cost > most) most = cost
      const placed = call.geo === undefined ? undefined : worstAt(inGeo(rates, call.geo, price.geos).rates, call)
      if (placed !== undefined && placed > most) most = placed
    }
  }
  return most
}

/** Femto-dollars a token at a rate of $1 per million. */
const FEMTOS = 1e9
const FEMTOS_PER_DOLLAR = 1e15
const FEMTOS_PER_NANO = 1_000_000n

function worstAt(rates: Rates, call: WorstCase): Nanos | undefined {
  const { inputTokens, outputTokens } = call
  if ((rates.input === undefined && inputTokens > 0) || (rates.output === undefined && outputTokens > 0)) return undefined
  const { cacheMarks: marks } = call
  const input = dearest(
    rates.input,
    // Whatever mark it asks for, the provider may keep it for the shorter time.
    marks ? rates.cacheWrite : 0,
    marks === '1h' ? rates.cacheWrite1h : 0,
    call.inputAudio ? rates.inputAudio : 0,
    call.inputImage ? rates.inputImage : 0,
  )
  const output = dearest(rates.output, rates.reasoning, call.outputAudio ? rates.outputAudio : 0, call.outputImage ? rates.outputImage : 0)
  let femtos = times(inputTokens, input * FEMTOS) + times(outputTokens, output * FEMTOS)
  if (rates.request !== undefined) femtos += times(1, rates.request * (FEMTOS_PER_DOLLAR / 1000))
  if (rates.webSearch !== undefined) femtos += times(call.webSearches ?? 0, rates.webSearch * (FEMTOS_PER_DOLLAR / 1000))
  const least = rates.minimum === undefined ? 0n : times(1, rates.minimum * FEMTOS_PER_DOLLAR)
  const most = femtos > least ? femtos : least
  return (most + FEMTOS_PER_NANO - 1n) / FEMTOS_PER_NANO
}

const times = (count: number, femtos: number): bigint => BigInt(Math.ceil(count)) * BigInt(Math.round(femtos))

function dearest(...rates: readonly (number | undefined)[]): number {
  let most = 0
  for (const rate of rates) if (rate !== undefined && rate > most) most = rate
  return most
}

/** The longest lifetime of the cache marks in a request's body. A mark inside a quoted text counts too: better too much than too little. */
export function cacheMarksOf(body: string): WorstCase['cacheMarks'] {
  if (!body.includes('cache_control') && !body.includes('cachePoint')) return undefined
  return /"ttl"\s*:\s*"(?!5m")/.test(body) ? '1h' : '5m'
}
