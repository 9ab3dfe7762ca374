/**
 * Classes of service: what providers take for tokens of a call that waits (`batch`, `flex`) or goes first (`priority`),
 * as a multiple of the listed rate, and what they take for a place. Own rates in a price stand over these.
 */
import type { GeoFactors } from '../core/rates.ts'

export interface TierFactor {
  readonly factor: number
  /** It differs between the provider's models: what is worked out with it is an estimate. */
  readonly about?: boolean
}
export type TierFactors = Readonly<Record<string, TierFactor>>

const half: TierFactor = { factor: 0.5 }

/** By the catalogue's provider id. */
const FACTORS: Readonly<Record<string, TierFactors>> = {
  'amazon-bedrock': { batch: half, flex: half, priority: { factor: 1.75, about: true } },
  anthropic: { batch: half, fast: { factor: 6, about: true } },
  azure: { batch: half },
  'fireworks-ai': { batch: half },
  google: { batch: half, flex: half, priority: { factor: 1.8, about: true } },
  'google-vertex': { batch: half, flex: half, priority: { factor: 1.8, about: true } },
  'google-vertex-anthropic': { batch: half },
  groq: { batch: half, flex: { factor: 1 } },
  mistral: { batch: half },
  openai: { batch: half, flex: half, priority: { factor: 2, about: true } },
  togetherai: { batch: half },
  xai: { batch: half },
}

export const tierFactorsOf = (provider: string): TierFactors | undefined =>
  Object.hasOwn(FACTORS, provider) ? FACTORS[provider] : undefined

/** Anthropic takes a tenth more for all tokens of a call that must stay in the US, with the models that can be asked to. */
const GEOS: Readonly<Record<string, GeoFactors>> = { anthropic: { us: 1.1 } }

export const geoFactorsOf = (provider: string): GeoFactors | undefined => (Object.hasOwn(GEOS, provider) ? GEOS[provider] : undefined)

/** Names under which providers say that nothing is special. */
const STANDARD: ReadonlySet<string> = new Set(['', 'default', 'standard', 'auto', 'on_demand', 'standard_only', 'not_available'])

/** The class in one spelling; undefined for the usual one. */
export function tierNameOf(said: string | undefined): string | undefined {
  if (said === undefined) return undefined
  const name = said.toLowerCase().replace(/^service_tier_/, '')
  return STANDARD.has(name) ? undefined : name
}
