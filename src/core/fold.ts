/** A whole reply: its events, folded. A plain answer is the same stream with nobody watching. */
import type { ForeignPart, MediaPart, Sealed } from './call.ts'
import type { GatewayError } from './error.ts'
import { type Citation, type Event, type Logprob, mergeUsage, type PartKind, type PartStart, type ReplyEnd, type Usage } from './event.ts'

export interface FoldedPart {
  readonly kind: PartKind
  text: string
  readonly id?: string
  readonly phase?: string
  readonly name?: string
  readonly namespace?: string
  readonly freeform?: boolean
  readonly summary?: boolean
  readonly sealed: Sealed[]
  readonly citations: Citation[]
  readonly logprobs: Logprob[]
}

export type FoldedContent = FoldedPart | { readonly kind: 'whole'; readonly part: MediaPart | ForeignPart }

export interface FoldedReply {
  id?: string
  model?: string
  created?: number
  /** In the order in which they began. */
  readonly parts: FoldedContent[]
  usage?: Usage
  end?: ReplyEnd
  error?: GatewayError
}

/** Collects events into a reply; may be read at any time. */
export class Fold {
  readonly reply: FoldedReply = { parts: [] }
  readonly #open = new Map<number, FoldedPart>()

  push(events: readonly Event[]): void {
    for (const event of events) this.#take(event)
  }

  #take(event: Event): void {
    const { reply } = this
    switch (event.type) {
      case 'reply-start':
        reply.id = event.id
        reply.model = event.model
        reply.created = event.created
        reply.usage = mergeUsage(reply.usage, event.usage)
        break
      case 'part-start': {
        const part = partOf(event)
        this.#open.set(event.index, part)
        reply.parts.push(part)
        break
      }
      case 'text-delta': {
        const part = this.#open.get(event.index)
        if (part) part.text += event.text
        break
      }
      case 'part-sealed':
        this.#open.get(event.index)?.sealed.push(event.sealed)
        break
      case 'part-citation':
        this.#open.get(event.index)?.citations.push(event.citation)
        break
      case 'part-logprobs':
        this.#open.get(event.index)?.logprobs.push(...event.logprobs)
        break
      case 'part-end':
        this.#open.delete(event.index)
        break
      case 'part-whole':
        reply.parts.push({ kind: 'whole', part: event.part })
        break
      case 'usage':
        reply.usage = mergeUsage(reply.usage, event.usage)
        break
      case 'reply-end':
        reply.end = event
        break
      case 'error':
        reply.error = event.error
        break
      default:
        event satisfies never
    }
  }
}

const partOf = ({ kind, id, phase, name, namespace, freeform, summary }: PartStart): FoldedPart => ({
  kind,
  text: '',
  id,
  phase,
  name,
  namespace,
  freeform,
  summary,
  sealed: [],
  citations: [],
  logprobs: [],
})

export function fold(events: Iterable<Event>): FoldedReply {
  const folding = new Fold()
  folding.push([...events])
  return folding.reply
}
