/** Counts by a few words each, to be read now and then. Whoever adds sees to it that the words are from a short list. */
export interface Tally {
  add(...words: readonly string[]): void
  /** Each combination that was seen, with its count. */
  read(): Iterable<readonly [words: readonly string[], count: number]>
}

export function createTally(): Tally {
  const counts = new Map<string, { readonly words: readonly string[]; count: number }>()
  return {
    add(...words) {
      const name = words.join('\n')
      const known = counts.get(name)
      if (known) known.count++
      else counts.set(name, { words, count: 1 })
    },
    *read() {
      for (const { words, count } of counts.values()) yield [words, count]
    },
  }
}
