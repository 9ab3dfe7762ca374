/** A provider that is an attacker: raw sockets, so that it can break HTTP itself. */
import { createServer, type Server, type Socket } from 'node:net'

export interface Heard {
  readonly path: string
  readonly head: string
  readonly body: string
}

export type Attack = (socket: Socket, heard: Heard) => void | Promise<void>

export interface Hostile {
  readonly url: string
  attack: Attack
  /** Requests since the start. */
  readonly heard: readonly Heard[]
  /** Sockets that are open now. */
  open(): number
  /** Bytes that the other side has taken since the start. */
  taken(): number
  close(): Promise<void>
}

export async function hostile(): Promise<Hostile> {
  const sockets = new Set<Socket>()
  const heard: Heard[] = []
  let written = 0
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    let text = ''
    socket.on('error', () => {})
    socket.on('close', () => {
      sockets.delete(socket)
      written += socket.bytesWritten
    })
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      text += chunk
      const end = text.indexOf('\r\n\r\n')
      if (end < 0) return
      const length = Number(/content-length: *(\d+)/i.exec(text.slice(0, end))?.[1] ?? 0)
      if (text.length < end + 4 + length) return
      const one: Heard = { path: text.split(' ')[1] ?? '', head: text.slice(0, end), body: text.slice(end + 4, end + 4 + length) }
      text = text.slice(end + 4 + length)
      heard.push(one)
      void self.attack(socket, one)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const self: Hostile = {
    url: `http://127.0.0.1:${port}`,
    attack: (socket) => void socket.destroy(),
    heard,
    open: () => sockets.size,
    taken: () => [...sockets].reduce((sum, socket) => sum + socket.bytesWritten, written),
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return self
}

/** Writes for as long as the other side takes it, then stops for good. */
export async function pour(socket: Socket, piece: string, { limit = Number.POSITIVE_INFINITY }: { limit?: number } = {}): Promise<void> {
  for (let sent = 0; sent < limit && socket.writable; sent += piece.length)
    if (!socket.write(piece, 'latin1'))
      await new Promise<void>((resolve) => {
        const done = (): void => {
          socket.off('drain', done)
          socket.off('close', done)
          resolve()
        }
        socket.once('drain', done)
        socket.once('close', done)
      })
}

export const plainHead = (extra = ''): string => `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${extra}`
export const streamHead = (extra = ''): string => `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n${extra}\r\n`

/** A whole Chat answer, which a caller may take for success. */
export const goodAnswer = (usage: unknown = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }, content = 'Hello'): string =>
  JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage,
  })

export const chunk = (delta: unknown, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`

export const whole = (body: string | Buffer, head = plainHead()): Buffer =>
  Buffer.concat([Buffer.from(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n`), Buffer.from(body)])
