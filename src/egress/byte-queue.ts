/** Bytes pushed by a network callback, pulled by a loop; tells the pusher to pause when nobody pulls. */
import { joinedBytes } from '../core/text.ts'

const HIGH_WATER = 128 * 1024

export interface Flow {
  pause(): void
  resume(): void
  /** The loop ended before the bytes did. */
  abort(): void
}

export class ByteQueue implements AsyncIterableIterator<Uint8Array> {
  readonly #flow: Flow
  readonly #chunks: Uint8Array[] = []
  #size = 0
  #paused = false
  #ended = false
  #error: unknown
  #gather: { readonly limit: number; resolve(bytes: Uint8Array | undefined): void; reject(error: unknown): void } | undefined
  #waiting: { resolve(result: IteratorResult<Uint8Array>): void; reject(error: unknown): void } | undefined

  constructor(flow: Flow) {
    this.#flow = flow
  }

  push(chunk: Uint8Array): void {
    if (this.#gather) {
      this.#chunks.push(chunk)
      this.#size += chunk.length
      if (this.#size > this.#gather.limit) this.#overflow()
      return
    }
    if (this.#ended) return
    if (this.#waiting) {
      const { resolve } = this.#waiting
      this.#waiting = undefined
      resolve({ done: false, value: chunk })
      return
    }
    this.#chunks.push(chunk)
    this.#size += chunk.length
    if (this.#size > HIGH_WATER && !this.#paused) {
      this.#paused = true
      this.#flow.pause()
    }
  }

  end(error?: unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.#error = error
    if (this.#gather) {
      this.#finish(error)
      return
    }
    const waiting = this.#waiting
    this.#waiting = undefined
    if (!waiting) return
    if (error === undefined) waiting.resolve({ done: true, value: undefined })
    else waiting.reject(error)
  }

  /**
   * All that is still to come, in one piece and without a promise for each chunk. Nothing of what lies beyond the limit
   * is kept: then the flow is aborted and the answer is undefined.
   */
  whole(limit: number): Promise<Uint8Array | undefined> {
    return new Promise((resolve, reject) => {
      this.#gather = { limit, resolve, reject }
      if (this.#size > limit) this.#overflow()
      else if (this.#ended) this.#finish(this.#error)
    })
  }

  #overflow(): void {
    const gather = this.#gather
    this.#gather = undefined
    this.#ended = true
    this.#chunks.length = 0
    this.#flow.abort()
    gather?.resolve(undefined)
  }

  #finish(error: unknown): void {
    const gather = this.#gather
    this.#gather = undefined
    if (error === undefined) gather?.resolve(joinedBytes(this.#chunks, this.#size))
    else gather?.reject(error)
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const chunk = this.#chunks.shift()
    if (chunk) {
      this.#size -= chunk.length
      if (this.#paused && this.#size < HIGH_WATER / 2) {
        this.#paused = false
        this.#flow.resume()
      }
      return Promise.resolve({ done: false, value: chunk })
    }
    if (this.#ended) {
      const error = this.#error
      this.#error = undefined
      return error === undefined ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(error)
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    if (!this.#ended) {
      this.#ended = true
      this.#flow.abort()
    }
    this.#chunks.length = 0
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
