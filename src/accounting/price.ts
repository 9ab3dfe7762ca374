/** What a call costs: rates, when they hold, and the sum in whole nano-dollars, rounded once. Pure. */
import type { Usage } from '../core/event.ts'
import { type Nanos, nanosOfNumber } from '../core/money.ts'
import type { GeoFactors, KindRates, Rates } from '../core/rates.ts'
import { type TierFactors, tierNameOf } from './service-tiers.ts'

export type { Rates } from '../core/rates.ts'

/** Rates that hold from a day on, or in a window of every day. The last one that holds counts. */
export interface ScheduledRates {
  readonly rates: Rates
  /** Milliseconds since 1970. */
  readonly from?: number
  /** Seconds since midnight UTC, the end excluded; may run past midnight. */
  readonly daily?: { readonly start: number; readonly end: number }
}

export interface Price {
  readonly source: 'config' | 'price-data' | 'catalogue'
  readonly schedule: readonly ScheduledRates[]
  /** What classes of service cost where the rates do not say. */
  readonly tiers?: TierFactors | undefined
  /** What places cost where the rates do not say. */
  readonly geos?: GeoFactors | undefined
  /** The provider tells the whole cost of each call, and that is what it charges. */
  readonly told?: boolean
}

export interface Cost {
  readonly nanos: Nanos
  /** Tokens were estimated, or something that was used (a kind of token, a class of service, a place, a search) had no rate of its own. */
  readonly estimated: boolean
}

/** The rates that hold at this time, for a call with this much input; undefined before the first of them holds. */
export function ratesAt({ schedule }: Price, at: Date, inputTokens = 0): Rates | undefined {
  const holding = holdingAt(schedule, at)
  if (!holding?.rates.bands) return holding?.rates
  const { bands, ...base } = holding.rates
  const reached = bands.filter(({ above }) => inputTokens > above).toSorted((a, b) => b.above - a.above)[0]
  return reached ? { ...base, ...reached } : base
}

function holdingAt(schedule: readonly ScheduledRates[], at: Date): ScheduledRates | undefined {
  const [only] = schedule
  if (schedule.length === 1 && only?.from === undefined && !only?.daily) return only
  const now = at.getTime()
  const second = at.getUTCHours() * 3600 + at.getUTCMinutes() * 60 + at.getUTCSeconds()
  return schedule.findLast(({ from, daily }) => (from === undefined || from <= now) && (!daily || within(second, daily)))
}

const within = (second: number, { start, end }: { readonly start: number; readonly end: number }): boolean =>
  start <= end ? start <= second && second < end : second >= start || second < end

const TOKENS = [
  'input',
  'output',
  'cacheRead',
  'cacheWrite',
  'cacheWrite1h',
  'reasoning',
  'inputAudio',
  'outputAudio',
  'inputImage',
  'outputImage',
] as const

/** Rates of things that are charged by the piece. */
const PIECES = [
  'request',
  'webSearch',
  'searchPrompt',
  'mapPrompt',
  'fileSearch',
  'socialSearch',
  'codeRun',
  'toolImage',
] as const satisfies readonly (keyof KindRates)[]

/** The rates in a class of service. `sure` is false where nobody says what that class costs exactly. */
export function inTier(
  rates: Rates,
  said: string | undefined,
  factors: TierFactors | undefined,
): { readonly rates: Rates; readonly sure: boolean } {
  const name = tierNameOf(said)
  if (name === undefined) return { rates, sure: true }
  const own = rates.tiers && Object.hasOwn(rates.tiers, name) ? rates.tiers[name] : undefined
  const usual = factors && Object.hasOwn(factors, name) ? factors[name] : undefined
  if (!own && !usual) return { rates, sure: false }
  const { factor = usual?.factor ?? 1, ...kinds } = own ?? {}
  const priced: Record<string, unknown> = { ...rates }
  for (const kind of TOKENS) {
    const rate = kinds[kind] ?? times(rates[kind], factor)
    if (rate !== undefined) priced[kind] = rate
  }
  for (const kind of PIECES) if (kinds[kind] !== undefined) priced[kind] = kinds[kind]
  return { rates: priced as Rates, sure: own !== undefined || usual?.about !== true }
}

/** The rates in a place. `sure` is false where nobody says what that place costs. */
export function inGeo(rates: Rates, geo: string, factors: GeoFactors | undefined): { readonly rates: Rates; readonly sure: boolean } {
  const factor =
    rates.geos && Object.hasOwn(rates.geos, geo) ? rates.geos[geo] : factors && Object.hasOwn(factors, geo) ? factors[geo] : undefined
  if (factor === undefined) return { rates, sure: false }
  const priced: Record<string, unknown> = { ...rates }
  for (const kind of TOKENS) if (rates[kind] !== undefined) priced[kind] = times(rates[kind], factor)
  return { rates: priced as Rates, sure: true }
}

/** A rate times a factor, to the ninth decimal: what a rate is worked out with. */
export const times = (rate: number | undefined, factor: number): number | undefined =>
  rate === undefined ? undefined : Math.round(rate * factor * 1e9) / 1e9

/** Undefined when neither side of the call can be priced: unknown is not free. */
export function costOf(usage: Usage, price: Price, at: Date): Cost | undefined {
  // Nought is also what a middleman says when the call went over the caller's own account.
  if (price.told && usage.providerCost) return { nanos: nanosOfNumber(usage.providerCost), estimated: false }
  const listed = ratesAt(price, at, usage.input)
  if (!listed) return undefined
  const tiered = inTier(listed, usage.serviceTier, price.tiers)
  const placed = usage.geo === undefined ? tiered : inGeo(tiered.rates, usage.geo, price.geos)
  const { rates } = placed
  const sum = createSum(usage.estimated === true || !tiered.sure || !placed.sure)
  if (!addInput(usage, rates, sum) || !addOutput(usage, rates, sum)) return undefined
  if (rates.request !== undefined) sum.add(1, rates.request, 1000)
  addSearches(usage, rates, sum)
  addPieces(usage.fileSearches, rates.fileSearch, sum)
  addPieces(usage.socialSearches, rates.socialSearch, sum)
  addPieces(usage.codeRuns, rates.codeRun, sum)
  addPieces(usage.toolImages, rates.toolImage, sum)
  return sum.total(rates.minimum)
}

/** What was used and has no price leaves a doubt: it is charged by somebody. */
function addPieces(count: number | undefined, rate: number | undefined, sum: Sum): void {
  if (!count) return
  if (rate === undefined) sum.doubt()
  else sum.add(count, rate, 1000)
}

/** By the query or by the prompt: a provider that bills the one does not bill the other. */
function addSearches({ webSearches, searchPrompts, mapPrompts }: Usage, { webSearch, searchPrompt, mapPrompt }: Rates, sum: Sum): void {
  if (!webSearches && !searchPrompts && !mapPrompts) return
  sum.add(webSearches, webSearch, 1000)
  sum.add(searchPrompts, searchPrompt, 1000)
  sum.add(mapPrompts, mapPrompt, 1000)
  if (webSearches && webSearch !== undefined) return
  if (searchPrompts && searchPrompt === undefined) sum.doubt()
  if (mapPrompts && mapPrompt === undefined) sum.doubt()
  if (webSearches && !searchPrompts && !mapPrompts) sum.doubt()
}

/** False: what was used has no price. */
function addInput(
  { input, cacheRead = 0, cacheWrite = 0, cacheWrite1h = 0, inputAudio = 0, inputImage = 0 }: Usage,
  rates: Rates,
  sum: Sum,
): boolean {
  if (input === undefined) return rates.input === undefined || rates.input === 0
  if (rates.input === undefined) return input === 0
  const audio = rates.inputAudio === undefined ? 0 : inputAudio
  const image = rates.inputImage === undefined ? 0 : inputImage
  const long = Math.min(cacheWrite1h, cacheWrite)
  const plain = input - cacheRead - cacheWrite - audio - image
  // More in the parts than in the total: some provider counts differently than it says.
  if (plain < 0) sum.doubt()
  sum.add(Math.max(0, plain), rates.input)
  sum.add(audio, rates.inputAudio)
  sum.add(image, rates.inputImage)
  sum.addOr(cacheRead, rates.cacheRead, rates.input)
  sum.addOr(cacheWrite - long, rates.cacheWrite, rates.input)
  sum.addOr(long, rates.cacheWrite1h, rates.cacheWrite ?? rates.input)
  return true
}

function addOutput({ output, reasoning = 0, outputAudio = 0, outputImage = 0 }: Usage, rates: Rates, sum: Sum): boolean {
  if (output === undefined) return rates.output === undefined || rates.output === 0
  if (rates.output === undefined) return output === 0
  const thinking = rates.reasoning === undefined ? 0 : reasoning
  const audio = rates.outputAudio === undefined ? 0 : outputAudio
  const image = rates.outputImage === undefined ? 0 : outputImage
  const plain = output - thinking - audio - image
  if (plain < 0) sum.doubt()
  sum.add(Math.max(0, plain), rates.output)
  sum.add(thinking, rates.reasoning)
  sum.add(audio, rates.outputAudio)
  sum.add(image, rates.outputImage)
  return true
}

interface Sum {
  add(count: number | undefined, rate: number | undefined, per?: number): void
  /** At the stand-in rate when there is none for this kind; the cost is then an estimate. */
  addOr(count: number, rate: number | undefined, standIn: number): void
  doubt(): void
  /** Never less than so many USD. */
  total(minimum?: number): Cost
}

// A rate of $1 per million tokens is 1e9 femto-dollars a token: whole numbers down to the ninth decimal of a rate.
const FEMTOS_PER_DOLLAR = 1e15
const FEMTOS_PER_NANO = 1_000_000n

function createSum(doubtful: boolean): Sum {
  let femtos = 0n
  let estimated = doubtful
  const add = (count: number | undefined, rate: number | undefined, per = 1_000_000): void => {
    if (count && rate) femtos += BigInt(Math.round(count)) * BigInt(Math.round(rate * (FEMTOS_PER_DOLLAR / per)))
  }
  return {
    add,
    addOr(count, rate, standIn) {
      if (count > 0 && rate === undefined) estimated = true
      add(count, rate ?? standIn)
    },
    doubt() {
      estimated = true
    },
    total(minimum = 0) {
      const least = BigInt(Math.round(minimum * FEMTOS_PER_DOLLAR))
      return { nanos: ((femtos > least ? femtos : least) + FEMTOS_PER_NANO / 2n) / FEMTOS_PER_NANO, estimated }
    },
  }
}
