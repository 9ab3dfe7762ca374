/** Where a call may go: a provider, a model there, and what is known of both. Made by config and catalogue. */
import type { Effort, WireId } from './call.ts'
import type { Constraints } from './constraints.ts'
import type { JsonObject } from './json.ts'
import type { PriceOverride } from './rates.ts'
import type { Retention } from './steering.ts'

/**
 * What a model takes. Undefined means that nobody knows: then it is assumed capable, and what the client asked for is
 * sent as it is.
 */
export interface Capabilities {
  readonly contextWindow?: number
  readonly maxOutput?: number
  readonly inputModalities?: readonly string[]
  readonly outputModalities?: readonly string[]
  readonly tools?: boolean
  /** False: a forced tool choice is answered with 400 (`any`, `tool`, `required`). */
  readonly forcedToolChoice?: boolean
  /** Structured output by JSON Schema, natively. */
  readonly jsonSchema?: boolean
  /** Structured output together with tools. */
  readonly jsonSchemaWithTools?: boolean
  readonly reasoning?: boolean
  /** Levels the model knows, from least to most. Empty: it thinks, but takes no level. */
  readonly efforts?: readonly Effort[]
  /** Thinking is asked for by a budget of tokens, within these bounds. */
  readonly thinkingBudget?: { readonly min: number; readonly max: number }
  /** Anthropic's thinking switches that the model takes: `adaptive`, `enabled`, `disabled`, `between_tools`. */
  readonly thinkingModes?: readonly string[]
  /** False: temperature, top_p and top_k are refused. */
  readonly sampling?: boolean
  /** True: where `sampling` is false, it is taken all the same while thinking is off (effort `none`). */
  readonly samplingWithoutReasoning?: boolean
  /** Single settings the model or host refuses, by canonical name. */
  readonly refuses?: readonly string[]
  /** False: a conversation may not end with the assistant's turn. */
  readonly prefill?: boolean
  /** False: `system` messages in mid-conversation are refused. */
  readonly midSystem?: boolean
  /** False: the system prompt has no place of its own (Gemma): it goes into the first user turn. */
  readonly systemPrompt?: boolean
  /** The instructions' role is `developer` (OpenAI's reasoning models). */
  readonly developerRole?: boolean
  /** Gemini 3 and later refuse function calls without a thought signature. */
  readonly needsThoughtSignature?: boolean
  /** Pictures inside tool results. */
  readonly toolResultMedia?: boolean
}

/**
 * How a host departs from its wire. Data, so that a compatible provider needs no code. Only the openai-chat wire reads
 * most of it.
 */
export interface Quirks {
  /** Names of request fields this host uses instead: `{ max_completion_tokens: 'max_tokens' }`. */
  readonly rename?: Readonly<Record<string, string>>
  /** Request fields this host refuses. */
  readonly refuses?: readonly string[]
  /** The name under which assistant turns carry thinking back: `reasoning_content`, `reasoning`. Undefined: not at all. */
  readonly reasoningField?: string
  /** Assistant turns must carry the reasoning field even when empty (DeepSeek). */
  readonly reasoningRequired?: boolean
  /** How thinking is switched: the host's own request shape. */
  readonly reasoningStyle?: 'effort' | 'thinking-type' | 'enable-thinking' | 'openrouter' | 'none'
  /** Effort levels this host knows under other names: `{ minimal: 'low', xhigh: 'max' }`. */
  readonly efforts?: Readonly<Record<string, string>>
  /** `required` is spelt otherwise (`any` at Mistral). */
  readonly toolChoiceRequired?: string
  /** Tool call ids must have exactly this many letters and digits. */
  readonly toolIdLength?: number
  /** `image_url` is a bare string (Mistral). */
  readonly imageUrlString?: boolean
  /** Structured output by schema is not known; `json_object` is. */
  readonly noJsonSchema?: boolean
  /** Cache marks on parts are understood (`cache_control`). */
  readonly cacheControl?: boolean
  /** Usage comes in streams without being asked for, and asking is refused. */
  readonly noStreamOptions?: boolean
  /** Reasoning tokens are not part of completion_tokens (Perplexity). */
  readonly reasoningOutsideOutput?: boolean
  /** A wish for the last assistant turn to be continued needs this flag on it (Mistral, DeepSeek): `prefix`. */
  readonly prefixFlag?: string
  /** The name of the end user's id. */
  readonly userField?: string
  /** The host takes fields of this wire's extended family as they are (`top_k`, `min_p` …). */
  readonly takes?: readonly string[]
}

export interface Target {
  /** The provider's id in the config. */
  readonly provider: string
  /** The model's name there. */
  readonly model: string
  readonly wire: WireId
  readonly capabilities: Capabilities
  readonly quirks: Quirks
  /** Fields set in every request body to this target, last of all (A6). */
  readonly body?: JsonObject
}

/** Milliseconds, all filled in. */
export interface Timeouts {
  /** Until the connection stands. */
  readonly connectMs: number
  /** Until the first model event of a stream. */
  readonly firstTokenMs: number
  /** Between events that carry model output. */
  readonly idleMs: number
  /** One attempt at a plain answer, whole. */
  readonly answerMs: number
  /** The call with all its attempts. */
  readonly totalMs: number
  /** So long a stream that has begun is held back, so that another target may still take over. Absent: not at all. */
  readonly holdMs?: number
  /** Pieces of output that must come meanwhile. */
  readonly holdEvents?: number
}

/** What a condition may ask about. */
export interface ConditionFacts {
  readonly request: Readonly<Record<string, unknown>>
  readonly key: Readonly<Record<string, unknown>>
  readonly metadata: Readonly<Record<string, unknown>>
  readonly labels: Readonly<Record<string, unknown>>
  readonly tags: readonly string[]
}

/** One place a route may send a call to. Strategies order these; a wire is chosen when it is called. */
export interface Candidate {
  readonly provider: string
  readonly model: string
  /** Wires the provider speaks for this model, preferred first. Never empty. */
  readonly wires: readonly WireId[]
  readonly weight: number
  readonly region?: string
  readonly trust?: string
  readonly price?: PriceOverride
  readonly timeouts: Timeouts
  /** Attempts here, the first included. */
  readonly attempts: number
  /** When its provider's own policy refuses a call, the next one is tried. */
  readonly lenient?: boolean
  /** What is remembered of it: `load` leaves its faults out. Default: everything. */
  readonly memory?: 'none' | 'load'
  readonly headers?: Readonly<Record<string, string>>
  /** How the provider treats what it is sent; undefined where the operator did not say. */
  readonly retention?: Retention
  /** Of the route it comes from, where another one was asked for. */
  readonly constraints?: Constraints
  /** ISO date on which the provider switches the model off. */
  readonly shutdown?: string
  /** The class of service whose route it belongs to. */
  readonly tier?: string
  /** Other gateways' fields (`models`, `provider` …) mean something to this host, or may: they are left in the body. */
  readonly takesSteering?: boolean
  /** The operator's condition; false leaves it out of this call. Never throws. */
  readonly when?: (facts: ConditionFacts) => boolean
  /** The same place, seen through one of its wires. */
  on(wire: WireId): Target
}

/** The caller's own wire where the candidate speaks it, else its preferred one. */
export const wireFor = (candidate: Candidate, callers: WireId): WireId =>
  candidate.wires.includes(callers) ? callers : (candidate.wires[0] ?? callers)
