/** What a reply needs of the place where it goes. Node's own response is one, of HTTP/1 and of HTTP/2. */
import type { Headers } from '../core/http.ts'

export interface Answering {
  /** Nobody listens any more. */
  readonly destroyed: boolean
  /** All of it is with the system. */
  readonly writableFinished: boolean
  /** It holds as much as it should: wait for `drain`. */
  readonly writableNeedDrain: boolean
  writeHead(status: number, headers: Headers): unknown
  /** Sends the head although nothing of the body is there. */
  flushHeaders(): void
  write(chunk: Uint8Array | string): unknown
  addTrailers(trailers: Headers): void
  end(chunk?: Uint8Array | string): unknown
  destroy(): unknown
  /** `close`: it is finished, or nobody listens any more. */
  on(event: 'close', listener: () => void): unknown
  once(event: 'close' | 'drain', listener: () => void): unknown
  off(event: 'close' | 'drain', listener: () => void): unknown
}
