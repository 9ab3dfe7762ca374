/** Puts a sign of life between frames when the stream is silent for long, so that no proxy or client gives it up. */
import type { Chunk } from '../core/http.ts'

export async function* withKeepAlive(frames: AsyncIterable<Chunk>, sign: string, silenceMs: number): AsyncGenerator<Chunk> {
  const source = frames[Symbol.asyncIterator]()
  // One timer for many frames: it looks at the clock of the last frame, and only a long wait sets it going.
  let wake: (() => void) | undefined
  let last = performance.now()
  const timer = setInterval(() => {
    if (performance.now() - last >= silenceMs) wake?.()
  }, silenceMs)
  timer.unref?.()
  let pending: Promise<IteratorResult<Chunk>> | undefined
  try {
    for (;;) {
      pending ??= source.next()
      const silence = new Promise<undefined>((resolve) => {
        wake = () => resolve(undefined)
      })
      const result = await Promise.race([pending, silence])
      last = performance.now()
      if (result === undefined) {
        yield sign
        continue
      }
      pending = undefined
      if (result.done) return
      yield result.value
    }
  } finally {
    clearInterval(timer)
    await source.return?.()
  }
}
