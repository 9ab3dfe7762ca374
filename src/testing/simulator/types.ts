/** What the simulator reads out of a request, what it decides to answer, and how a wire shows that answer. */
import type { Headers, HttpRequest } from '../../core/http.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import type { Simulation } from './simulation.ts'

export type SimulatedWireId = 'openai-chat' | 'openai-responses' | 'anthropic-messages' | 'gemini'

export interface SimulatedTool {
  readonly name: string
  readonly schema: Json | undefined
  /** Takes bare text instead of JSON arguments. */
  readonly freeform?: boolean
}

export interface SimulatedResult {
  readonly name: string | undefined
  readonly text: string
  readonly isError: boolean
}

/** One request as the simulator understood it. */
export interface Ask {
  readonly model: string
  readonly stream: boolean
  /** System prompt and developer messages. */
  readonly instructions: string
  /** The last text a user wrote. */
  readonly lastText: string
  /** What hangs on the last user turn besides text, in words: `image image/png, 70 bytes`. */
  readonly attachments: readonly string[]
  /** Tool results that follow the assistant's last turn. */
  readonly results: readonly SimulatedResult[]
  readonly tools: readonly SimulatedTool[]
  readonly choice: 'auto' | 'none' | 'required' | { readonly name: string }
  readonly parallel: boolean
  /** Structured output: the schema, or `true` for any JSON object. */
  readonly schema: Json | undefined
  /** The client wants to see thinking; `sealed` also wants the state it can hand back. */
  readonly reasoning: { readonly shown: boolean; readonly sealed: boolean } | undefined
  readonly maxTokens: number | undefined
  readonly stop: readonly string[]
  /** One text per message, system first: what tokens and repeated prefixes are counted on. */
  readonly prompt: readonly string[]
  /** Reasoning state of this simulator that came back unharmed. */
  readonly seals: number
  /** Marks after which the prompt may be cached. Undefined where caching needs no marks. */
  readonly cacheMarks: number | undefined
  /** This request asks a paused answer to go on. */
  readonly continues: boolean
  /** How many answers are wanted. */
  readonly copies: number
}

export type Piece =
  | { readonly type: 'reasoning'; readonly text: string; readonly seal: string | undefined }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'refusal'; readonly text: string }
  | { readonly type: 'call'; readonly id: string; readonly name: string; readonly arguments: string; readonly freeform: boolean }

export interface Answer {
  /** Letters and digits, unlike any other answer's. */
  readonly id: string
  /** Seconds since 1970. */
  readonly created: number
  readonly pieces: readonly Piece[]
  readonly finish: 'stop' | 'stop-sequence' | 'length' | 'calls' | 'filter' | 'refusal' | 'pause'
  readonly stopSequence?: string
  readonly usage: SimulatedUsage
}

/** Tokens. `input` includes `cached` and `written`, `output` includes `reasoning`. */
export interface SimulatedUsage {
  readonly input: number
  readonly cached: number
  readonly written: number
  readonly output: number
  readonly reasoning: number
}

/** One piece of a streamed body. A fault strikes between frames: after some of `output`, and always before `close`. */
export interface Frame {
  readonly kind: 'open' | 'output' | 'close'
  readonly text: string
}

export interface ErrorDetails {
  readonly status: number
  readonly message: string
  readonly path?: string
  readonly code?: string
  /** Goes into the body where the vendor has a place for it there (Gemini). */
  readonly retryAfterMs?: number
}

/** One vendor's format, written by hand from its documentation and SDK types. */
export interface SimulatedWire {
  readonly id: SimulatedWireId
  /** Throws SimulatedRejection for what the vendor refuses. */
  read(body: JsonObject, request: HttpRequest): Ask
  plain(answer: Answer, ask: Ask, body: JsonObject): JsonObject
  stream(answer: Answer, ask: Ask, body: JsonObject, request: HttpRequest): Iterable<Frame>
  streamType(request: HttpRequest): string
  count(tokens: number): JsonObject
  error(details: ErrorDetails): JsonObject
  errorFrame(details: ErrorDetails): string
}

/** A request the vendor would refuse. */
export class SimulatedRejection extends Error {
  readonly details: ErrorDetails
  constructor(message: string, path?: string, { status = 400, code }: { status?: number; code?: string } = {}) {
    super(message)
    this.name = 'SimulatedRejection'
    this.details = { status, message, ...(path === undefined ? {} : { path }), ...(code === undefined ? {} : { code }) }
  }
}

/** What was sent to the simulator and what became of it. */
export interface SimulatedCall {
  readonly wire: SimulatedWireId | undefined
  readonly operation: 'answer' | 'count' | 'models' | 'other'
  readonly request: HttpRequest
  /** The parsed body; undefined when it was not JSON. */
  readonly body: Json | undefined
  readonly ask: Ask | undefined
  readonly simulation: Simulation
  readonly status: number
  /** `aborted`: the caller left before the end. `faulted`: the simulator broke it off, as asked. */
  readonly ended: 'finished' | 'aborted' | 'faulted' | undefined
}

export interface SimulatedReply {
  readonly status: number
  readonly headers: Headers
  readonly body: Uint8Array | AsyncIterable<Uint8Array>
}
