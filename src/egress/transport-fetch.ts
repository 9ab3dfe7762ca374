/** The transport where there is no undici: any runtime with `fetch`. */
import type { Cancellation } from '../core/cancellation.ts'
import { GatewayError } from '../core/error.ts'
import type { Headers, Transport, UpstreamRequest, UpstreamResponse } from '../core/http.ts'

type Fetch = (
  url: string,
  init: {
    method: string
    headers: Record<string, string>
    body?: string | Uint8Array<ArrayBuffer>
    signal: AbortSignal
    redirect: 'manual'
  },
) => Promise<Response>

export function fetchTransport(fetch: Fetch = globalThis.fetch): Transport {
  return {
    send: (request, cancellation) => send(fetch, request, cancellation),
    close: async () => {},
  }
}

async function send(fetch: Fetch, request: UpstreamRequest, cancellation: Cancellation): Promise<UpstreamResponse> {
  const controller = new AbortController()
  const forget = cancellation.onCancel((reason) => controller.abort(reason))
  const failed = (error: unknown): GatewayError => {
    if (cancellation.reason instanceof GatewayError) return cancellation.reason
    return error instanceof GatewayError
      ? error
      : new GatewayError('upstream-unreachable', `The connection to ${new URL(request.url).host} broke.`, { cause: error })
  }
  try {
    const body = request.method === 'GET' ? undefined : typeof request.body === 'string' ? request.body : new Uint8Array(request.body)
    const response = await fetch(request.url, {
      method: request.method,
      headers: { ...request.headers },
      body,
      signal: controller.signal,
      redirect: 'manual',
    })
    const headers: Headers = {}
    response.headers.forEach((value, name) => {
      headers[name] = value
    })
    return { status: response.status, headers, body: bodyOf(response, controller, forget, failed) }
  } catch (error) {
    forget()
    throw failed(error)
  }
}

async function* bodyOf(
  response: Response,
  controller: AbortController,
  forget: () => void,
  failed: (error: unknown) => GatewayError,
): AsyncIterable<Uint8Array> {
  const reader = response.body?.getReader()
  if (!reader) return
  let whole = false
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      yield value
    }
    whole = true
  } catch (error) {
    throw failed(error)
  } finally {
    forget()
    if (!whole) controller.abort()
  }
}
