/** Content blocks of an answer as parts: each begins, grows and ends. */
import type { Sealed } from '../../core/call.ts'
import type { Event } from '../../core/event.ts'
import { arrayOf, isObject, type Json, type JsonObject, parseJson, stringOf } from '../../core/json.ts'
import { citationOf } from './citations.ts'
import { WIRE } from './decode-content.ts'

interface OpenBlock {
  /** The part's index. */
  readonly part: number
  readonly block: JsonObject
  signature: string
  /** A call's arguments have come in pieces. */
  pieces: boolean
  /** What came in pieces of a block that is passed on whole. */
  input: string
  content: string
}

export class BlockReader {
  /** Tool calls so far. */
  calls = 0
  #parts = 0
  #latest = 0
  readonly #open = new Map<number, OpenBlock>()

  start(index: number | undefined, value: Json | undefined): readonly Event[] {
    const block: JsonObject = isObject(value) ? value : {}
    const place = index ?? this.#latest + 1
    const before = this.#open.has(place) ? this.stop(place) : []
    this.#latest = place
    const part = this.#parts++
    this.#open.set(place, { part, block, signature: stringOf(block['signature']) ?? '', pieces: false, input: '', content: '' })
    return [...before, ...this.#begin(part, block)]
  }

  #begin(index: number, block: JsonObject): readonly Event[] {
    switch (block['type']) {
      case 'text':
        return [
          { type: 'part-start', index, kind: 'text' },
          ...textOf(index, block['text']),
          ...arrayOf(block['citations']).flatMap((citation) => citationEvents(index, citation)),
        ]
      case 'thinking':
        return [{ type: 'part-start', index, kind: 'reasoning' }, ...textOf(index, block['thinking'])]
      case 'redacted_thinking':
        return [{ type: 'part-start', index, kind: 'reasoning' }, ...sealedEvents(index, 'redacted', stringOf(block['data']))]
      case 'tool_use':
        this.calls++
        return [{ type: 'part-start', index, kind: 'tool-call', id: stringOf(block['id']) ?? '', name: stringOf(block['name']) ?? '' }]
      default:
        return []
    }
  }

  delta(index: number | undefined, delta: JsonObject): readonly Event[] {
    const open = this.#open.get(index ?? this.#latest)
    if (!open) return []
    const { part, block } = open
    switch (delta['type']) {
      case 'text_delta':
        return block['type'] === 'text' ? textOf(part, delta['text']) : []
      case 'thinking_delta':
        return block['type'] === 'thinking' ? textOf(part, delta['thinking']) : []
      case 'signature_delta':
        open.signature += stringOf(delta['signature']) ?? ''
        return []
      case 'input_json_delta': {
        const piece = stringOf(delta['partial_json']) ?? ''
        if (block['type'] !== 'tool_use') open.input += piece
        else if (piece !== '') {
          open.pieces = true
          return textOf(part, piece)
        }
        return []
      }
      case 'citations_delta':
        return block['type'] === 'text' ? citationEvents(part, delta['citation']) : []
      case 'compaction_delta':
        open.content += stringOf(delta['content']) ?? ''
        return []
      default:
        return []
    }
  }

  stop(index: number | undefined): readonly Event[] {
    const place = index ?? this.#latest
    const open = this.#open.get(place)
    if (!open) return []
    this.#open.delete(place)
    const { part, block, signature, pieces } = open
    const end: Event = { type: 'part-end', index: part }
    switch (block['type']) {
      case 'text':
      case 'redacted_thinking':
        return [end]
      case 'thinking':
        return [...sealedEvents(part, 'signature', signature), end]
      case 'tool_use':
        return [...(pieces ? [] : textOf(part, argumentsOf(block['input']))), end]
      default:
        return [
          {
            type: 'part-whole',
            index: part,
            part: { type: 'foreign', wire: WIRE, kind: String(block['type']), value: wholeOf(open), path: '' },
          },
        ]
    }
  }

  stopAll(): readonly Event[] {
    return [...this.#open.keys()].flatMap((index) => this.stop(index))
  }
}

const textOf = (index: number, text: Json | undefined): readonly Event[] =>
  typeof text === 'string' && text !== '' ? [{ type: 'text-delta', index, text }] : []

const sealedEvents = (index: number, kind: Sealed['kind'], value: string | undefined): readonly Event[] =>
  value ? [{ type: 'part-sealed', index, sealed: { vendor: 'anthropic', kind, value } }] : []

function citationEvents(index: number, raw: Json | undefined): readonly Event[] {
  const citation = citationOf(raw)
  return citation ? [{ type: 'part-citation', index, citation }] : []
}

const argumentsOf = (input: Json | undefined): string => (typeof input === 'string' ? input : JSON.stringify(input ?? {}))

/** A block of the vendor's own with what came after its start. */
function wholeOf({ block, input, content }: OpenBlock): JsonObject {
  return {
    ...block,
    ...(input !== '' && { input: parseJson(input) ?? input }),
    ...(content !== '' && { content }),
  }
}
