/**
 * The HTTP edge: one Node server. What belongs to the process (health, later the admin API and the console) goes to
 * Fastify; everything else is a call and takes the short way to the line.
 */
import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import type { Server as Listener, Socket } from 'node:net'
import Fastify from 'fastify'
import { ADMIN_PREFIX, type AdminParts, adminApi } from '../admin/api.ts'
import type { GatewayError } from '../core/error.ts'
import { checkPort, closed, listenOptions, moreListeners } from './acceptors.ts'
import { type CallEdgeOptions, callEdge } from './call-edge.ts'
import { type ShortWay, takeShortWay } from './http1/short-way.ts'
import { type MetricsEndpoint, serveMetrics } from './metrics.ts'
import { isWebSocket, refuseGarbage, refuseUpgrade } from './odd-connections.ts'
import type { Balance } from './threads/balance.ts'

export interface HttpServerOptions extends CallEdgeOptions {
  /** Largest header block, in bytes. Default 64 KB. */
  readonly maxHeader?: number
  /** A slow upload is cut off after this. Default two minutes. */
  readonly uploadMs?: number
  /** Another thread has the port already and shares it. */
  readonly joins?: boolean
  /** Among threads: who asks callers to close their connections. */
  readonly balance?: Balance | undefined
  /** Absent: there is no admin API. */
  readonly admin?: AdminParts
  /** Absent: there is no `/metrics`. */
  readonly metrics?: MetricsEndpoint
  /** Absent: plain HTTP. */
  readonly secure?: SecureListener | undefined
}

export type Listening = (request: IncomingMessage, response: ServerResponse) => void

/** What stands in for Node's plain server where TLS ends here. */
export interface SecureListener {
  createServer(options: ServerOptions, serve: Listening): Server
  /** Absent: requests say nothing more than those of plain HTTP. */
  readonly plainRequest?: CallEdgeOptions['plain']
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

const SWEEP_MS = 50

/** Paths of the process itself. */
const isOwn = (url: string): boolean =>
  url.startsWith('/healthz') ||
  url.startsWith('/readyz') ||
  url === '/metrics' ||
  url.startsWith('/metrics?') ||
  /^\/admin(?:[/?]|$)/.test(url)

export function createHttpServer({
  maxHeader = 64 * 1024,
  uploadMs = 120_000,
  admin,
  metrics,
  joins = false,
  balance,
  secure,
  ...options
}: HttpServerOptions): HttpServer {
  const { line, ready } = options
  let shortWay: ShortWay | undefined
  const edge = callEdge({ ...options, sheds: balance?.sheds, plain: secure?.plainRequest })
  const listening = (handler: Listening): Server => {
    const server = (secure?.createServer ?? createServer)(
      {
        keepAliveTimeout: 75_000,
        requestTimeout: uploadMs,
        headersTimeout: Math.min(30_000, uploadMs),
        connectionsCheckingInterval: Math.min(5_000, uploadMs),
        maxHeaderSize: maxHeader,
        // Other upgrades (`h2c`, which Java's client offers with every request) are declined by answering as usual.
        shouldUpgradeCallback: isWebSocket,
      },
      (request, response) => (isOwn(request.url ?? '/') ? handler(request, response) : edge.serve(request, response)),
    )
    if (!secure)
      shortWay = takeShortWay(server, {
        edge,
        takes: ({ target, length }) => !isOwn(target) && length <= options.maxBody(),
        firstMs: Math.min(30_000, uploadMs),
        uploadMs,
      })
    // Without this, an upgrade that nobody handles is a request like any other in Node, but its socket is half gone.
    server.on('upgrade', (request: IncomingMessage, socket: Socket) => void refuseUpgrade(request, socket, line()))
    server.on('clientError', refuseGarbage)
    if (balance)
      server.on('connection', (socket: Socket) => {
        balance.opened()
        socket.once('close', balance.closed)
      })
    return server
  }
  const server = Fastify({ serverFactory: listening, forceCloseConnections: 'idle', exposeHeadRoutes: false, return503OnClosing: false })
  server.get('/healthz', () => ({ status: 'ok' }))
  server.get('/readyz', (_request, reply) => reply.code(ready() ? 200 : 503).send({ status: ready() ? 'ready' : 'not ready' }))
  if (metrics) server.get('/metrics', (request, reply) => serveMetrics(metrics, request, reply))
  if (admin) server.register(adminApi(admin), { prefix: ADMIN_PREFIX })
  let more: readonly Listener[] = []

  return {
    server: server.server,
    async listen(address) {
      if (!joins) await checkPort(address)
      await server.listen(listenOptions(address))
      more = await moreListeners(server.server)
    },
    async close() {
      // A connection whose call ends from now on would stay open for its next one.
      const sweep = setInterval(() => {
        server.server.closeIdleConnections()
        shortWay?.closeIdle()
      }, SWEEP_MS)
      try {
        await Promise.all([server.close(), ...more.map(closed)])
      } finally {
        clearInterval(sweep)
        shortWay?.close()
      }
    },
    cancelAll: edge.cancelAll,
    destroyAll() {
      server.server.closeAllConnections()
      shortWay?.destroyAll()
    },
  }
}
