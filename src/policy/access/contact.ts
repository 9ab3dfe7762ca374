/** When the store last answered: how long what is known may be gone by. Asks it now and then, where nobody else does. */
import { within } from './unavailable.ts'

export interface Contact {
  /** Milliseconds since 1970; undefined: never. */
  last(): number | undefined
  /** Notes that the store answered, when it does. */
  heard<Value>(answer: Promise<Value>): Promise<Value>
  /** Asks it now, once for all who wait. Rejects with `store-unavailable`. */
  reach(): Promise<void>
  close(): void
}

const EVERY_MS = 5_000

export function createContact({
  reach,
  now,
  limitMs,
}: {
  readonly reach: () => Promise<unknown>
  readonly now: () => number
  readonly limitMs: number
}): Contact {
  let last: number | undefined
  let asking: Promise<void> | undefined
  const timer = setInterval(() => {
    if (last === undefined || now() - last >= EVERY_MS) asked().catch(() => {})
  }, EVERY_MS)
  timer.unref()

  return { last: () => last, heard, reach: asked, close: () => clearInterval(timer) }

  async function heard<Value>(answer: Promise<Value>): Promise<Value> {
    const value = await answer
    last = now()
    return value
  }

  function asked(): Promise<void> {
    asking ??= heard(within(reach(), limitMs)).then(
      () => {
        asking = undefined
      },
      (error: unknown) => {
        asking = undefined
        throw error
      },
    )
    return asking
  }
}
