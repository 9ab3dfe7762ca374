/** One format, both directions, pure: no I/O, no policy, no clock but what is passed in. */
import type { ChatCall, WireId } from '../core/call.ts'
import type { GatewayError } from '../core/error.ts'
import type { Event, Finish, Usage } from '../core/event.ts'
import type { FoldedReply } from '../core/fold.ts'
import type { Json, JsonObject } from '../core/json.ts'
import type { Notes } from '../core/notes.ts'
import type { Target } from '../core/target.ts'
import type { Restoration } from './restore.ts'
import type { SseFrame } from './sse.ts'

/** What stands beside the body: the model may be in the path, the version in a header. */
export interface DecodeContext {
  readonly model?: string
  readonly stream?: boolean
  readonly version?: string
}

/** Reads one answer as it arrives. Never throws: what cannot be read becomes an `error` event, after which it is silent. */
export interface ReplyDecoder {
  /** Events of these bytes; any splitting of the bytes gives the same events. */
  push(bytes: Uint8Array): readonly Event[]
  /** The bytes have ended. An answer without its ending becomes an `error` event. */
  end(): readonly Event[]
}

/** Words of the gateway about an answer that a dialect may have room for. */
export interface ReplyContext {
  /** Identifies the answer when the provider gave no id. */
  readonly id: string
  /** The target's model, when the provider names none. */
  readonly model: string
  /** Seconds since 1970. */
  readonly created: number
  /** USD as a decimal string, once known: becomes `usage.cost` where the dialect has room. */
  cost?(): string | undefined
}

/** Writes one streamed answer. Strings are UTF-8 text of whole frames. */
export interface StreamEncoder {
  push(events: readonly Event[]): string
  /** Nothing said so far counts any more, and an answer begins anew within the same message. All parts have ended. */
  restart(): string
  /** Taken up inside something that the events do not know, so that nothing can be added to it: it can only be begun anew. */
  readonly torn?: boolean
}

/** Where a message stands that an encoder is to take up. */
export interface Resume {
  /** The events that it has told, with what is open left open. */
  readonly events: readonly Event[]
  /** The last frames that went out, as they were written. */
  readonly frames: readonly SseFrame[]
}

/**
 * Watches the untouched bytes of a same-wire stream. Knows where frames end, so that only whole frames go out, and reads
 * only what accounting and safety need.
 */
export interface StreamTap {
  /** What may go out now: the same bytes, up to the last whole frame, perhaps without a usage frame nobody asked for. */
  push(bytes: Uint8Array): Uint8Array | undefined
  /** The bytes have ended: the remainder that may go out. `error` is set when the ending is missing. */
  end(): Uint8Array | undefined
  /** True once an event that carries model output (or a natural end) has been seen. */
  readonly started: boolean
  /** True once the stream has said how it ends. */
  readonly finished: boolean
  /** An error the stream itself told, or a missing ending. */
  readonly error: GatewayError | undefined
  /** What it said of itself so far. */
  readonly summary: ReplySummary
}

export interface ReplySummary {
  readonly id?: string
  readonly model?: string
  readonly finish?: Finish
  readonly usage?: Usage
  /** How many events carried model output. */
  readonly outputs: number
  /** Characters of output seen, for an estimate when usage never comes. */
  readonly characters: number
}

export interface TapOptions {
  /** Take usage frames out that the caller did not ask for. */
  readonly hideUsage?: boolean
  /** Largest frame, in bytes. */
  readonly maxEvent?: number
}

export interface EncodedCall {
  /** With `model` where the format has it in the body. */
  readonly body: JsonObject
  /** What the answer needs undone, if anything was said by other means. */
  readonly restore?: Restoration
  /** Headers the format needs beside the credential: a version, a beta. */
  readonly headers?: Readonly<Record<string, string>>
}

export interface Wire {
  readonly id: WireId
  /** Throws GatewayError `invalid-request` with the path. */
  decodeCall(body: JsonObject, context: DecodeContext): ChatCall
  /** Throws `untranslatable` for what cannot be said at all. */
  encodeCall(call: ChatCall, target: Target, notes: Notes): EncodedCall
  /**
   * The body that asks a paused reply (`finish: 'pause'`) to go on, made from the body that was answered; undefined when
   * this wire does not pause.
   */
  continueBody?(body: JsonObject, paused: FoldedReply): JsonObject | undefined
  /** Reads a whole plain answer of this wire. Throws `upstream-invalid` when it has not the wire's shape, or the error it tells. */
  summarize(body: Json, target: Target): ReplySummary
  /** Token counting, where the format has an endpoint for it. */
  readonly count?: {
    /** The count request's body, from an encoded or a client's call body. */
    request(body: JsonObject, target: Target): JsonObject
    /** The number in the answer; undefined when there is none. */
    read(answer: Json): number | undefined
    write(tokens: number): JsonObject
  }
  replyDecoder(options: { streamed: boolean; target: Target; maxEvent?: number }): ReplyDecoder
  encodeReply(reply: FoldedReply, call: ChatCall, context: ReplyContext): JsonObject
  /** With `resume`, one that goes on in the middle of a message which others have written so far. */
  streamEncoder(call: ChatCall, context: ReplyContext, resume?: Resume): StreamEncoder
  /** A sign of life that every client of the dialect tolerates, between two frames. */
  readonly keepAlive: string
  /** Watches a same-wire stream. */
  streamTap(target: Target, options: TapOptions): StreamTap
  /** An error before the first byte, as a whole body in this dialect's envelope. */
  encodeError(error: GatewayError, requestId: string): JsonObject
  /** An error after the first byte, as a frame: no success ending of any kind may follow. */
  encodeStreamError(error: GatewayError, requestId: string): string
  /** What a provider of this wire means by an error answer: status, its words, how long to wait. */
  decodeError(status: number, body: string): ProviderError
}

/** What a provider's error body says, whatever its envelope. */
export interface ProviderError {
  readonly message: string
  readonly code?: string
  /** Where the provider sees the fault. */
  readonly path?: string
  readonly retryAfterMs?: number
}
