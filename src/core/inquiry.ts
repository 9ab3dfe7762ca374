/** One client request on its way: what was asked, decoded only when a target needs it in another wire. */
import type { ChatCall, WireId } from './call.ts'
import type { Headers } from './http.ts'
import type { JsonObject } from './json.ts'
import type { Scan } from './members.ts'
import type { Drop } from './notes.ts'
import type { Target } from './target.ts'

export interface SteeredMembers {
  /** Kept from targets that do not read them themselves. */
  readonly fields: readonly string[]
  /** Kept from every target: they hold names that only this gateway knows. */
  readonly ours: readonly string[]
  /** `metadata` holds a list of tags, where some vendors take text only. */
  readonly taggedMetadata: boolean
}

export interface Inquiry {
  /** The caller's dialect. */
  readonly wire: WireId
  readonly op: 'chat' | 'count'
  /** As the client named it. */
  readonly model: string
  readonly streamed: boolean
  readonly json: JsonObject
  /** The client's own text, and where its top-level members stand. */
  readonly text: string
  readonly scan: Scan
  readonly headers: Readonly<Headers>
  /** Whose memory of earlier answers this call may use: a digest of the caller's credential, never the credential. */
  scope(): string
  /** Query of the client's URL without its credential. */
  readonly query: string
  /** A loss in translation is an error. */
  readonly strict: boolean
  /** The caller wants the cost in the body, even where that changes the provider's bytes. */
  readonly inlineCost: boolean
  /** Members by which it steered this gateway in another one's words. */
  readonly steered?: SteeredMembers
  /** Decoded on first use. Throws `invalid-request`. */
  call(): ChatCall
  /**
   * The call in other words for each target, where an answer is carried on from what another target began. Such a call is
   * always written anew and its answer read as events. Throws `untranslatable` where this target cannot carry it on.
   */
  readonly callFor?: (target: Target) => ChatCall
  /** What the decoded call cannot hold as the text says it; known once it is decoded. */
  readonly rounded: readonly Drop[]
}
