/**
 * Thinking that a model writes into its text, between `<think>` and `</think>` at the very beginning. Some hosts leave it
 * there. A tag may be split anywhere between two pieces of text.
 */

const OPENING = ['<think>', '<thinking>'] as const
const closingOf = (opening: string): string => `</${opening.slice(1)}`

export interface Piece {
  readonly thinking: boolean
  readonly text: string
}

/** Takes the pieces of a stream apart. Thinking is shown as it comes: whether its end will come, nobody knows yet. */
export class ThinkTags {
  /** `before`: nothing but white space so far; `after`: what comes is text. `gap`: white space between the two. */
  #state: 'before' | 'inside' | 'gap' | 'after' = 'before'
  #held = ''
  #closing = ''

  /** True while everything is text and nothing is held: the caller need not ask. */
  get done(): boolean {
    return this.#state === 'after'
  }

  /** Text that begins the answer otherwise ends the search. */
  skip(): void {
    if (this.#state === 'before' && this.#held === '') this.#state = 'after'
  }

  push(text: string): Piece[] {
    if (this.#state === 'after') return [{ thinking: false, text }]
    this.#held += text
    const pieces: Piece[] = []
    if (this.#state === 'before' && !this.#open(pieces)) return pieces
    if (this.#state === 'inside') this.#inside(pieces)
    if (this.#state === 'gap') {
      this.#held = this.#held.trimStart()
      if (this.#held === '') return pieces
      this.#state = 'after'
    }
    if (this.#state === 'after' && this.#held !== '') pieces.push({ thinking: false, text: this.#held })
    if (this.#state === 'after') this.#held = ''
    return pieces
  }

  /** What is still held when the text ends. */
  end(): Piece[] {
    const text = this.#held
    this.#held = ''
    const thinking = this.#state === 'inside'
    this.#state = 'after'
    return text === '' ? [] : [{ thinking, text }]
  }

  /** False while the text so far could still become a tag. */
  #open(pieces: Piece[]): boolean {
    const start = this.#held.trimStart()
    const opening = OPENING.find((tag) => start.startsWith(tag))
    if (opening !== undefined) {
      this.#state = 'inside'
      this.#closing = closingOf(opening)
      this.#held = start.slice(opening.length)
      return true
    }
    if (OPENING.some((tag) => tag.startsWith(start))) return false
    this.#state = 'after'
    if (this.#held !== '') pieces.push({ thinking: false, text: this.#held })
    this.#held = ''
    return false
  }

  #inside(pieces: Piece[]): void {
    const end = this.#held.indexOf(this.#closing)
    if (end >= 0) {
      if (end > 0) pieces.push({ thinking: true, text: this.#held.slice(0, end) })
      this.#held = this.#held.slice(end + this.#closing.length)
      this.#state = 'gap'
      return
    }
    let keep = Math.min(this.#closing.length - 1, this.#held.length)
    while (keep > 0 && !this.#closing.startsWith(this.#held.slice(-keep))) keep--
    const out = this.#held.slice(0, this.#held.length - keep)
    if (out !== '') pieces.push({ thinking: true, text: out })
    this.#held = keep > 0 ? this.#held.slice(-keep) : ''
  }
}

/** A whole text taken apart. Without the closing tag the words are left as they are: perhaps they are meant. */
export function splitThinking(text: string): Piece[] {
  const found = /^\s*<(think(?:ing)?)>([\s\S]*?)<\/\1>\s*/.exec(text)
  if (!found) return [{ thinking: false, text }]
  return [
    { thinking: true, text: found[2] ?? '' },
    { thinking: false, text: text.slice(found[0].length) },
  ]
}
