/** The HTTP edge: Fastify in front of a line. Bodies come in whole (decompressed, capped), answers go out as they come. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { Cancellation } from '../core/cancellation.ts'
import { GatewayError, gatewayErrorOf } from '../core/error.ts'
import type { Chunk, Headers, HttpReply, HttpRequest } from '../core/http.ts'
import { emptyBody, unread } from '../core/http.ts'
import type { Line } from '../gateway.ts'
import { decompressed } from './decompress.ts'

export interface HttpServerOptions {
  /** The line in force; asked for each call, so that a reload takes effect at once. */
  line(): Line
  readonly maxBody: number
  /** Largest header block, in bytes. */
  readonly maxHeader?: number
  /** A slow upload is cut off after this. */
  readonly uploadMs?: number
  /** False: `/readyz` says so, and answers ask to close the connection. */
  ready(): boolean
}

export interface HttpServer {
  /** Node's own server, once it listens. */
  readonly server: Server
  listen(options: { host: string; port: number }): Promise<unknown>
  /** Stops listening; resolves when the last call has ended. */
  close(): Promise<void>
  /** Ends every running call with this error. */
  cancelAll(error: GatewayError): void
  /** Breaks every connection that is still open. */
  destroyAll(): void
}

export function createHttpServer({ line, maxBody, maxHeader = 64 * 1024, uploadMs = 120_000, ready }: HttpServerOptions): HttpServer {
  const running = new Set<Cancellation>()
  const server = Fastify({
    bodyLimit: maxBody,
    keepAliveTimeout: 75_000,
    requestTimeout: uploadMs,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 4_096 },
    http: {
      maxHeaderSize: maxHeader,
      headersTimeout: 30_000,
      connectionsCheckingInterval: 5_000,
      // Other upgrades (`h2c`, which Java's client offers with every request) are declined by answering as usual.
      shouldUpgradeCallback: isWebSocket,
    },
    // A path that does not decode is a path like any other: the line answers it in the caller's dialect.
    frameworkErrors: (error, request, reply) => void failed(error, request, reply),
    clientErrorHandler: badRequest,
  })
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  server.setErrorHandler(failed)
  server.setNotFoundHandler(serve)

  server.get('/healthz', () => ({ status: 'ok' }))
  server.get('/readyz', (_request, reply) => reply.code(ready() ? 200 : 503).send({ status: ready() ? 'ready' : 'stopping' }))
  for (const method of ['POST', 'GET'] as const) server.route({ method, url: '/*', handler: serve })

  // Without this, an upgrade that nobody handles is a request like any other in Node, but its socket is half gone.
  server.server.on('upgrade', (request: IncomingMessage, socket: Socket) => void refuseUpgrade(request, socket, line()))
  return {
    server: server.server,
    listen: (options) => server.listen(options),
    close: () => server.close(),
    cancelAll(error) {
      for (const cancellation of running) cancellation.cancel(error)
    },
    destroyAll: () => server.server.closeAllConnections(),
  }

  async function serve(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const cancellation = new Cancellation()
    const response = reply.raw
    running.add(cancellation)
    response.on('close', () => {
      running.delete(cancellation)
      if (!response.writableFinished)
        cancellation.cancel(new GatewayError('client-closed', 'The caller hung up before the answer was complete.'))
    })
    const plain = plainRequest(request)
    const framing = plain.headers['transfer-encoding']
    if (framing !== undefined && framing.toLowerCase() !== 'chunked') throw strangeFraming()
    let body = (request.body as Uint8Array | undefined) ?? emptyBody
    const encoding = plain.headers['content-encoding']
    if (encoding !== undefined && encoding !== 'identity' && body.length > 0) body = await decompressed(body, encoding, maxBody)
    const answer = await line().handle({ ...plain, body }, cancellation)
    reply.hijack()
    await sendWhole(answer, response, request.method, ready())
  }

  /** What Fastify itself refuses, and what a decompressor refuses: answered by the line, so that the dialect is right. */
  async function failed(thrown: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const answer = line().refuse(plainRequest(request), faultOf(thrown, maxBody))
    reply.hijack()
    // A body that was not read to its end leaves the connection in the middle of it.
    await sendWhole({ ...answer, headers: { ...answer.headers, connection: 'close' } }, reply.raw, request.method, ready())
  }
}

function plainRequest({ method, url, raw }: FastifyRequest): HttpRequest {
  const mark = url.indexOf('?')
  return {
    method,
    path: mark < 0 ? url : url.slice(0, mark),
    query: mark < 0 ? '' : url.slice(mark + 1),
    headers: raw.headers as Headers,
    body: emptyBody,
  }
}

const isWebSocket = ({ headers }: IncomingMessage): boolean => headers.upgrade?.toLowerCase() === 'websocket'

/** Two readers of another framing than plain `chunked` may see two different requests. */
const strangeFraming = (): GatewayError =>
  new GatewayError('invalid-request', '`transfer-encoding` must be `chunked` and nothing else.', { shouldRetry: false })

function faultOf(thrown: unknown, maxBody: number): GatewayError {
  if (thrown instanceof GatewayError) return thrown
  const { code } = thrown as { code?: string }
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new GatewayError('too-large', `The request body is larger than ${maxBody} bytes.`, { shouldRetry: false })
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new GatewayError('invalid-request', 'The body is not as long as `content-length` says.', { shouldRetry: false })
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_ASYNC_CONSTRAINT':
      return new GatewayError('not-found', 'The path cannot be decoded.', { shouldRetry: false })
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new GatewayError('unsupported-media-type', 'The content type cannot be read.', { shouldRetry: false })
    default:
      return gatewayErrorOf(thrown)
  }
}

/** Nobody is left to tell when an answer cannot be sent to its end: the connection breaks, which no caller takes for success. */
async function sendWhole(reply: HttpReply, response: ServerResponse, method: string, ready: boolean): Promise<void> {
  try {
    await send(reply, response, method, ready)
  } catch {
    response.destroy()
  }
}

async function send(
  { status, headers, body, trailers }: HttpReply,
  response: ServerResponse,
  method: string,
  ready: boolean,
): Promise<void> {
  if (response.destroyed) {
    if (!(body instanceof Uint8Array)) await unread(body)
    return
  }
  if (!ready) headers['connection'] = 'close'
  if (body instanceof Uint8Array) {
    headers['content-length'] = String(body.length)
    response.writeHead(status, headers)
    response.end(method === 'HEAD' ? undefined : body)
    return
  }
  // HTTP/1.0 callers have no chunks, and so no trailers.
  if (response.req.httpVersionMajor === 1 && response.req.httpVersionMinor === 0) delete headers['trailer']
  response.writeHead(status, headers)
  response.flushHeaders()
  await sendStream(body, response)
  const last = headers['trailer'] === undefined ? undefined : trailers?.()
  if (last) response.addTrailers(last)
  response.end()
}

/** A caller that reads nothing for this long is gone. */
const STALL_MS = 30_000

async function sendStream(body: AsyncIterable<Chunk>, response: ServerResponse): Promise<void> {
  for await (const chunk of body) {
    if (response.destroyed) return
    if (!response.write(chunk)) await drained(response)
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => response.destroy(), STALL_MS)
    const done = (): void => {
      clearTimeout(timer)
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.once('drain', done)
    response.once('close', done)
  })
}

async function refuseUpgrade(request: IncomingMessage, socket: Socket, line: Line): Promise<void> {
  const [path = '/', query = ''] = (request.url ?? '/').split('?')
  const answer = await line.handle({ method: request.method ?? 'GET', path, query, headers: request.headers as Headers, body: emptyBody })
  const body = answer.body instanceof Uint8Array ? answer.body : emptyBody
  const lines = Object.entries({ ...answer.headers, 'content-length': String(body.length), connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}`,
  )
  socket.end(
    Buffer.concat([
      Buffer.from(`HTTP/1.1 ${answer.status} ${answer.status === 426 ? 'Upgrade Required' : 'Refused'}\r\n${lines.join('\r\n')}\r\n\r\n`),
      body,
    ]),
  )
}

/** Bytes that are no HTTP request: there is no dialect to answer in. */
function badRequest(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const [status, code, words] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', 'too_large', 'The request headers are too large.']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['408 Request Timeout', 'invalid_request', 'The request took too long to arrive.']
        : ['400 Bad Request', 'invalid_request', 'This is not a valid HTTP/1.1 request.']
  const body = JSON.stringify({ error: { message: words, type: 'invalid_request_error', param: null, code } })
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\nx-signalbox-error: ${code}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  )
}
