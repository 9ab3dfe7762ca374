/** The simulator over real sockets, for tests of what only sockets can do. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { HttpRequest } from '../core/http.ts'
import { SimulatedBreak } from './simulator/faults.ts'
import { createSimulator, type Simulator, type SimulatorOptions } from './simulator/simulator.ts'

export interface ServedSimulator {
  /** Without a slash at the end. Base URLs of the wires: `${url}/v1`, `${url}/v1beta` for Gemini. */
  readonly url: string
  readonly calls: Simulator['calls']
  /** Breaks what is still running. */
  close(): Promise<void>
}

export interface ServeSimulatorOptions extends SimulatorOptions {
  /** Default: any free port. */
  readonly port?: number
  /** Default 127.0.0.1. */
  readonly host?: string
}

export async function serveSimulator({ port = 0, host = '127.0.0.1', ...options }: ServeSimulatorOptions = {}): Promise<ServedSimulator> {
  const simulator = createSimulator(options)
  const server = createServer({ maxHeaderSize: 65_536 }, (incoming, outgoing) => {
    void serve(simulator, incoming, outgoing)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const { port: bound } = server.address() as AddressInfo
  return {
    url: `http://${host}:${bound}`,
    calls: simulator.calls,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function serve(simulator: Simulator, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const leaving = new AbortController()
  outgoing.once('close', () => {
    if (!outgoing.writableEnded) leaving.abort()
  })
  try {
    const { status, headers, body } = await simulator.handle(await requestOf(incoming), leaving.signal)
    outgoing.writeHead(status, headers)
    if (body instanceof Uint8Array) {
      outgoing.end(body)
      return
    }
    outgoing.flushHeaders()
    for await (const bytes of body) {
      if (!outgoing.write(bytes)) await drained(outgoing)
    }
    outgoing.end()
  } catch (thrown) {
    // A break must reach the caller as a reset, not as a clean end.
    if (thrown instanceof SimulatedBreak && !thrown.refused) await drained(outgoing, 20)
    incoming.socket.resetAndDestroy()
  }
}

async function requestOf(incoming: IncomingMessage): Promise<HttpRequest> {
  const { pathname, search } = new URL(incoming.url ?? '/', 'http://simulator.invalid')
  const chunks: Uint8Array[] = []
  for await (const chunk of incoming) chunks.push(chunk as Uint8Array)
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return { method: incoming.method ?? 'GET', path: pathname, query: search.slice(1), headers, body: Buffer.concat(chunks) }
}

/** Until there is room again, the caller has left, or the time is up. */
function drained(outgoing: ServerResponse, atMostMs?: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = atMostMs === undefined ? undefined : setTimeout(finish, atMostMs)
    function finish() {
      clearTimeout(timer)
      outgoing.off('drain', finish)
      outgoing.off('close', finish)
      resolve()
    }
    outgoing.once('drain', finish)
    outgoing.once('close', finish)
  })
}
