/** Google's other framing of a stream: one JSON array that grows, which comes where nobody asked for `alt=sse`. */

/** Cuts the text of a growing array into the texts of its items; any splitting of the text gives the same items. */
export class JsonArrayReader {
  readonly #maxItem: number
  #pending = ''
  /** Up to where `#pending` has been looked at, and what was found there. */
  #position = 0
  #depth = 0
  #start = -1
  #inString = false
  #closed = false

  constructor(maxItem: number) {
    this.#maxItem = maxItem
  }

  /** The array's end has come. */
  get closed(): boolean {
    return this.#closed
  }

  push(text: string): string[] {
    const items: string[] = []
    this.#pending += text
    let cut = 0
    for (; this.#position < this.#pending.length; this.#position++) {
      const unit = this.#pending.charCodeAt(this.#position)
      if (this.#inString) {
        if (unit === 92) this.#position++
        else if (unit === 34) this.#inString = false
      } else if (unit === 34) this.#inString = true
      else if (unit === 123 || unit === 91) {
        this.#depth++
        if (unit === 123 && this.#depth === 2) this.#start = this.#position
      } else if (unit === 125 || unit === 93) {
        this.#depth--
        if (this.#depth === 1 && this.#start >= 0) {
          cut = this.#position + 1
          items.push(this.#pending.slice(this.#start, cut))
          this.#start = -1
        } else if (this.#depth <= 0) this.#closed = true
      }
    }
    if (cut > 0) {
      this.#pending = this.#pending.slice(cut)
      this.#position -= cut
      if (this.#start >= 0) this.#start -= cut
    }
    if (this.#pending.length > this.#maxItem) throw new RangeError(`an item is larger than ${this.#maxItem} bytes`)
    return items
  }
}
