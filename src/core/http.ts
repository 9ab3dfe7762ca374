/** HTTP inside the gateway: plain objects. Web `Request` and `Response` exist only in `embed.ts`. */

import type { Cancellation } from './cancellation.ts'

/** Names in lower case. */
export type Headers = Record<string, string>

export interface HttpRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** Without the `?`; empty when there is none. */
  readonly query: string
  readonly headers: Readonly<Headers>
  /** Decompressed. */
  readonly body: Uint8Array
  /** Address of the socket's other end; absent where there is no socket. */
  readonly ip?: string | undefined
  /** Of the caller, where the gateway's own listener asks for one and it was found good. */
  readonly certificate?: ClientCertificate | undefined
}

export interface ClientCertificate {
  /** As in `O=Example,CN=crawler`, in the certificate's own order. */
  readonly subject: string
  /** SHA-256 of the certificate: pairs of upper-case hex digits with colons between them. */
  readonly fingerprint256: string
}

/** A string is UTF-8 text. */
export type Chunk = Uint8Array | string

export interface HttpReply {
  readonly status: number
  readonly headers: Headers
  /** Leaving the loop of a streamed body early means that the caller hung up. */
  readonly body: Uint8Array | AsyncIterable<Chunk>
  /** Trailers of a streamed reply, read after the body has ended. */
  readonly trailers?: () => Headers | undefined
}

export interface UpstreamRequest {
  readonly method: 'POST' | 'GET'
  readonly url: string
  readonly headers: Readonly<Headers>
  readonly body: string | Uint8Array
  /** Milliseconds until the connection must stand. */
  readonly connectMs: number
}

export interface UpstreamResponse {
  readonly status: number
  readonly headers: Readonly<Headers>
  /** What arrived, as it arrives. Leaving the loop early aborts the request; a broken connection throws GatewayError. */
  readonly body: AsyncIterable<Uint8Array>
  /** All of the body at once, where the transport can gather it; undefined when it is larger than the limit. */
  whole?(limit: number): Promise<Uint8Array | undefined>
}

/** Sends requests upstream. Throws GatewayError `upstream-unreachable` or `upstream-timeout`; never for a status. */
export interface Transport {
  send(request: UpstreamRequest, cancellation: Cancellation): Promise<UpstreamResponse>
  /** Opens a connection before it is needed. */
  warm?(url: string): void
  /** Connections to other origins are closed when what runs on them has ended. */
  keepOnly?(origins: ReadonlySet<string>): void
  close(): Promise<void>
}

/** Lets go of a streamed body that nobody will read. It has to be begun for that: what was never begun has no end to clean up in. */
export async function unread(body: AsyncIterable<Chunk>): Promise<void> {
  const source = body[Symbol.asyncIterator]()
  await source.next()
  await source.return?.()
}

const encoder = new TextEncoder()
export const bytesOf = (text: string): Uint8Array => encoder.encode(text)
export const emptyBody = new Uint8Array(0)
