/** The time to open a TCP connection, on Node. Looking the name up is not part of it: its answer is kept elsewhere. */
import { lookup } from 'node:dns/promises'
import { connect } from 'node:net'

const GIVE_UP_MS = 5_000

export async function connectTime(host: string, port: number): Promise<number | undefined> {
  const { address } = await lookup(host)
  const started = performance.now()
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: GIVE_UP_MS })
    const end = (ms: number | undefined) => () => {
      socket.destroy()
      resolve(ms)
    }
    // A measurement keeps no process alive.
    socket.unref()
    socket.once('connect', () => end(performance.now() - started)())
    socket.once('timeout', end(undefined))
    socket.once('error', end(undefined))
  })
}
