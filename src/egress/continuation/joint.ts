/**
 * Joins what another target says to what the caller already has. A model that is asked to go on often says the last words
 * again first; they are taken out. Until that is decided the new words are held.
 *
 * A repetition is believed only where chance is an unlikely reason for it: it begins at a word, and it is the words that
 * the model was asked to repeat, or all that was said so far, or two words, or one with no space before it. White space
 * counts the same, however much of it.
 * Where the end of the text repeats itself (`ha ha ha`), nothing can be proven, and nothing is taken out.
 */

export interface JointOptions {
  /** The words that the model was asked to begin with: the end of the text. */
  readonly anchor?: string
  /** The target continues its own text, so it repeats nothing: only white space at the join is looked at. */
  readonly exact?: boolean
}

/** How far back the new words may begin to repeat, in characters. */
const REACH = 1_500
/** So much of the beginning said again is an answer begun anew, not carried on. */
const RESTARTED = 80

interface Possible {
  /** Where in the text the repetition begins. */
  readonly at: number
  /** How many of the new characters repeat the rest of the text; undefined while that is not known. */
  taken: number | undefined
}

export class Joint {
  /** Without the white space at its end, which models do not repeat. */
  readonly #text: string
  readonly #space: string
  readonly #anchorAt: number
  #possible: Possible[]
  #held = ''
  #decided = false
  /** White space that is already there, as far as it has not been met yet. */
  #known = ''
  /** Characters that were taken out. */
  dropped = 0
  /** The new words are the old answer's beginning, and go another way: they do not carry it on. */
  restarted = false

  constructor(text: string, { anchor = '', exact = false }: JointOptions = {}) {
    this.#text = text.trimEnd()
    this.#space = text.slice(this.#text.length)
    this.#anchorAt = anchor !== '' && this.#text.endsWith(anchor) ? this.#text.length - anchor.length : -1
    this.#possible = exact ? [] : wordStarts(this.#text).map((at) => ({ at, taken: undefined }))
    if (this.#possible.length === 0) this.#decide(undefined)
  }

  /** True once nothing is held any more. */
  get decided(): boolean {
    return this.#decided && this.#known === ''
  }

  /** The words that carry the text on, as far as they are known to be new. */
  push(words: string): string {
    if (this.#decided) return this.#release(words)
    this.#held += words
    const held = this.#held
    this.#possible = this.#possible.filter((one) => {
      if (one.taken !== undefined) return true
      const taken = repeated(this.#text, one.at, held)
      if (taken === undefined) {
        if (one.at === 0 && matched(this.#text, held) >= RESTARTED) this.restarted = true
        return false
      }
      if (taken !== PARTLY) one.taken = taken
      return true
    })
    // A longer repetition may still turn out, and what follows the repeated words says whether they end there.
    if (this.#possible.some(({ taken }) => taken === undefined || taken === held.length)) return ''
    return this.#settle()
  }

  /** No more words come: what is held goes out, without what was said before. */
  end(): string {
    if (this.#decided) return ''
    this.#possible = this.#possible.filter(({ taken }) => taken !== undefined)
    return this.#settle()
  }

  #settle(): string {
    const best = this.#best()
    if (best) this.restarted = false
    return this.#decide(best)
  }

  #decide(best: Possible | undefined): string {
    this.#decided = true
    const held = this.#held
    this.#held = ''
    const taken = best?.taken ?? 0
    this.dropped += taken
    this.#known = this.#space
    return this.#release(held.slice(taken))
  }

  /** The white space that ends the text may come again: once is enough. */
  #release(words: string): string {
    if (this.#known === '' || words === '') return words
    let same = 0
    while (same < words.length && same < this.#known.length && words[same] === this.#known[same]) same++
    this.#known = same === words.length ? this.#known.slice(same) : ''
    this.dropped += same
    return words.slice(same)
  }

  #best(): Possible | undefined {
    const found = this.#possible.filter((one) => this.#believed(one)).toSorted((one, other) => one.at - other.at)
    const [longest] = found
    if (!longest) return undefined
    const asked = found.find(({ at }) => at === this.#anchorAt)
    if (asked && !this.#spaced) return asked
    return this.#possible.some((one) => one.at > longest.at && isPeriod(this.#text, longest.at, one.at)) ? undefined : longest
  }

  #believed(one: Possible): boolean {
    // What begins with white space goes on, most likely: who repeats begins at once.
    const enough = this.#spaced ? 3 : 2
    if (/^[ \t]*[\r\n]/.test(this.#held)) return false
    const rest = this.#text.slice(one.at)
    if (wordsIn(rest, enough) >= enough) return true
    if (this.#spaced) return false
    if (one.at === this.#anchorAt) return true
    // One word proves little: it must be a word of its own where it comes again.
    return (
      !isWord(this.#held.charAt(one.taken ?? 0)) && (one.at === 0 || (rest.length >= 3 && wordsIn(rest, 1) === 1 && !SINGLE.test(rest)))
    )
  }

  get #spaced(): boolean {
    return isSpace(this.#held.charCodeAt(0))
  }
}

const PARTLY = -1

/** Whether new words begin like `text` from `at`: how many of them until its end, `PARTLY` when they end first, undefined when they differ. */
function repeated(text: string, at: number, words: string): number | undefined {
  let place = at
  let taken = 0
  while (taken < words.length && isSpace(words.charCodeAt(taken))) taken++
  while (place < text.length) {
    if (taken >= words.length) return PARTLY
    if (isSpace(text.charCodeAt(place))) {
      if (!isSpace(words.charCodeAt(taken))) return undefined
      while (place < text.length && isSpace(text.charCodeAt(place))) place++
      while (taken < words.length && isSpace(words.charCodeAt(taken))) taken++
      if (taken >= words.length && place < text.length) return PARTLY
      continue
    }
    if (text.charCodeAt(place) !== words.charCodeAt(taken)) return undefined
    place++
    taken++
  }
  return taken
}

/** How many characters of the new words are the beginning of the text. */
function matched(text: string, words: string): number {
  const start = words.length - words.trimStart().length
  let count = 0
  while (count < text.length && start + count < words.length && text[count] === words[start + count]) count++
  return count
}

const isSpace = (code: number): boolean => (code <= 32 && code !== 0) || code === 0xa0

const WORD = /[\p{L}\p{M}\p{N}_]/u
/** Scripts without spaces between words: each sign is taken for one. */
const SINGLE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u

const isWord = (sign: string): boolean => WORD.test(sign) && !SINGLE.test(sign)

/** Where words and signs begin near the end of the text, and where the text itself does. */
function wordStarts(text: string): number[] {
  const starts: number[] = text === '' ? [] : [0]
  for (let index = Math.max(1, text.length - REACH); index < text.length; index++) {
    if (isSpace(text.charCodeAt(index))) continue
    const inside = isWord(text[index] ?? '') && isWord(text[index - 1] ?? '')
    // The second half of a pair begins nothing.
    const half = (text.charCodeAt(index) & 0xfc00) === 0xdc00
    if (!inside && !half) starts.push(index)
  }
  return starts
}

/** Counts words, no further than `enough`. */
function wordsIn(text: string, enough: number): number {
  let count = 0
  let before = ' '
  for (const sign of text) {
    if (SINGLE.test(sign) || (isWord(sign) && !isWord(before))) count++
    if (count >= enough) return count
    before = sign
  }
  return count
}

/** The text from `at` is what stands from `later` to the end, again and again. */
function isPeriod(text: string, at: number, later: number): boolean {
  const period = later - at
  const whole = text.slice(at)
  return period * 2 <= whole.length && whole.startsWith(text.slice(later))
}

/** The last words of a text, for a model to begin with. */
export function anchorOf(text: string, words = 5, most = 120): string {
  const whole = text.trimEnd()
  const starts = wordStarts(whole.slice(-most)).filter((at) => isWord(whole.slice(-most)[at] ?? '') || at === 0)
  const near = whole.slice(-most)
  const at = starts.length > words ? starts.at(-words) : (starts.find((start) => start > 0 || near.length === whole.length) ?? starts[0])
  return near.slice(at ?? 0)
}
