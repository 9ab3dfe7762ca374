/** One part of a streamed answer while it is written. */
import type { Sealed } from '../../core/call.ts'
import type { Citation, PartStart } from '../../core/event.ts'
import { isObject, type JsonObject, parseJson } from '../../core/json.ts'
import { thinkingOf } from './sealing.ts'
import { closingOf } from './tool-input.ts'

export interface PartState {
  readonly kind: 'text' | 'reasoning' | 'tool-call' | 'block'
  readonly start?: PartStart
  /** A block that is passed on as it is. */
  readonly block?: JsonObject
  /** What came while another part was being written. */
  readonly held: string[]
  readonly citations: Citation[]
  readonly sealed: Sealed[]
  /** A call's arguments so far. */
  arguments: string
  /** True when a call's arguments go out as they come: they begin like an object. */
  live: boolean
  /** How every delta of the open block begins. */
  prefix: string
  opened: boolean
  ended: boolean
}

export const newPart = (kind: PartState['kind'], start?: PartStart, block?: JsonObject): PartState => ({
  kind,
  start,
  block,
  held: [],
  citations: [],
  sealed: [],
  arguments: '',
  live: false,
  prefix: '',
  opened: false,
  ended: false,
})

/** Seals alone: one whole block. */
export function sealOf(sealed: readonly Sealed[]): PartState {
  const block = thinkingOf('', sealed) ?? {}
  if (block['type'] === 'redacted_thinking') return newPart('block', undefined, block)
  const part = newPart('reasoning')
  part.sealed.push(...sealed)
  part.ended = true
  return part
}

/** What makes arguments that were cut short an object again. */
export const endingOf = (text: string): string => (isObject(parseJson(text)) ? '' : (closingOf(text) ?? ''))
