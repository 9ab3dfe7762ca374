/** Holds the beginning of a stream back for a while, so that what breaks or is too slow meanwhile still goes elsewhere unseen. */
import { GatewayError } from '../core/error.ts'
import type { Timeouts } from '../core/target.ts'

type Piece = IteratorResult<Uint8Array>

export interface Held {
  /** The stream has ended. */
  readonly ended: boolean
  /** What was being waited for when the time was up. */
  readonly pending?: Promise<Piece>
}

const UP = Symbol('the time is up')

/**
 * Reads on until the time is up or `take` says that the stream has ended; `take` throws what is wrong with it. Throws
 * when too little has come.
 */
export async function holdBack(
  source: AsyncIterator<Uint8Array>,
  { holdMs = 0, holdEvents = 0 }: Timeouts,
  take: (piece: Piece) => boolean,
  outputs: () => number,
): Promise<Held> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const up = new Promise<typeof UP>((resolve) => {
    timer = setTimeout(resolve, holdMs, UP)
  })
  try {
    for (;;) {
      const pending = source.next()
      // Whoever reads on meets it.
      pending.catch(() => {})
      const piece = await Promise.race([pending, up])
      if (piece === UP) {
        if (outputs() < holdEvents)
          throw new GatewayError('upstream-timeout', `The provider's stream is too slow: ${outputs()} pieces within ${holdMs} ms.`)
        return { ended: false, pending }
      }
      if (take(piece)) return { ended: true }
    }
  } finally {
    clearTimeout(timer)
  }
}
