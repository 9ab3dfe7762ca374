/**
 * More ears for one server. Node takes one new connection from a listener in each turn of its loop; under load turns are long,
 * and callers who connect then would wait for seconds before anyone even looks at them. Several listeners on the same
 * port, among which the system spreads new connections, are looked at in the same turn.
 */
import type { Server } from 'node:http'
import { type AddressInfo, createServer, type Server as Listener } from 'node:net'
import { platform } from 'node:process'

export interface Address {
  readonly host: string
  readonly port: number
}

/** Connections that may wait at each listener; beyond it callers' systems try again after a second. The system's own limit holds too. */
const BACKLOG = 4_096
const MORE = 127

/** Elsewhere systems do not spread connections, or cannot share a port at all. */
const shares = platform === 'linux'

/** Fails where the port is taken: asked before anything else is opened, and since sharing a port would hide it. */
export async function checkPort({ host, port }: Address): Promise<void> {
  if (port !== 0) await closed(await listening(createServer(), { host, port }))
}

/** How the server itself is to listen. */
export const listenOptions = (address: Address): Address & { backlog: number; reusePort?: boolean } =>
  shares ? { ...address, backlog: BACKLOG, reusePort: true } : { ...address, backlog: BACKLOG }

/** The others, once the server listens. Their connections are the server's. */
export async function moreListeners(server: Server): Promise<readonly Listener[]> {
  const bound = server.address() as AddressInfo | string | null
  if (!shares || typeof bound !== 'object' || bound === null) return []
  const options = { host: bound.address, port: bound.port, backlog: BACKLOG, reusePort: true }
  // As the server has it itself: HTTP answers callers who have said all they have to say, TLS does not close what is half open.
  const { allowHalfOpen = false } = server as { allowHalfOpen?: boolean }
  const open = Array.from({ length: MORE }, () => {
    const listener = createServer({ allowHalfOpen, noDelay: true }, (socket) => void server.emit('connection', socket))
    return listening(listener, options)
  })
  return await Promise.all(open)
}

function listening(listener: Listener, options: Address & { backlog?: number; reusePort?: boolean }): Promise<Listener> {
  return new Promise((resolve, reject) => {
    listener.once('error', reject)
    listener.listen(options, () => {
      listener.off('error', reject)
      resolve(listener)
    })
  })
}

/** Resolves when the last of its connections has ended. */
export const closed = (listener: Listener): Promise<void> => new Promise((resolve) => listener.close(() => resolve()))
