/** The gateway as a `fetch`, for SDKs and for runtimes that have no sockets of their own. Web types live here only. */
import { Cancellation } from './core/cancellation.ts'
import { GatewayError } from './core/error.ts'
import { bytesOf, type Chunk, type HttpReply, type Headers as PlainHeaders, unread } from './core/http.ts'
import type { Line } from './gateway.ts'

export type GatewayFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/** Looks at the path only, so any base URL will do. */
export function fetchOf(line: () => Line | Promise<Line>): GatewayFetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const { pathname, search } = new URL(request.url)
    const cancellation = new Cancellation()
    const hangUp = (): void => cancellation.cancel(new GatewayError('client-closed', 'The caller hung up.'))
    if (request.signal.aborted) throw request.signal.reason
    request.signal.addEventListener('abort', hangUp, { once: true })
    const headers: PlainHeaders = {}
    request.headers.forEach((value, name) => {
      headers[name] = value
    })
    const body = new Uint8Array(await request.arrayBuffer())
    const reply = await (await line()).handle(
      { method: request.method, path: pathname, query: search.slice(1), headers, body },
      cancellation,
    )
    const done = (): void => request.signal.removeEventListener('abort', hangUp)
    if (request.signal.aborted) {
      if (!(reply.body instanceof Uint8Array)) await unread(reply.body)
      throw request.signal.reason
    }
    return responseOf(reply, request, done, hangUp)
  }
}

const BODYLESS = new Set([101, 204, 205, 304])

function responseOf({ status, headers, body }: HttpReply, { method, signal }: Request, done: () => void, hangUp: () => void): Response {
  const { trailer: _, ...plain } = headers
  if (BODYLESS.has(status) || method === 'HEAD') {
    done()
    return new Response(null, { status, headers: plain })
  }
  if (body instanceof Uint8Array) {
    done()
    return new Response(new Uint8Array(body), { status, headers: plain })
  }
  return new Response(streamOf(body, signal, done, hangUp), { status, headers: plain })
}

function streamOf(body: AsyncIterable<Chunk>, signal: AbortSignal, done: () => void, hangUp: () => void): ReadableStream<Uint8Array> {
  const source = body[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done: ended, value } = await source.next()
      if (signal.aborted) {
        controller.error(signal.reason)
        await source.return?.()
      } else if (ended) controller.close()
      else {
        controller.enqueue(typeof value === 'string' ? bytesOf(value) : value)
        return
      }
      done()
    },
    async cancel() {
      done()
      // First, since a body that waits for its provider would not hear of its end before the next byte.
      hangUp()
      await source.return?.()
    },
  })
}
