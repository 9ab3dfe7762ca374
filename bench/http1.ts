import type { Socket } from 'node:net'

export interface MessageHandler {
  /** Start line and header lines, as they came. */
  head(text: string): void
  body(chunk: Buffer): void
  end(): void
}

const LENGTH = /\r\ncontent-length: *(\d+)/i
const CHUNKED = /\r\ntransfer-encoding: *chunked/i
const HEAD_END = Buffer.from('\r\n\r\n')
const NONE = Buffer.alloc(0)

/**
 * Reads HTTP/1.1 messages with a declared length or chunks from a kept-alive socket. The bench's upstream and load generator share one
 * core; `node:http` on both would make that core, not the system under test, the limit.
 */
export function createReader(handler: MessageHandler): (data: Buffer) => void {
  let rest: Buffer = NONE
  let state: 'head' | 'length' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailers' = 'head'
  let left = 0

  /** The next bytes up to `mark`, or undefined while they are incomplete. */
  function until(mark: Buffer | string): string | undefined {
    const at = rest.indexOf(mark)
    if (at < 0) return undefined
    const text = rest.toString('latin1', 0, at)
    rest = rest.subarray(at + mark.length)
    return text
  }

  function bytes(): void {
    const part = rest.length <= left ? rest : rest.subarray(0, left)
    rest = rest.subarray(part.length)
    left -= part.length
    handler.body(part)
  }

  function done(): void {
    state = 'head'
    handler.end()
  }

  /** One step; false when more bytes are needed. */
  function step(): boolean {
    switch (state) {
      case 'head': {
        const head = until(HEAD_END)
        if (head === undefined) return false
        handler.head(head)
        if (CHUNKED.test(head)) state = 'chunk-size'
        else {
          left = Number(LENGTH.exec(head)?.[1] ?? 0)
          if (left === 0) done()
          else state = 'length'
        }
        return true
      }
      case 'length':
        bytes()
        if (left === 0) done()
        return true
      case 'chunk-size': {
        const line = until('\r\n')
        if (line === undefined) return false
        left = Number.parseInt(line, 16)
        if (Number.isNaN(left)) throw new Error(`not a chunk size: ${line}`)
        state = left === 0 ? 'trailers' : 'chunk'
        return true
      }
      case 'chunk':
        bytes()
        if (left === 0) state = 'chunk-end'
        return true
      case 'chunk-end':
        if (until('\r\n') === undefined) return false
        state = 'chunk-size'
        return true
      case 'trailers': {
        const line = until('\r\n')
        if (line === undefined) return false
        if (line === '') done()
        return true
      }
    }
  }

  return (data) => {
    rest = rest.length === 0 ? data : Buffer.concat([rest, data])
    while (rest.length > 0 && step());
  }
}

/** One HTTP chunk around the given payload. */
export const chunkOf = (payload: string): Buffer => Buffer.from(`${Buffer.byteLength(payload).toString(16)}\r\n${payload}\r\n`)

/** Feeds a socket's bytes to a reader and turns what the reader throws into the socket's error. */
export function read(socket: Socket, handler: MessageHandler): void {
  const push = createReader(handler)
  socket.on('data', (data: Buffer) => {
    try {
      push(data)
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)))
    }
  })
}
