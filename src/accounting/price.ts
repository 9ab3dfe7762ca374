/** What a call costs: rates, when they hold, and the sum in whole nano-dollars, rounded once. Pure. */
import type { Usage } from '../core/event.ts'
import type { Nanos } from '../core/money.ts'

/** USD per million tokens, but for `request` and `webSearch`: USD per thousand of them. Absent: nobody says. */
export interface Rates {
  readonly input?: number | undefined
  readonly output?: number | undefined
  readonly cacheRead?: number | undefined
  /** Kept for five minutes, or as long as the provider does by itself. */
  readonly cacheWrite?: number | undefined
  /** Kept for an hour or longer. */
  readonly cacheWrite1h?: number | undefined
  /** Where thinking is not priced like other output. */
  readonly reasoning?: number | undefined
  readonly inputAudio?: number | undefined
  readonly outputAudio?: number | undefined
  readonly inputImage?: number | undefined
  readonly outputImage?: number | undefined
  readonly request?: number | undefined
  readonly webSearch?: number | undefined
  /** Rates for the whole call once its input is larger than `above` tokens; what a band leaves out stays. */
  readonly bands?: readonly ({ readonly above: number } & Omit<Rates, 'bands'>)[]
}

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
}

export interface Cost {
  readonly nanos: Nanos
  /** Tokens were estimated, or a kind of token had no rate of its own. */
  readonly estimated: boolean
}

/** The rates that hold at this time, for a call with this much input; undefined before the first of them holds. */
export function ratesAt({ schedule }: Price, at: Date, inputTokens = 0): Rates | undefined {
  const now = at.getTime()
  const second = at.getUTCHours() * 3600 + at.getUTCMinutes() * 60 + at.getUTCSeconds()
  const holding = schedule.findLast(({ from, daily }) => (from === undefined || from <= now) && (!daily || within(second, daily)))
  if (!holding?.rates.bands) return holding?.rates
  const { bands, ...base } = holding.rates
  const reached = bands.filter(({ above }) => inputTokens > above).toSorted((a, b) => b.above - a.above)[0]
  return reached ? { ...base, ...reached } : base
}

const within = (second: number, { start, end }: { readonly start: number; readonly end: number }): boolean =>
  start <= end ? start <= second && second < end : second >= start || second < end

/** Undefined when neither side of the call can be priced: unknown is not free. */
export function costOf(usage: Usage, price: Price, at: Date): Cost | undefined {
  const rates = ratesAt(price, at, usage.input)
  if (!rates) return undefined
  const sum = createSum(usage.estimated === true)
  if (!addInput(usage, rates, sum) || !addOutput(usage, rates, sum)) return undefined
  if (rates.request !== undefined) sum.add(1, rates.request, 1000)
  if (rates.webSearch !== undefined) sum.add(usage.webSearches, rates.webSearch, 1000)
  return sum.total()
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
  total(): Cost
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
    total: () => ({ nanos: (femtos + FEMTOS_PER_NANO / 2n) / FEMTOS_PER_NANO, estimated }),
  }
}
