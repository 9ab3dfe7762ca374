import { createServer, type Server, type Socket } from 'node:net'
import { chunkOf, read } from './http1.ts'
import { type BenchWire, MARKER, plainAnswer, planOf, STREAMS, type StreamPlan } from './payloads.ts'

/** Headers of the number and kind that hosted providers send. */
const VENDOR_HEADERS = [
  'date: Tue, 22 Sep 2026 10:00:00 GMT',
  'connection: keep-alive',
  'access-control-expose-headers: X-Request-ID',
  'openai-organization: bench',
  'openai-processing-ms: 412',
  'openai-version: 2020-10-01',
  'x-ratelimit-limit-requests: 10000',
  'x-ratelimit-limit-tokens: 2000000',
  'x-ratelimit-remaining-requests: 9999',
  'x-ratelimit-remaining-tokens: 1999781',
  'x-ratelimit-reset-requests: 6ms',
  'x-ratelimit-reset-tokens: 6ms',
  'x-request-id: req_5f6c1e7b0a9d4c3e8b2f7a6d5c4b3a29',
  'strict-transport-security: max-age=31536000; includeSubDomains; preload',
  'cf-cache-status: DYNAMIC',
  'server: cloudflare',
].join('\r\n')

const plainReply = (body: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(`HTTP/1.1 200 OK\r\n${VENDOR_HEADERS}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`),
    body,
  ])

const PLAIN: Record<BenchWire, Buffer> = {
  'openai-chat': plainReply(plainAnswer('openai-chat')),
  'anthropic-messages': plainReply(plainAnswer('anthropic-messages')),
}

const STREAM_HEAD = Buffer.from(
  `HTTP/1.1 200 OK\r\n${VENDOR_HEADERS}\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n`,
)

const DELTAS: Record<BenchWire, readonly Buffer[]> = {
  'openai-chat': STREAMS['openai-chat'].deltas.map(chunkOf),
  'anthropic-messages': STREAMS['anthropic-messages'].deltas.map(chunkOf),
}

const LAST_CHUNK = Buffer.from('0\r\n\r\n')

/** What the upstream reads of a request. */
interface Asked {
  readonly model: string
  readonly stream?: boolean
  readonly stream_options?: { readonly include_usage?: boolean }
}

function parse(body: Buffer): Asked | undefined {
  try {
    return JSON.parse(body.toString()) as Asked
  } catch {
    return undefined
  }
}

function refuse(socket: Socket, message: string): void {
  const body = JSON.stringify({ error: { message, type: 'invalid_request_error' } })
  socket.write(`HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}

function writeStream(socket: Socket, wire: BenchWire, plan: StreamPlan, includeUsage: boolean): void {
  const shape = STREAMS[wire]
  const deltas = DELTAS[wire]
  socket.write(Buffer.concat([STREAM_HEAD, ...shape.head.map(chunkOf)]))
  let sent = 0

  function finish(): void {
    socket.write(Buffer.concat([...shape.tail(plan.events, includeUsage).map(chunkOf), LAST_CHUNK]))
  }

  /** One write of `burst` deltas; false when the stream is over or the socket is full. */
  function write(): boolean {
    if (socket.destroyed) return false
    const end = Math.min(sent + plan.burst, plan.events)
    const batch: Buffer[] = []
    for (; sent < end; sent++) batch.push(deltas[sent % deltas.length]!)
    const first = batch[0]
    const open = first === undefined || socket.write(batch.length === 1 ? first : Buffer.concat(batch))
    if (sent < plan.events) return open
    finish()
    return false
  }

  if (plan.paceMs > 0) {
    const timer = setInterval(() => {
      write()
      if (sent >= plan.events || socket.destroyed) clearInterval(timer)
    }, plan.paceMs)
    return
  }
  const pump = (): void => {
    if (write()) setImmediate(pump)
    else if (sent < plan.events && !socket.destroyed) socket.once('drain', pump)
  }
  pump()
}

function answer(socket: Socket, path: string, body: Buffer): void {
  const wire: BenchWire = path.endsWith('/messages') ? 'anthropic-messages' : 'openai-chat'
  const asked = parse(body)
  if (asked === undefined) refuse(socket, 'not JSON')
  else if (!body.includes(MARKER)) refuse(socket, 'the conversation did not arrive whole')
  else if (asked.stream !== true) socket.write(PLAIN[wire])
  else writeStream(socket, wire, planOf(asked.model), asked.stream_options?.include_usage === true)
}

/** A provider without a model: answers at once, from buffers made beforehand, in Chat Completions or Messages by the path's end. */
export function createUpstream(): Server {
  return createServer({ noDelay: true }, (socket) => {
    let path = ''
    let body: Buffer[] = []
    socket.on('error', () => socket.destroy())
    read(socket, {
      head(text) {
        path = text.slice(text.indexOf(' ') + 1, text.indexOf(' HTTP/'))
        body = []
      },
      body: (chunk) => body.push(chunk),
      end: () => answer(socket, path, body.length === 1 ? body[0]! : Buffer.concat(body)),
    })
  })
}
