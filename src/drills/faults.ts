/** Faults put between a route and its targets, where the provider's answer would come from. */
import { type DrillFault, drillFaultNames } from '../config/config.ts'
import type { Cancellation } from '../core/cancellation.ts'
import { GatewayError } from '../core/error.ts'
import { bytesOf, type Transport, type UpstreamRequest, type UpstreamResponse } from '../core/http.ts'
import { isObject, parseJson } from '../core/json.ts'

/** What each does, for people. */
export const drillFaults: Readonly<Record<DrillFault, string>> = {
  error: 'answers 503',
  'rate-limit': 'answers 429 and asks to wait half a minute',
  slow: 'never sends its first event',
  stall: 'falls silent in the middle of the answer',
  truncate: 'ends in the middle of the answer, as if that were all',
  'bad-json': 'answers 200 with something that is not JSON',
  refused: 'refuses the connection',
}

export const isDrillFault = (name: string): name is DrillFault => drillFaultNames.some((known) => known === name)

/** After these a stream may have told its caller something already. */
export const strikesMidStream = (fault: DrillFault): boolean => fault === 'stall' || fault === 'truncate'

export interface Injection {
  /** Undefined: nothing is broken. */
  readonly fault: DrillFault | undefined
  /** So many targets are broken: those that are asked first, whichever they are. */
  readonly depth: number
  /** Marks requests that do reach a provider. */
  readonly mark: string | undefined
}

/** The way out of one drilled call. `of` gives each provider its transport. */
export function injecting(inner: Transport, { fault, depth, mark }: Injection): { of(provider: string): Transport } {
  const broken = new Set<string>()
  const passed = new Set<string>()
  const isBroken = (target: string): boolean => {
    if (fault === undefined || passed.has(target)) return false
    if (broken.has(target)) return true
    const strikes = broken.size < depth
    ;(strikes ? broken : passed).add(target)
    return strikes
  }
  return {
    of: (provider) => ({
      send(request, cancellation) {
        const send = (): Promise<UpstreamResponse> =>
          inner.send(
            mark === undefined ? request : { ...request, headers: { ...request.headers, 'x-signalbox-drill': mark } },
            cancellation,
          )
        return fault !== undefined && isBroken(`${provider}/${modelOf(request)}`) ? struck(fault, request, cancellation, send) : send()
      },
      close: () => Promise.resolve(),
    }),
  }
}

/** In the body, or in the path (Gemini). */
function modelOf({ url, body }: UpstreamRequest): string {
  const inPath = /\/models\/([^/:]+):/.exec(url)?.[1]
  if (inPath !== undefined) return inPath
  const json = parseJson(typeof body === 'string' ? body : new TextDecoder().decode(body))
  return isObject(json) && typeof json['model'] === 'string' ? json['model'] : ''
}

async function struck(
  fault: DrillFault,
  { headers }: UpstreamRequest,
  cancellation: Cancellation,
  send: () => Promise<UpstreamResponse>,
): Promise<UpstreamResponse> {
  const json = { 'content-type': 'application/json' }
  const told = (message: string): Uint8Array => bytesOf(JSON.stringify({ error: { message, type: 'server_error' } }))
  switch (fault) {
    case 'error':
      return { status: 503, headers: json, body: once(told('A drill: this provider is out of order.')) }
    case 'rate-limit':
      return { status: 429, headers: { ...json, 'retry-after': '30' }, body: once(told('A drill: too many requests.')) }
    case 'refused':
      throw new GatewayError('upstream-unreachable', 'A drill: the connection was refused.', { unsent: true })
    case 'slow':
      return await silence(cancellation)
    case 'bad-json': {
      const streamed = headers['accept']?.includes('event-stream') ?? false
      const body = streamed ? 'data: {"choices": [{"delta": {"con\n\n' : '{"choices": [{"message": '
      return { status: 200, headers: streamed ? { 'content-type': 'text/event-stream' } : json, body: once(bytesOf(body)) }
    }
    default: {
      const { status, headers: answered, body } = await send()
      return { status, headers: without(answered, 'content-length'), body: cut(body, fault === 'stall' ? cancellation : undefined) }
    }
  }
}

/** Lasts until the call is given up. */
const silence = (cancellation: Cancellation): Promise<never> => new Promise((_, reject) => cancellation.onCancel(reject))

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** Two events of a stream go through; half of an answer that has none. Then nothing, or an early end. */
async function* cut(body: AsyncIterable<Uint8Array>, stalls: Cancellation | undefined): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder()
  let text = ''
  let kept: string | undefined
  for await (const bytes of body) {
    text += decoder.decode(bytes, { stream: true })
    const ends = [...text.matchAll(/\r?\n\r?\n/g)]
    const last = ends[EVENTS - 1]
    if (last) {
      kept = text.slice(0, last.index + last[0].length)
      break
    }
  }
  yield bytesOf(kept ?? text.slice(0, Math.ceil(text.length / 2)))
  if (stalls) await silence(stalls)
}

const EVENTS = 3

const without = (headers: Readonly<Record<string, string>>, name: string): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name))
