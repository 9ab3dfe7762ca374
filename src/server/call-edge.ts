/**
 * The edge that calls pass: a request's bytes in whole (decompressed, capped), a line's reply out. On Node's own server
 * objects, since every call pays for what stands here.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Cancellation } from '../core/cancellation.ts'
import { GatewayError, gatewayErrorOf } from '../core/error.ts'
import { emptyBody, type Headers, type HttpRequest } from '../core/http.ts'
import { joinedBytes } from '../core/text.ts'
import { createTurn } from '../core/turn.ts'
import type { Line } from '../gateway.ts'
import type { Answering } from './answering.ts'
import { decompressed } from './decompress.ts'
import { sendRefusal, sendReply } from './send.ts'

export interface CallEdgeOptions {
  /** The line in force; asked for each call, so that a reload takes effect at once. */
  line(): Line
  /** Bytes, as sent and after decompression. */
  maxBody(): number
  /** False: answers ask to close the connection. */
  ready(): boolean
  /** Whether this answer is to close its connection, for the sake of other threads. */
  readonly sheds?: (() => boolean) | undefined
  /** How a request is read. Default: as plain HTTP has it. */
  readonly plain?: ((request: IncomingMessage, body: Uint8Array) => HttpRequest) | undefined
}

export interface CallEdge {
  serve(request: IncomingMessage, response: ServerResponse): void
  /** Refuses a call for which there is no room, before its body is read; false: it may come. */
  turnsAway(request: () => HttpRequest, response: Answering): boolean
  /** A call that is there in whole. */
  answer(request: HttpRequest, response: Answering): void
  /** Ends every running call with this error. */
  cancelAll(error: GatewayError): void
}

/** How long what is left of an upload is read and thrown away, so that the refusal reaches a caller that is still sending. */
const LINGER_MS = 2_000

const turn = createTurn()

export function callEdge({ line, maxBody, ready, sheds, plain: read = plainRequest }: CallEdgeOptions): CallEdge {
  const running = new Set<Cancellation>()

  const turnsAway = (request: () => HttpRequest, response: Answering): boolean => {
    const full = line().turnAway(request, turn.waiting)
    if (full) sendRefusal(full, response, !ready())
    return full !== undefined
  }

  return {
    turnsAway,
    answer: (request, response) => turn.atEnd(() => void answer(request, response)),
    serve(request, response) {
      if (turnsAway(() => read(request, emptyBody), response)) return
      const http10 = request.httpVersionMajor === 1 && request.httpVersionMinor === 0
      const pieces: Uint8Array[] = []
      let size = 0
      let refused = false
      const most = maxBody()
      const declared = Number(request.headers['content-length'])
      if (declared > most) return tooLarge()
      request.on('data', (piece: Uint8Array) => {
        if (refused) return
        size += piece.length
        if (size > most) {
          pieces.length = 0
          tooLarge()
        } else pieces.push(piece)
      })
      request.on('end', () => {
        if (!refused) turn.atEnd(() => void answer(read(request, size === 0 ? emptyBody : joinedBytes(pieces, size)), response, http10))
      })

      function tooLarge(): void {
        refused = true
        const error = new GatewayError('too-large', `The request body is larger than ${most} bytes.`, { shouldRetry: false })
        refuse(read(request, emptyBody), response, error)
        request.resume()
        const timer = setTimeout(() => request.destroy(), LINGER_MS)
        request.once('close', () => clearTimeout(timer))
      }
    },
    cancelAll(error) {
      for (const cancellation of running) cancellation.cancel(error)
    },
  }

  async function answer(request: HttpRequest, response: Answering, http10 = false): Promise<void> {
    if (response.destroyed) return
    const cancellation = new Cancellation()
    running.add(cancellation)
    response.on('close', () => {
      running.delete(cancellation)
      if (!response.writableFinished)
        cancellation.cancel(new GatewayError('client-closed', 'The caller hung up before the answer was complete.'))
    })
    const { headers, body } = request
    const encoding = headers['content-encoding']
    const framing = headers['transfer-encoding']
    let whole = request
    if (encoding !== undefined || framing !== undefined) {
      try {
        if (framing !== undefined && framing.toLowerCase() !== 'chunked') throw strangeFraming()
        if (encoding !== undefined && encoding !== 'identity' && body.length > 0)
          whole = { ...request, body: await decompressed(body, encoding, maxBody()) }
      } catch (error) {
        return refuse(request, response, gatewayErrorOf(error))
      }
    }
    const reply = await line().handle(whole, cancellation)
    await sendReply(reply, response, { method: whole.method, closing: !ready() || sheds?.() === true, http10 })
  }

  function refuse(request: HttpRequest, response: Answering, error: GatewayError): void {
    // A body that was not read to its end leaves the connection in the middle of it.
    void sendReply(line().refuse({ ...request, body: emptyBody }, error), response, { method: request.method, closing: true })
  }
}

export function plainRequest({ method = 'GET', url = '/', headers, socket }: IncomingMessage, body: Uint8Array): HttpRequest {
  const mark = url.indexOf('?')
  return {
    method,
    path: mark < 0 ? url : url.slice(0, mark),
    query: mark < 0 ? '' : url.slice(mark + 1),
    headers: headers as Headers,
    body,
    ip: socket.remoteAddress,
  }
}

/** Two readers of another framing than plain `chunked` may see two different requests. */
const strangeFraming = (): GatewayError =>
  new GatewayError('invalid-request', '`transfer-encoding` must be `chunked` and nothing else.', { shouldRetry: false })
