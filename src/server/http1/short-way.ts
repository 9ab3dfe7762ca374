/**
 * The short way of calls through a server of Node's: connections are read here first. Half of what a plain call costs on Node's own way is
 * spent on its request and response objects (docs/decisions/0012).
 */
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { CallEdge } from '../call-edge.ts'
import { refuseGarbage } from '../odd-connections.ts'
import { Connection } from './connection.ts'
import type { RequestHead } from './read-head.ts'
import { KEEP_ALIVE_S } from './response.ts'

export interface ShortWayOptions {
  readonly edge: CallEdge
  /** Whether this is a call that the edge would take in whole. */
  takes(head: RequestHead): boolean
  /** How long the first bytes of a connection, and a whole request, may take. Milliseconds. */
  readonly firstMs: number
  readonly uploadMs: number
}

export interface ShortWay {
  closeIdle(): void
  destroyAll(): void
  /** Stops looking after them. */
  close(): void
}

/** Answers say a second less than holds, so that no request crosses with the end of its connection. */
const IDLE_MS = (KEEP_ALIVE_S + 1) * 1000
const MOST_BETWEEN_SWEEPS_MS = 5_000

const tooLate = Object.assign(new Error('The request took too long to arrive.'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })

export function takeShortWay(server: Server, { edge, takes, firstMs, uploadMs }: ShortWayOptions): ShortWay {
  const nodes = server.listeners('connection')
  server.removeAllListeners('connection')
  const open = new Set<Connection>()
  const options = {
    takes,
    firstMs,
    uploadMs,
    idleMs: IDLE_MS,
    turnsAway: edge.turnsAway,
    call: edge.answer,
    late: (socket: Socket): void => refuseGarbage(tooLate, socket),
    broken: (socket: Socket): void => refuseGarbage(new Error('The request ended before it was whole.'), socket),
    gone: (connection: Connection): void => void open.delete(connection),
    handOver(socket: Socket, bytes: Buffer): void {
      socket.pause()
      for (const listener of nodes) listener.call(server, socket)
      socket.unshift(bytes)
      socket.resume()
    },
  }
  server.on('connection', (socket: Socket) => void open.add(new Connection(socket, options)))

  const sweep = setInterval(
    () => {
      const now = performance.now()
      for (const connection of open) connection.check(now)
    },
    Math.min(MOST_BETWEEN_SWEEPS_MS, uploadMs),
  )
  sweep.unref()

  return {
    closeIdle() {
      for (const { socket, idle } of open) if (idle) socket.destroy()
    },
    destroyAll() {
      for (const { socket } of open) socket.destroy()
    },
    close: () => clearInterval(sweep),
  }
}
