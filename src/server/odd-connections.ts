/** What arrives on the port but is no request that a line could serve: WebSocket upgrades, and bytes that are no HTTP. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { emptyBody } from '../core/http.ts'
import type { Line } from '../gateway.ts'
import { plainRequest } from './call-edge.ts'

export const isWebSocket = ({ headers }: IncomingMessage): boolean => headers.upgrade?.toLowerCase() === 'websocket'

export async function refuseUpgrade(request: IncomingMessage, socket: Socket, line: Line): Promise<void> {
  const { status, headers, body } = await line.handle(plainRequest(request, emptyBody))
  const bytes = body instanceof Uint8Array ? body : emptyBody
  const lines = Object.entries({ ...headers, 'content-length': String(bytes.length), connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}`,
  )
  const head = `HTTP/1.1 ${status} ${status === 426 ? 'Upgrade Required' : 'Refused'}\r\n${lines.join('\r\n')}\r\n\r\n`
  socket.end(Buffer.concat([Buffer.from(head), bytes]))
}

/** There is no dialect to answer in. */
export function refuseGarbage(error: Error & { code?: string }, socket: Socket): void {
  // What fails in a TLS handshake cannot be answered.
  if (!socket.writable || error.code === 'ECONNRESET' || /^ERR_(SSL|TLS)_/.test(error.code ?? '')) {
    socket.destroy()
    return
  }
  const [status, code, words] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', 'too_large', 'The request headers are too large.']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['408 Request Timeout', 'invalid_request', 'The request took too long to arrive.']
        : ['400 Bad Request', 'invalid_request', 'This is not a valid HTTP/1.1 request.']
  const body = JSON.stringify({ error: { message: words, type: 'invalid_request_error', param: null, code } })
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\nx-signalbox-error: ${code}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  )
}
