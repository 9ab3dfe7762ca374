/** What the caller has been told of an answer: enough of it to carry the answer on, or to judge that it cannot be. */
import { type Event, mergeUsage, type PartKind, type PartStart, type PartWhole, type ReplyEnd, type ReplyStart } from '../../core/event.ts'

type Beside = Extract<Event, { type: 'part-sealed' | 'part-citation' | 'part-logprobs' }>

interface ToldPart {
  readonly start: PartStart | PartWhole
  text: string
  readonly beside: Beside[]
  open: boolean
}

export class Told {
  readonly #parts = new Map<number, ToldPart>()
  #start: ReplyStart | undefined
  #highest = -1
  end: ReplyEnd | undefined

  push(events: readonly Event[]): void {
    for (const event of events) this.#take(event)
  }

  #take(event: Event): void {
    switch (event.type) {
      case 'text-delta': {
        const part = this.#parts.get(event.index)
        if (part) part.text += event.text
        break
      }
      case 'reply-start':
        this.#start = event
        break
      case 'part-start':
      case 'part-whole':
        this.#highest = Math.max(this.#highest, event.index)
        this.#parts.set(event.index, { start: event, text: '', beside: [], open: event.type === 'part-start' })
        break
      case 'part-sealed':
      case 'part-citation':
      case 'part-logprobs':
        this.#parts.get(event.index)?.beside.push(event)
        break
      case 'part-end': {
        const part = this.#parts.get(event.index)
        if (part) part.open = false
        break
      }
      case 'usage':
        if (this.#start) this.#start = { ...this.#start, usage: mergeUsage(this.#start.usage, event.usage) }
        break
      case 'reply-end':
        this.end = event
        break
      case 'error':
        break
      default:
        event satisfies never
    }
  }

  /** The answer's words so far. */
  get text(): string {
    let text = ''
    for (const { start, text: words } of this.#parts.values()) if (start.type === 'part-start' && start.kind === 'text') text += words
    return text
  }

  get kinds(): ReadonlySet<PartKind | 'whole'> {
    return new Set([...this.#parts.values()].map(({ start }) => (start.type === 'part-whole' ? 'whole' : start.kind)))
  }

  /** The text that is being told, which more words may join. */
  get openText(): { readonly index: number; readonly length: number } | undefined {
    for (const { start, text, open } of this.#parts.values())
      if (open && start.type === 'part-start' && start.kind === 'text') return { index: start.index, length: text.length }
    return undefined
  }

  /** An index no part has had. */
  get nextIndex(): number {
    return this.#highest + 1
  }

  /** Ends what is open, except texts if those are to go on. */
  endings(kept?: 'texts'): Event[] {
    const ends: Event[] = []
    for (const [index, { start, open }] of this.#parts)
      if (open && !(kept && start.type === 'part-start' && start.kind === 'text')) ends.push({ type: 'part-end', index })
    return ends
  }

  /** All that was told counts no more. Its indices stay used. */
  forget(): void {
    this.#parts.clear()
    this.end = undefined
  }

  /** The events that tell as much, with what is open left open. */
  replay(): Event[] {
    const events: Event[] = [this.#start ?? { type: 'reply-start' }]
    for (const [index, { start, text, beside, open }] of this.#parts) {
      events.push(start)
      if (start.type === 'part-whole') continue
      if (text !== '') events.push({ type: 'text-delta', index, text })
      events.push(...beside)
      if (!open) events.push({ type: 'part-end', index })
    }
    return events
  }
}
