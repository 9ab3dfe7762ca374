/** Ids that were used up, so that a second use is noticed. Forgets the oldest half when it is full or when their time has passed. */
export interface Ids {
  has(id: string): boolean
  /** `keepMs`: remember it for so long at least, as long as there is room. */
  add(id: string, at: number, keepMs?: number): void
}

const ROOM = 32_768
const KEEP_MS = 60_000

export function createIds(): Ids {
  let young = new Set<string>()
  let old = new Set<string>()
  let turnAt = Number.NEGATIVE_INFINITY
  let longest = KEEP_MS
  return {
    has: (id) => young.has(id) || old.has(id),
    add(id, at, keepMs = KEEP_MS) {
      if (keepMs > longest) longest = keepMs
      if (young.size >= ROOM || at >= turnAt) {
        old = young
        young = new Set()
        turnAt = at + longest
      }
      young.add(id)
    },
  }
}
