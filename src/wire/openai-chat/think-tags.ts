/**
 * Thinking that a model writes into its text, between `<think>` and `</think>` at the very beginning. Some hosts leave it
 * there. A tag may be split anywhere between two pieces of text.
 *
 * A tag that is never closed, because the answer was cut short or the model meant the word, leaves the text as it is. A
 * stream cannot wait for that: after a thousand characters it is taken for thinking and shown as it comes, and a whole
 * answer is read by the same rule.
 */

const OPENING = ['<think>', '<thinking>'] as const
const TRUSTED_AFTER = 1_000

export interface Piece {
  readonly thinking: boolean
  readonly text: string
}

export class ThinkTags {
  /** `before`: nothing but white space so far; `gap`: white space between thinking and text; `after`: all is text. */
  #state: 'before' | 'inside' | 'gap' | 'after' = 'before'
  #held = ''
  /** What stood before the thinking, tag included, while the tag is not trusted yet. */
  #lead = ''
  #trusted = false
  #closing = ''

  /** True while everything is text and nothing is held: the caller need not ask. */
  get done(): boolean {
    return this.#state === 'after'
  }

  push(text: string): Piece[] {
    if (this.#state === 'after') return [{ thinking: false, text }]
    this.#held += text
    const pieces: Piece[] = []
    if (this.#state === 'before') this.#open(pieces)
    if (this.#state === 'inside') this.#inside(pieces)
    if (this.#state === 'gap') {
      this.#held = this.#held.trimStart()
      if (this.#held !== '') {
        this.#state = 'after'
        pieces.push({ thinking: false, text: this.#held })
        this.#held = ''
      }
    }
    return pieces
  }

  /** What is still held when the text ends. */
  end(): Piece[] {
    const thinking = this.#state === 'inside' && this.#trusted
    const text = thinking ? this.#held : this.#lead + this.#held
    this.#held = ''
    this.#lead = ''
    this.#state = 'after'
    return text === '' ? [] : [{ thinking, text }]
  }

  /** Stays `before` while the text so far could still become a tag. */
  #open(pieces: Piece[]): void {
    const start = this.#held.trimStart()
    const opening = OPENING.find((tag) => start.startsWith(tag))
    if (opening !== undefined) {
      this.#state = 'inside'
      this.#closing = `</${opening.slice(1)}`
      this.#lead = this.#held.slice(0, this.#held.length - start.length) + opening
      this.#held = start.slice(opening.length)
    } else if (!OPENING.some((tag) => tag.startsWith(start))) {
      this.#state = 'after'
      pieces.push({ thinking: false, text: this.#held })
      this.#held = ''
    }
  }

  #inside(pieces: Piece[]): void {
    const end = this.#held.indexOf(this.#closing)
    if (end >= 0) {
      if (end > 0) pieces.push({ thinking: true, text: this.#held.slice(0, end) })
      this.#held = this.#held.slice(end + this.#closing.length)
      this.#lead = ''
      this.#state = 'gap'
      return
    }
    if (!this.#trusted && this.#held.length <= TRUSTED_AFTER) return
    this.#trusted = true
    this.#lead = ''
    let keep = Math.min(this.#closing.length - 1, this.#held.length)
    while (keep > 0 && !this.#closing.startsWith(this.#held.slice(-keep))) keep--
    const out = this.#held.slice(0, this.#held.length - keep)
    if (out !== '') pieces.push({ thinking: true, text: out })
    this.#held = keep > 0 ? this.#held.slice(-keep) : ''
  }
}
