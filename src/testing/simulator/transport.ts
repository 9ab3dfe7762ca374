/** The simulator as the gateway's way out: no sockets, no copies of bytes. */
import type { Cancellation } from '../../core/cancellation.ts'
import { GatewayError } from '../../core/error.ts'
import { bytesOf, type Transport, type UpstreamRequest, type UpstreamResponse } from '../../core/http.ts'
import type { Simulator } from './simulator.ts'

/** Requests may carry any host; only their path and query matter. */
export function simulatorTransport(simulator: Simulator): Transport {
  return {
    send: (request, cancellation) => send(simulator, request, cancellation),
    close: () => Promise.resolve(),
  }
}

async function send(
  simulator: Simulator,
  { method, url, headers, body }: UpstreamRequest,
  cancellation: Cancellation,
): Promise<UpstreamResponse> {
  const controller = new AbortController()
  const forget = cancellation.onCancel((reason) => controller.abort(reason))
  const failed = (thrown: unknown): GatewayError => {
    if (cancellation.reason instanceof GatewayError) return cancellation.reason
    if (thrown instanceof GatewayError) return thrown
    return new GatewayError('upstream-unreachable', 'The connection to the simulator broke.', { cause: thrown })
  }
  const { pathname, search } = new URL(url)
  const bytes = typeof body === 'string' ? bytesOf(body) : body
  try {
    const request = { method, path: pathname, query: search.slice(1), headers, body: bytes }
    const reply = await simulator.handle(request, controller.signal)
    return { status: reply.status, headers: reply.headers, body: arriving(reply.body, controller, forget, failed) }
  } catch (thrown) {
    forget()
    throw failed(thrown)
  }
}

async function* arriving(
  body: Uint8Array | AsyncIterable<Uint8Array>,
  controller: AbortController,
  forget: () => void,
  failed: (thrown: unknown) => GatewayError,
): AsyncGenerator<Uint8Array> {
  let whole = false
  try {
    if (body instanceof Uint8Array) yield body
    else yield* body
    whole = true
  } catch (thrown) {
    throw failed(thrown)
  } finally {
    forget()
    if (!whole) controller.abort()
  }
}
