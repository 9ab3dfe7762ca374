/** What sources need of their surroundings. */
import type { Asker } from '../http.ts'

export interface SourceContext {
  readonly asker: Asker
  readonly env: Readonly<Record<string, string | undefined>>
  /** Rejects when it cannot be read. */
  readFile(path: string): Promise<string>
  /** The value of an `env:` or `file:` reference in the settings of a source, read anew each time. Rejects with a SecretError. */
  credential(reference: string): Promise<string>
  /** Milliseconds since 1970. */
  now(): number
}

/** What was got with some effort and holds for a while: a token. One call gets it for all who ask meanwhile. */
export interface Held<T> {
  get(): Promise<T>
  /** It was refused: the next to ask gets another. */
  drop(): void
}

export function held<T>(make: () => Promise<{ readonly value: T; readonly until: number }>, now: () => number): Held<T> {
  let kept: { readonly value: T; readonly until: number } | undefined
  let making: Promise<T> | undefined
  return {
    get() {
      if (kept && now() < kept.until) return Promise.resolve(kept.value)
      making ??= make()
        .then((made) => {
          kept = made
          return made.value
        })
        .finally(() => {
          making = undefined
        })
      return making
    },
    drop() {
      kept = undefined
    },
  }
}
