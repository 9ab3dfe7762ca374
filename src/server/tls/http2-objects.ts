/**
 * Requests and answers of HTTP/2 that behave as the edge knows those of HTTP/1: names without a colon only, `destroyed` tells
 * whether anybody still listens, and what speaks of the connection is said in HTTP/2's own way.
 */
import { constants, Http2ServerRequest, Http2ServerResponse, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'

/** What Node's classes are, where their types say otherwise: what is replaced below are accessors. */
interface NodeRequest {
  readonly headers: IncomingHttpHeaders
  readonly socket: Socket
  readonly stream: ServerHttp2Stream
  destroy(error?: Error): unknown
}
interface NodeResponse {
  readonly destroyed: boolean
  readonly writableEnded: boolean
  readonly writableFinished: boolean
  readonly stream: ServerHttp2Stream
  readonly req: Http2ServerRequest
  destroy(error?: Error): unknown
  writeHead(status: number, headers?: Record<string, unknown>): unknown
}
const BaseRequest = Http2ServerRequest as unknown as new (...parts: ConstructorParameters<typeof Http2ServerRequest>) => NodeRequest
const BaseResponse = Http2ServerResponse as unknown as new (...parts: ConstructorParameters<typeof Http2ServerResponse>) => NodeResponse

class Request extends BaseRequest {
  readonly #sent: IncomingHttpHeaders
  #headers: IncomingHttpHeaders | undefined
  readonly #connection: Socket | undefined

  constructor(...parts: ConstructorParameters<typeof Http2ServerRequest>) {
    super(...parts)
    const [{ session }, sent] = parts
    this.#sent = sent
    this.#connection = session && connections.get(session)
  }

  override get headers(): IncomingHttpHeaders {
    this.#headers ??= plainHeaders(this.#sent)
    return this.#headers
  }

  /** The connection itself: what Node has here stands for it only as long as it is open. */
  override get socket(): Socket {
    return this.#connection ?? super.socket
  }

  /** Ends the call, not the connection: other calls run on it. */
  override destroy(error?: Error): this {
    this.stream.close(error ? constants.NGHTTP2_INTERNAL_ERROR : constants.NGHTTP2_NO_ERROR)
    return this
  }
}

class Response extends BaseResponse {
  override get destroyed(): boolean {
    return this.stream.destroyed || this.stream.closed
  }

  /** A stream that is reset has its end written by Node, not by us. */
  override get writableFinished(): boolean {
    return this.writableEnded && !this.stream.aborted && this.stream.writableFinished
  }

  override writeHead(status: number, headers?: Record<string, unknown>): unknown {
    if (headers) this.#withoutConnection(headers)
    return super.writeHead(status, headers)
  }

  /** An answer that breaks off must not look like one that has ended. */
  override destroy(): this {
    this.stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    this.stream.destroy()
    return this
  }

  #withoutConnection(headers: Record<string, unknown>): void {
    // Who is asked to close its connection opens a new one for its next call; those that run end here. An upload that is not read
    // to its end leaves nothing behind in HTTP/2, so it is no reason.
    if (headers['connection'] === 'close' && this.req.complete) this.stream.session?.close()
    delete headers['connection']
    delete headers['keep-alive']
    delete headers['transfer-encoding']
    delete headers['upgrade']
  }
}

export const Http2Request = Request as unknown as typeof Http2ServerRequest
export const Http2Response = Response as unknown as typeof Http2ServerResponse

const connections = new WeakMap<object, Socket>()

/** The connection that a session runs on: a session that has ended does not tell any more. */
export const noteConnection = (session: object, socket: Socket): unknown => connections.set(session, socket)

function plainHeaders(sent: IncomingHttpHeaders): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = {}
  for (const name in sent) if (!name.startsWith(':')) headers[name] = sent[name]
  const authority = sent[':authority']
  if (authority !== undefined) headers.host ??= authority
  return headers
}
