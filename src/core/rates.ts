/** What a model costs, as data: rates per kind, for longer inputs, for classes of service, for hours of the day. */

/** USD per million tokens; from `request` on, USD per thousand of the thing. Absent: nobody says. */
export interface KindRates {
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
  /** Each query of a search of the web or of maps. */
  readonly webSearch?: number | undefined
  /** Prompts for which the web was searched, however often. */
  readonly searchPrompt?: number | undefined
  /** Prompts for which a map was searched, however often. */
  readonly mapPrompt?: number | undefined
  readonly fileSearch?: number | undefined
  /** Searches of X. */
  readonly socialSearch?: number | undefined
  /** Containers in which code ran, or runs where the answer names none. */
  readonly codeRun?: number | undefined
  /** Pictures that a tool of the provider's made. */
  readonly toolImage?: number | undefined
}

/** Rates for the whole call once its input is larger than `above` tokens; what a band leaves out stays. */
export interface Band extends KindRates {
  readonly above: number
}

/** A class of service. Tokens of kinds that it leaves out cost `factor` times what they do otherwise. */
export interface TierRates extends KindRates {
  /** Default 1. What is charged by the piece is not multiplied. */
  readonly factor?: number | undefined
}

export interface Rates extends KindRates {
  /** USD that one call costs at least. */
  readonly minimum?: number | undefined
  readonly bands?: readonly Band[] | undefined
  /** By the name under which the provider tells it: `batch`, `flex`, `priority`. */
  readonly tiers?: Readonly<Record<string, TierRates>> | undefined
  /** What tokens are multiplied with, by the place that the provider says served the call: `{ us: 1.1 }`. */
  readonly geos?: GeoFactors | undefined
}

export type GeoFactors = Readonly<Record<string, number>>

/** Other rates in a window of every day, UTC; what it leaves out stays. */
export interface HourRates extends KindRates {
  /** `16:30`. A window may run past midnight. */
  readonly from: string
  /** Excluded. */
  readonly to: string
}

/** What the operator says over the listed price. */
export interface PriceOverride extends Rates {
  readonly hours?: readonly HourRates[] | undefined
  /** Share off everything, listed or said here: 0.15 for fifteen per cent. Not off the minimum. */
  readonly discount?: number | undefined
}
