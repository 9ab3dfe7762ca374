/** The listener where TLS ends: HTTP/2 and HTTP/1.1 on one port, for the same edge that plain HTTP has. */
import type { Server as PlainServer, ServerOptions } from 'node:http'
import { createSecureServer, type ServerHttp2Session } from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import type { Server as Listener, Socket } from 'node:net'
import type { TLSSocket, Server as TlsServer } from 'node:tls'
import type { TlsConfig } from '../../config/schema-server.ts'
import type { Listening, SecureListener } from '../http-server.ts'
import { certifiedRequest } from './client-certificate.ts'
import { Http2Request, Http2Response, noteConnection } from './http2-objects.ts'
import type { Material } from './material.ts'

export interface SecureListenerOptions {
  readonly config: Pick<TlsConfig, 'clients' | 'http2'>
  readonly material: Material
}

export interface RenewableListener extends SecureListener {
  /** For connections from now on; those that stand keep what they began with. */
  renew(material: Material): void
}

/** Who has not agreed on anything by then is no caller. */
const HANDSHAKE_MS = 10_000
/** A session without calls is closed after this, as connections of HTTP/1 are. */
const IDLE_MS = 75_000
/** Calls at a time on one connection. */
const MOST_STREAMS = 1_000
/** What a caller may send before it hears that it was read: of one call, of all calls on a connection. Bytes. */
const STREAM_WINDOW = 1 << 20
const SESSION_WINDOW = 8 << 20
/** Megabytes that a session may hold before it takes no more calls. */
const SESSION_MEMORY = 64

export function secureListener({ config, material }: SecureListenerOptions): RenewableListener {
  let current = material
  let server: TlsServer | undefined

  return {
    plainRequest: config.clients === 'none' ? undefined : certifiedRequest,
    createServer(options, serve) {
      const secure = {
        ...current.options,
        handshakeTimeout: HANDSHAKE_MS,
        noDelay: true,
        requestCert: config.clients !== 'none',
        rejectUnauthorized: config.clients === 'require',
      }
      const created = config.http2 ? withHttp2({ ...options, ...secure }, serve) : createHttpsServer({ ...options, ...secure }, serve)
      server = created as TlsServer
      return closable(created as PlainServer)
    },
    renew(next) {
      current = next
      server?.setSecureContext(next.options)
    },
  }
}

type SecureOptions = ServerOptions & Material['options'] & { readonly requestCert: boolean; readonly rejectUnauthorized: boolean }

function withHttp2(options: SecureOptions, serve: Listening): Listener {
  const { maxHeaderSize = 64 * 1024, requestTimeout: uploadMs = 0, shouldUpgradeCallback } = options
  const server = createSecureServer({
    ...options,
    allowHTTP1: true,
    Http2ServerRequest: Http2Request,
    // Its types say `Writable`; what is made of it is what Node makes of its own class.
    Http2ServerResponse: Http2Response,
    maxSessionMemory: SESSION_MEMORY,
    settings: { maxConcurrentStreams: MOST_STREAMS, initialWindowSize: STREAM_WINDOW, maxHeaderListSize: maxHeaderSize },
  })
  // Node sets its own, whatever it is given.
  if (shouldUpgradeCallback) Object.assign(server, { shouldUpgradeCallback })
  server.on('request', serve as never)
  server.on('session', (session) => {
    session.setLocalWindowSize(SESSION_WINDOW)
    keepWhileUsed(session, uploadMs)
  })
  return server
}

function keepWhileUsed(session: ServerHttp2Session, uploadMs: number): void {
  let calls = 0
  session.setTimeout(IDLE_MS, () => calls === 0 && session.close())
  session.on('stream', (stream) => {
    calls++
    const slow = uploadMs > 0 && !stream.endAfterHeaders ? setTimeout(() => stream.readableEnded || stream.destroy(), uploadMs) : undefined
    stream.once('end', () => clearTimeout(slow))
    stream.once('close', () => {
      calls--
      clearTimeout(slow)
    })
  })
}

/** Closes what is open, as servers of plain HTTP do it: Node's server of HTTP/2 knows its connections of HTTP/1 only. */
function closable(server: PlainServer): PlainServer {
  const raw = new Map<string, Socket>()
  const shaking = new Set<string>()
  const sessions = new Set<ServerHttp2Session>()
  // The socket below TLS and the one above it are two; what they share is the other end.
  const endOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`

  server.on('connection', (socket: Socket) => {
    const end = endOf(socket)
    raw.set(end, socket)
    shaking.add(end)
    socket.once('close', () => {
      if (raw.get(end) !== socket) return
      raw.delete(end)
      shaking.delete(end)
    })
  })
  let latest: TLSSocket | undefined
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    shaking.delete(endOf(socket))
    latest = socket
  })
  server.on('session', (session: ServerHttp2Session) => {
    // Made of the connection that was told of just before. The session's own `socket` throws once the session has ended.
    if (latest) noteConnection(session, latest)
    latest = undefined
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
  })

  const closeIdle = server.closeIdleConnections.bind(server)
  return Object.assign(server, {
    /** Sessions with calls on them stay until these have ended, and take no new ones. */
    closeIdleConnections() {
      closeIdle()
      for (const session of sessions) session.close()
      for (const end of shaking) raw.get(end)?.destroy()
    },
    closeAllConnections() {
      for (const socket of raw.values()) socket.destroy()
    },
  })
}
