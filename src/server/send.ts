/** A reply of the line, written to a socket: whole at once, or as it comes, at the caller's pace. */
import { type Chunk, type HttpReply, unread } from '../core/http.ts'
import { createTurn } from '../core/turn.ts'
import type { BriefRefusal } from '../ingress/brief-refusals.ts'
import type { Answering } from './answering.ts'

/** Of one answer, for the end of the turn: bytes, or characters. */
const MOST_UNWRITTEN = 64 * 1024

/** A caller that reads nothing for this long is gone. */
const STALL_MS = 30_000

export interface SendOptions {
  readonly method: string
  /** The gateway stops: the connection is not to be used again. */
  readonly closing: boolean
  /** The caller has no chunks, and so no trailers. */
  readonly http10?: boolean
}

/** Nobody is left to tell when an answer cannot be sent to its end: the connection breaks, which no caller takes for success. */
export async function sendReply(reply: HttpReply, response: Answering, options: SendOptions): Promise<void> {
  const { body } = reply
  try {
    if (!(body instanceof Uint8Array)) await sendPieces(reply, body, response, options)
    else sendWhole(reply, body, response, options)
  } catch {
    response.destroy()
  }
}

/** Writing takes less than handling calls, and refusals are many. */
const turn = createTurn({ most: 256 })

/** With its head in one piece, together with others: there are many of them just when time is short. */
export function sendRefusal({ status, headers, body }: BriefRefusal, response: Answering, closing: boolean): void {
  turn.atEnd(() => {
    if (response.destroyed) return
    if (closing) headers['connection'] = 'close'
    headers['content-length'] = String(Buffer.byteLength(body))
    response.writeHead(status, headers)
    response.end(body)
  })
}

function sendWhole({ status, headers }: HttpReply, body: Uint8Array, response: Answering, { method, closing }: SendOptions): void {
  if (closing) headers['connection'] = 'close'
  headers['content-length'] = String(body.length)
  turn.atEnd(() => {
    if (response.destroyed) return
    try {
      response.writeHead(status, headers)
      response.end(method === 'HEAD' ? undefined : body)
    } catch {
      response.destroy()
    }
  })
}

async function sendPieces(
  { status, headers, trailers }: HttpReply,
  body: AsyncIterable<Chunk>,
  response: Answering,
  { closing, http10 }: SendOptions,
): Promise<void> {
  if (response.destroyed) return unread(body)
  if (closing) headers['connection'] = 'close'
  if (http10) delete headers['trailer']
  response.writeHead(status, headers)
  let begun = false
  // The head leaves with the first chunk where that is there already.
  turn.atEnd(() => turn.atEnd(() => begun || response.destroyed || response.flushHeaders()))
  let unwritten = 0
  for await (const chunk of body) {
    if (response.destroyed) return
    begun = true
    unwritten += chunk.length
    turn.atEnd(() => {
      unwritten -= chunk.length
      if (!response.destroyed) response.write(chunk)
    })
    // Before that, nothing tells whether the caller reads.
    if (unwritten > MOST_UNWRITTEN) await new Promise<void>((resolve) => turn.atEnd(resolve))
    if (response.writableNeedDrain) await drained(response)
  }
  const last = headers['trailer'] === undefined ? undefined : trailers?.()
  turn.atEnd(() => {
    if (response.destroyed) return
    if (last) response.addTrailers(last)
    response.end()
  })
}

function drained(response: Answering): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => response.destroy(), STALL_MS)
    const done = (): void => {
      clearTimeout(timer)
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.once('drain', done)
    response.once('close', done)
  })
}
