/** Who listens to changes of records, and how they are told. */
import type { RecordChange } from '../core/records.ts'

export type ChangeListener = (changes: readonly RecordChange[]) => void

export interface Listeners {
  readonly size: number
  add(listener: ChangeListener): () => void
  tell(changes: readonly RecordChange[]): void
  clear(): void
}

export function createListeners(): Listeners {
  // Wrapped, so that the same function may listen twice.
  const all = new Set<{ readonly listener: ChangeListener }>()
  return {
    get size() {
      return all.size
    },
    add(listener) {
      const entry = { listener }
      all.add(entry)
      return () => {
        all.delete(entry)
      }
    },
    tell(changes) {
      if (changes.length === 0) return
      for (const { listener } of all) {
        try {
          listener(changes)
        } catch (error) {
          // The others are told all the same, and the change is kept: it was not theirs to refuse.
          process.emitWarning(error instanceof Error ? error : String(error))
        }
      }
    },
    clear: () => all.clear(),
  }
}
