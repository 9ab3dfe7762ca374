/** What the catalogue knows of providers and models. */
import type { Effort, WireId } from '../core/call.ts'
import type { Quirks } from '../core/target.ts'

/** How the credential is sent: the header's name, and what stands before the key in it. */
export interface Auth {
  readonly header: string
  readonly prefix?: string
}

export interface ProviderEntry {
  readonly id: string
  readonly name: string
  /** For the first wire. What precedes `/chat/completions`, `/responses`, `/messages`, `/models`; `${VAR}` comes from the environment. */
  readonly baseUrl?: string
  /** Where another wire of this provider has a base URL of its own. */
  readonly baseUrls?: Readonly<Partial<Record<WireId, string>>>
  /** Preferred first. */
  readonly wires: readonly WireId[]
  readonly auth: Auth
  /** Environment variables that the vendor's own tools read, the key among them. */
  readonly env: readonly string[]
  readonly doc?: string
  readonly quirks: Readonly<Partial<Record<WireId, Quirks>>>
  /** Fixed headers that this host wants. */
  readonly headers?: Readonly<Record<string, string>>
  /** Runs beside the gateway: needs no key. */
  readonly local?: boolean
  /** What keeps this provider from being called as it stands: a sentence for `check` and `models`. */
  readonly limitation?: string
  /** Generic presets (`openai-compatible` …) name a dialect, not a company. */
  readonly generic?: boolean
}

/** Prices in USD per million tokens, but for `request` and `webSearch`: per thousand. */
export interface PriceFacts {
  readonly input?: number
  readonly output?: number
  readonly cacheRead?: number
  readonly cacheWrite?: number
  readonly cacheWrite1h?: number
  readonly reasoning?: number
  readonly inputAudio?: number
  readonly outputAudio?: number
  readonly inputImage?: number
  readonly outputImage?: number
  readonly request?: number
  readonly webSearch?: number
  /** Dearer (or cheaper) rates for the whole call once its input is larger than `above` tokens. */
  readonly bands?: readonly ({ readonly above: number } & Omit<PriceFacts, 'bands'>)[]
}

export interface ModelEntry {
  readonly id: string
  readonly provider: string
  readonly name: string
  readonly family?: string
  readonly inputModalities: readonly string[]
  readonly outputModalities: readonly string[]
  readonly contextWindow?: number
  /** Where input alone has a limit of its own. */
  readonly maxInput?: number
  readonly maxOutput?: number
  readonly tools?: boolean
  readonly reasoning?: boolean
  readonly jsonSchema?: boolean
  readonly sampling?: boolean
  readonly openWeights?: boolean
  /** Thinking can be switched off and on. */
  readonly reasoningToggle?: boolean
  /** Empty: it thinks, but takes no level. */
  readonly efforts?: readonly Effort[]
  readonly thinkingBudget?: { readonly min?: number; readonly max?: number }
  /** The field in which past thinking goes back to this model. */
  readonly reasoningField?: string
  readonly price?: PriceFacts
  /** ISO dates. */
  readonly released?: string
  readonly deprecated?: string
  readonly shutdown?: string
  readonly status: 'active' | 'alpha' | 'beta' | 'deprecated' | 'retired'
  /** Other names that reach it at this provider. */
  readonly aliases: readonly string[]
  /** Where this model is not spoken to in its provider's usual way. */
  readonly wires?: readonly WireId[]
  readonly baseUrl?: string
}

export interface ModelFilters {
  readonly provider?: string
  readonly tools?: boolean
  readonly reasoning?: boolean
  readonly jsonSchema?: boolean
  /** An input modality: `image`, `pdf`, `audio`, `video`. */
  readonly input?: string
  readonly output?: string
  /** Smallest context window, in tokens. */
  readonly context?: number
  /** Dearest input price, USD per million tokens; models without a price are left out. */
  readonly maxInputPrice?: number
  /** Also those that are deprecated or retired. Default true. */
  readonly deprecated?: boolean
  readonly limit?: number
}
