/**
 * What comes back, in no vendor's vocabulary: a list of events. A plain answer is the same list, folded
 * (`core/fold.ts`). Parts have an index of their own and may interleave; a part ends before the reply does.
 */
import type { ForeignPart, MediaPart, Sealed } from './call.ts'
import type { GatewayError } from './error.ts'
import type { Json } from './json.ts'

/**
 * Tokens of one reply. Unknown is undefined, never zero. `input` and `output` are totals: input includes what was read
 * from and written to a cache, output includes reasoning.
 */
export interface Usage {
  readonly input?: number
  readonly output?: number
  readonly cacheRead?: number
  /** All tokens written to a cache; `cacheWrite1h` is the part of them that is kept for an hour or longer. */
  readonly cacheWrite?: number
  readonly cacheWrite1h?: number
  readonly reasoning?: number
  readonly inputAudio?: number
  readonly outputAudio?: number
  readonly inputImage?: number
  readonly outputImage?: number
  /** Searches of the web, or of maps: as many queries as were sent, where the provider tells them. */
  readonly webSearches?: number
  /** Prompts for which the web was searched, or a map, however often: what Google bills for its older models. */
  readonly searchPrompts?: number
  readonly mapPrompts?: number
  /** Searches of files that the provider keeps. */
  readonly fileSearches?: number
  /** Searches of X. */
  readonly socialSearches?: number
  /** Containers in which the provider ran code; runs, where the answer names no container. */
  readonly codeRuns?: number
  /** Pictures that a tool of the provider's made. */
  readonly toolImages?: number
  /** True when the gateway estimated what the provider did not say. */
  readonly estimated?: boolean
  /** What the provider itself says the call cost, in USD (OpenRouter, Perplexity). */
  readonly providerCost?: number
  /** The tier that served it, as the provider names it. */
  readonly serviceTier?: string
  /** Where in the world it was served, as the provider names it, where that may change its price. */
  readonly geo?: string
}

export type Finish =
  | 'stop'
  | 'stop-sequence'
  | 'length'
  | 'tool-calls'
  /** The provider's own filter, or the model's refusal. */
  | 'filter'
  /** The provider wants to be asked to go on (`pause_turn`, `CONTINUATION`). */
  | 'pause'
  | 'other'

/** A source the text leans on. `raw` is the vendor's own form, for the wire it came from. */
export interface Citation {
  readonly url?: string
  readonly title?: string
  /** Character range in the part's text, where the vendor gives one. */
  readonly start?: number
  readonly end?: number
  readonly quote?: string
  readonly raw?: Json
}

/** One token with its log probability, in Chat's shape (`token`, `logprob`, `bytes`, `top_logprobs`). */
export type Logprob = Json

export type PartKind = 'text' | 'refusal' | 'reasoning' | 'tool-call'

export interface ReplyStart {
  readonly type: 'reply-start'
  readonly id?: string
  readonly model?: string
  /** Seconds since 1970. */
  readonly created?: number
  /** What the provider says of its input at the start (Anthropic). */
  readonly usage?: Usage
}
export interface PartStart {
  readonly type: 'part-start'
  readonly index: number
  readonly kind: PartKind
  /** The call's id; an empty one is filled in by the encoder. On other parts the item's id, for the wire it came from. */
  readonly id?: string
  /** What the text is to the answer, where the provider says (`commentary`, `final_answer`). */
  readonly phase?: string
  readonly name?: string
  readonly namespace?: string
  readonly freeform?: boolean
  /** Reasoning only: the text is a summary. */
  readonly summary?: boolean
}
/** More text of a part: words, thinking, refusal, or a tool call's argument text. */
export interface TextDelta {
  readonly type: 'text-delta'
  readonly index: number
  readonly text: string
}
/** Vendor state of a part; it may come at any time before the part's end. */
export interface PartSealed {
  readonly type: 'part-sealed'
  readonly index: number
  readonly sealed: Sealed
}
export interface PartCitation {
  readonly type: 'part-citation'
  readonly index: number
  readonly citation: Citation
}
export interface PartLogprobs {
  readonly type: 'part-logprobs'
  readonly index: number
  readonly logprobs: readonly Logprob[]
}
export interface PartEnd {
  readonly type: 'part-end'
  readonly index: number
}
/** A part that comes in one piece: a picture, sound, or an item of the vendor's own. */
export interface PartWhole {
  readonly type: 'part-whole'
  readonly index: number
  readonly part: MediaPart | ForeignPart
}
/** Usage so far. Cumulative: each one replaces what the last one said, member by member. */
export interface UsageSeen {
  readonly type: 'usage'
  readonly usage: Usage
}
export interface ReplyEnd {
  readonly type: 'reply-end'
  readonly finish: Finish
  /** The provider's own word. */
  readonly raw?: string
  readonly stopSequence?: string
  /** Why it was filtered or refused, in the provider's words. */
  readonly explanation?: string
  /** Provider state with which a paused reply is continued. */
  readonly continuation?: Json
}
/** The reply broke off. Nothing follows, and nothing of it may look like success. */
export interface ReplyError {
  readonly type: 'error'
  readonly error: GatewayError
}

export type Event =
  | ReplyStart
  | PartStart
  | TextDelta
  | PartSealed
  | PartCitation
  | PartLogprobs
  | PartEnd
  | PartWhole
  | UsageSeen
  | ReplyEnd
  | ReplyError

/** The later statement wins, member by member. */
export function mergeUsage(earlier: Usage | undefined, later: Usage | undefined): Usage | undefined {
  if (!earlier || !later) return later ?? earlier
  const merged: Record<string, unknown> = { ...earlier }
  for (const [name, value] of Object.entries(later)) if (value !== undefined) merged[name] = value
  return merged as Usage
}

/** What two replies used together. A count that only one of them tells is its own; what a provider says it cost needs both. */
export function sumUsage(one: Usage | undefined, other: Usage | undefined): Usage | undefined {
  if (!one || !other) return one ?? other
  const sum: Record<string, unknown> = { ...one, ...other }
  for (const [name, value] of Object.entries(other)) {
    const before = (one as Record<string, unknown>)[name]
    if (typeof value === 'number' && typeof before === 'number') sum[name] = value + before
    else if (value === undefined) sum[name] = before
  }
  if (one.providerCost === undefined || other.providerCost === undefined) delete sum['providerCost']
  if (one.estimated || other.estimated) sum['estimated'] = true
  return sum as Usage
}
