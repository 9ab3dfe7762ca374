/**
 * The transport on Node: connections kept alive, by undici where there is TLS (with HTTP/2 where the host offers it), by our own pool
 * where there is none.
 */
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import { type Dispatcher, Pool } from 'undici'
import type { Cancellation } from '../core/cancellation.ts'
import { GatewayError } from '../core/error.ts'
import type { Headers, Transport, UpstreamRequest, UpstreamResponse } from '../core/http.ts'
import { createTurn, type Turn } from '../core/turn.ts'
import { ByteQueue } from './byte-queue.ts'
import { CONNECT_TIMEOUT } from './http1/connection.ts'
import { Http1Pool, type PoolRequest } from './http1/pool.ts'
import { BROKEN_HTTP } from './http1/read-response.ts'

const KEEP_ALIVE_MS = 60_000
/** The default of `timeouts.connect`: calls with another one open connections of their own. */
const WARM_CONNECT_MS = 2_000
const MAX_HEADER = 64 * 1024

const inflaters: Readonly<Record<string, () => NodeJS.ReadWriteStream>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
}

/** What calls need of undici's pool, and of ours. */
interface Upstream {
  dispatch(
    request: PoolRequest & { readonly method: 'POST' | 'GET' | 'OPTIONS'; readonly origin: string },
    handler: Dispatcher.DispatchHandler,
  ): unknown
  close(): Promise<void>
  destroy(): Promise<void>
}

interface Address {
  readonly origin: string
  readonly path: string
}

export interface NodeTransportOptions {
  /** Called before calls are written to their sockets. */
  readonly beforeSending?: () => void
}

export function nodeTransport({ beforeSending }: NodeTransportOptions = {}): Transport {
  // Calls that were handled side by side are ready at the same moment: no need to wait for the loop's next turn.
  const turn = createTurn({ atEndOfTurn: (run) => process.nextTick(run), before: beforeSending })
  const pools = new Map<string, Upstream>()
  const addresses = new Map<string, Address>()

  const addressOf = (url: string): Address => {
    let address = addresses.get(url)
    if (!address) {
      const { origin, pathname, search } = new URL(url)
      address = { origin, path: pathname + search }
      // Gemini has the model in the path: many URLs, so the memory is bounded.
      if (addresses.size > 2_000) addresses.clear()
      if (url.length < 500) addresses.set(url, address)
    }
    return address
  }
  const poolOf = (origin: string, connectMs: number): Upstream => {
    const key = `${connectMs} ${origin}`
    let pool = pools.get(key)
    if (!pool) {
      pool = origin.startsWith('https:') ? securePool(origin, connectMs) : plainPool(origin, connectMs)
      pools.set(key, pool)
    }
    return pool
  }
  /**
   * Over HTTP/2 a cancelled call leaves its connection standing for the others. If that is dead without a word, every call after it would wait
   * in vain too: calls from now on open another one, while what runs on this one may end.
   */
  const replace = (lost: Upstream): void => {
    for (const [key, pool] of pools) if (pool === lost) pools.delete(key)
    void lost.close()
  }

  return {
    send(request, cancellation) {
      const { origin, path } = addressOf(request.url)
      const pool = poolOf(origin, request.connectMs)
      const lost = origin.startsWith('https:') ? () => replace(pool) : undefined
      return dispatch({ turn, pool, origin, path, request, cancellation, lost })
    },
    warm(url) {
      const { origin } = addressOf(url)
      // Whatever comes back, and whether anything does, the connection stands or the first call opens it.
      const ignore = (): void => {}
      poolOf(origin, WARM_CONNECT_MS).dispatch(
        { origin, path: '/', method: 'OPTIONS' },
        { onRequestStart: ignore, onResponseStart: ignore, onResponseData: ignore, onResponseEnd: ignore, onResponseError: ignore },
      )
    },
    keepOnly(origins) {
      for (const [key, pool] of pools) {
        if (origins.has(key.slice(key.indexOf(' ') + 1))) continue
        pools.delete(key)
        void pool.close()
      }
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()))
      pools.clear()
    },
  }
}

const plainPool = (origin: string, connectMs: number): Upstream =>
  new Http1Pool(origin, { connectMs, keepMs: KEEP_ALIVE_MS, keepAtMostMs: 10 * KEEP_ALIVE_MS, maxHead: MAX_HEADER })

const securePool = (origin: string, connectMs: number): Upstream =>
  new Pool(origin, {
    connect: { timeout: connectMs },
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: 10 * KEEP_ALIVE_MS,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: MAX_HEADER,
    pipelining: 1,
    allowH2: true,
  })

interface Sending extends Address {
  readonly turn: Turn
  readonly pool: Upstream
  readonly request: UpstreamRequest
  readonly cancellation: Cancellation
  /** Called when nothing came in time. */
  readonly lost: (() => void) | undefined
}

function dispatch({ turn, pool, origin, path, request, cancellation, lost }: Sending): Promise<UpstreamResponse> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined
    let queue: ByteQueue | undefined
    const abort = (reason: unknown): void => {
      const why = reason instanceof Error ? reason : new GatewayError('client-closed', 'The call was cancelled.')
      // Nothing of it has been written to a socket by then.
      const error = controller ? why : unsent(why)
      if (queue) queue.end(error)
      else reject(error)
      controller?.abort(error)
      if (reason instanceof GatewayError && reason.id === 'upstream-timeout') lost?.()
    }
    const forget = cancellation.onCancel(abort)
    if (cancellation.cancelled) return
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        controller = started
        if (cancellation.cancelled) started.abort(new Error('cancelled'))
      },
      onResponseStart(started, status, headers) {
        if (status < 200) return
        queue = new ByteQueue({
          pause: () => started.pause(),
          resume: () => started.resume(),
          abort: () => {
            forget()
            started.abort(new Error('no longer wanted'))
          },
        })
        const plain = flat(headers)
        const encoding = plain['content-encoding']?.toLowerCase()
        const arriving = queue
        if (encoding && encoding !== 'identity') resolve({ status, headers: plain, body: inflated(queue, encoding) })
        else resolve({ status, headers: plain, body: queue, whole: (limit) => arriving.whole(limit) })
      },
      onResponseData(_controller, chunk) {
        queue?.push(chunk)
      },
      onResponseEnd() {
        forget()
        queue?.end()
      },
      onResponseError(_controller, error) {
        forget()
        const fault = controller ? faultOf(error, origin) : unsent(faultOf(error, origin))
        if (queue) queue.end(fault)
        else reject(fault)
      },
    }
    turn.atEnd(() => {
      if (cancellation.cancelled) return
      try {
        pool.dispatch({ origin, path, method: request.method, headers: request.headers, body: request.body }, handler)
      } catch (error) {
        forget()
        reject(error)
      }
    })
  })
}

/** The same, of which nothing has gone out. */
function unsent(error: Error): Error {
  if (!(error instanceof GatewayError) || error.unsent) return error
  const { id, message, path, status, retryAfterMs, shouldRetry } = error
  return new GatewayError(id, message, { path, status, retryAfterMs, shouldRetry, cause: error, unsent: true })
}

/** undici's names are in lower case already; only repeated headers need joining. */
function flat(headers: Record<string, string | string[] | undefined>): Headers {
  for (const name in headers) {
    const value = headers[name]
    if (typeof value !== 'string') headers[name] = value?.join(', ') ?? ''
  }
  return headers as Headers
}

/** Nobody asked for compression, but some hosts compress all the same. */
async function* inflated(queue: ByteQueue, encoding: string): AsyncIterable<Uint8Array> {
  const inflater = inflaters[encoding]?.()
  if (!inflater) {
    await queue.return()
    throw new GatewayError('upstream-invalid', `The provider's answer has an unknown content encoding: ${encoding.slice(0, 40)}.`)
  }
  const { pipeline, Readable } = await import('node:stream')
  // The loop below tells how it ended; the pipeline only passes ends and faults on.
  pipeline(Readable.from(queue, { objectMode: false }), inflater, () => {})
  try {
    yield* inflater as unknown as AsyncIterable<Uint8Array>
  } catch (error) {
    if (error instanceof GatewayError) throw error
    throw new GatewayError('upstream-invalid', "The provider's answer could not be decompressed.", { cause: error })
  } finally {
    await queue.return()
  }
}

function faultOf(error: Error & { code?: string }, origin: string): GatewayError {
  if (error instanceof GatewayError) return error
  const { host } = new URL(origin)
  switch (error.code) {
    case CONNECT_TIMEOUT:
    case 'UND_ERR_CONNECT_TIMEOUT':
      return new GatewayError('upstream-timeout', `No connection to ${host} in time.`, { cause: error, unsent: true })
    case BROKEN_HTTP:
    case 'UND_ERR_HEADERS_OVERFLOW':
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      return new GatewayError('upstream-invalid', `${host} sent an answer that breaks HTTP.`, { cause: error })
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new GatewayError('upstream-unreachable', `The name ${host} could not be resolved.`, { cause: error, unsent: true })
    case 'ECONNREFUSED':
      return new GatewayError('upstream-unreachable', `${host} refused the connection.`, { cause: error, unsent: true })
    default:
      if (error.code?.startsWith('HPE_'))
        return new GatewayError('upstream-invalid', `${host} sent an answer that breaks HTTP.`, { cause: error })
      return new GatewayError('upstream-unreachable', `The connection to ${host} broke.`, { cause: error })
  }
}
