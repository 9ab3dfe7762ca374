/** What a streamed answer has begun and not yet ended. */
import type { Sealed } from '../../core/call.ts'
import type { Logprob, PartKind } from '../../core/event.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import type { CallItem } from './output-items.ts'

/** An output item that is being told. */
export interface OpenItem {
  readonly id: string
  readonly place: number
  /** Message items only: what their parts became, and how many are still open. */
  readonly phase?: string
  readonly from?: string
  readonly content: (Json | undefined)[]
  open: number
  /** Nothing more joins it: it is done when its last part ends. */
  closing: boolean
}

/** An item that others began, as they added it. */
export interface LooseItem {
  readonly item: OpenItem
  readonly type: string
  readonly json: JsonObject | undefined
}

/** A part of the reply that is being told. */
export interface OpenPart {
  readonly kind: PartKind
  readonly item: OpenItem
  /** Everything of a delta frame up to the text, and between the text and the number. */
  readonly prefix: string
  readonly suffix: string
  /** The members that place an event of this part. */
  readonly at: string
  readonly slot: number
  readonly summary: boolean
  readonly call?: CallItem
  text: string
  readonly sealed: Sealed[]
  readonly annotations: JsonObject[]
  readonly logprobs: Logprob[]
}
