/** The events of a target that carries an answer on, as the caller is told them: behind what it has, without repetition. */
import type { Event } from '../../core/event.ts'
import type { Joint } from './joint.ts'
import type { Told } from './told.ts'

export interface LegOptions {
  readonly told: Told
  /** Undefined when the new answer is told whole, and nothing before it counts. */
  readonly joint: Joint | undefined
  /** The caller has words already: thinking behind them would be of an answer it never sees. */
  readonly hidesThinking?: boolean
}

export class Leg {
  readonly #hidesThinking: boolean
  readonly #joint: Joint | undefined
  readonly #offset: number
  /** The part of the new target's answer that carries the text on. */
  #carrier: number | undefined
  /** Where its words go: a part that is open, or one that begins with them. */
  readonly #openAt: number | undefined
  readonly #openLength: number
  #begun = false
  #ended = false
  /** Parts that the caller does not see. */
  readonly #hidden = new Set<number>()

  constructor({ told, joint, hidesThinking = false }: LegOptions) {
    this.#hidesThinking = hidesThinking
    this.#joint = joint
    this.#offset = told.nextIndex
    this.#openAt = told.openText?.index
    this.#openLength = told.openText?.length ?? 0
  }

  /** The new words are an answer begun anew and going another way. */
  get astray(): boolean {
    return this.#joint?.restarted === true && this.#joint.decided
  }

  /** Events without `usage`, `reply-start`, `reply-end` and `error`, which are not a leg's to tell. */
  push(events: readonly Event[]): Event[] {
    const out: Event[] = []
    for (const event of events) this.#take(event, out)
    return out
  }

  /** The leg has ended well: what is held is told. */
  end(): Event[] {
    const out: Event[] = []
    this.#flush(out)
    return out
  }

  #take(event: Event, out: Event[]): void {
    switch (event.type) {
      case 'part-start':
        if (event.kind === 'text' && this.#joint && this.#carrier === undefined) {
          this.#carrier = event.index
          return
        }
        if (event.kind === 'reasoning' && this.#hidesThinking) {
          this.#hidden.add(event.index)
          return
        }
        this.#flush(out)
        out.push({ ...event, index: event.index + this.#offset })
        return
      case 'part-whole':
        this.#flush(out)
        out.push({ ...event, index: event.index + this.#offset })
        return
      case 'text-delta':
        if (event.index === this.#carrier) this.#say(this.#joint?.push(event.text) ?? event.text, out)
        else if (!this.#hidden.has(event.index)) out.push({ ...event, index: event.index + this.#offset })
        return
      case 'part-citation':
        if (event.index === this.#carrier) this.#cite(event, out)
        else if (!this.#hidden.has(event.index)) out.push({ ...event, index: event.index + this.#offset })
        return
      case 'part-sealed':
      case 'part-logprobs':
        // They belong to the part as its own target wrote it.
        if (event.index !== this.#carrier && !this.#hidden.has(event.index)) out.push({ ...event, index: event.index + this.#offset })
        return
      case 'part-end':
        if (event.index === this.#carrier) this.#endText(out)
        else if (!this.#hidden.has(event.index)) out.push({ ...event, index: event.index + this.#offset })
        return
      case 'reply-start':
      case 'usage':
      case 'reply-end':
      case 'error':
        return
      default:
        event satisfies never
    }
  }

  get #place(): number {
    return this.#openAt ?? (this.#carrier ?? 0) + this.#offset
  }

  #say(text: string, out: Event[]): void {
    if (text === '') return
    if (this.#openAt === undefined && !this.#begun) out.push({ type: 'part-start', index: this.#place, kind: 'text' })
    this.#begun = true
    out.push({ type: 'text-delta', index: this.#place, text })
  }

  #cite(event: Extract<Event, { type: 'part-citation' }>, out: Event[]): void {
    if (!this.#begun) return
    const { citation } = event
    const shift = this.#openLength - (this.#joint?.dropped ?? 0)
    const ranged = citation.start !== undefined && citation.end !== undefined
    out.push({
      ...event,
      index: this.#place,
      citation: ranged ? { ...citation, start: Math.max(0, citation.start + shift), end: Math.max(0, citation.end + shift) } : citation,
    })
  }

  #flush(out: Event[]): void {
    if (this.#joint && this.#carrier !== undefined && !this.#ended) this.#say(this.#joint.end(), out)
  }

  #endText(out: Event[]): void {
    this.#flush(out)
    this.#ended = true
    if (this.#openAt !== undefined || this.#begun) out.push({ type: 'part-end', index: this.#place })
  }
}
