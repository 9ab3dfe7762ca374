/**
 * What a client asks, in no vendor's vocabulary. Made by a wire's `decodeCall`, read by routing, policy and the wire
 * that encodes it for a provider. Nothing in it is ever changed after decoding.
 *
 * Every node knows its `path` in the client's body, so that a loss or a fault can name it, and keeps in `extras` the
 * members its decoder did not understand: they return on the wire they came from and are named as dropped elsewhere.
 */
import type { Json, JsonObject } from './json.ts'

export type WireId =
  | 'openai-chat'
  | 'openai-responses'
  | 'anthropic-messages'
  | 'gemini'
  | 'bedrock-converse'
  | 'cohere-chat'
  | 'ollama-chat'

export interface Node {
  readonly path: string
  /** Members the decoder had no meaning for, by their own name. */
  readonly extras?: JsonObject
  /** Why a member of `extras` is named as lost elsewhere, where more can be said than that it is not known there. */
  readonly why?: Readonly<Record<string, string>>
  /** Bookkeeping of the wire it came from (item ids, states): goes back there, and is no loss elsewhere. */
  readonly own?: JsonObject
}

/** A mark after which the provider may cache the prompt. `ttl` as the client wrote it (`5m`, `1h`, `30m`, `12h`). */
export interface CacheMark {
  readonly path: string
  readonly ttl?: string
}

/** State that only one vendor can read: a signature or encrypted reasoning. */
export interface Sealed {
  readonly vendor: 'anthropic' | 'google' | 'openai' | 'openrouter' | 'bedrock'
  readonly kind: 'signature' | 'redacted' | 'encrypted' | 'thought-signature' | 'details'
  readonly value: string
  /** The vendor's id of the item it belongs to, where the vendor wants it back (`rs_…`). */
  readonly id?: string
}

interface PartBase extends Node {
  readonly cache?: CacheMark
  /** Vendor state that travels with this part (Gemini puts signatures on any part). */
  readonly sealed?: readonly Sealed[]
}

export interface TextPart extends PartBase {
  readonly type: 'text'
  readonly text: string
}
export interface RefusalPart extends PartBase {
  readonly type: 'refusal'
  readonly text: string
}

export type MediaSource =
  | { readonly type: 'base64'; readonly data: string; readonly mime: string }
  | { readonly type: 'text'; readonly text: string; readonly mime: string }
  | { readonly type: 'url'; readonly url: string; readonly mime?: string }
  | { readonly type: 'file'; readonly id: string; readonly mime?: string }

export type MediaKind = 'image' | 'document' | 'audio' | 'video'

export interface MediaPart extends PartBase {
  readonly type: 'media'
  readonly kind: MediaKind
  readonly source: MediaSource
  /** File name or title. */
  readonly name?: string
  /** How closely to look at a picture: `low`, `high`, `auto`, `original`. */
  readonly detail?: string
}

/** Thinking of the model. `text` may be empty when only sealed state is left of it. */
export interface ReasoningPart extends PartBase {
  readonly type: 'reasoning'
  readonly text: string
  /** True when the text is a summary, not the thinking itself. */
  readonly summary?: boolean
}

export interface ToolCallPart extends PartBase {
  readonly type: 'tool-call'
  readonly id: string
  readonly name: string
  /** Responses groups tools in namespaces. */
  readonly namespace?: string
  /** JSON text as the model wrote it, which may be broken; for a freeform tool the bare input. */
  readonly arguments: string
  readonly freeform?: boolean
}

export interface ToolResultPart extends PartBase {
  readonly type: 'tool-result'
  /** The call it answers. Empty when the client gave none (Gemini): then `name` and order tell. */
  readonly id: string
  readonly name?: string
  readonly content: readonly Part[]
  /** The result as an object, where the client's wire has objects for results (Gemini). `content` then holds only media. */
  readonly json?: JsonObject
  readonly isError?: boolean
}

/** An item that only its own vendor knows: calls and results of the vendor's own tools, references to stored things. */
export interface ForeignPart extends PartBase {
  readonly type: 'foreign'
  readonly wire: WireId
  /** The vendor's name for it: `web_search_call`, `server_tool_use`, `executableCode`. */
  readonly kind: string
  readonly value: Json
}

export type Part = TextPart | RefusalPart | MediaPart | ReasoningPart | ToolCallPart | ToolResultPart | ForeignPart

/** One turn. Tool results are parts of user turns. Turns of one role may follow each other; encoders merge where they must. */
export interface Message extends Node {
  readonly role: 'system' | 'user' | 'assistant'
  readonly parts: readonly Part[]
  /** The participant's name (Chat). */
  readonly name?: string
}

export interface FunctionTool extends Node {
  readonly type: 'function'
  readonly name: string
  readonly namespace?: string
  readonly description?: string
  /** JSON Schema; absent when the client gave none. */
  readonly schema?: JsonObject
  readonly strict?: boolean
  readonly cache?: CacheMark
}
/** A tool whose input is free text, perhaps bound by a grammar. */
export interface FreeformTool extends Node {
  readonly type: 'freeform'
  readonly name: string
  readonly namespace?: string
  readonly description?: string
  /** The client's format object: `{ type: 'text' }` or `{ type: 'grammar', syntax, definition }`. */
  readonly format?: JsonObject
  readonly cache?: CacheMark
}
/** A tool that the vendor runs itself, in that vendor's own words. */
export interface HostedTool extends Node {
  readonly type: 'hosted'
  readonly wire: WireId
  /** The vendor's name: `web_search`, `web_search_20250305`, `googleSearch`. */
  readonly kind: string
  /** What all vendors call the same, where there is such a thing. */
  readonly family?: 'web-search' | 'code' | 'url' | 'mcp' | 'file-search'
  readonly name?: string
  readonly value: Json
}
export type Tool = FunctionTool | FreeformTool | HostedTool

export type ToolChoice =
  | { readonly type: 'auto' | 'none' | 'required'; readonly path: string }
  | { readonly type: 'named'; readonly name: string; readonly path: string }
  | { readonly type: 'allowed'; readonly names: readonly string[]; readonly required: boolean; readonly path: string }
  | { readonly type: 'hosted'; readonly wire: WireId; readonly value: Json; readonly path: string }

export type Format =
  | { readonly type: 'text' | 'json'; readonly path: string }
  | {
      readonly type: 'schema'
      readonly path: string
      readonly schema: JsonObject
      readonly name?: string
      readonly description?: string
      readonly strict?: boolean
    }

export type Effort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max'

/** How much thinking is wished for. All absent: the model's own default. */
export interface ReasoningWish {
  readonly path: string
  /** False turns thinking off, true on without saying how much. */
  readonly on?: boolean
  readonly effort?: Effort
  /** Thinking tokens. −1 lets the model choose (Gemini). */
  readonly budget?: number
  /** The client wants to see it. */
  readonly visible?: boolean
  /** Anthropic's kind of thinking switch, kept for its own wire: `adaptive`, `enabled`, `disabled`, `between_tools`. */
  readonly mode?: string
  readonly extras?: JsonObject
  /** How exactly the wire it came from said it, where that is no loss elsewhere. */
  readonly own?: JsonObject
}

/**
 * Single values, by canonical name. Encoders take what their wire has (`settingsOf`); what nobody took is named as
 * dropped, so a forgotten field cannot vanish in silence.
 */
export interface Settings {
  readonly maxTokens?: number
  readonly temperature?: number
  readonly topP?: number
  readonly topK?: number
  readonly stop?: readonly string[]
  readonly seed?: number
  readonly presencePenalty?: number
  readonly frequencyPenalty?: number
  readonly logitBias?: JsonObject
  readonly logprobs?: boolean
  readonly topLogprobs?: number
  readonly n?: number
  /** The end user's id, for abuse detection. */
  readonly user?: string
  /** `auto`, `default`, `flex`, `priority`, `scale`, `fast` … */
  readonly serviceTier?: string
  readonly metadata?: JsonObject
  readonly store?: boolean
  readonly parallelTools?: boolean
  readonly verbosity?: string
  readonly promptCacheKey?: string
  readonly modalities?: readonly string[]
}
export type SettingName = keyof Settings

export interface ChatCall extends Node {
  readonly op: 'chat'
  /** The wire it was decoded from. */
  readonly wire: WireId
  /** As the client named it: a route, or `provider/model`. */
  readonly model: string
  readonly stream: boolean
  /** A Chat client asked for the usage chunk. */
  readonly streamUsage?: boolean
  readonly messages: readonly Message[]
  readonly tools: readonly Tool[]
  readonly toolChoice?: ToolChoice
  readonly format?: Format
  readonly reasoning?: ReasoningWish
  readonly settings: Settings
  /** Where each setting stood in the client's body. */
  readonly paths: { readonly [Name in SettingName]?: string }
  /** A wish to cache the whole prompt automatically (Anthropic's top-level mark). */
  readonly cache?: CacheMark
  /** The client asked for sealed reasoning in the answer (Responses `include`). */
  readonly wantsSealed?: boolean
  /** The client's API version, where its dialect has several (`anthropic-version`). */
  readonly version?: string
}

/** Count the tokens of this chat call without answering it. */
export interface CountCall {
  readonly op: 'count'
  readonly chat: ChatCall
}

export type Call = ChatCall | CountCall
