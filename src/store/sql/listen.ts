/** A connection of its own that hears notifications, and comes back by itself when it breaks. */
import { setTimeout as sleep } from 'node:timers/promises'

/** What is used of a `pg` client. */
export interface ListeningClient {
  connect(): Promise<unknown>
  query(text: string): Promise<unknown>
  end(): Promise<void>
  on(event: 'notification' | 'error' | 'end', listener: () => void): unknown
  readonly connection: HasStream['connection']
}

interface HasStream {
  readonly connection: { readonly stream: { destroy(): unknown } }
}

/** Ends a connection without a word. */
export const hangUp = ({ connection }: HasStream): unknown => connection.stream.destroy()

/** How long a server may take to say goodbye. */
export const GOODBYE_MS = 1_000

/** `heard` is also called each time the connection stands: what was said before is not repeated. */
export function listenTo(createClient: () => ListeningClient, channel: string, heard: () => void): () => void {
  const stopping = new AbortController()
  let current: ListeningClient | undefined

  const once = async (): Promise<void> => {
    const client = createClient()
    const ended = Promise.withResolvers<void>()
    client.on('error', ended.resolve)
    client.on('end', ended.resolve)
    client.on('notification', heard)
    current = client
    try {
      await client.connect()
      await client.query(`listen ${channel}`)
      heard()
      await ended.promise
    } finally {
      current = undefined
      await client.end().catch(() => {})
    }
  }

  const forever = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await once().catch(() => {})
      await sleep(500, undefined, { signal: stopping.signal, ref: false })
    }
  }
  forever().catch(() => {})
  return () => {
    stopping.abort()
    if (!current) return
    const client = current
    void client.end().catch(() => {})
    // A server that does not answer does not say goodbye either.
    setTimeout(() => hangUp(client), GOODBYE_MS).unref()
  }
}
