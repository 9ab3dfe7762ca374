/**
 * What replicas and threads tell each other of failing targets: a few words, by Redis where replicas share one and by a channel between
 * threads. Nobody waits for it, and where it fails everybody finds out alone, as before.
 */
import { randomUUID } from 'node:crypto'
import { BroadcastChannel } from 'node:worker_threads'

export interface Gossip<Word extends object> {
  tell(word: Word): void
  close(): void
}

export interface GossipOptions<Word extends object> {
  readonly topic: string
  /** Of Redis. Undefined: there are no replicas to tell. */
  readonly url?: string | undefined
  /** Other threads of this process. */
  readonly threads: boolean
  /** What somebody else said. */
  hear(word: Word): void
}

const AGAIN_MS = 2_000

interface Heard<Word> {
  readonly from: string
  readonly word: Word
}

export function openGossip<Word extends object>({ topic, url, threads, hear }: GossipOptions<Word>): Gossip<Word> {
  const from = randomUUID()
  const listen = ({ from: who, word }: Heard<Word>): void => {
    if (who !== from && typeof word === 'object' && word !== null) hear(word)
  }
  const channel = threads ? new BroadcastChannel(topic) : undefined
  if (channel) {
    channel.onmessage = (event) => listen((event as unknown as { data: Heard<Word> }).data)
    channel.unref()
  }
  const redis = url === undefined ? undefined : redisChannel(url, topic, (text) => listen(JSON.parse(text) as Heard<Word>))

  return {
    tell(word) {
      const said: Heard<Word> = { from, word }
      channel?.postMessage(said)
      redis?.tell(JSON.stringify(said))
    },
    close() {
      channel?.close()
      redis?.close()
    },
  }
}

/** One connection that listens and one that speaks; both come back by themselves. */
function redisChannel(url: string, topic: string, hear: (text: string) => void): { tell(text: string): void; close(): void } {
  let closed = false
  const opened = connect()
  opened.catch(() => {})

  async function connect() {
    const { createClient } = await import('redis')
    const speaker = createClient({
      url: url.replace(/^valkey(s?):/, 'redis$1:'),
      disableOfflineQueue: true,
      socket: { connectTimeout: AGAIN_MS, reconnectStrategy: () => (closed ? false : AGAIN_MS) },
    })
    const listener = speaker.duplicate()
    // Counters tell the operator when Redis is away; here there is nothing to add.
    for (const client of [speaker, listener]) client.on('error', () => {})
    listener.connect().then(
      () =>
        listener.subscribe(`{sb}:${topic}`, (text) => {
          try {
            hear(text)
          } catch {
            // Somebody else's words.
          }
        }),
      () => {},
    )
    speaker.connect().catch(() => {})
    return { speaker, listener }
  }

  return {
    tell: (text) =>
      void opened.then(({ speaker }) => (speaker.isReady ? speaker.publish(`{sb}:${topic}`, text) : undefined)).catch(() => {}),
    close() {
      closed = true
      opened.then(
        ({ speaker, listener }) => {
          for (const client of [speaker, listener]) if (client.isOpen) client.destroy()
        },
        () => {},
      )
    },
  }
}
